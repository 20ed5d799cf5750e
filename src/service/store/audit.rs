//! An event → a row of the audit chain, and the chain → proof that no row was altered, taken out or cut off.
//!
//! Each row's hash covers the hash before it, so the last hash stands for all rows. The chain has no secret: whoever may
//! write to the database and drops its triggers can compute a whole new chain. Against that, keep a head elsewhere from
//! time to time and give it to [`ReviewStore::verify_against`].

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::{ReviewStore, StoreError, Transaction, column, hash_column};

/// What the first row follows.
const GENESIS: [u8; 32] = [0; 32];
/// Rows read at a time while the chain is verified.
const PAGE: i64 = 500;
/// Most rows one call of [`ReviewStore::audit`] gives.
const LARGEST_PAGE: u32 = 1000;

/// One row of the audit chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the chain, from 1 without gaps.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// Who did it: an API key's id, or the program's own name.
    pub actor: String,
    /// What happened, for example `case.recorded`.
    pub event: String,
    /// The case or key it happened to.
    pub subject: String,
    /// More of it, as a JSON object; never a report or a picture.
    pub body: String,
    /// Hash of the row before.
    pub previous: [u8; 32],
    /// Hash of this row.
    pub hash: [u8; 32],
}

/// That the chain is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditProof {
    /// Rows verified.
    pub rows: i64,
    /// Hash of the last one; zeros when there is none.
    pub head: [u8; 32],
    /// The row that has the expected hash, where one was expected: 0 for the beginning of the chain.
    pub expected_seq: Option<i64>,
}

/// Where the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// The row is not the one that was written.
    #[error("row {seq} was altered")]
    Altered {
        /// The first such row.
        seq: i64,
    },
    /// The row is not there, and later ones are.
    #[error("row {seq} is missing")]
    Gap {
        /// The first such row.
        seq: i64,
    },
    /// The row and all after it are not there.
    #[error("row {seq} and all after it are missing")]
    TailMissing {
        /// The first such row.
        seq: i64,
    },
    /// The row comes after the last one that was written.
    #[error("row {seq} was never written by this program")]
    Foreign {
        /// The first such row.
        seq: i64,
    },
    /// The chain is whole, but no row of it has the expected hash: it is another one, or was written anew.
    #[error("no row has the expected hash")]
    Elsewhere,
}

/// What an audit row says, its place and time aside.
pub(super) struct Event<'a> {
    pub actor: &'a str,
    pub name: &'static str,
    pub subject: &'a str,
    pub body: serde_json::Value,
}

/// The next row of the chain, held by the transaction's lock on the head until it is written.
#[must_use]
pub(super) struct Place {
    pub seq: i64,
    previous: [u8; 32],
}

impl Transaction {
    /// Takes the next place in the chain. To be the first statement: it takes the lock that all writers wait for.
    pub(super) async fn take_place(&mut self) -> Result<Place, StoreError> {
        let query = sqlx::query("UPDATE audit_head SET seq = seq + 1 WHERE one = 1 RETURNING seq, hash");
        let row = self.row(query).await?.ok_or_else(|| StoreError::Corrupt("audit_head is empty".to_owned()))?;
        Ok(Place { seq: column(&row, "seq")?, previous: hash_column(&row, "hash")? })
    }

    /// Writes `event` at its place.
    pub(super) async fn write_event(&mut self, place: Place, time_ms: i64, event: Event<'_>) -> Result<(), StoreError> {
        let mut row = AuditRow {
            seq: place.seq,
            time_ms,
            actor: event.actor.to_owned(),
            event: event.name.to_owned(),
            subject: event.subject.to_owned(),
            body: event.body.to_string(),
            previous: place.previous,
            hash: GENESIS,
        };
        row.hash = digest(&row);
        let insert = sqlx::query(
            "INSERT INTO audit (seq, time_ms, actor, event, subject, body, previous, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(row.seq)
        .bind(row.time_ms)
        .bind(row.actor)
        .bind(row.event)
        .bind(row.subject)
        .bind(row.body)
        .bind(row.previous.to_vec())
        .bind(row.hash.to_vec());
        self.run(insert).await?;
        self.run(sqlx::query("UPDATE audit_head SET hash = $1 WHERE one = 1").bind(row.hash.to_vec())).await?;
        Ok(())
    }
}

impl ReviewStore {
    /// Rows after `after_seq` (0 for the beginning), oldest first, at most `limit` and never more than 1000.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn audit(&self, after_seq: i64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.audit_between(after_seq, i64::MAX, i64::from(limit.min(LARGEST_PAGE))).await
    }

    async fn audit_between(&self, after_seq: i64, last_seq: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let query = sqlx::query(
            "SELECT seq, time_ms, actor, event, subject, body, previous, hash FROM audit \
             WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
        )
        .bind(after_seq)
        .bind(last_seq)
        .bind(limit);
        self.read(query).await?.iter().map(read_row).collect()
    }

    /// Reads the whole chain, page by page, and checks each row; rows written meanwhile are left for the next time.
    ///
    /// # Errors
    /// [`StoreError::Chain`] names the first bad row; [`StoreError::Unavailable`] or [`StoreError::Corrupt`] otherwise.
    pub async fn verify(&self) -> Result<AuditProof, StoreError> {
        self.walk(None).await
    }

    /// [`Self::verify`], and that a row has the hash `expected`: the head of this chain at some time, kept elsewhere.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`ChainFault::Elsewhere`] when no row has it.
    pub async fn verify_against(&self, expected: [u8; 32]) -> Result<AuditProof, StoreError> {
        let proof = self.walk(Some(expected)).await?;
        if proof.expected_seq.is_none() {
            return Err(ChainFault::Elsewhere.into());
        }
        Ok(proof)
    }

    async fn walk(&self, expected: Option<[u8; 32]>) -> Result<AuditProof, StoreError> {
        let query = sqlx::query(
            "SELECT seq, hash, (SELECT MIN(audit.seq) FROM audit WHERE audit.seq > audit_head.seq) AS beyond FROM audit_head",
        );
        let head = self.read_one(query).await?.ok_or_else(|| StoreError::Corrupt("audit_head is empty".to_owned()))?;
        let (last_seq, last_hash) = (column::<i64>(&head, "seq")?, hash_column(&head, "hash")?);
        let mut expected_seq = (expected == Some(GENESIS)).then_some(0);
        let (mut seq, mut previous) = (0, GENESIS);
        loop {
            let page = self.audit_between(seq, last_seq, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                seq += 1;
                if row.seq != seq {
                    return Err(ChainFault::Gap { seq }.into());
                }
                if row.previous != previous || digest(&row) != row.hash {
                    return Err(ChainFault::Altered { seq }.into());
                }
                previous = row.hash;
                if expected == Some(previous) {
                    expected_seq = Some(seq);
                }
            }
        }
        if seq < last_seq {
            return Err(ChainFault::TailMissing { seq: seq + 1 }.into());
        }
        if previous != last_hash {
            return Err(ChainFault::Altered { seq }.into());
        }
        if let Some(seq) = column(&head, "beyond")? {
            return Err(ChainFault::Foreign { seq }.into());
        }
        Ok(AuditProof { rows: seq, head: previous, expected_seq })
    }
}

fn read_row(row: &AnyRow) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        seq: column(row, "seq")?,
        time_ms: column(row, "time_ms")?,
        actor: column(row, "actor")?,
        event: column(row, "event")?,
        subject: column(row, "subject")?,
        body: column(row, "body")?,
        previous: hash_column(row, "previous")?,
        hash: hash_column(row, "hash")?,
    })
}

/// SHA-256 of the previous hash and of each field behind its length as 8 bytes, numbers as 8 bytes, all big-endian: no
/// two rows have the same encoding.
fn digest(row: &AuditRow) -> [u8; 32] {
    let mut hasher = Sha256::new_with_prefix(row.previous);
    let (seq, time) = (row.seq.to_be_bytes(), row.time_ms.to_be_bytes());
    let texts = [&row.actor, &row.event, &row.subject, &row.body].map(String::as_bytes);
    for field in [&seq[..], &time].into_iter().chain(texts) {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> AuditRow {
        AuditRow {
            seq: 1,
            time_ms: 2,
            actor: "ab".to_owned(),
            event: "c".to_owned(),
            subject: String::new(),
            body: "{}".to_owned(),
            previous: GENESIS,
            hash: GENESIS,
        }
    }

    #[test]
    fn every_field_and_every_border_between_fields_counts() {
        let plain = digest(&row());
        let moved = AuditRow { actor: "a".to_owned(), event: "bc".to_owned(), ..row() };
        let swapped = AuditRow { seq: 2, time_ms: 1, ..row() };
        let later = AuditRow { previous: [1; 32], ..row() };
        let subject = AuditRow { subject: "{}".to_owned(), body: String::new(), ..row() };
        for other in [moved, swapped, later, subject] {
            assert_ne!(digest(&other), plain, "{other:?}");
        }
    }

    #[test]
    fn the_encoding_stays_as_it_is() {
        // Chains that exist must verify for ever. Computed once by another program over the bytes described at `digest`.
        let hex = |half: &[u8]| format!("{:032x}", u128::from_be_bytes(half.try_into().unwrap()));
        let hash = digest(&row());
        assert_eq!(
            hex(&hash[..16]) + &hex(&hash[16..]),
            "4a9b66a2161982fd62f6edd399177b8204c298a2e38a2e49f41016ce338b7bd1"
        );
    }
}
