//! A judged upload → a case on record: its report, its sealed picture, and how it is found again.

use sqlx::any::AnyRow;

use super::attempts::{Flow, reference_key};
use super::audit::Event;
use super::deciding::HumanDecision;
use super::deliveries::NewDelivery;
use super::filter::CaseFilter;
use super::shadow::NewShadow;
use super::{ReviewStore, StoreError, Transaction, bounded, column, hash_column, lookup, storable};
use crate::policy::Decision;

/// Most cases one call of [`ReviewStore::cases`] gives.
const LARGEST_PAGE: u32 = 500;

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
    /// What its caller calls it, and which attempt it is.
    pub flow: Flow<'a>,
    /// Codes of its reasons, the weightiest first.
    pub reasons: &'a [&'a str],
    /// Its scores.
    pub scores: CaseScores,
    /// What the policy in the shadow makes of it.
    pub shadow: Option<NewShadow<'a>>,
}

/// The scores of a case, 0 to 1 each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CaseScores {
    /// That the picture shows a screen.
    pub screen: Option<f64>,
    /// That it shows a print or copy.
    pub print: Option<f64>,
    /// That it can be read.
    pub legibility: Option<f64>,
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
    /// What its caller calls it.
    pub reference: Option<String>,
    /// What else its caller says of it, a JSON object.
    pub metadata: Option<String>,
    /// Which attempt of the reference it was, from 1.
    pub attempt: Option<i64>,
    /// The case that the same picture had before.
    pub again_of: Option<String>,
}

/// A case on record, its report aside.
#[derive(Debug, Clone, PartialEq)]
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
    /// What its caller calls it; `None` after purging, too.
    pub reference: Option<String>,
    /// What else its caller says of it, a JSON object; `None` after purging, too.
    pub metadata: Option<String>,
    /// The document that was asked for, by name.
    pub wanted: Option<String>,
    /// Which attempt of the reference it was, from 1.
    pub attempt: Option<i64>,
    /// The case that the same picture had before.
    pub again_of: Option<String>,
    /// Codes of its reasons, the weightiest first.
    pub reasons: Vec<String>,
    /// Its scores.
    pub scores: CaseScores,
    /// What a person decided.
    pub decided: Option<HumanDecision>,
    /// When it was purged, in milliseconds since 1970.
    pub purged_ms: Option<i64>,
    /// Until when the picture is kept, in milliseconds since 1970; `None` when there is none.
    pub picture_until_ms: Option<i64>,
}

/// A case on record.
#[derive(Debug, Clone, PartialEq)]
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
        case.flow.check()?;
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
        let conditions = filter.conditions();
        let sql = format!(
            "SELECT cases.*, pictures.expires_ms FROM cases LEFT JOIN pictures ON pictures.case_id = cases.id \
             WHERE {} ORDER BY cases.seq DESC LIMIT ${}",
            conditions.sql(),
            conditions.next()
        );
        // Safe: put together from constants and numbers.
        let query = conditions.bind(sqlx::query(sqlx::AssertSqlSafe(sql)));
        let query = query.bind(i64::from(filter.limit.min(LARGEST_PAGE)));
        self.read(query).await?.iter().map(read_summary).collect()
    }

    /// The picture of the case called `id`, if it is kept; that `actor` saw it is in the audit before it is given.
    ///
    /// # Errors
    /// [`StoreError::Sealing`] when this store's key does not open it, [`StoreError::Unavailable`].
    pub async fn picture(&self, id: &str, actor: &str, now_ms: i64) -> Result<Option<Picture>, StoreError> {
        storable(&[actor])?;
        let query = sqlx::query(
            "SELECT pictures.sealed, cases.media_type, cases.sha256 FROM pictures \
             JOIN cases ON cases.id = pictures.case_id WHERE pictures.case_id = $1",
        );
        let Some(row) = self.read_one(query.bind(lookup(id))).await? else { return Ok(None) };
        let key = self.sealing.as_ref().ok_or(StoreError::Sealing)?;
        let sealed: Vec<u8> = column(&row, "sealed")?;
        let picture = Picture { bytes: key.open(id, &sealed)?, media_type: column(&row, "media_type")? };
        let sha256: String = column(&row, "sha256")?;
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = async {
                let place = transaction.take_place().await?;
                let body = serde_json::json!({ "sha256": sha256 });
                transaction.write_event(place, now_ms, Event { actor, name: "picture.seen", subject: id, body }).await
            }
            .await;
            transaction.end(result).await
        })
        .await?;
        Ok(Some(picture))
    }

    /// What an owner's idempotency key was used for, if it is remembered at `now_ms`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn replay(&self, owner: &str, key_hash: &[u8; 32], now_ms: i64) -> Result<Option<Replay>, StoreError> {
        let query = sqlx::query(
            "SELECT fingerprint, idempotency.case_id, reports.body, cases.reference, cases.metadata, cases.attempt, \
             cases.again_of FROM idempotency JOIN cases ON cases.id = idempotency.case_id \
             LEFT JOIN reports ON reports.case_id = idempotency.case_id \
             WHERE idempotency.owner = $1 AND key_hash = $2 AND expires_ms > $3",
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
                reference: column(&row, "reference")?,
                metadata: column(&row, "metadata")?,
                attempt: column(&row, "attempt")?,
                again_of: column(&row, "again_of")?,
            })
        })
        .transpose()
    }
}

impl Transaction {
    /// Why a case could not be changed: there is none, or `conflict`.
    pub(super) async fn absent(&mut self, id: &str, conflict: &'static str) -> StoreError {
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
    let flow = &case.flow;
    let insert = sqlx::query(
        "INSERT INTO cases (id, seq, owner, sha256, media_type, decision, classification, session, created_ms, \
         reference, reference_key, metadata, wanted, attempt, picture_hash, again_of, reasons, score_screen, \
         score_print, score_legibility) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
         $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING",
    )
    .bind(case.id.to_owned())
    .bind(seq)
    .bind(case.owner.to_owned())
    .bind(case.sha256.to_owned())
    .bind(case.media_type.to_owned())
    .bind(case.decision.name())
    .bind(case.classification.to_owned())
    .bind(case.session.map(str::to_owned))
    .bind(case.created_ms)
    .bind(flow.reference.map(str::to_owned))
    .bind(flow.reference.map(reference_key))
    .bind(flow.metadata.map(str::to_owned))
    .bind(flow.wanted.map(str::to_owned))
    .bind(flow.attempt)
    .bind(flow.picture_hash.as_ref().map(ToString::to_string))
    .bind(flow.again_of.map(str::to_owned))
    .bind(listed(case.reasons))
    .bind(case.scores.screen)
    .bind(case.scores.print)
    .bind(case.scores.legibility);
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
    if let Some(shadow) = &case.shadow {
        transaction.insert_shadow(case.id, shadow).await?;
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

/// Codes as a row has them: a comma before and behind each, so that one is found whole.
pub(super) fn listed(codes: &[&str]) -> String {
    codes.iter().fold(String::from(","), |list, code| list + code + ",")
}

/// Codes of a row.
pub(super) fn unlisted(list: Option<String>) -> Vec<String> {
    list.unwrap_or_default().split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

pub(super) fn read_summary(row: &AnyRow) -> Result<CaseSummary, StoreError> {
    let decided = match column::<Option<String>>(row, "decided_as")? {
        Some(name) => Some(HumanDecision {
            decision: named(&name)?,
            actor: column(row, "decided_by")?,
            time_ms: column(row, "decided_ms")?,
            note: column(row, "note")?,
            message: column(row, "message")?,
        }),
        None => None,
    };
    Ok(CaseSummary {
        id: column(row, "id")?,
        seq: column(row, "seq")?,
        owner: column(row, "owner")?,
        sha256: column(row, "sha256")?,
        media_type: column(row, "media_type")?,
        decision: named(&column::<String>(row, "decision")?)?,
        classification: column(row, "classification")?,
        session: column(row, "session")?,
        created_ms: column(row, "created_ms")?,
        reference: column(row, "reference")?,
        metadata: column(row, "metadata")?,
        wanted: column(row, "wanted")?,
        attempt: column(row, "attempt")?,
        again_of: column(row, "again_of")?,
        reasons: unlisted(column(row, "reasons")?),
        scores: CaseScores {
            screen: column(row, "score_screen")?,
            print: column(row, "score_print")?,
            legibility: column(row, "score_legibility")?,
        },
        decided,
        purged_ms: column(row, "purged_ms")?,
        picture_until_ms: column(row, "expires_ms")?,
    })
}

/// A decision as a row has it.
pub(super) fn named(name: &str) -> Result<Decision, StoreError> {
    name.parse().map_err(|_| StoreError::Corrupt("a decision that does not exist".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_keep_the_names_of_the_json_contract() {
        for decision in [Decision::Accept, Decision::Retake, Decision::Review, Decision::Reject] {
            assert_eq!(serde_json::to_value(decision).unwrap(), decision.name());
            assert_eq!(named(decision.name()).unwrap(), decision);
        }
        assert!(matches!(named("maybe"), Err(StoreError::Corrupt(_))));
    }
}
