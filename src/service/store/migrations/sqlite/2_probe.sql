-- Rewritten to learn whether the store can be written: one row, as large as what a verdict takes.
CREATE TABLE probe (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    bytes BLOB NOT NULL
);
