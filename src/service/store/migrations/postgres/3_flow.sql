-- What ties a case to its caller's own records, what a row of attempts is told by, and what cases are looked for by.
ALTER TABLE cases ADD COLUMN reference TEXT;
-- 64 bits of its hash: an index may keep pieces of what it held, and a reference is to be gone when its case is.
ALTER TABLE cases ADD COLUMN reference_key BIGINT;
ALTER TABLE cases ADD COLUMN metadata TEXT;
ALTER TABLE cases ADD COLUMN wanted TEXT;
ALTER TABLE cases ADD COLUMN attempt BIGINT;
ALTER TABLE cases ADD COLUMN picture_hash TEXT;
ALTER TABLE cases ADD COLUMN again_of TEXT;
-- Codes with a comma before and behind each.
ALTER TABLE cases ADD COLUMN reasons TEXT;
ALTER TABLE cases ADD COLUMN score_screen DOUBLE PRECISION;
ALTER TABLE cases ADD COLUMN score_print DOUBLE PRECISION;
ALTER TABLE cases ADD COLUMN score_legibility DOUBLE PRECISION;
-- What the person who decided says to the applicant.
ALTER TABLE cases ADD COLUMN message TEXT;
CREATE INDEX cases_reference ON cases (reference_key, seq) WHERE reference_key IS NOT NULL;
-- When the report went because of its age.
ALTER TABLE cases ADD COLUMN unreported_ms BIGINT;
CREATE INDEX cases_age ON cases (created_ms) WHERE purged_ms IS NULL;
CREATE INDEX cases_reported ON cases (created_ms) WHERE purged_ms IS NULL AND unreported_ms IS NULL;

-- What another policy would have made of the same outcomes.
CREATE TABLE shadows (
    case_id TEXT PRIMARY KEY REFERENCES cases (id),
    policy TEXT NOT NULL,
    force_decision TEXT NOT NULL,
    force_reasons TEXT NOT NULL,
    decision TEXT NOT NULL,
    reasons TEXT NOT NULL
);
CREATE INDEX shadows_policy ON shadows (policy);

-- Tokens for an applicant's own browser; of each only a hash.
CREATE TABLE upload_tokens (
    secret_hash BYTEA PRIMARY KEY,
    owner TEXT NOT NULL,
    asked TEXT NOT NULL,
    uploads_left BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX upload_tokens_expiry ON upload_tokens (expires_ms);
