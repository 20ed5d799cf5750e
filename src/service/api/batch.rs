//! `POST /v1/check/batch`: the files of a form → one line of JSON each, in their order, as they are done.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use utoipa::{IntoParams, ToSchema};

use super::PictureProblems;
use super::check::{query, together};
use crate::report::{Failure, FailureCause, Report, Row, json};
use crate::service::auth::Caller;
use crate::service::http::intake::{self, Part, Parts, Picture};
use crate::service::http::language::preferred;
use crate::service::http::peer::{Lane, Peer};
use crate::service::http::problem::Problem;
use crate::service::http::shares::Share;
use crate::service::store::Scope;
use crate::service::work::app::{App, Ask, RecordFor};
use crate::vocabulary::{Face, Language};

/// Files of a batch that are examined or wait at a time: a batch leaves room for who stands before a camera.
const WINDOW: usize = 2;

/// How the pictures of a batch are to be judged.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BatchQuery {
    /// The document, or side of it, that is wanted.
    document: Option<Face>,
    /// For how many days the document is to be valid yet; being in date is enough without it.
    valid_for: Option<u16>,
    /// A policy by name, as `/v1/policy` lists them.
    #[param(max_length = 64)]
    policy: Option<String>,
    /// Shows numbers in clear; needs the scope `review`.
    #[serde(default)]
    reveal: bool,
}

/// The files of a form, and before them what else could stand in the query.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the form")]
pub(super) struct Files {
    /// The document, or side of it, that is wanted.
    document: Option<Face>,
    /// For how many days the document is to be valid yet.
    valid_for: Option<u16>,
    /// A policy by name.
    #[schema(max_length = 64)]
    policy: Option<String>,
    /// Shows numbers in clear; needs the scope `review`.
    reveal: Option<bool>,
    /// Untouched files of the camera.
    #[schema(format = Binary, value_type = Vec<String>)]
    file: Vec<String>,
}

/// A row of the answer.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the rows")]
#[allow(clippy::large_enum_variant, reason = "never made")]
pub(super) enum BatchRow {
    /// The file was examined.
    Report(Report),
    /// It could not be.
    Failure(Failure),
}

/// Checks many pictures.
///
/// The answer is JSON Lines: a report for each file of the form, or why there is none, in the order of the files. Fields
/// before the files count like query parameters of the same names; others, and later ones, are refused.
#[utoipa::path(
    post,
    path = "/v1/check/batch",
    params(BatchQuery),
    request_body(content = Files, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "One line a file", body = BatchRow, content_type = "application/jsonl"),
        PictureProblems
    )
)]
pub(super) async fn batch(
    State(app): State<Arc<App>>,
    peer: Peer,
    asked: Result<Query<BatchQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (room, caller, ask) = match enter(&app, peer, asked, &headers).await {
        Ok(entered) => entered,
        Err(problem) => {
            intake::throw_away(&headers, body);
            return Err(problem);
        }
    };
    let pace = app.pace(&caller.lane);
    let mut parts = intake::pictures(&headers, body, &app.config.uploads, pace.as_ref())?;
    // A form that holds nothing is refused as such; what comes after its first file is told in a row.
    let begun = match parts.next().await.and_then(|first| first.ok_or_else(intake::no_file)) {
        Ok(first) if parts.fields.is_empty() => Ok((first, ask)),
        Ok(first) => together(&uri, &parts.fields).and_then(|asked| Ok((first, may_ask(&app, &caller, asked)?))),
        Err(problem) => Err(problem),
    };
    let (first, ask) = match begun {
        Ok(begun) => begun,
        Err(problem) => {
            parts.let_go();
            return Err(problem);
        }
    };
    // Rows wait here, at most one for each file: the form is read on even where the client reads nothing before it has
    // sent everything.
    let (sender, receiver) = mpsc::unbounded_channel();
    let language = preferred(&headers);
    tokio::spawn(Batch { app, caller, ask, language, _room: room }.read(first, parts, sender));
    let rows = stream::unfold(receiver, |mut receiver: mpsc::UnboundedReceiver<JoinHandle<Row>>| async move {
        let row = receiver.recv().await?.await.ok()?;
        let mut line = json::line(&row).ok()?;
        line.push('\n');
        Some((Ok::<_, Infallible>(Bytes::from(line)), receiver))
    });
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], Body::from_stream(rows)).into_response())
}

async fn enter(
    app: &App,
    peer: Peer,
    asked: Result<Query<BatchQuery>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<(Share<Lane>, Caller, Ask), Problem> {
    app.takes_more()?;
    let caller = app.access.admit(headers, peer, Scope::Check).await?;
    let room = app.room(&caller.lane)?;
    let ask = may_ask(app, &caller, query(asked)?)?;
    Ok((room, caller, ask))
}

/// What is asked, if the caller may ask that.
fn may_ask(app: &App, caller: &Caller, asked: BatchQuery) -> Result<Ask, Problem> {
    let BatchQuery { document, valid_for, policy, reveal } = asked;
    if reveal {
        caller.clone().allowed(Scope::Review)?;
    }
    let ask = Ask { face: document, valid_for, policy, reveal, ..Ask::default() };
    app.policy(&ask, &caller.id)?;
    Ok(ask)
}

struct Batch {
    app: Arc<App>,
    caller: Caller,
    ask: Ask,
    language: Language,
    _room: Share<Lane>,
}

impl Batch {
    /// Reads the form and begins each file's work when there is room in the window.
    async fn read(self, first: Part, mut parts: Parts, rows: mpsc::UnboundedSender<JoinHandle<Row>>) {
        let (batch, window) = (Arc::new(self), Arc::new(Semaphore::new(WINDOW)));
        let (mut first, fields) = (Some(first), parts.fields.len());
        for count in 0.. {
            let next = match first.take() {
                Some(first) => Ok(Some(first)),
                None => parts.next().await,
            };
            let part = match next {
                // What stands behind a file cannot have counted for it.
                Ok(_) if parts.fields.len() > fields => {
                    let name = parts.fields[fields].0.clone();
                    let problem = Problem::bad_request(
                        format!("The field `{name}` stands behind a file; fields stand before all files."),
                        format!("字段 `{name}` 位于文件之后；字段须位于所有文件之前。"),
                    );
                    batch.end(&problem, &rows);
                    return parts.throw_away().await;
                }
                Ok(None) => return,
                Ok(Some(part)) => part,
                // What cannot be read on ends the batch.
                Err(problem) => {
                    batch.end(&problem, &rows);
                    return parts.throw_away().await;
                }
            };
            let most = usize::from(batch.app.config.uploads.batch_files);
            if count >= most {
                let problem = Problem::bad_request(
                    format!("A batch has at most {most} files; the rest was not examined."),
                    format!("每批最多 {most} 个文件，其余未检查。"),
                );
                batch.end(&problem, &rows);
                return parts.throw_away().await;
            }
            // Never closed.
            let Ok(permit) = Arc::clone(&window).acquire_owned().await else { return };
            let work = tokio::spawn({
                let batch = Arc::clone(&batch);
                async move {
                    let row = batch.row(part).await;
                    drop(permit);
                    row
                }
            });
            // The client has gone.
            if rows.send(work).is_err() {
                return;
            }
        }
    }

    /// A last row that says why the batch ends.
    fn end(&self, problem: &Problem, rows: &mpsc::UnboundedSender<JoinHandle<Row>>) {
        let row = failed("-".to_owned(), problem, self.language);
        let _ = rows.send(tokio::spawn(async move { row }));
    }

    async fn row(&self, part: Part) -> Row {
        let name = part.name.clone().unwrap_or_else(|| "-".to_owned());
        let to = RecordFor { caller: &self.caller.id, session: None, once: None };
        let done = async {
            let bytes = part.bytes?;
            self.app.access.spend(&self.caller.id, self.caller.per_minute)?;
            let picture = Picture { bytes, name: part.name };
            Ok::<_, Problem>(self.app.work(&self.caller.lane, picture, &self.ask, to, true).await?.examined.report)
        };
        match done.await {
            Ok(report) => Row::Report(Report { path: name, ..report }),
            Err(problem) => failed(name, &problem, self.language),
        }
    }
}

fn failed(path: String, problem: &Problem, language: Language) -> Row {
    let error = FailureCause {
        code: problem.code().to_owned(),
        message: problem.detail(language).to_owned(),
        message_zh: problem.detail(Language::Zh).to_owned(),
    };
    Row::Failure(Failure { path, path_bytes: None, error })
}
