//! What the service must remember → rows of SQLite or PostgreSQL, and back.
//!
//! One implementation for both. A transaction that leaves an audit row takes the lock on `audit_head` first, so writers
//! stand in one line in both databases. Times are milliseconds since 1970 that the caller gives; no statement reads a
//! clock. Whatever the database does, a call ends within [`CALL_LIMIT_MS`], [`ReviewStore::open`], [`ReviewStore::verify`]
//! and [`ReviewStore::expire`] aside, which hold that limit for each of their steps.

mod attempts;
mod audit;
mod cases;
mod deciding;
mod deliveries;
mod ending;
mod files;
mod filter;
mod keys;
mod opening;
mod seal;
mod shadow;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Decode, Row, Type};
use tokio::sync::{Mutex, OwnedMutexGuard};

use files::Files;
use opening::{Opening, Place, place, prepare, sqlite_options};

pub use attempts::{Attempt, Flow};
pub use audit::{AuditProof, AuditRow, ChainFault};
pub use cases::{Case, CaseScores, CaseSummary, Idempotency, NewCase, NewPicture, Picture, Replay};
pub use deciding::{HumanDecision, NewDecision};
pub use deliveries::{
    ATTEMPTS, DeadLetter, Due, FIRST_DELAY_MS, JITTER_PARTS, LONGEST_DELAY_MS, NewDelivery, To, backoff_ms,
};
pub use ending::{Age, Aged, Expired, Whose};
pub(crate) use files::Hold;
pub use filter::{CaseFilter, CaseState, ScoreName};
pub use keys::{ApiKey, IssuedKey, KeyText, NewKey, Scope, Scopes, ScopesError};
pub use seal::{SealingKey, SealingKeyError};
pub use shadow::{NewShadow, ReasonChange, ShadowFilter, ShadowReport, Share, Transition};
pub use tokens::{NewUploadToken, UPLOAD_PREFIX, UploadToken};

/// Longest time a call may take, waiting for other writers included, in milliseconds.
pub const CALL_LIMIT_MS: u64 = 10_000;
/// Longest wait for a connection, in milliseconds.
const ACQUIRE_LIMIT_MS: u64 = 2_000;
/// How long SQLite waits for another process that writes, in milliseconds; well within [`CALL_LIMIT_MS`].
const BUSY_LIMIT_MS: u64 = 5_000;
/// Longest time opening may take: another process may be migrating.
const OPEN_LIMIT: Duration = Duration::from_mins(1);
/// Connections a process holds. One writes at a time; the others read.
const CONNECTIONS: u32 = 8;
/// Bytes that are written to learn whether the store can be written: as much as a verdict takes, about.
const PROBE_BYTES: usize = 16 << 10;

/// What every SQLite connection begins with. FULL: a commit is on the disk before it is reported.
const SQLITE_SETUP: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; \
     PRAGMA recursive_triggers = ON;";
/// What every PostgreSQL connection begins with: the server, too, gives up on what nobody waits for any more.
const POSTGRES_SETUP: &str = "SET statement_timeout = '9s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '15s'; SET synchronous_commit = on;";

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The location is neither a path of a file nor an SQLite or PostgreSQL URL that can be read.
    #[error("store: {0}")]
    Location(&'static str),
    /// There is none, and none was to be made.
    #[error("store: there is none at {0}; `bonafide serve` and `bonafide key create` make one")]
    Absent(String),
    /// Another service is at work on the file.
    #[error(
        "store: another service is at work on {0}; a file of SQLite is for one service, and several share a PostgreSQL \
         database"
    )]
    Held(String),
    /// The database cannot be reached or cannot write now; nothing was recorded, and the same call may succeed later.
    #[error("store: unavailable: {0}")]
    Unavailable(String),
    /// It was done already, or by somebody else.
    #[error("store: conflict: {0}")]
    Conflict(&'static str),
    /// There is no such case, key or delivery.
    #[error("store: no such {0}")]
    Missing(&'static str),
    /// The caller's value cannot be stored.
    #[error("store: {0}")]
    Invalid(&'static str),
    /// A picture is to be stored and there is no sealing key, or it was sealed by another key or altered.
    #[error("store: picture cannot be sealed or opened with this key")]
    Sealing,
    /// The audit chain is broken.
    #[error("store: audit: {0}")]
    Chain(#[from] ChainFault),
    /// What stands in the database cannot be right, or its tables are not those of this program.
    #[error("store: corrupt: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(error) if error.is_unique_violation() => Self::Conflict("recorded already"),
            E::Database(error) => {
                let code = error.code().unwrap_or_default();
                // Neither database puts values of rows into the message itself.
                let cause = format!("{} ({code})", error.message());
                if passes(&code) { Self::Unavailable(cause) } else { Self::Corrupt(cause) }
            }
            E::Configuration(_) => Self::Location("the location cannot be understood"),
            E::ColumnNotFound(_)
            | E::ColumnDecode { .. }
            | E::ColumnIndexOutOfBounds { .. }
            | E::Decode(_)
            | E::Encode(_)
            | E::TypeNotFound { .. }
            | E::RowNotFound
            | E::AnyDriverError(_) => Self::Corrupt("a row is not as it was written".to_owned()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Corrupt(other.to_string()),
        }
    }
}

/// Whether the cause behind a database's error code is one that passes: connection, disk, locks, shutdown.
fn passes(code: &str) -> bool {
    // SQLSTATE has five characters; SQLite's codes are numbers of which the low byte names the kind.
    if code.len() == 5 {
        // 08 connection, 28 login, 3D no such database, 40 rolled back, 53 resources (disk full), 55 not in that state,
        // 57 operator (shutdown, time-out), 58 input/output; 25006 read-only.
        return ["08", "28", "3D", "40", "53", "55", "57", "58"].contains(&&code[..2]) || code == "25006";
    }
    // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
    code.parse::<u32>().is_ok_and(|code| [5, 6, 7, 8, 9, 10, 13, 14, 15].contains(&(code & 0xff)))
}

/// Cases, keys, audit and deliveries of the service; clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct ReviewStore {
    pool: AnyPool,
    kind: Kind,
    sealing: Option<SealingKey>,
    /// What of SQLite's must stay where it is; nothing of PostgreSQL's.
    files: Option<Arc<Files>>,
    /// Open for as long as the store is: SQLite removes its log with the last connection, and the pool's come and go.
    keeper: Arc<Mutex<Option<AnyConnection>>>,
    /// Writers of this process stand in line here, in order, and not inside SQLite, which polls.
    writer: Arc<Mutex<()>>,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl ReviewStore {
    /// Opens the store at `location` and brings its tables up to date.
    ///
    /// `location` is a path or `sqlite:` URL (what follows is taken literally) of a file that is created when missing,
    /// readable by its owner alone, or a `postgres://` URL of a database that exists. `sealing` seals pictures; without
    /// it none can be stored or read.
    ///
    /// # Errors
    /// [`StoreError::Location`], [`StoreError::Unavailable`] when the database cannot be reached, or
    /// [`StoreError::Corrupt`] when it holds other tables or those of a newer version.
    pub async fn open(location: &str, sealing: Option<SealingKey>) -> Result<Self, StoreError> {
        Self::open_as(location, sealing, None, Opening::Making).await
    }

    /// The same where a store is already, and an error where there is none: nothing is made.
    ///
    /// # Errors
    /// As [`Self::open`]; [`StoreError::Absent`] where there is none.
    pub async fn open_existing(location: &str, sealing: Option<SealingKey>) -> Result<Self, StoreError> {
        Self::open_as(location, sealing, None, Opening::Using).await
    }

    /// Says that one service alone is at work at `location`, for as long as the result lives. Many may share a PostgreSQL
    /// database.
    ///
    /// # Errors
    /// [`StoreError::Held`] where another one is, [`StoreError::Location`], [`StoreError::Unavailable`].
    pub(crate) fn hold(location: &str) -> Result<Hold, StoreError> {
        match place(location)? {
            Place::File(path) => Hold::take(&path),
            Place::Server(_) => Ok(Hold::nothing()),
        }
    }

    /// [`Self::open`] with an upper bound on the pages of an SQLite file, past which it counts as a full disk. For tests.
    #[doc(hidden)]
    pub async fn open_limited(
        location: &str,
        sealing: Option<SealingKey>,
        max_pages: Option<u32>,
    ) -> Result<Self, StoreError> {
        Self::open_as(location, sealing, max_pages, Opening::Making).await
    }

    async fn open_as(
        location: &str,
        sealing: Option<SealingKey>,
        max_pages: Option<u32>,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let place = place(location)?;
        let (kind, options) = match &place {
            Place::Server(url) => (Kind::Postgres, url.parse::<AnyConnectOptions>()?),
            Place::File(path) => (Kind::Sqlite, sqlite_options(path, opening)?),
        };
        // Statements would be logged otherwise.
        let options = options.disable_statement_logging();
        let setup = match kind {
            Kind::Sqlite => {
                let limit = max_pages.map(|pages| format!("PRAGMA max_page_count = {pages};")).unwrap_or_default();
                format!("PRAGMA busy_timeout = {BUSY_LIMIT_MS}; {SQLITE_SETUP} {limit}")
            }
            Kind::Postgres => POSTGRES_SETUP.to_owned(),
        };
        let ready = async {
            let mut connection = options.connect().await?;
            prepare(&mut connection, kind, opening, &place).await?;
            let Place::File(path) = &place else {
                connection.close().await?;
                return Ok((None, None));
            };
            // The first reading opens the log.
            sqlx::query("SELECT seq FROM audit_head").fetch_all(&mut connection).await?;
            Ok::<_, StoreError>((Some(Arc::new(Files::of(path)?)), Some(connection)))
        };
        let ready = tokio::time::timeout(OPEN_LIMIT, ready).await.unwrap_or_else(|_| Err(late()));
        let (files, keeper) = ready?;
        let setup: Arc<str> = setup.into();
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_millis(ACQUIRE_LIMIT_MS))
            .after_connect(move |connection, _| {
                let setup = Arc::clone(&setup);
                Box::pin(async move {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, kind, sealing, files, keeper: Arc::new(Mutex::new(keeper)), writer: Arc::default() })
    }

    /// Whether the files that are open are those on the path; at no cost to speak of, and of SQLite only.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when one of them was removed or replaced.
    pub fn is_in_place(&self) -> Result<(), StoreError> {
        self.files.as_ref().map_or(Ok(()), |files| files.are_in_place())
    }

    /// Writes as much as a verdict takes, about, over what the last probe wrote: whether verdicts can be recorded now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when they cannot: the file is gone, locked or read-only, or the disk is full.
    pub async fn probe(&self) -> Result<(), StoreError> {
        // Other bytes each time: what does not change is not written.
        let mut bytes = vec![0; PROBE_BYTES];
        fill_random(&mut bytes)?;
        let write = sqlx::query(
            "INSERT INTO probe (one, bytes) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET bytes = excluded.bytes",
        );
        bounded(async {
            let mut transaction = self.begin().await?;
            let result = transaction.run(write.bind(bytes)).await.map(|_| ());
            transaction.end(result).await
        })
        .await
    }

    /// Whether the database answers now, for a readiness check.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read_one(sqlx::query("SELECT seq FROM audit_head"))
            .await?
            .map(|_| ())
            .ok_or_else(|| StoreError::Corrupt("audit_head is empty".to_owned()))
    }

    /// Closes all connections; calls after it are [`StoreError::Unavailable`].
    pub async fn close(&self) {
        // A server that does not answer is left to itself.
        let closing = async {
            self.pool.close().await;
            // The last one takes SQLite's log with it.
            if let Some(keeper) = self.keeper.lock().await.take() {
                let _ = keeper.close().await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_millis(ACQUIRE_LIMIT_MS), closing).await;
    }

    /// The rows of one reading statement.
    async fn read(&self, query: Query<'_>) -> Result<Vec<AnyRow>, StoreError> {
        bounded(async {
            let mut lease = self.lease().await?;
            let rows = query.fetch_all(lease.connection()).await?;
            lease.finish();
            Ok(rows)
        })
        .await
    }

    /// The row of a reading statement that has one at most.
    async fn read_one(&self, query: Query<'_>) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.read(query).await?.pop())
    }

    /// The rows that one writing statement returns; it is a transaction of its own.
    async fn write(&self, query: Query<'_>) -> Result<Vec<AnyRow>, StoreError> {
        bounded(async {
            let _turn = self.writer.lock().await;
            let mut lease = self.lease().await?;
            let rows = query.fetch_all(lease.connection()).await?;
            self.is_in_place()?;
            lease.finish();
            Ok(rows)
        })
        .await
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        self.is_in_place()?;
        Ok(Lease { connection: self.pool.acquire().await?, finished: false })
    }

    /// Begins a transaction that writes; call within [`bounded`].
    async fn begin(&self) -> Result<Transaction, StoreError> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        let mut lease = self.lease().await?;
        // IMMEDIATE: a transaction that began by reading could not always be raised to a writing one.
        let begin = match self.kind {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        sqlx::raw_sql(begin).execute(lease.connection()).await?;
        Ok(Transaction { lease, files: self.files.clone(), _turn: turn })
    }

    /// Copies the write-ahead log into SQLite's file and empties it, so that nothing deleted stays there.
    async fn empty_log(&self) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            return Ok(());
        }
        // A reader of an old state holds the log; busy_timeout waits for it.
        let row = self.write(sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")).await?.pop();
        match row.map(|row| row.try_get::<i64, _>(0)).transpose()? {
            Some(0) => Ok(()),
            _ => Err(StoreError::Unavailable("the write-ahead log could not be emptied".to_owned())),
        }
    }
}

type Query<'q> = sqlx::query::Query<'q, Any, AnyArguments>;

/// A connection that goes back to the pool only after a call that came to its end: one that was given up may be in the
/// middle of a transaction or of an answer.
struct Lease {
    connection: PoolConnection<Any>,
    finished: bool,
}

impl Lease {
    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.finished {
            self.connection.close_on_drop();
        }
    }
}

/// A transaction that writes. Dropped without [`Self::commit`] its connection is closed, and nothing of it stays.
struct Transaction {
    lease: Lease,
    files: Option<Arc<Files>>,
    _turn: OwnedMutexGuard<()>,
}

impl Transaction {
    async fn run(&mut self, query: Query<'_>) -> Result<u64, StoreError> {
        Ok(query.execute(self.lease.connection()).await?.rows_affected())
    }

    async fn row(&mut self, query: Query<'_>) -> Result<Option<AnyRow>, StoreError> {
        // All rows are asked for, since a statement is carried out to its end only then.
        Ok(query.fetch_all(self.lease.connection()).await?.pop())
    }

    /// Commits after success; rolls back, and keeps the connection, after an error that is not the connection's.
    async fn end<T>(mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        match result {
            Ok(value) => {
                sqlx::raw_sql("COMMIT").execute(self.lease.connection()).await?;
                // What was committed to a file that nobody finds again is not recorded.
                self.files.as_ref().map_or(Ok(()), |files| files.are_in_place())?;
                self.lease.finish();
                Ok(value)
            }
            Err(error) => {
                if !matches!(error, StoreError::Unavailable(_))
                    && sqlx::raw_sql("ROLLBACK").execute(self.lease.connection()).await.is_ok()
                {
                    self.lease.finish();
                }
                Err(error)
            }
        }
    }
}

/// Runs `work` for [`CALL_LIMIT_MS`] at most.
async fn bounded<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(Duration::from_millis(CALL_LIMIT_MS), work).await.unwrap_or_else(|_| Err(late()))
}

fn late() -> StoreError {
    StoreError::Unavailable("no answer in time".to_owned())
}

/// The value of a column.
fn column<'r, T: Decode<'r, Any> + Type<Any>>(row: &'r AnyRow, name: &str) -> Result<T, StoreError> {
    Ok(row.try_get(name)?)
}

/// The 32 bytes of a column.
fn hash_column(row: &AnyRow, name: &str) -> Result<[u8; 32], StoreError> {
    let bytes: Vec<u8> = column(row, name)?;
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("{name} has not 32 bytes")))
}

/// A text to look a row up by: no row has NUL in it, and PostgreSQL would refuse to be asked.
fn lookup(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// Refuses the one character that PostgreSQL cannot store.
fn storable(texts: &[&str]) -> Result<(), StoreError> {
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(StoreError::Invalid("a text holds the character NUL"));
    }
    Ok(())
}

fn fill_random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|_| StoreError::Unavailable("the system gives no random bytes".to_owned()))
}

/// `length` random letters and digits, each worth log2(62) = 5.95 bits: an identifier that nobody can guess when it has
/// 22 of them (131 bits).
///
/// # Errors
/// [`StoreError::Unavailable`] when the system gives no random bytes.
pub fn draw_text(length: usize) -> Result<String, StoreError> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    let mut bytes = zeroize::Zeroizing::new([0; 64]);
    while text.len() < length {
        fill_random(&mut *bytes)?;
        // 248 is the largest multiple of 62 in a byte: above it, some letters would come more often.
        let drawn = bytes.iter().filter(|&&byte| byte < 248).map(|&byte| char::from(LETTERS[usize::from(byte % 62)]));
        text.extend(drawn.take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_pass_are_told_from_those_that_stay() {
        for code in ["08006", "53100", "57P01", "40001", "58030", "25006", "5", "13", "10", "778", "14", "8"] {
            assert!(passes(code), "{code}");
        }
        for code in ["42P01", "23514", "XX001", "22021", "11", "26", "1", "", "1811"] {
            assert!(!passes(code), "{code}");
        }
    }

    #[test]
    fn drawn_texts_have_their_length_and_use_all_letters() {
        let text = draw_text(4000).unwrap();
        assert_eq!(text.len(), 4000);
        let mut letters: Vec<_> = text.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 62);
        assert_ne!(draw_text(22).unwrap(), draw_text(22).unwrap());
    }
}
