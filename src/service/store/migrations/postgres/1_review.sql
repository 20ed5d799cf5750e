-- Times are milliseconds since 1970. Large contents stand in tables of their own, so that lists read short rows.

CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, seq);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append-only';
END $$;
CREATE FUNCTION audit_check_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq IS DISTINCT FROM (SELECT seq FROM audit_head) THEN
        RAISE EXCEPTION 'audit is append-only';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
FOR EACH ROW EXECUTE FUNCTION audit_check_order();
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
FOR EACH ROW WHEN (NEW.seq < OLD.seq OR NEW.one <> OLD.one) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

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
    sealed BYTEA NOT NULL
);
-- Sealed bytes do not compress.
ALTER TABLE pictures ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX pictures_expiry ON pictures (expires_ms);

CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
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
    secret_hash BYTEA NOT NULL,
    former_hash BYTEA,
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
