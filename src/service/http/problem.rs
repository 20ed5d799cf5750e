//! What went wrong → an RFC 9457 problem, in the language and with the trace id of the request.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::language::preferred;
use super::trace::TraceId;
use crate::capture::{CaptureError, Category};
use crate::service::store::StoreError;
use crate::vocabulary::Language;

/// The kinds of problem: code, status, title in English and Chinese.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:ident $en:literal $zh:literal,)*) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// A stable code for machines.
            pub(crate) const fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// The status it is answered with.
            pub(crate) const fn status(self) -> StatusCode { match self { $(Self::$name => StatusCode::$status,)* } }
            /// What kind of problem this is, in English and Chinese.
            const fn titles(self) -> (&'static str, &'static str) { match self { $(Self::$name => ($en, $zh),)* } }
        }
    };
}

kinds! {
    /// The request is not well formed.
    BadRequest "bad_request" BAD_REQUEST "The request is not understood" "请求格式有误",
    /// Nobody is named, or nobody known.
    Unauthorized "unauthorized" UNAUTHORIZED "A key is needed" "需要有效的密钥",
    /// Known, but not for this.
    Forbidden "forbidden" FORBIDDEN "This key is not allowed to do that" "该密钥无此权限",
    /// Nothing is there.
    NotFound "not_found" NOT_FOUND "There is nothing here" "资源不存在",
    /// Another method is needed.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "This cannot be done here" "不支持该请求方法",
    /// The request came too slowly.
    Slow "request_timeout" REQUEST_TIMEOUT "The upload took too long" "上传超时",
    /// It was decided before.
    Conflict "conflict" CONFLICT "It has been decided already" "已被处理",
    /// A one-time token came again.
    TokenUsed "token_used" GONE "This code has been used" "该二维码已被使用",
    /// A hand-off has ended.
    SessionExpired "session_expired" GONE "This code has expired" "该二维码已过期",
    /// More bytes or pixels than are taken.
    TooLarge "too_large" PAYLOAD_TOO_LARGE "The file is too large" "文件过大",
    /// No picture, or of a format that is not examined.
    Unsupported "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The file is not a picture that can be examined" "不支持的文件类型",
    /// A picture that cannot be examined.
    Unprocessable "unprocessable" UNPROCESSABLE_ENTITY "The picture cannot be examined" "无法检查该图片",
    /// An idempotency key came with another upload.
    KeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "This idempotency key belongs to another upload" "该幂等键已用于其他上传",
    /// The caller's quota is used up.
    Quota "quota_exceeded" TOO_MANY_REQUESTS "Too many requests" "请求过于频繁",
    /// A defect of this program.
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong here" "服务内部错误",
    /// The caller has as much in hand as one may have, and others are to find room.
    Share "too_many_at_once" TOO_MANY_REQUESTS "Too many at once" "同时请求过多",
    /// A service without keys is asked under a name that is not its own.
    Misdirected "host_not_allowed" MISDIRECTED_REQUEST "This service is not asked under that name" "该服务不接受此地址",
    /// More work than can be done in time.
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Too much to do just now" "服务繁忙",
    /// Something that is needed cannot be reached.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Not available just now" "服务暂不可用",
}

/// What went wrong, not yet in words of one language.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: Kind,
    code: &'static str,
    en: String,
    zh: String,
    retry_after_s: Option<u64>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem of `kind`, told in English and Chinese.
    pub(crate) fn new(kind: Kind, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { kind, code: kind.code(), en: en.into(), zh: zh.into(), retry_after_s: None, headers: Vec::new() }
    }

    /// The same with the seconds after which another try is worth while.
    pub(crate) const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same with header fields of its own.
    pub(crate) fn with_headers(mut self, headers: impl Into<Vec<(&'static str, String)>>) -> Self {
        self.headers = headers.into();
        self
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.kind == kind
    }

    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// In words of `language`.
    pub(crate) fn detail(&self, language: Language) -> &str {
        language.pick(&self.en, &self.zh)
    }

    /// Nobody is named, or nobody known.
    pub(crate) fn unauthorized() -> Self {
        let (en, zh) =
            ("Send a valid key or token as `Authorization: Bearer …`.", "请在 Authorization 头中提供有效密钥。");
        Self::new(Kind::Unauthorized, en, zh)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Kind::NotFound, "There is nothing under this address.", "该地址下没有内容。")
    }

    pub(crate) fn bad_request(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, en, zh)
    }
}

impl From<CaptureError> for Problem {
    fn from(error: CaptureError) -> Self {
        let kind = match error.category() {
            Category::TooLarge => Kind::TooLarge,
            Category::Unsupported => Kind::Unsupported,
            Category::Unexaminable => Kind::Unprocessable,
        };
        Self { code: error.code(), ..Self::new(kind, error.to_string(), error.in_chinese()) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::new(Kind::Conflict, "It has been decided already.", "该案例已被处理。"),
            StoreError::Missing(_) => Self::not_found(),
            StoreError::Invalid(_) => {
                Self::bad_request("A text holds a character that cannot be kept.", "文本含有无法保存的字符。")
            }
            error => {
                tracing::error!(%error, "store");
                Self::new(
                    Kind::Unavailable,
                    "The verdict cannot be recorded just now. Send the picture again in a moment.",
                    "暂时无法记录结果，请稍后重新上传。",
                )
                .retry_after(5)
            }
        }
    }
}

/// The body of a problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// A URN of the code.
    r#type: String,
    /// What kind of problem this is.
    title: &'a str,
    /// HTTP status.
    status: u16,
    /// What is wrong and what to do.
    detail: &'a str,
    /// Stable code for machines.
    code: &'a str,
    /// Names the request in the log.
    trace_id: String,
}

impl IntoResponse for Problem {
    /// An empty answer that carries the problem; [`tell`] puts it into words.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in &self.headers {
            response
                .headers_mut()
                .extend(HeaderValue::from_str(value).into_iter().map(|v| (HeaderName::from_static(name), v)));
        }
        if self.kind == Kind::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts the problem that an answer carries into the words of the request's language.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let language = preferred(request.headers());
    let trace_id = request.extensions().get::<TraceId>().copied().unwrap_or_default();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let (en, zh) = problem.kind.titles();
    let body = ProblemBody {
        r#type: format!("urn:bonafide:problem:{}", problem.code),
        title: language.pick(en, zh),
        status: problem.kind.status().as_u16(),
        detail: problem.detail(language),
        code: problem.code,
        trace_id: trace_id.to_string(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
    response
}
