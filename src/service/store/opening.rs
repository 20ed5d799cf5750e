//! A location → a database that holds a store, made where that is asked for and nowhere else.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection, Row, SqlSafeStr};

use super::{Kind, StoreError};

/// Version, name, and what each database is told.
type Step = (i64, &'static str, &'static str);

const SQLITE_MIGRATIONS: &[Step] = &[
    (1, "review", include_str!("migrations/sqlite/1_review.sql")),
    (2, "probe", include_str!("migrations/sqlite/2_probe.sql")),
    (3, "flow", include_str!("migrations/sqlite/3_flow.sql")),
];
const POSTGRES_MIGRATIONS: &[Step] = &[
    (1, "review", include_str!("migrations/postgres/1_review.sql")),
    (2, "probe", include_str!("migrations/postgres/2_probe.sql")),
    (3, "flow", include_str!("migrations/postgres/3_flow.sql")),
];

/// What an opening may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Make a store where there is none.
    Making,
    /// Use the one that is there.
    Using,
}

/// Where a store stands.
#[derive(Debug)]
pub(super) enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// The URL of a PostgreSQL database.
    Server(String),
}

/// Where `location` leads.
pub(super) fn place(location: &str) -> Result<Place, StoreError> {
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

/// Says how to connect to the file; makes an empty one where that is asked for and nothing is there.
pub(super) fn sqlite_options(path: &Path, opening: Opening) -> Result<AnyConnectOptions, StoreError> {
    let unavailable = |error: io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
    if opening == Opening::Using {
        match path.metadata() {
            // What holds not a byte is no store either.
            Ok(found) if found.is_file() && found.len() == 0 => return Err(absent(path)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(absent(path)),
            Err(error) => return Err(unavailable(error)),
        }
    } else {
        // A file that is there is left alone: to close it again would end all locks of this process on it.
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        match file.open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unavailable(error)),
            Ok(_) | Err(_) => {}
        }
    }
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

/// Nothing is at `path`.
pub(super) fn absent(path: &Path) -> StoreError {
    StoreError::Absent(path.display().to_string())
}

/// Whether the database has the tables of a store, and whether it has any: asked at once, since another process may be
/// making them.
async fn tables(connection: &mut AnyConnection, kind: Kind) -> Result<(bool, bool), StoreError> {
    let query = match kind {
        Kind::Sqlite => {
            "SELECT COUNT(*) AS found, COUNT(CASE WHEN name = 'audit_head' THEN 1 END) AS ours \
             FROM sqlite_master WHERE type = 'table'"
        }
        Kind::Postgres => {
            "SELECT COUNT(*) AS found, COUNT(CASE WHEN table_name = 'audit_head' THEN 1 END) AS ours \
             FROM information_schema.tables WHERE table_schema = current_schema()"
        }
    };
    let row = sqlx::query(query).fetch_one(connection).await?;
    Ok((row.try_get::<i64, _>("ours")? > 0, row.try_get::<i64, _>("found")? > 0))
}

/// Brings the tables up to date; makes them where that is asked for.
pub(super) async fn prepare(
    connection: &mut AnyConnection,
    kind: Kind,
    opening: Opening,
    place: &Place,
) -> Result<(), StoreError> {
    if kind == Kind::Sqlite {
        sqlx::raw_sql("PRAGMA busy_timeout = 30000").execute(&mut *connection).await?;
    }
    let (ours, any) = tables(connection, kind).await?;
    match place {
        Place::File(path) if opening == Opening::Using && !ours => return Err(absent(path)),
        // A password may stand in the URL.
        Place::Server(_) if opening == Opening::Using && !ours => {
            return Err(StoreError::Absent("the database that was named".to_owned()));
        }
        Place::File(_) if any && !ours => {
            return Err(StoreError::Corrupt("the file is the database of another program".to_owned()));
        }
        _ => {}
    }
    match kind {
        // The migrator holds a lock of the server's.
        Kind::Postgres => migrate(connection, POSTGRES_MIGRATIONS).await,
        Kind::Sqlite => {
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

async fn migrate<C: Migrate>(connection: &mut C, steps: &[Step]) -> Result<(), StoreError> {
    let steps = steps.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Ok(Migrator::with_migrations(steps.collect()).run_direct(None, connection, false).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
