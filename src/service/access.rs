//! `Authorization` → who calls, what they may do, and how much.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use super::oidc::{Issuer, OidcError};
use super::problem::{Kind, Problem};
use super::quota::{Exceeded, QuotaHeaders, Quotas};
use super::store::{ReviewStore, Scope, Scopes};

/// How long a key that was found good is not looked up again: a key that is revoked works on for as long.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Keys remembered at a time.
const MOST_REMEMBERED: usize = 10_000;

/// Headers by which proxies tell of whom they speak for.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// `key:<id>`, `oidc:<subject>` or `open`.
    pub(super) id: String,
    /// What they may do.
    pub(super) scopes: Scopes,
    /// Pictures a minute.
    pub(super) per_minute: Option<u32>,
}

/// The door.
pub struct Access {
    store: ReviewStore,
    issuer: Option<Issuer>,
    open: bool,
    /// Open to who comes through a proxy, too.
    to_all: bool,
    quotas: Quotas,
    remembered: Mutex<HashMap<[u8; 32], (Instant, Caller)>>,
}

impl Access {
    /// A door that asks for a key of `store` or a token of `issuer`, unless it stands `open` to who comes directly.
    pub(super) fn new(store: ReviewStore, issuer: Option<Issuer>, open: bool, to_all: bool) -> Self {
        Self { store, issuer, open, to_all, quotas: Quotas::new(), remembered: Mutex::default() }
    }

    /// Who calls, if they may do what `scope` says.
    pub(super) async fn admit(&self, headers: &HeaderMap, scope: Scope, now_ms: i64) -> Result<Caller, Problem> {
        let caller = match bearer(headers) {
            // What a proxy passes on comes from elsewhere, however near the proxy stands.
            None if self.open && (self.to_all || !is_forwarded(headers)) => {
                return Ok(Caller {
                    id: "open".to_owned(),
                    scopes: Scopes::of(&[Scope::Check, Scope::Review, Scope::Admin]),
                    per_minute: None,
                });
            }
            None => return Err(unauthorized()),
            Some(token) => self.identify(token, now_ms).await?,
        };
        if caller.scopes.allow(scope) {
            return Ok(caller);
        }
        Err(Problem::new(
            Kind::Forbidden,
            format!("This needs a key with the scope `{}`.", scope.name()),
            format!("需要具有 `{}` 权限的密钥。", scope.name()),
        ))
    }

    async fn identify(&self, token: &str, now_ms: i64) -> Result<Caller, Problem> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(caller) = self.recall(&digest) {
            return Ok(caller);
        }
        if token.starts_with("bf_") {
            let key = self.store.find_key(token, now_ms).await?.ok_or_else(unauthorized)?;
            let caller = Caller { id: format!("key:{}", key.id), scopes: key.scopes, per_minute: key.per_minute };
            self.remember(digest, &caller);
            return Ok(caller);
        }
        let issuer = self.issuer.as_ref().ok_or_else(unauthorized)?;
        let identity = issuer.verify(token).await.map_err(|error| match error {
            OidcError::Refused(_) => unauthorized(),
            error => {
                tracing::error!(%error, cause = issuer.fault(), "identity provider");
                let (en, zh) = ("The identity provider cannot be reached just now.", "暂时无法连接身份提供方。");
                Problem::new(Kind::Unavailable, en, zh).retry_after(5)
            }
        })?;
        let all = [Scope::Check, Scope::Review, Scope::Admin];
        let granted: Vec<_> = all.into_iter().filter(|scope| identity.scopes.contains(scope.name())).collect();
        let scopes = Scopes::of(&granted);
        Ok(Caller { id: format!("oidc:{}", identity.subject), scopes, per_minute: None })
    }

    /// Counts a picture against the caller's quota; gives what is left in the form of headers, where there is one.
    pub(super) fn spend(&self, caller: &str, per_minute: Option<u32>) -> Result<Option<QuotaHeaders>, Problem> {
        let left = self.quotas.take(caller, per_minute, 1);
        left.map(|left| left.map(|left| left.headers())).map_err(|exceeded| {
            let Exceeded { retry_after_s, limit, .. } = exceeded;
            Problem::new(
                Kind::Quota,
                format!("This key may send {limit} pictures a minute. Try again in {retry_after_s} s."),
                format!("该密钥每分钟最多 {limit} 张图片，请 {retry_after_s} 秒后重试。"),
            )
            .retry_after(retry_after_s)
            .with_quota(exceeded.headers())
        })
    }

    fn recall(&self, digest: &[u8; 32]) -> Option<Caller> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(digest).filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, caller)| caller.clone())
    }

    fn remember(&self, digest: [u8; 32], caller: &Caller) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(digest, (Instant::now(), caller.clone()));
        }
    }
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Nobody is named, or nobody known.
pub(super) fn unauthorized() -> Problem {
    let (en, zh) = ("Send a valid key or token as `Authorization: Bearer …`.", "请在 Authorization 头中提供有效密钥。");
    Problem::new(Kind::Unauthorized, en, zh)
}
