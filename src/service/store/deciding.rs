//! What a person decides about a case → on record, with what is to be sent about it.

use super::audit::Event;
use super::cases::named;
use super::deliveries::NewDelivery;
use super::{ReviewStore, StoreError, bounded, column, lookup, storable};
use crate::policy::Decision;

/// Cases that one statement asks about.
const ASKED_AT_ONCE: usize = 100;

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanDecision {
    /// What is done with the upload.
    pub decision: Decision,
    /// Who decided.
    pub actor: String,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// Their words to those who review; `None` after purging, too.
    pub note: Option<String>,
    /// Their words to the applicant; `None` after purging, too.
    pub message: Option<String>,
}

/// What a person decides.
#[derive(Debug, Clone, Copy)]
pub struct NewDecision<'a> {
    /// What is done with the upload.
    pub decision: Decision,
    /// Words to those who review.
    pub note: Option<&'a str>,
    /// Words to the applicant.
    pub message: Option<&'a str>,
    /// What is to be sent about it.
    pub deliveries: &'a [NewDelivery],
}

impl From<Decision> for NewDecision<'_> {
    fn from(decision: Decision) -> Self {
        Self { decision, note: None, message: None, deliveries: &[] }
    }
}

impl ReviewStore {
    /// Records what a person decided about a case, and what is to be sent about it; the words stay out of the audit.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Conflict`] when it was decided or purged already,
    /// [`StoreError::Unavailable`].
    pub async fn decide(&self, id: &str, actor: &str, new: &NewDecision<'_>, now_ms: i64) -> Result<(), StoreError> {
        storable(&[id, actor, new.note.unwrap_or_default(), new.message.unwrap_or_default()])?;
        for delivery in new.deliveries {
            delivery.check()?;
        }
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = async {
                let place = transaction.take_place().await?;
                let update = sqlx::query(
                    "UPDATE cases SET decided_ms = $2, decided_by = $3, decided_as = $4, note = $5, message = $6 \
                     WHERE id = $1 AND decided_ms IS NULL AND purged_ms IS NULL RETURNING sha256",
                )
                .bind(id.to_owned())
                .bind(now_ms)
                .bind(actor.to_owned())
                .bind(new.decision.name())
                .bind(new.note.map(str::to_owned))
                .bind(new.message.map(str::to_owned));
                let Some(row) = transaction.row(update).await? else {
                    return Err(transaction.absent(id, "the case was decided or purged already").await);
                };
                for delivery in new.deliveries {
                    transaction.insert_delivery(id, delivery, now_ms).await?;
                }
                let sha256: String = column(&row, "sha256")?;
                let body = serde_json::json!({ "sha256": sha256, "decision": new.decision.name() });
                let event = Event { actor, name: "case.decided", subject: id, body };
                transaction.write_event(place, now_ms, event).await
            }
            .await;
            transaction.end(result).await
        })
        .await
    }

    /// What a person decided about those of `cases` that one did decide, by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn decided(&self, cases: &[&str]) -> Result<Vec<(String, HumanDecision)>, StoreError> {
        let mut decided = Vec::new();
        for some in cases.chunks(ASKED_AT_ONCE) {
            let numbers: Vec<_> = (1..=some.len()).map(|at| format!("${at}")).collect();
            let sql = format!(
                "SELECT id, decided_as, decided_by, decided_ms, note, message FROM cases \
                 WHERE decided_ms IS NOT NULL AND id IN ({})",
                numbers.join(", ")
            );
            // Safe: put together from constants and numbers.
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            let query = some.iter().fold(query, |query, id| query.bind(lookup(id)));
            for row in &self.read(query).await? {
                let decision = HumanDecision {
                    decision: named(&column::<String>(row, "decided_as")?)?,
                    actor: column(row, "decided_by")?,
                    time_ms: column(row, "decided_ms")?,
                    note: column(row, "note")?,
                    message: column(row, "message")?,
                };
                decided.push((column(row, "id")?, decision));
            }
        }
        Ok(decided)
    }
}
