//! Messages to webhooks → an outbox: each is claimed by one process at a time, until it is delivered or given up.

use sqlx::any::AnyRow;

use super::{ReviewStore, StoreError, Transaction, column, draw_text, lookup, storable};

/// Wait after the first failure, in milliseconds; each later one doubles it.
pub const FIRST_DELAY_MS: i64 = 5_000;
/// Longest wait, in milliseconds.
pub const LONGEST_DELAY_MS: i64 = 3_600_000;
/// After so many attempts a message is dead: with the waits above, some three hours after the first.
pub const ATTEMPTS: i64 = 12;
/// A wait is shortened by up to one of so many parts at random, so that messages that failed together come apart.
pub const JITTER_PARTS: i64 = 4;
/// Letters and digits of a delivery's id: 131 bits.
const ID_LENGTH: usize = 22;
/// Longest cause of failure that is kept, in characters.
const LONGEST_ERROR: usize = 200;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id, the same in every attempt.
    pub id: String,
    /// Name of the webhook.
    pub webhook: String,
    /// What happened, for example `case.recorded`.
    pub event: String,
    /// The body, JSON.
    pub body: String,
}

impl NewDelivery {
    /// A message under a new id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the system gives no random bytes.
    pub fn new(webhook: &str, event: &str, body: String) -> Result<Self, StoreError> {
        Ok(Self { id: draw_text(ID_LENGTH)?, webhook: webhook.to_owned(), event: event.to_owned(), body })
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        storable(&[&self.id, &self.webhook, &self.event, &self.body])
    }
}

/// Whose messages are asked for.
#[derive(Debug, Clone, Copy)]
pub enum To<'a> {
    /// Everybody's.
    Anybody,
    /// Those of the webhook of this name.
    One(&'a str),
    /// Those of webhooks of other names than these.
    NoneOf(&'a [&'a str]),
}

impl To<'_> {
    /// A condition whose placeholders begin with number `first`.
    fn condition(&self, first: usize) -> String {
        match self {
            To::Anybody | To::NoneOf([]) => String::new(),
            To::One(_) => format!(" AND webhook = ${first}"),
            To::NoneOf(names) => {
                let numbers: Vec<_> = (first..first + names.len()).map(|at| format!("${at}")).collect();
                format!(" AND webhook NOT IN ({})", numbers.join(", "))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            To::Anybody => Vec::new(),
            To::One(name) => vec![lookup(name)],
            To::NoneOf(names) => names.iter().map(|name| lookup(name)).collect(),
        }
    }
}

/// A message that was claimed, to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its id, the same in every attempt.
    pub id: String,
    /// Name of the webhook.
    pub webhook: String,
    /// What happened.
    pub event: String,
    /// The body, JSON.
    pub body: String,
    /// The attempt this claim is for, from 1.
    pub attempt: i64,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// The case it is about.
    pub case_id: String,
    /// Name of the webhook.
    pub webhook: String,
    /// What happened.
    pub event: String,
    /// Attempts made.
    pub attempts: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was recorded, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was given up, in milliseconds since 1970.
    pub ended_ms: i64,
    /// Whether it can be sent after all; the body of a purged case is gone.
    pub has_body: bool,
}

/// The wait after attempt number `attempt` failed, in milliseconds, shortened by `jitter` of it (0 to 1 for none to one
/// of [`JITTER_PARTS`]).
#[must_use]
pub fn backoff_ms(attempt: i64, jitter: f64) -> i64 {
    // 5 s doubled ten times is above an hour.
    let doublings = attempt.clamp(1, 11) - 1;
    let full = (FIRST_DELAY_MS << doublings).min(LONGEST_DELAY_MS);
    full - (full as f64 / JITTER_PARTS as f64 * jitter.clamp(0.0, 1.0)) as i64
}

impl ReviewStore {
    /// Claims up to `limit` messages that are due at `now_ms`: for `lease_ms` no other process gets them. One whose
    /// process dies becomes due again when the lease is over, and its attempt counts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn due(&self, now_ms: i64, limit: u32, lease_ms: i64) -> Result<Vec<Due>, StoreError> {
        self.due_to(To::Anybody, now_ms, limit, lease_ms).await
    }

    /// [`Self::due`], of some webhooks only.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn due_to(&self, to: To<'_>, now_ms: i64, limit: u32, lease_ms: i64) -> Result<Vec<Due>, StoreError> {
        // A look first: most of the time nothing is due, and a claim would wait for other writers. Both are safe: put
        // together from constants and numbers.
        let look =
            format!("SELECT id FROM deliveries WHERE state = 'pending' AND next_ms <= $1{} LIMIT 1", to.condition(2));
        let look = sqlx::query(sqlx::AssertSqlSafe(look)).bind(now_ms);
        if self.read_one(to.names().into_iter().fold(look, sqlx::query::Query::bind)).await?.is_none() {
            return Ok(Vec::new());
        }
        // The outer condition is asked again when PostgreSQL has waited for another claim of the same row.
        let claim = format!(
            "UPDATE deliveries SET next_ms = $2, attempts = attempts + 1 \
             WHERE state = 'pending' AND next_ms <= $1 AND id IN \
             (SELECT id FROM deliveries WHERE state = 'pending' AND next_ms <= $1{} ORDER BY next_ms LIMIT $3) \
             RETURNING id, webhook, event, body, attempts",
            to.condition(4)
        );
        let claim = sqlx::query(sqlx::AssertSqlSafe(claim))
            .bind(now_ms)
            .bind(now_ms.saturating_add(lease_ms.max(1)))
            .bind(i64::from(limit));
        let claim = to.names().into_iter().fold(claim, sqlx::query::Query::bind);
        let read = |row: &AnyRow| {
            Ok(Due {
                id: column(row, "id")?,
                webhook: column(row, "webhook")?,
                event: column(row, "event")?,
                body: column(row, "body")?,
                attempt: column(row, "attempts")?,
            })
        };
        self.write(claim).await?.iter().map(read).collect()
    }

    /// A message arrived: its body is deleted. One that was given up or purged meanwhile stays so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delivered(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let update = sqlx::query(
            "UPDATE deliveries SET state = 'delivered', body = NULL, last_error = NULL, ended_ms = $2 \
             WHERE id = $1 AND state = 'pending'",
        );
        self.write(update.bind(lookup(id)).bind(now_ms)).await.map(|_| ())
    }

    /// The claimed attempt failed because of `error`, which must hold nothing of the body: the message waits for the
    /// next one, or is dead after the last. Without effect when another process has claimed it since.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn failed(&self, due: &Due, error: &str, now_ms: i64) -> Result<(), StoreError> {
        let drawn = getrandom::u32().map_err(|_| StoreError::Unavailable("the system gives no random bytes".into()))?;
        let next_ms = now_ms.saturating_add(backoff_ms(due.attempt, f64::from(drawn) / f64::from(u32::MAX)));
        let (state, ended_ms) = if due.attempt >= ATTEMPTS { ("dead", Some(now_ms)) } else { ("pending", None) };
        let update = sqlx::query(
            "UPDATE deliveries SET state = $3, next_ms = $4, last_error = $5, ended_ms = $6 \
             WHERE id = $1 AND attempts = $2 AND state = 'pending'",
        )
        .bind(lookup(&due.id))
        .bind(due.attempt)
        .bind(state)
        .bind(next_ms)
        .bind(lookup(error).chars().take(LONGEST_ERROR).collect::<String>())
        .bind(ended_ms);
        self.write(update).await.map(|_| ())
    }

    /// Messages that were given up, the latest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`].
    pub async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let query = sqlx::query(
            "SELECT id, case_id, webhook, event, attempts, last_error, created_ms, ended_ms, \
             CASE WHEN body IS NULL THEN 0 ELSE 1 END AS has_body \
             FROM deliveries WHERE state = 'dead' ORDER BY ended_ms DESC, id LIMIT $1",
        );
        let read = |row: &AnyRow| {
            Ok(DeadLetter {
                id: column(row, "id")?,
                case_id: column(row, "case_id")?,
                webhook: column(row, "webhook")?,
                event: column(row, "event")?,
                attempts: column(row, "attempts")?,
                last_error: column(row, "last_error")?,
                created_ms: column(row, "created_ms")?,
                ended_ms: column(row, "ended_ms")?,
                has_body: column::<i64>(row, "has_body")? != 0,
            })
        };
        self.read(query.bind(i64::from(limit))).await?.iter().map(read).collect()
    }

    /// Makes a dead message due at `now_ms`, with all its attempts before it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when no dead message that still has a body is called `id`, [`StoreError::Unavailable`].
    pub async fn requeue(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let update = sqlx::query(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_ms = $2, ended_ms = NULL \
             WHERE id = $1 AND state = 'dead' AND body IS NOT NULL RETURNING id",
        );
        match self.write(update.bind(lookup(id)).bind(now_ms)).await?.len() {
            0 => Err(StoreError::Missing("dead letter")),
            _ => Ok(()),
        }
    }
}

impl Transaction {
    pub(super) async fn insert_delivery(
        &mut self,
        case_id: &str,
        delivery: &NewDelivery,
        created_ms: i64,
    ) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO deliveries (id, case_id, webhook, event, body, state, attempts, next_ms, created_ms) \
             VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $6)",
        )
        .bind(delivery.id.clone())
        .bind(case_id.to_owned())
        .bind(delivery.webhook.clone())
        .bind(delivery.event.clone())
        .bind(delivery.body.clone())
        .bind(created_ms);
        self.run(insert).await.map(|_| ())
    }

    /// Deletes the bodies of a case's messages; those that were pending are dead.
    pub(super) async fn silence_deliveries(&mut self, case_id: &str, now_ms: i64) -> Result<(), StoreError> {
        let end = sqlx::query(
            "UPDATE deliveries SET state = 'dead', ended_ms = $2, last_error = 'case purged' \
             WHERE case_id = $1 AND state = 'pending'",
        );
        self.run(end.bind(case_id.to_owned()).bind(now_ms)).await?;
        let erase = sqlx::query("UPDATE deliveries SET body = NULL WHERE case_id = $1");
        self.run(erase.bind(case_id.to_owned())).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_shorten_by_a_quarter() {
        let waits: Vec<i64> = (1..=12).map(|attempt| backoff_ms(attempt, 0.0) / 1000).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        assert_eq!(backoff_ms(1, 1.0), 3750);
        assert_eq!(backoff_ms(i64::MAX, 0.5), 3_150_000);
        assert_eq!(backoff_ms(i64::MIN, -1.0), FIRST_DELAY_MS);
    }
}
