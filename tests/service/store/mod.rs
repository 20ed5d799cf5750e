//! The store's promises, each tried on SQLite and on PostgreSQL.

mod audit;
mod cases;
mod deliveries;
mod failing;
mod flow;
mod keys;
mod opening;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bonafide::policy::Decision;
use bonafide::service::store::{CaseScores, Flow, Idempotency, NewCase, ReviewStore, SealingKey};
use sqlx::{AnyConnection, Connection, Row};
use tempfile::TempDir;

use super::postgres::Postgres;

pub(super) const NOW: i64 = 1_700_000_000_000;
pub(super) const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An empty database of one test's own.
pub(super) struct Bed {
    pub(super) location: String,
    pub(super) folder: Option<TempDir>,
    /// Keeps the server up.
    _server: Option<Arc<Postgres>>,
}

impl Bed {
    pub(super) fn sqlite() -> Self {
        let folder = TempDir::with_prefix("bonafide-store-").unwrap();
        // A name that a URL would take apart.
        let location = folder.path().join("re view?#%41.db").to_str().unwrap().to_owned();
        Self { location, folder: Some(folder), _server: None }
    }

    pub(super) fn postgres() -> Option<Self> {
        let server = Postgres::shared()?;
        Some(Self { location: server.new_database(), folder: None, _server: Some(server) })
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) async fn open(&self) -> ReviewStore {
        ReviewStore::open(&self.location, Some(key())).await.unwrap()
    }

    /// A connection past the store; the store must have been opened before.
    pub(super) async fn raw(&self) -> AnyConnection {
        let url = if self.is_sqlite() {
            format!("sqlite:{}", self.location.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
        } else {
            self.location.clone()
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut raw = self.raw().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await?;
        raw.close().await
    }

    pub(super) async fn count(&self, table: &str) -> i64 {
        let mut raw = self.raw().await;
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut raw).await.unwrap().get(0);
        raw.close().await.unwrap();
        count
    }

    pub(super) async fn drop_triggers(&self) {
        let sqlite = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_in_order; \
                      DROP TRIGGER audit_head_forward;";
        let postgres = "DROP TRIGGER audit_no_change ON audit; DROP TRIGGER audit_in_order ON audit; \
                        DROP TRIGGER audit_head_forward ON audit_head;";
        self.run(if self.is_sqlite() { sqlite } else { postgres }).await.unwrap();
    }
}

pub(super) fn key() -> SealingKey {
    SealingKey::from_bytes([7; 32])
}

pub(super) fn case(id: &str) -> NewCase<'_> {
    NewCase {
        id,
        owner: "owner",
        sha256: HASH,
        media_type: "image/jpeg",
        decision: Decision::Review,
        classification: "screen",
        report_json: "{\"report\":1}",
        created_ms: NOW,
        picture: None,
        session: None,
        idempotency: None,
        deliveries: &[],
        flow: Flow::default(),
        reasons: &[],
        scores: CaseScores::default(),
        shadow: None,
    }
}

pub(super) fn idempotency(of: u8) -> Idempotency {
    Idempotency { key_hash: [of; 32], fingerprint: [of + 1; 32], expires_ms: NOW + 1000 }
}

/// The files of a folder that hold `mark`.
pub(super) fn left(folder: &Path, mark: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    files.filter(holds).collect()
}

/// Makes a test of each function for each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&super::Bed::sqlite()).await;
            })*
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(bed) = super::Bed::postgres() {
                    super::$name(&bed).await;
                }
            })*
        }
    };
}

pub(super) use on_both;
