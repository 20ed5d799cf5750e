//! Request bodies → the bytes of a picture, under limits of size and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::Semaphore;

use super::encoded::{self, encoded_bytes};
use super::pace::Pace;
use super::problem::{Kind, Problem};
use crate::service::config::Uploads;

/// What a multipart body may have around a picture: boundaries, headers of parts, small fields.
const ENVELOPE_BYTES: usize = 64 << 10;

/// Bytes of a file's name; a longer one is passed over.
pub(crate) const NAME_BYTES: usize = 255;

/// Pieces of a body are handed on in this size or larger.
const PIECE_BYTES: usize = 64 << 10;

/// Fields of a form beside its files, and bytes of each: as much as a query has, and more.
pub(super) const MOST_FIELDS: usize = 16;
pub(super) const FIELD_BYTES: usize = 1 << 10;

/// Bytes of a body that is no picture.
const TEXT_BYTES: usize = 64 << 10;

/// A refused body is read on and thrown away up to this much, so that its sender hears the answer: a connection that is
/// closed with bytes unread is reset, and the answer lost.
const LINGER_BYTES: usize = 32 << 20;

/// And for no longer than this.
const LINGER: Duration = Duration::from_secs(5);

/// Bodies thrown away at a time.
static LINGERING: Semaphore = Semaphore::const_new(256);

/// A picture as it was sent.
#[derive(Debug)]
pub(crate) struct Picture {
    /// The untouched file.
    pub(crate) bytes: Bytes,
    /// The name it came under.
    pub(crate) name: Option<String>,
}

/// Names and values of a form's fields that are no files, as they came.
pub(crate) type Fields = Vec<(String, String)>;

/// A file of a form.
#[derive(Debug)]
pub(crate) struct Part {
    /// The name it came under.
    pub(crate) name: Option<String>,
    /// The untouched file, or why it was passed over.
    pub(crate) bytes: Result<Bytes, Problem>,
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Cut {
    #[error("too many bytes")]
    TooLarge(usize),
    #[error("too slow")]
    Slow,
    #[error("broken off")]
    Broken,
}

impl From<Cut> for Problem {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::TooLarge(limit) => too_large(limit),
            Cut::Slow => Self::new(
                Kind::Slow,
                "The upload came too slowly. Send the picture again over a better connection.",
                "上传过慢，请在网络良好时重新上传。",
            ),
            Cut::Broken => {
                Self::bad_request("The upload was broken off. Send the picture again.", "上传中断，请重新上传。")
            }
        }
    }
}

pub(super) fn too_large(limit: usize) -> Problem {
    let limit_mib = limit as f64 / f64::from(1 << 20);
    Problem::new(
        Kind::TooLarge,
        format!("The file is too large; at most {limit_mib:.3} MiB are accepted."),
        format!("文件过大，最大 {limit_mib:.3} MiB。"),
    )
}

/// A form without a file.
pub(crate) fn no_file() -> Problem {
    Problem::bad_request("The form holds no file: send it in a part with a file name.", "表单中没有文件。")
}

/// The body's length by its headers.
fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads on what a refused request still sends, in the background and within bounds.
pub(crate) fn throw_away(headers: &HeaderMap, body: Body) {
    // Who waits for leave to send has sent nothing.
    if !headers.contains_key(header::EXPECT) {
        linger(body.into_data_stream());
    }
}

fn linger(mut body: BodyDataStream) {
    let Ok(permit) = LINGERING.try_acquire() else { return };
    tokio::spawn(async move {
        let mut left = LINGER_BYTES;
        let reading = async {
            while let Some(Ok(piece)) = body.next().await {
                left = left.saturating_sub(piece.len());
                if left == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, reading).await;
        drop(permit);
    });
}

/// How much of a body may come, and how slowly.
#[derive(Debug, Clone)]
struct Bounds {
    /// Bytes of all of it.
    most: usize,
    /// What is told to who sends more.
    told: usize,
    gap: Duration,
    total: Duration,
    /// Bytes a second that come at the least, once it was waited for as long as `gap`; 0 for any.
    slowest: f64,
    /// What the sender may send at the most.
    pace: Option<Pace>,
}

impl Bounds {
    fn of(most: usize, told: usize, limits: &Uploads, pace: Option<&Pace>) -> Self {
        let (gap, total, slowest) = (limits.gap(), limits.time(), limits.slowest());
        Self { most, told, gap, total, slowest, pace: pace.cloned() }
    }

    /// How long may still be waited for the next piece after `had` bytes, for which it was `waited` altogether. Only
    /// waiting counts: a sender that is not read is not slow.
    fn patience(&self, had: usize, waited: Duration) -> Duration {
        if self.slowest <= 0.0 {
            return self.gap;
        }
        let earned = Duration::try_from_secs_f64(had as f64 / self.slowest).unwrap_or(Duration::MAX);
        self.gap.min(self.gap.saturating_add(earned).saturating_sub(waited))
    }
}

/// The pieces of a body until it is too much or too slow; the rest of a body that is too much is thrown away. Small
/// pieces are handed on together: who reads a form looks through what it has again at each.
fn guarded(body: Body, bounds: Bounds) -> impl Stream<Item = Result<Bytes, Cut>> {
    let end = Instant::now() + bounds.total;
    let start = Some((Some(body.into_data_stream()), 0_usize, Duration::ZERO, end, bounds));
    stream::unfold(start, move |state| async move {
        let (body, mut had, mut waited, mut end, bounds) = state?;
        let mut pieces = Vec::new();
        // Whoever reads a form takes all that is ready before it looks at it: nothing is, for a moment. The end has a
        // moment of its own, too: a form that is looked at only after its end counts as broken off.
        tokio::task::yield_now().await;
        let mut body = body?;
        loop {
            let asked = Instant::now();
            let left = end.saturating_duration_since(asked).min(bounds.patience(had, waited));
            let came = tokio::time::timeout(left, body.next()).await;
            waited += asked.elapsed();
            match came {
                Err(_) => return Some((Err(Cut::Slow), None)),
                Ok(Some(Err(_))) => return Some((Err(Cut::Broken), None)),
                Ok(None) if pieces.is_empty() => return None,
                Ok(None) => return Some((Ok(pieces.into()), Some((None, had, waited, end, bounds)))),
                Ok(Some(Ok(piece))) if piece.len() > bounds.most - had => {
                    linger(body);
                    return Some((Err(Cut::TooLarge(bounds.told)), None));
                }
                Ok(Some(Ok(piece))) => {
                    had += piece.len();
                    if let Some(pace) = &bounds.pace {
                        end += pace.keep(piece.len()).await;
                    }
                    if pieces.is_empty() && piece.len() >= PIECE_BYTES {
                        return Some((Ok(piece), Some((Some(body), had, waited, end, bounds))));
                    }
                    pieces.extend_from_slice(&piece);
                    if pieces.len() >= PIECE_BYTES {
                        return Some((Ok(pieces.into()), Some((Some(body), had, waited, end, bounds))));
                    }
                }
            }
        }
    })
}

/// The small body of a request that is no picture.
pub(crate) async fn text(headers: &HeaderMap, body: Body, limits: &Uploads) -> Result<Vec<u8>, Problem> {
    let bounds = Bounds::of(TEXT_BYTES, TEXT_BYTES, limits, None);
    if declared(headers).is_some_and(|bytes| bytes > TEXT_BYTES) {
        throw_away(headers, body);
        return Err(too_large(TEXT_BYTES));
    }
    let mut pieces = Box::pin(guarded(body, bounds));
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

/// The one picture of a request, and the fields beside it: a raw body, the file of a multipart form, or a JSON object.
pub(crate) async fn picture(
    headers: &HeaderMap,
    body: Body,
    limits: &Uploads,
    pace: Option<&Pace>,
) -> Result<(Picture, Fields), Problem> {
    let boundary = boundary(headers)?;
    let is_json = is_json(headers);
    let most = match boundary {
        Some(_) => limits.bytes() + ENVELOPE_BYTES,
        None if is_json => encoded_bytes(limits.bytes()) + ENVELOPE_BYTES,
        None => limits.bytes(),
    };
    let declared = declared(headers);
    if declared.is_some_and(|bytes| bytes > most) {
        throw_away(headers, body);
        return Err(too_large(limits.bytes()));
    }
    let bounds = Bounds::of(most, limits.bytes(), limits, pace);
    let Some(boundary) = boundary else {
        let mut pieces = Box::pin(guarded(body, bounds));
        let mut bytes = Vec::with_capacity(declared.unwrap_or(0));
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        if is_json {
            return encoded::picture(&bytes, limits.bytes());
        }
        return Ok((Picture { bytes: bytes.into(), name: None }, Fields::new()));
    };
    let mut parts = Parts::new(body, bounds, boundary, limits.bytes());
    match one(&mut parts).await {
        Ok(first) => Ok((Picture { bytes: first.bytes?, name: first.name }, parts.fields)),
        Err(problem) => {
            parts.let_go();
            Err(problem)
        }
    }
}

/// The one file of a form.
async fn one(parts: &mut Parts) -> Result<Part, Problem> {
    let first = parts.next().await?.ok_or_else(no_file)?;
    if first.bytes.is_ok() && parts.next().await?.is_some() {
        return Err(Problem::bad_request(
            "The form holds more than one file; send many to /v1/check/batch.",
            "表单中有多个文件，请使用 /v1/check/batch。",
        ));
    }
    Ok(first)
}

/// The pictures of a batch, one after the other.
pub(crate) fn pictures(
    headers: &HeaderMap,
    body: Body,
    limits: &Uploads,
    pace: Option<&Pace>,
) -> Result<Parts, Problem> {
    let Some(boundary) = boundary(headers)? else {
        throw_away(headers, body);
        return Err(Problem::new(
            Kind::Unsupported,
            "A batch is a multipart/form-data body with one part a file.",
            "批量检查需要 multipart/form-data 请求体，每个文件一个部分。",
        ));
    };
    if declared(headers).is_some_and(|bytes| bytes > limits.batch_bytes()) {
        throw_away(headers, body);
        return Err(too_large(limits.batch_bytes()));
    }
    let most = limits.batch_bytes();
    let bounds = Bounds { total: limits.batch_time(), ..Bounds::of(most, most, limits, pace) };
    Ok(Parts::new(body, bounds, boundary, limits.bytes()))
}

/// Whether a body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The boundary of a multipart form; `None` for any other body.
fn boundary(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let kind = kind.to_str().unwrap_or_default();
    let is_form = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_form {
        return Ok(None);
    }
    let boundary = multer::parse_boundary(kind);
    boundary.map(Some).map_err(|_| Problem::bad_request("The form names no boundary.", "表单缺少 boundary。"))
}

/// The files of a multipart form.
pub(crate) struct Parts {
    form: multer::Multipart<'static>,
    most: usize,
    /// What came beside the files so far.
    pub(crate) fields: Fields,
    /// Bytes that may come before the next part, or piece of one, is whole: what is neither is held in memory.
    patience: Arc<AtomicUsize>,
}

impl Parts {
    fn new(body: Body, bounds: Bounds, boundary: String, most: usize) -> Self {
        let patience = Arc::new(AtomicUsize::new(0));
        let (left, told) = (Arc::clone(&patience), bounds.told);
        let pieces = guarded(body, bounds).map(move |piece| {
            let piece = piece?;
            let spend = |left: usize| left.checked_sub(piece.len());
            let spent = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
            spent.map(|_| piece).map_err(|_| Cut::TooLarge(told))
        });
        Self { form: multer::Multipart::new(pieces, boundary), most, fields: Fields::new(), patience }
    }

    /// The next part that has a file name; fields without one are kept.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Problem> {
        loop {
            be_patient(&self.patience);
            let Some(mut part) = self.form.next_field().await.map_err(|e| broken(&e))? else { return Ok(None) };
            if part.file_name().is_none() {
                let name = part.name().unwrap_or_default().to_owned();
                let mut value = Vec::new();
                while let Some(piece) = part.chunk().await.map_err(|e| broken(&e))? {
                    if value.len() + piece.len() > FIELD_BYTES {
                        return Err(field_too_long(&name));
                    }
                    value.extend_from_slice(&piece);
                }
                if self.fields.len() >= MOST_FIELDS {
                    return Err(Problem::bad_request("The form has too many fields.", "表单字段过多。"));
                }
                let value = String::from_utf8(value).map_err(|_| field_too_long(&name))?;
                self.fields.push((name, value));
                continue;
            }
            let name = part.file_name().filter(|name| (1..=NAME_BYTES).contains(&name.len())).map(str::to_owned);
            let (mut bytes, mut length) = (Vec::new(), 0_usize);
            while let Some(piece) = part.chunk().await.map_err(|e| broken(&e))? {
                be_patient(&self.patience);
                length += piece.len();
                if length > self.most {
                    bytes = Vec::new();
                } else {
                    bytes.extend_from_slice(&piece);
                }
            }
            let bytes = if length > self.most { Err(too_large(self.most)) } else { Ok(bytes.into()) };
            return Ok(Some(Part { name, bytes }));
        }
    }

    /// Reads on and throws away what still comes, so that the sender hears the answer.
    pub(crate) async fn throw_away(mut self) {
        let reading = async {
            be_patient(&self.patience);
            while let Ok(Some(mut part)) = self.form.next_field().await {
                while let Ok(Some(_)) = part.chunk().await {
                    be_patient(&self.patience);
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, reading).await;
    }

    /// The same in the background, as [`throw_away`] does for a body that was not begun to be read.
    pub(crate) fn let_go(self) {
        let Ok(permit) = LINGERING.try_acquire() else { return };
        tokio::spawn(async move {
            self.throw_away().await;
            drop(permit);
        });
    }
}

fn field_too_long(name: &str) -> Problem {
    let name: String = name.chars().take(64).collect();
    Problem::bad_request(
        format!("The field `{name}` of the form is no text of {FIELD_BYTES} bytes at most; a file has a file name."),
        format!("表单字段 `{name}` 不是不超过 {FIELD_BYTES} 字节的文本；文件须带文件名。"),
    )
}

fn be_patient(patience: &AtomicUsize) {
    patience.store(ENVELOPE_BYTES + 4 * PIECE_BYTES, Ordering::Relaxed);
}

fn broken(error: &multer::Error) -> Problem {
    match error {
        multer::Error::StreamReadFailed(inner) => inner.downcast_ref::<Cut>().copied().unwrap_or(Cut::Broken).into(),
        multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => Cut::Broken.into(),
        _ => Problem::bad_request("The form is not well formed.", "表单格式有误。"),
    }
}
