-- Times are milliseconds since 1970. Large contents stand in tables of their own, so that lists read short rows, and in
-- tables with a rowid: secure_delete was seen to leave pieces of deleted rows in tables without one.

CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL,
    hash BLOB NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32));

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- INSERT OR REPLACE would delete without a delete trigger.
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq >= NEW.seq) OR NEW.seq IS NOT (SELECT seq FROM audit_head)
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
WHEN NEW.seq < OLD.seq OR NEW.one <> OLD.one
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;

CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL,
    decision TEXT NOT NULL,
    classification TEXT NOT NULL,
    session TEXT,
    created_ms BIGINT NOT NULL,
    decided_ms BIGINT,
    decided_by TEXT,
    decided_as TEXT,
    note TEXT,
    purged_ms BIGINT
);
CREATE INDEX cases_owner ON cases (owner, seq);
CREATE INDEX cases_open ON cases (decision, seq) WHERE decided_ms IS NULL AND purged_ms IS NULL;

CREATE TABLE reports (
    case_id TEXT PRIMARY KEY REFERENCES cases (id),
    body TEXT NOT NULL
);

CREATE TABLE pictures (
    case_id TEXT PRIMARY KEY REFERENCES cases (id),
    expires_ms BIGINT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX pictures_expiry ON pictures (expires_ms);

CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    case_id TEXT NOT NULL REFERENCES cases (id),
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, key_hash)
);
CREATE INDEX idempotency_expiry ON idempotency (expires_ms);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scopes BIGINT NOT NULL,
    per_minute BIGINT,
    secret_hash BLOB NOT NULL,
    former_hash BLOB,
    former_until_ms BIGINT,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    revoked_ms BIGINT
);

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    last_error TEXT
);
CREATE INDEX deliveries_due ON deliveries (next_ms) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (ended_ms) WHERE state = 'dead';
CREATE INDEX deliveries_case ON deliveries (case_id);
