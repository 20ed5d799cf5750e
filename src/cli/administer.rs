//! The store of the service, from the machine it stands on: keys, audit, webhooks that failed, and purging.

use std::io::Write as _;
use std::path::PathBuf;

use bonafide::service::clock::{ms, now_ms};
use bonafide::service::config::{Span, span};
use bonafide::service::delete_old;
use bonafide::service::store::{ApiKey, IssuedKey, NewKey, ReviewStore, Scopes, ShadowFilter, StoreError};
use clap::{Args, Subcommand};

use super::{ACCEPTED, NOT_ACCEPTED, layers};

/// Who the audit says it was.
const ACTOR: &str = "command-line";

/// Dead letters listed.
const LETTERS: u32 = 500;

/// Where the store is.
#[derive(Debug, Args)]
struct StoreArgs {
    /// The store: a file of SQLite, or a `postgres://` URL.
    #[arg(long, global = true, env = "BONAFIDE_STORE", value_name = "PLACE", hide_env_values = true)]
    store: Option<String>,
    /// File of settings of the service, which may name the store.
    #[arg(long, global = true, env = "BONAFIDE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Makes, lists, revokes and renews API keys.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    action: KeyAction,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Makes a key and prints it, this once.
    Create {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What it allows: `check`, `review`, `admin`, with commas between.
        #[arg(long, default_value = "check")]
        scope: Scopes,
        /// Pictures a minute.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        per_minute: Option<u32>,
        /// After which time it holds no longer, for example `90d`.
        #[arg(long, value_name = "TIME", value_parser = span)]
        expires: Option<Span>,
    },
    /// Lists keys, without their secrets.
    List,
    /// Ends a key; it works on for ten seconds at most.
    Revoke {
        /// Its id.
        id: String,
    },
    /// Gives a key a new secret and prints it, this once.
    Rotate {
        /// Its id.
        id: String,
        /// How long the old secret works on.
        #[arg(long, value_name = "TIME", value_parser = span, default_value = "24h")]
        grace: Span,
    },
}

/// The record of every decision.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    action: AuditAction,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Subcommand)]
enum AuditAction {
    /// Proves that no row was altered, taken out or added; prints the number of rows and the head of the chain.
    Verify {
        /// A head that was kept elsewhere: proves too that the chain is the same up to there.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Prints the rows, one JSON object a line.
    List {
        /// Begins after this row.
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: i64,
    },
}

/// Messages to webhooks that were given up.
#[derive(Debug, Args)]
pub(super) struct WebhookArgs {
    #[command(subcommand)]
    action: WebhookAction,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Subcommand)]
enum WebhookAction {
    /// Lists them, one JSON object a line.
    Dead,
    /// Sends one again.
    Requeue {
        /// Its id.
        id: String,
    },
}

/// Deletes the report and picture of a case for good, or all that is too old.
#[derive(Debug, Args)]
pub(super) struct PurgeArgs {
    /// Its id.
    #[arg(required_unless_present = "expired")]
    id: Option<String>,
    /// Deletes pictures, reports and cases whose time is over by the settings (`--config`), as the service does.
    #[arg(long, conflicts_with = "id")]
    expired: bool,
    #[command(flatten)]
    store: StoreArgs,
}

/// Runs `work` on the store that is there: who looks for one under a wrong name is not to be given an empty one.
fn on_store<T>(args: &StoreArgs, work: impl AsyncFnOnce(ReviewStore) -> Result<T, String>) -> Result<T, String> {
    on(args, false, work)
}

/// Runs `work` on the store, which is made where that `may` be.
fn on<T>(
    args: &StoreArgs,
    may_make: bool,
    work: impl AsyncFnOnce(ReviewStore) -> Result<T, String>,
) -> Result<T, String> {
    let settings = layers::of_file(args.config.as_deref())?;
    let place = args.store.clone().unwrap_or(settings.remember.store);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let opened = if may_make {
            ReviewStore::open(&place, None).await
        } else {
            ReviewStore::open_existing(&place, None).await
        };
        let store = opened.map_err(|e| e.to_string())?;
        let done = work(store.clone()).await;
        store.close().await;
        done
    })
}

fn told(error: StoreError) -> String {
    error.to_string()
}

fn print(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|e| e.to_string())
}

fn describe(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes.to_string(),
        "per_minute": key.per_minute,
        "created_ms": key.created_ms,
        "expires_ms": key.expires_ms,
        "revoked_ms": key.revoked_ms,
    })
}

fn show(issued: &IssuedKey) -> Result<(), String> {
    eprintln!("{}", describe(&issued.key));
    eprintln!("The key is shown this once:");
    print(issued.text.reveal())
}

pub(super) fn key(args: &KeyArgs) -> Result<u8, String> {
    // The first key is made before the service is started.
    on(&args.store, matches!(args.action, KeyAction::Create { .. }), async |store| {
        match &args.action {
            KeyAction::Create { name, scope, per_minute, expires } => {
                let now = now_ms();
                let expires_ms = expires.map(|span| now.saturating_add(ms(span.into())));
                let new = NewKey { name, scopes: *scope, per_minute: *per_minute, expires_ms };
                show(&store.create_key(&new, ACTOR, now).await.map_err(told)?)?;
            }
            KeyAction::List => {
                for key in store.keys().await.map_err(told)? {
                    print(&describe(&key).to_string())?;
                }
            }
            KeyAction::Revoke { id } => store.revoke_key(id, ACTOR, now_ms()).await.map_err(told)?,
            KeyAction::Rotate { id, grace } => {
                show(&store.rotate_key(id, ms((*grace).into()), ACTOR, now_ms()).await.map_err(told)?)?;
            }
        }
        Ok(ACCEPTED)
    })
}

pub(super) fn audit(args: &AuditArgs) -> Result<u8, String> {
    on_store(&args.store, async |store| match &args.action {
        AuditAction::Verify { head } => {
            let proof = match head {
                None => store.verify().await,
                Some(head) => store.verify_against(hash(head)?).await,
            };
            match proof {
                Ok(proof) => {
                    print(&format!("whole: {} rows, head {}", proof.rows, hex::encode(proof.head)))?;
                    Ok(ACCEPTED)
                }
                Err(StoreError::Chain(fault)) => {
                    print(&format!("BROKEN: {fault}"))?;
                    Ok(NOT_ACCEPTED)
                }
                Err(error) => Err(told(error)),
            }
        }
        AuditAction::List { after } => {
            let mut after = *after;
            loop {
                let rows = store.audit(after, LETTERS).await.map_err(told)?;
                let Some(last) = rows.last() else { return Ok(ACCEPTED) };
                after = last.seq;
                for row in &rows {
                    let body: serde_json::Value = serde_json::from_str(&row.body).unwrap_or_default();
                    let row = serde_json::json!({
                        "seq": row.seq, "time_ms": row.time_ms, "actor": row.actor, "event": row.event,
                        "subject": row.subject, "body": body, "hash": hex::encode(row.hash),
                    });
                    print(&row.to_string())?;
                }
            }
        }
    })
}

pub(super) fn webhook(args: &WebhookArgs) -> Result<u8, String> {
    on_store(&args.store, async |store| {
        match &args.action {
            WebhookAction::Dead => {
                for letter in store.dead_letters(LETTERS).await.map_err(told)? {
                    let letter = serde_json::json!({
                        "id": letter.id, "case": letter.case_id, "webhook": letter.webhook, "event": letter.event,
                        "attempts": letter.attempts, "last_error": letter.last_error, "created_ms": letter.created_ms,
                        "ended_ms": letter.ended_ms,
                    });
                    print(&letter.to_string())?;
                }
            }
            WebhookAction::Requeue { id } => store.requeue(id, now_ms()).await.map_err(told)?,
        }
        Ok(ACCEPTED)
    })
}

pub(super) fn purge(args: &PurgeArgs) -> Result<u8, String> {
    on_store(&args.store, async |store| {
        if let Some(id) = &args.id {
            store.purge(id, ACTOR, now_ms()).await.map_err(told)?;
            return Ok(ACCEPTED);
        }
        let config = layers::of_file(args.store.config.as_deref())?.config()?;
        let expired = store.expire(now_ms()).await.map_err(told)?;
        let aged = delete_old(&store, &config, None, now_ms()).await.map_err(told)?;
        let done = serde_json::json!({ "pictures": expired.pictures, "reports": aged.reports, "cases": aged.cases });
        print(&done.to_string())?;
        Ok(ACCEPTED)
    })
}

/// Says what the policies in the shadow would change, one JSON object a policy.
#[derive(Debug, Args)]
pub(super) struct ShadowArgs {
    /// Counts outcomes of one caller alone: `key:` and the key's id.
    #[arg(long, value_name = "CALLER")]
    owner: Option<String>,
    /// Counts outcomes of so long back alone, for example `7d`.
    #[arg(long, value_name = "TIME", value_parser = span)]
    last: Option<Span>,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn shadow(args: &ShadowArgs) -> Result<u8, String> {
    on_store(&args.store, async |store| {
        let from_ms = args.last.map(|span| now_ms().saturating_sub(ms(span.into())));
        let filter = ShadowFilter { owner: args.owner.as_deref(), from_ms, until_ms: None };
        for report in store.shadow(filter).await.map_err(told)? {
            print(&serde_json::to_string(&report).map_err(|e| e.to_string())?)?;
        }
        Ok(ACCEPTED)
    })
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "a head is 64 hexadecimal digits".to_owned())?;
    Ok(bytes)
}
