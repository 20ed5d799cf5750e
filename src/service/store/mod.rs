//! What the service must remember → rows of SQLite or PostgreSQL, and back.
//!
//! One implementation for both. A transaction that leaves an audit row takes the lock on `audit_head` first, so writers
//! stand in one line in both databases. Times are milliseconds since 1970 that the caller gives; no statement reads a
//! clock. Whatever the database does, a call ends within [`CALL_LIMIT_MS`], [`ReviewStore::open`], [`ReviewStore::verify`]
//! and [`ReviewStore::expire`] aside, which hold that limit for each of their steps.

mod audit;
mod cases;
mod deliveries;
mod filter;
mod keys;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Decode, Row, SqlSafeStr, Type};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub use audit::{AuditProof, AuditRow, ChainFault};
pub use cases::{Case, CaseSummary, Expired, HumanDecision, Idempotency, NewCase, NewPicture, Picture, Replay};
pub use deliveries::{
    ATTEMPTS, DeadLetter, Due, FIRST_DELAY_MS, JITTER_PARTS, LONGEST_DELAY_MS, NewDelivery, backoff_ms,
};
pub use filter::{CaseFilter, CaseState};
pub use keys::{ApiKey, IssuedKey, KeyText, NewKey, Scope, Scopes, ScopesError};
pub use seal::{SealingKey, SealingKeyError};

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

const SQLITE_MIGRATIONS: &[(i64, &str, &str)] = &[(1, "review", include_str!("migrations/sqlite/1_review.sql"))];
const POSTGRES_MIGRATIONS: &[(i64, &str, &str)] = &[(1, "review", include_str!("migrations/postgres/1_review.sql"))];

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
        Self::open_limited(location, sealing, None).await
    }

    /// [`Self::open`] with an upper bound on the pages of an SQLite file, past which it counts as a full disk. For tests.
    #[doc(hidden)]
    pub async fn open_limited(
        location: &str,
        sealing: Option<SealingKey>,
        max_pages: Option<u32>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (kind, options) = match place(location)? {
            Place::Server(url) => (Kind::Postgres, url.parse::<AnyConnectOptions>()?),
            Place::File(path) => (Kind::Sqlite, sqlite_options(&path)?),
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
            prepare(&mut connection, kind).await?;
            connection.close().await?;
            Ok::<_, StoreError>(())
        };
        tokio::time::timeout(OPEN_LIMIT, ready).await.unwrap_or_else(|_| Err(late()))?;
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
        Ok(Self { pool, kind, sealing, writer: Arc::default() })
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
        let _ = tokio::time::timeout(Duration::from_millis(ACQUIRE_LIMIT_MS), self.pool.close()).await;
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
            lease.finish();
            Ok(rows)
        })
        .await
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
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
        Ok(Transaction { lease, _turn: turn })
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

/// Where a store stands.
enum Place {
    File(PathBuf),
    Server(String),
}

fn place(location: &str) -> Result<Place, StoreError> {
    if location.starts_with("postgres://") || location.starts_with("postgresql://") {
        return Ok(Place::Server(location.to_owned()));
    }
    let path = location.strip_prefix("sqlite:").map_or(location, |rest| rest.strip_prefix("//").unwrap_or(rest));
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::Location("the store needs a file"));
    }
    if path.contains("://") {
        return Err(StoreError::Location("neither a path nor an SQLite or PostgreSQL URL"));
    }
    Ok(Place::File(PathBuf::from(path)))
}

/// Creates the file when missing, and says how to connect to it.
fn sqlite_options(path: &Path) -> Result<AnyConnectOptions, StoreError> {
    use std::fmt::Write as _;
    let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    let mut file = std::fs::OpenOptions::new();
    file.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map_err(unavailable)?;
    // Free of `..`, which a URL would resolve without asking the file system.
    let path = path.canonicalize().map_err(unavailable)?;
    let path = path.to_str().ok_or(StoreError::Location("the path is not Unicode"))?;
    let mut url = String::from("sqlite:");
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Ok(url.parse::<AnyConnectOptions>()?)
}

/// Brings the tables up to date.
async fn prepare(connection: &mut AnyConnection, kind: Kind) -> Result<(), StoreError> {
    match kind {
        // The migrator holds a lock of the server's.
        Kind::Postgres => migrate(connection, POSTGRES_MIGRATIONS).await,
        Kind::Sqlite => {
            sqlx::raw_sql("PRAGMA busy_timeout = 30000").execute(&mut *connection).await?;
            write_ahead(connection).await?;
            // The migrator has no lock of its own for SQLite: the transaction around it is one, and each migration
            // becomes a savepoint in it.
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrate(&mut *transaction, SQLITE_MIGRATIONS).await?;
            transaction.commit().await?;
            Ok(())
        }
    }
}

/// Makes SQLite keep a write-ahead log, which its file remembers.
async fn write_ahead(connection: &mut AnyConnection) -> Result<(), StoreError> {
    const TRIES: u32 = 200;
    const PAUSE: Duration = Duration::from_millis(25);
    for _ in 0..TRIES {
        // Two processes that change it at once: one is told `busy` at once, whatever the time-out.
        match sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await {
            Ok(row) if row.try_get::<String, _>(0)?.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(_) => {}
            Err(error) => match StoreError::from(error) {
                StoreError::Unavailable(_) => {}
                other => return Err(other),
            },
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Unavailable("the file's system cannot keep a write-ahead log".to_owned()))
}

async fn migrate<C: Migrate>(
    connection: &mut C,
    steps: &[(i64, &'static str, &'static str)],
) -> Result<(), StoreError> {
    let steps = steps.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Ok(Migrator::with_migrations(steps.collect()).run_direct(None, connection, false).await?)
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
    fn locations_are_told_apart() {
        let file = |text: &str| match place(text) {
            Ok(Place::File(path)) => path,
            _ => panic!("{text} is no file"),
        };
        assert_eq!(file("review.db"), Path::new("review.db"));
        assert_eq!(file("sqlite:review.db"), Path::new("review.db"));
        assert_eq!(file("sqlite:///var/lib/a b?.db"), Path::new("/var/lib/a b?.db"));
        assert!(matches!(place("postgres://user:word@host/name"), Ok(Place::Server(_))));
        for text in ["", "sqlite:", "sqlite::memory:", ":memory:", "mysql://host/name"] {
            assert!(matches!(place(text), Err(StoreError::Location(_))), "{text}");
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
