//! A judged upload → a case on record: its report, its sealed picture, what a person decided, and its end.

use sqlx::any::AnyRow;

use super::audit::Event;
use super::deliveries::NewDelivery;
use super::{ReviewStore, StoreError, Transaction, bounded, column, hash_column, storable};
use crate::policy::Decision;

/// Most cases one call of [`ReviewStore::cases`] gives.
const LARGEST_PAGE: u32 = 500;
/// Pictures deleted in one transaction: their overwriting takes time, and others wait for it.
const EXPIRY_PAGE: i64 = 100;

/// A case to record.
#[derive(Debug, Clone, Copy)]
pub struct NewCase<'a> {
    /// Its id, new and not to be guessed.
    pub id: &'a str,
    /// Id of the API key it came by.
    pub owner: &'a str,
    /// SHA-256 of the picture, lower-case hex.
    pub sha256: &'a str,
    /// IANA name of the picture's format.
    pub media_type: &'a str,
    /// What the gate decided.
    pub decision: Decision,
    /// What the picture was classified as, as the JSON contract names it.
    pub classification: &'a str,
    /// The report, as it was answered.
    pub report_json: &'a str,
    /// When, in milliseconds since 1970.
    pub created_ms: i64,
    /// The picture, when it is to be kept.
    pub picture: Option<NewPicture<'a>>,
    /// The capture session the picture came from.
    pub session: Option<&'a str>,
    /// The request's idempotency key.
    pub idempotency: Option<Idempotency>,
    /// What is to be sent about it.
    pub deliveries: &'a [NewDelivery],
}

/// A picture to keep for a time.
#[derive(Clone, Copy)]
pub struct NewPicture<'a> {
    /// The file as it was uploaded; stored sealed.
    pub bytes: &'a [u8],
    /// When it is deleted, in milliseconds since 1970.
    pub expires_ms: i64,
}

impl std::fmt::Debug for NewPicture<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "NewPicture({} bytes, until {})", self.bytes.len(), self.expires_ms)
    }
}

/// An idempotency key: the same one from the same owner records one case.
#[derive(Debug, Clone, Copy)]
pub struct Idempotency {
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
    /// SHA-256 of what was asked with it, by which a second use for something else is told.
    pub fingerprint: [u8; 32],
    /// Until when the key is remembered, in milliseconds since 1970.
    pub expires_ms: i64,
}

/// What a remembered idempotency key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// SHA-256 of what was asked with it.
    pub fingerprint: [u8; 32],
    /// The case recorded.
    pub case_id: String,
    /// The report answered; `None` after the case was purged.
    pub report_json: Option<String>,
}

/// A case on record, its report aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSummary {
    /// Its id.
    pub id: String,
    /// Its place among all cases, which is that of its first audit row: the cursor of [`CaseFilter::before`].
    pub seq: i64,
    /// Id of the API key it came by.
    pub owner: String,
    /// SHA-256 of the picture, lower-case hex.
    pub sha256: String,
    /// IANA name of the picture's format.
    pub media_type: String,
    /// What the gate decided.
    pub decision: Decision,
    /// What the picture was classified as, as the JSON contract names it.
    pub classification: String,
    /// The capture session it came from; `None` after purging, too.
    pub session: Option<String>,
    /// When it was recorded, in milliseconds since 1970.
    pub created_ms: i64,
    /// What a person decided.
    pub decided: Option<HumanDecision>,
    /// When it was purged, in milliseconds since 1970.
    pub purged_ms: Option<i64>,
    /// Until when the picture is kept, in milliseconds since 1970; `None` when there is none.
    pub picture_until_ms: Option<i64>,
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HumanDecision {
    /// What is done with the upload.
    pub decision: Decision,
    /// Who decided.
    pub actor: String,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// Their words; `None` after purging, too.
    pub note: Option<String>,
}

/// A case on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// All but the report.
    pub summary: CaseSummary,
    /// The report, as it was answered; `None` after purging.
    pub report_json: Option<String>,
}

/// A kept picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file as it was uploaded.
    pub bytes: Vec<u8>,
    /// IANA name of its format.
    pub media_type: String,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Picture({} bytes, {})", self.bytes.len(), self.media_type)
    }
}

/// Whether a person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Nobody decided, and the case was not purged. With the gate's decision `review`, it waits for a person.
    Open,
    /// A person decided.
    Decided,
}

/// Which cases are listed; what is `None` chooses all.
#[derive(Debug, Clone, Copy, Default)]
pub struct CaseFilter<'a> {
    /// Id of the API key they came by.
    pub owner: Option<&'a str>,
    /// Whether a person decided.
    pub state: Option<CaseState>,
    /// What the gate decided.
    pub decision: Option<Decision>,
    /// The [`CaseSummary::seq`] that the last page ended with.
    pub before: Option<i64>,
    /// At most so many, and never more than 500.
    pub limit: u32,
}

/// What was deleted because its time was over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Pictures.
    pub pictures: u64,
    /// Idempotency keys.
    pub idempotency_keys: u64,
}

impl ReviewStore {
    /// Records a case with all that belongs to it, in one transaction: all of it is on the disk afterwards, or nothing.
    /// Gives its [`CaseSummary::seq`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the idempotency key is in use or the id was recorded, [`StoreError::Sealing`] when
    /// there is a picture but no sealing key, [`StoreError::Unavailable`].
    pub async fn record(&self, case: &NewCase<'_>, actor: &str) -> Result<i64, StoreError> {
        storable(&[case.id, case.owner, case.sha256, case.media_type, case.classification, case.report_json, actor])?;
        storable(&[case.session.unwrap_or_default()])?;
        for delivery in case.deliveries {
            delivery.check()?;
        }
        let sealed = match case.picture {
            Some(picture) => {
                let key = self.sealing.as_ref().ok_or(StoreError::Sealing)?;
                Some((key.seal(case.id, picture.bytes)?, picture.expires_ms))
            }
            None => None,
        };
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = insert_case(&mut transaction, case, sealed, actor).await;
            transaction.end(result).await
        })
        .await
    }

    /// The case called `id`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn case(&self, id: &str) -> Result<Option<Case>, StoreError> {
        let query = sqlx::query(
            "SELECT cases.*, pictures.expires_ms, reports.body FROM cases \
             LEFT JOIN pictures ON pictures.case_id = cases.id LEFT JOIN reports ON reports.case_id = cases.id \
             WHERE cases.id = $1",
        );
        let row = self.read_one(query.bind(lookup(id))).await?;
        row.map(|row| Ok(Case { summary: read_summary(&row)?, report_json: column(&row, "body")? })).transpose()
    }

    /// Cases, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn cases(&self, filter: CaseFilter<'_>) -> Result<Vec<CaseSummary>, StoreError> {
        let mut sql = String::from(
            "SELECT cases.*, pictures.expires_ms FROM cases LEFT JOIN pictures ON pictures.case_id = cases.id \
             WHERE cases.seq < $1",
        );
        if filter.owner.is_some() {
            sql.push_str(" AND cases.owner = $3");
        }
        // Placeholders are counted without gaps: PostgreSQL refuses one that it cannot type.
        if filter.decision.is_some() {
            sql.push_str(if filter.owner.is_some() { " AND cases.decision = $4" } else { " AND cases.decision = $3" });
        }
        sql.push_str(match filter.state {
            Some(CaseState::Open) => " AND cases.decided_ms IS NULL AND cases.purged_ms IS NULL",
            Some(CaseState::Decided) => " AND cases.decided_ms IS NOT NULL",
            None => "",
        });
        sql.push_str(" ORDER BY cases.seq DESC LIMIT $2");
        // Safe: put together from the constants above.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(i64::from(filter.limit.min(LARGEST_PAGE)));
        if let Some(owner) = filter.owner {
            query = query.bind(lookup(owner));
        }
        if let Some(decision) = filter.decision {
            query = query.bind(decision.name());
        }
        self.read(query).await?.iter().map(read_summary).collect()
    }

    /// Records what a person decided about a case; the note stays out of the audit.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Conflict`] when it was decided or purged already,
    /// [`StoreError::Unavailable`].
    pub async fn decide(
        &self,
        id: &str,
        actor: &str,
        decision: Decision,
        note: Option<&str>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        storable(&[id, actor, note.unwrap_or_default()])?;
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = async {
                let place = transaction.take_place().await?;
                let update = sqlx::query(
                    "UPDATE cases SET decided_ms = $2, decided_by = $3, decided_as = $4, note = $5 \
                     WHERE id = $1 AND decided_ms IS NULL AND purged_ms IS NULL RETURNING sha256",
                )
                .bind(id.to_owned())
                .bind(now_ms)
                .bind(actor.to_owned())
                .bind(decision.name())
                .bind(note.map(str::to_owned));
                let Some(row) = transaction.row(update).await? else {
                    return Err(transaction.absent(id, "the case was decided or purged already").await);
                };
                let sha256: String = column(&row, "sha256")?;
                let body = serde_json::json!({ "sha256": sha256, "decision": decision.name() });
                let event = Event { actor, name: "case.decided", subject: id, body };
                transaction.write_event(place, now_ms, event).await
            }
            .await;
            transaction.end(result).await
        })
        .await
    }

    /// The picture of the case called `id`, if it is kept.
    ///
    /// # Errors
    /// [`StoreError::Sealing`] when this store's key does not open it, [`StoreError::Unavailable`].
    pub async fn picture(&self, id: &str) -> Result<Option<Picture>, StoreError> {
        let query = sqlx::query(
            "SELECT pictures.sealed, cases.media_type FROM pictures JOIN cases ON cases.id = pictures.case_id \
             WHERE pictures.case_id = $1",
        );
        let Some(row) = self.read_one(query.bind(lookup(id))).await? else { return Ok(None) };
        let key = self.sealing.as_ref().ok_or(StoreError::Sealing)?;
        let sealed: Vec<u8> = column(&row, "sealed")?;
        Ok(Some(Picture { bytes: key.open(id, &sealed)?, media_type: column(&row, "media_type")? }))
    }

    /// Deletes a case's report, picture, note and session, and the bodies of its deliveries, for good; what is pending
    /// of these is not sent any more. That the case was, its SHA-256 and its decisions stay.
    ///
    /// In SQLite nothing of it is left in the file or its log when this returns. PostgreSQL frees the space at its next
    /// vacuum and keeps its own log and backups as its operator says; the picture stands there sealed. Purging again is
    /// no error, and finishes what an earlier call could not.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Unavailable`], also when the case was purged but SQLite's log could not be
    /// emptied.
    pub async fn purge(&self, id: &str, actor: &str, now_ms: i64) -> Result<(), StoreError> {
        storable(&[id, actor])?;
        let result = bounded(async {
            let mut transaction = self.begin().await?;
            let result = purge_case(&mut transaction, id, actor, now_ms).await;
            transaction.end(result).await
        })
        .await;
        match result {
            Ok(()) | Err(StoreError::Conflict(_)) => self.empty_log().await,
            Err(error) => Err(error),
        }
    }

    /// Deletes pictures and idempotency keys whose time is over, and says how many; deleted pictures leave an audit row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what was deleted until then stays so.
    pub async fn expire(&self, now_ms: i64) -> Result<Expired, StoreError> {
        let query = sqlx::query("DELETE FROM idempotency WHERE expires_ms <= $1 RETURNING 1 AS one");
        let mut expired = Expired { idempotency_keys: self.write(query.bind(now_ms)).await?.len() as u64, pictures: 0 };
        loop {
            // Without this look, each call would take a place in the chain.
            let query = sqlx::query("SELECT case_id FROM pictures WHERE expires_ms <= $1 LIMIT 1");
            if self.read_one(query.bind(now_ms)).await?.is_none() {
                break;
            }
            let deleted = bounded(async {
                let mut transaction = self.begin().await?;
                let result = expire_pictures(&mut transaction, now_ms).await;
                transaction.end(result).await
            })
            .await;
            match deleted {
                Ok(pictures) => expired.pictures += pictures,
                // Another process was faster.
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if expired.pictures > 0 {
            // What a busy reader keeps in the log is sealed, and the log is written over in time.
            let _ = self.empty_log().await;
        }
        Ok(expired)
    }

    /// What an owner's idempotency key was used for, if it is remembered at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn replay(&self, owner: &str, key_hash: &[u8; 32], now_ms: i64) -> Result<Option<Replay>, StoreError> {
        let query = sqlx::query(
            "SELECT fingerprint, idempotency.case_id, reports.body FROM idempotency \
             LEFT JOIN reports ON reports.case_id = idempotency.case_id \
             WHERE owner = $1 AND key_hash = $2 AND expires_ms > $3",
        )
        .bind(lookup(owner))
        .bind(key_hash.to_vec())
        .bind(now_ms);
        let row = self.read_one(query).await?;
        row.map(|row| {
            Ok(Replay {
                fingerprint: hash_column(&row, "fingerprint")?,
                case_id: column(&row, "case_id")?,
                report_json: column(&row, "body")?,
            })
        })
        .transpose()
    }
}

impl Transaction {
    /// Why a case could not be changed: there is none, or `conflict`.
    async fn absent(&mut self, id: &str, conflict: &'static str) -> StoreError {
        match self.row(sqlx::query("SELECT seq FROM cases WHERE id = $1").bind(id.to_owned())).await {
            Ok(Some(_)) => StoreError::Conflict(conflict),
            Ok(None) => StoreError::Missing("case"),
            Err(error) => error,
        }
    }
}

async fn insert_case(
    transaction: &mut Transaction,
    case: &NewCase<'_>,
    sealed: Option<(Vec<u8>, i64)>,
    actor: &str,
) -> Result<i64, StoreError> {
    let place = transaction.take_place().await?;
    let seq = place.seq;
    let insert = sqlx::query(
        "INSERT INTO cases (id, seq, owner, sha256, media_type, decision, classification, session, created_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(case.id.to_owned())
    .bind(seq)
    .bind(case.owner.to_owned())
    .bind(case.sha256.to_owned())
    .bind(case.media_type.to_owned())
    .bind(case.decision.name())
    .bind(case.classification.to_owned())
    .bind(case.session.map(str::to_owned))
    .bind(case.created_ms);
    if transaction.run(insert).await? == 0 {
        return Err(StoreError::Conflict("the case was recorded already"));
    }
    if let Some(idempotency) = &case.idempotency {
        let forget = sqlx::query("DELETE FROM idempotency WHERE owner = $1 AND key_hash = $2 AND expires_ms <= $3")
            .bind(case.owner.to_owned())
            .bind(idempotency.key_hash.to_vec())
            .bind(case.created_ms);
        transaction.run(forget).await?;
        let insert = sqlx::query(
            "INSERT INTO idempotency (owner, key_hash, fingerprint, case_id, expires_ms) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(case.owner.to_owned())
        .bind(idempotency.key_hash.to_vec())
        .bind(idempotency.fingerprint.to_vec())
        .bind(case.id.to_owned())
        .bind(idempotency.expires_ms);
        if transaction.run(insert).await? == 0 {
            return Err(StoreError::Conflict("the idempotency key is in use"));
        }
    }
    let insert = sqlx::query("INSERT INTO reports (case_id, body) VALUES ($1, $2)");
    transaction.run(insert.bind(case.id.to_owned()).bind(case.report_json.to_owned())).await?;
    if let Some((sealed, expires_ms)) = sealed {
        let insert = sqlx::query("INSERT INTO pictures (case_id, expires_ms, sealed) VALUES ($1, $2, $3)");
        transaction.run(insert.bind(case.id.to_owned()).bind(expires_ms).bind(sealed)).await?;
    }
    for delivery in case.deliveries {
        transaction.insert_delivery(case.id, delivery, case.created_ms).await?;
    }
    let body = serde_json::json!({
        "sha256": case.sha256,
        "decision": case.decision.name(),
        "classification": case.classification,
    });
    let event = Event { actor, name: "case.recorded", subject: case.id, body };
    transaction.write_event(place, case.created_ms, event).await?;
    Ok(seq)
}

async fn purge_case(transaction: &mut Transaction, id: &str, actor: &str, now_ms: i64) -> Result<(), StoreError> {
    let place = transaction.take_place().await?;
    let update = sqlx::query(
        "UPDATE cases SET purged_ms = $2, note = NULL, session = NULL WHERE id = $1 AND purged_ms IS NULL \
         RETURNING sha256",
    );
    let Some(row) = transaction.row(update.bind(id.to_owned()).bind(now_ms)).await? else {
        return Err(transaction.absent(id, "the case was purged already").await);
    };
    let sha256: String = column(&row, "sha256")?;
    for sql in ["DELETE FROM reports WHERE case_id = $1", "DELETE FROM pictures WHERE case_id = $1"] {
        transaction.run(sqlx::query(sql).bind(id.to_owned())).await?;
    }
    transaction.silence_deliveries(id, now_ms).await?;
    let body = serde_json::json!({ "sha256": sha256 });
    transaction.write_event(place, now_ms, Event { actor, name: "case.purged", subject: id, body }).await
}

async fn expire_pictures(transaction: &mut Transaction, now_ms: i64) -> Result<u64, StoreError> {
    let place = transaction.take_place().await?;
    let delete = sqlx::query(
        "DELETE FROM pictures WHERE case_id IN \
         (SELECT case_id FROM pictures WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2)",
    );
    let pictures = transaction.run(delete.bind(now_ms).bind(EXPIRY_PAGE)).await?;
    if pictures == 0 {
        return Err(StoreError::Conflict("deleted already"));
    }
    let body = serde_json::json!({ "pictures": pictures });
    let event = Event { actor: "bonafide", name: "pictures.expired", subject: "", body };
    transaction.write_event(place, now_ms, event).await?;
    Ok(pictures)
}

fn read_summary(row: &AnyRow) -> Result<CaseSummary, StoreError> {
    let decided = match column::<Option<String>>(row, "decided_as")? {
        Some(name) => Some(HumanDecision {
            decision: decision_named(&name)?,
            actor: column(row, "decided_by")?,
            time_ms: column(row, "decided_ms")?,
            note: column(row, "note")?,
        }),
        None => None,
    };
    Ok(CaseSummary {
        id: column(row, "id")?,
        seq: column(row, "seq")?,
        owner: column(row, "owner")?,
        sha256: column(row, "sha256")?,
        media_type: column(row, "media_type")?,
        decision: decision_named(&column::<String>(row, "decision")?)?,
        classification: column(row, "classification")?,
        session: column(row, "session")?,
        created_ms: column(row, "created_ms")?,
        decided,
        purged_ms: column(row, "purged_ms")?,
        picture_until_ms: column(row, "expires_ms")?,
    })
}

/// A text to look a row up by: no row has NUL in it, and PostgreSQL would refuse to be asked.
pub(super) fn lookup(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn decision_named(name: &str) -> Result<Decision, StoreError> {
    name.parse().map_err(|_| StoreError::Corrupt("a decision that does not exist".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_keep_the_names_of_the_json_contract() {
        for decision in [Decision::Accept, Decision::Retake, Decision::Review, Decision::Reject] {
            assert_eq!(serde_json::to_value(decision).unwrap(), decision.name());
            assert_eq!(decision_named(decision.name()).unwrap(), decision);
        }
        assert!(matches!(decision_named("maybe"), Err(StoreError::Corrupt(_))));
    }
}
