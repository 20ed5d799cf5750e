//! A case's end: purged by a person, or over because its time is.

use sqlx::any::AnyRow;

use super::audit::Event;
use super::{ReviewStore, StoreError, Transaction, bounded, column, lookup, storable};

/// Pictures deleted in one transaction: their overwriting takes time, and others wait for it.
const EXPIRY_PAGE: i64 = 100;
/// Cases or reports deleted in one transaction, for the same.
const AGE_PAGE: i64 = 50;
/// Who the audit says it was where nobody did.
const ACTOR: &str = "bonafide";

/// What was deleted because its time was over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Pictures.
    pub pictures: u64,
    /// Idempotency keys.
    pub idempotency_keys: u64,
    /// Tokens for uploads.
    pub upload_tokens: u64,
}

/// Whose cases a rule of age is for.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those of one owner.
    One(&'a str),
    /// Those of all but these.
    NoneOf(&'a [&'a str]),
}

impl Whose<'_> {
    /// A condition whose placeholders begin with number `first`.
    fn condition(&self, first: usize) -> String {
        match self {
            Whose::One(_) => format!(" AND cases.owner = ${first}"),
            Whose::NoneOf([]) => String::new(),
            Whose::NoneOf(owners) => {
                let numbers: Vec<_> = (first..first + owners.len()).map(|at| format!("${at}")).collect();
                format!(" AND cases.owner NOT IN ({})", numbers.join(", "))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Whose::One(owner) => vec![lookup(owner)],
            Whose::NoneOf(owners) => owners.iter().map(|owner| lookup(owner)).collect(),
        }
    }
}

/// What has become too old.
#[derive(Debug, Clone, Copy)]
pub struct Age<'a> {
    /// Whose.
    pub whose: Whose<'a>,
    /// Reports recorded up to then go, in milliseconds since 1970.
    pub reports_until_ms: Option<i64>,
    /// Cases recorded up to then are purged, in milliseconds since 1970.
    pub cases_until_ms: Option<i64>,
}

/// What one step deleted because it was too old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Aged {
    /// Reports whose cases stay.
    pub reports: u64,
    /// Cases that were purged.
    pub cases: u64,
}

impl ReviewStore {
    /// Deletes a case's report, picture, note, session, reference, metadata and reasons, and the bodies of its
    /// deliveries, for good; what is pending of these is not sent any more. That the case was, its SHA-256 and its
    /// decisions stay.
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

    /// Deletes pictures, idempotency keys and tokens whose time is over, and says how many; deleted pictures leave an
    /// audit row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what was deleted until then stays so.
    pub async fn expire(&self, now_ms: i64) -> Result<Expired, StoreError> {
        let keys = sqlx::query("DELETE FROM idempotency WHERE expires_ms <= $1 RETURNING 1 AS one");
        let tokens = sqlx::query("DELETE FROM upload_tokens WHERE expires_ms <= $1 RETURNING 1 AS one");
        let mut expired = Expired {
            idempotency_keys: self.write(keys.bind(now_ms)).await?.len() as u64,
            upload_tokens: self.write(tokens.bind(now_ms)).await?.len() as u64,
            pictures: 0,
        };
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

    /// One step of deleting what is too old, the oldest first, in one transaction: at most 50 cases, or 50 reports where
    /// no case is too old. Each purged case leaves an audit row, and the reports of a step one. Nothing was left to do
    /// where nothing was deleted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn age(&self, age: &Age<'_>, now_ms: i64) -> Result<Aged, StoreError> {
        let mut aged = Aged::default();
        if let Some(until_ms) = age.cases_until_ms {
            let ids = self.old(age.whose, "", until_ms).await?;
            if !ids.is_empty() {
                aged.cases = bounded(async {
                    let mut transaction = self.begin().await?;
                    let result = purge_cases(&mut transaction, &ids, now_ms).await;
                    transaction.end(result).await
                })
                .await?;
            }
        }
        if let Some(until_ms) = age.reports_until_ms.filter(|_| aged.cases == 0) {
            let ids = self.old(age.whose, " AND unreported_ms IS NULL", until_ms).await?;
            if !ids.is_empty() {
                aged.reports = bounded(async {
                    let mut transaction = self.begin().await?;
                    let result = delete_reports(&mut transaction, &ids, now_ms).await;
                    transaction.end(result).await
                })
                .await?;
            }
        }
        if aged != Aged::default() {
            // A busy reader keeps the log from being emptied; the next step tries again.
            let _ = self.empty_log().await;
        }
        Ok(aged)
    }

    /// Ids of cases that were recorded up to `until_ms` and not purged.
    async fn old(&self, whose: Whose<'_>, also: &str, until_ms: i64) -> Result<Vec<String>, StoreError> {
        // Safe: put together from constants and numbers.
        let sql = format!(
            "SELECT id FROM cases WHERE purged_ms IS NULL AND created_ms <= $1{also}{} ORDER BY created_ms LIMIT $2",
            whose.condition(3)
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(until_ms).bind(AGE_PAGE);
        let query = whose.names().into_iter().fold(query, sqlx::query::Query::bind);
        self.read(query).await?.iter().map(|row| column(row, "id")).collect()
    }
}

/// What a row holds of a case that was not purged before.
async fn blank(transaction: &mut Transaction, id: &str, now_ms: i64) -> Result<Option<AnyRow>, StoreError> {
    let update = sqlx::query(
        "UPDATE cases SET purged_ms = $2, note = NULL, message = NULL, session = NULL, reference = NULL, \
         reference_key = NULL, metadata = NULL, wanted = NULL, picture_hash = NULL, reasons = NULL, \
         score_screen = NULL, score_print = NULL, score_legibility = NULL \
         WHERE id = $1 AND purged_ms IS NULL RETURNING sha256",
    );
    transaction.row(update.bind(id.to_owned()).bind(now_ms)).await
}

/// Deletes what stands in other tables of the case called `id`.
async fn delete_rest(transaction: &mut Transaction, id: &str, now_ms: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM reports WHERE case_id = $1",
        "DELETE FROM pictures WHERE case_id = $1",
        "DELETE FROM shadows WHERE case_id = $1",
    ] {
        transaction.run(sqlx::query(sql).bind(id.to_owned())).await?;
    }
    transaction.silence_deliveries(id, now_ms).await
}

async fn purge_case(transaction: &mut Transaction, id: &str, actor: &str, now_ms: i64) -> Result<(), StoreError> {
    let place = transaction.take_place().await?;
    let Some(row) = blank(transaction, id, now_ms).await? else {
        return Err(transaction.absent(id, "the case was purged already").await);
    };
    let sha256: String = column(&row, "sha256")?;
    delete_rest(transaction, id, now_ms).await?;
    let body = serde_json::json!({ "sha256": sha256 });
    transaction.write_event(place, now_ms, Event { actor, name: "case.purged", subject: id, body }).await
}

async fn purge_cases(transaction: &mut Transaction, ids: &[String], now_ms: i64) -> Result<u64, StoreError> {
    let mut place = Some(transaction.take_place().await?);
    let mut purged = 0;
    for id in ids {
        // Another process may have been faster.
        let Some(row) = blank(transaction, id, now_ms).await? else { continue };
        let sha256: String = column(&row, "sha256")?;
        delete_rest(transaction, id, now_ms).await?;
        let body = serde_json::json!({ "sha256": sha256 });
        let at = match place.take() {
            Some(place) => place,
            None => transaction.take_place().await?,
        };
        transaction.write_event(at, now_ms, Event { actor: ACTOR, name: "case.purged", subject: id, body }).await?;
        purged += 1;
    }
    // A place that was taken and not used would be a gap.
    if place.is_some() { Err(StoreError::Conflict("purged already")) } else { Ok(purged) }
}

async fn delete_reports(transaction: &mut Transaction, ids: &[String], now_ms: i64) -> Result<u64, StoreError> {
    let place = transaction.take_place().await?;
    let mut reports = 0;
    for id in ids {
        let mark = sqlx::query("UPDATE cases SET unreported_ms = $2 WHERE id = $1 AND unreported_ms IS NULL");
        transaction.run(mark.bind(id.clone()).bind(now_ms)).await?;
        reports += transaction.run(sqlx::query("DELETE FROM reports WHERE case_id = $1").bind(id.clone())).await?;
    }
    let body = serde_json::json!({ "reports": reports });
    transaction.write_event(place, now_ms, Event { actor: ACTOR, name: "reports.expired", subject: "", body }).await?;
    Ok(reports)
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
    let event = Event { actor: ACTOR, name: "pictures.expired", subject: "", body };
    transaction.write_event(place, now_ms, event).await?;
    Ok(pictures)
}
