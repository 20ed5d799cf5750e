//! What a caller calls an applicant or transaction → how often the gate refused it in a row, and with which pictures.

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;

use super::cases::{named, unlisted};
use super::{ReviewStore, StoreError, column, lookup, storable};
use crate::policy::Decision;
use crate::scene::PictureHash;

/// Attempts that are looked back upon: more than any limit on them.
const LOOKED_BACK: i64 = 100;

/// What a caller calls a case, and its place in a row of attempts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flow<'a> {
    /// The caller's own id of the applicant or transaction.
    pub reference: Option<&'a str>,
    /// What else the caller says of it, a JSON object.
    pub metadata: Option<&'a str>,
    /// The document that was asked for, by name.
    pub wanted: Option<&'a str>,
    /// Which attempt it is, from 1.
    pub attempt: Option<i64>,
    /// [`crate::report::Report::picture_hash`].
    pub picture_hash: Option<PictureHash>,
    /// The case that the same picture had before.
    pub again_of: Option<&'a str>,
}

impl Flow<'_> {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let texts = [self.reference, self.metadata, self.wanted, self.again_of];
        storable(&texts.map(Option::unwrap_or_default))
    }
}

/// An upload that the gate refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its case.
    pub id: String,
    /// SHA-256 of the picture, lower-case hex.
    pub sha256: String,
    /// [`crate::report::Report::picture_hash`].
    pub picture_hash: Option<PictureHash>,
    /// What the gate decided: `retake` or `reject`.
    pub decision: Decision,
    /// Codes of its reasons.
    pub reasons: Vec<String>,
    /// The case that the same picture had before.
    pub again_of: Option<String>,
    /// When, in milliseconds since 1970.
    pub created_ms: i64,
}

/// By what cases of a reference are found: 64 bits of its hash.
pub(super) fn reference_key(reference: &str) -> i64 {
    let digest = Sha256::digest(reference);
    i64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

impl ReviewStore {
    /// What the gate refused of an owner's `reference`, asked for the same document, in a row up to now, or up to the
    /// case whose place is `before`: the newest first, at most 100. The row ends before what was not refused, and before
    /// what a person decided.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn refused(
        &self,
        owner: &str,
        reference: &str,
        wanted: Option<&str>,
        before: Option<i64>,
    ) -> Result<Vec<Attempt>, StoreError> {
        let query = sqlx::query(
            "SELECT id, sha256, picture_hash, decision, reasons, again_of, created_ms, decided_ms FROM cases \
             WHERE reference_key = $1 AND owner = $2 AND reference = $3 AND COALESCE(wanted, '') = $4 AND seq < $5 \
             ORDER BY seq DESC LIMIT $6",
        )
        .bind(reference_key(reference))
        .bind(lookup(owner))
        .bind(lookup(reference))
        .bind(lookup(wanted.unwrap_or_default()))
        .bind(before.unwrap_or(i64::MAX))
        .bind(LOOKED_BACK);
        let rows = self.read(query).await?;
        let read = rows.iter().map(|row| Ok((read(row)?, column::<Option<i64>>(row, "decided_ms")?.is_some())));
        let read = read.collect::<Result<Vec<_>, StoreError>>()?;
        let refused = |(attempt, decided): &(Attempt, bool)| {
            !decided && matches!(attempt.decision, Decision::Retake | Decision::Reject)
        };
        Ok(read.into_iter().take_while(refused).map(|(attempt, _)| attempt).collect())
    }
}

fn read(row: &AnyRow) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        id: column(row, "id")?,
        sha256: column(row, "sha256")?,
        picture_hash: column::<Option<String>>(row, "picture_hash")?.and_then(|hash| hash.parse().ok()),
        decision: named(&column::<String>(row, "decision")?)?,
        reasons: unlisted(column(row, "reasons")?),
        again_of: column(row, "again_of")?,
        created_ms: column(row, "created_ms")?,
    })
}
