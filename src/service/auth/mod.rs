//! `Authorization` → who calls, what they may do, and how much.

mod keys;
mod oidc;
mod quota;

use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tokio::sync::{Semaphore, SemaphorePermit};

use keys::Keys;
pub(crate) use oidc::{Issuer, OidcError};
pub(crate) use quota::QuotaHeaders;
use quota::{Exceeded, Quotas};

use crate::service::clock::now_ms;
use crate::service::http::peer::{Lane, Peer, asker, network};
use crate::service::http::problem::{Kind, Problem};
use crate::service::store::{ReviewStore, Scope, Scopes, UploadToken};

/// Headers by which proxies tell of whom they speak for, and under which name they were asked.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Who calls without a key.
const OPEN: &str = "open";

/// Keys looked up in the store at a time. Whoever sends made-up ones is to leave connections for verdicts.
const LOOK_UPS: usize = 4;

/// Longest wait for a turn to be looked up.
const LOOK_UP_WAIT: Duration = Duration::from_secs(2);

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// `key:<id>`, `oidc:<subject>` or `open`.
    pub(crate) id: String,
    /// By what they share places with others: their id, or their address where they have none.
    pub(crate) lane: Lane,
    /// What they may do.
    pub(crate) scopes: Scopes,
    /// Pictures a minute.
    pub(crate) per_minute: Option<u32>,
}

impl Caller {
    /// The caller, if they may do what `scope` says.
    pub(crate) fn allowed(self, scope: Scope) -> Result<Self, Problem> {
        if self.scopes.allow(scope) {
            return Ok(self);
        }
        Err(Problem::new(
            Kind::Forbidden,
            format!("This needs a key with the scope `{}`.", scope.name()),
            format!("需要具有 `{}` 权限的密钥。", scope.name()),
        ))
    }
}

/// A state of routes that knows who is let in.
pub(crate) trait Guarded {
    /// Who is.
    fn access(&self) -> &Access;
}

impl<S: Guarded + Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(peer) = Peer::from_request_parts(parts, state).await;
        state.access().caller(&parts.headers, peer).await
    }
}

/// What a route asks of who calls it.
pub(crate) trait Right {
    /// The scope that they need.
    const SCOPE: Scope;
}

/// Have pictures checked, and open hand-offs.
pub(crate) enum Checks {}

/// Read all cases and decide them.
pub(crate) enum Reviews {}

/// Purge cases, and read figures.
pub(crate) enum Administers {}

impl Right for Checks {
    const SCOPE: Scope = Scope::Check;
}

impl Right for Reviews {
    const SCOPE: Scope = Scope::Review;
}

impl Right for Administers {
    const SCOPE: Scope = Scope::Admin;
}

/// A caller who has the right: a route that takes one answers nobody else.
pub(crate) struct Who<R> {
    pub(crate) caller: Caller,
    right: PhantomData<R>,
}

impl<R: Right, S: Guarded + Send + Sync> FromRequestParts<S> for Who<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?.allowed(R::SCOPE)?;
        Ok(Self { caller, right: PhantomData })
    }
}

/// Lets callers in.
pub(crate) struct Access {
    keys: Keys,
    issuer: Option<Issuer>,
    open: bool,
    /// Open to who comes through a proxy, too.
    to_all: bool,
    /// Proxies that are believed when they say whom they speak for.
    proxies: Vec<IpAddr>,
    quotas: Quotas,
    /// Pictures a minute of callers that have a quota of their own in the settings.
    quota_of: HashMap<String, u32>,
    look_ups: Semaphore,
}

impl Access {
    /// Asks for a key of `store` or a token of `issuer`, unless it is `open` to who comes directly.
    pub(crate) fn new(
        store: ReviewStore,
        issuer: Option<Issuer>,
        open: bool,
        to_all: bool,
        proxies: Vec<IpAddr>,
        quota_of: HashMap<String, u32>,
    ) -> Self {
        let (keys, quotas, look_ups) = (Keys::new(store), Quotas::new(), Semaphore::new(LOOK_UPS));
        Self { keys, issuer, open, to_all, proxies, quotas, quota_of, look_ups }
    }

    /// Who calls, if they may do what `scope` says. For routes that look at other things first; the others take [`Who`].
    pub(crate) async fn admit(&self, headers: &HeaderMap, peer: Peer, scope: Scope) -> Result<Caller, Problem> {
        self.caller(headers, peer).await?.allowed(scope)
    }

    async fn caller(&self, headers: &HeaderMap, peer: Peer) -> Result<Caller, Problem> {
        match bearer(headers) {
            // What a proxy passes on comes from elsewhere, however near the proxy stands.
            None if self.open && (self.to_all || !is_forwarded(headers)) => Ok(Caller {
                id: OPEN.to_owned(),
                lane: self.open_lane(headers, peer),
                scopes: Scopes::of(&[Scope::Check, Scope::Review, Scope::Admin]),
                per_minute: None,
            }),
            None => Err(Problem::unauthorized()),
            Some(token) => {
                let caller = self.identify(token).await?;
                Ok(Caller { per_minute: self.own_quota(&caller.id).or(caller.per_minute), ..caller })
            }
        }
    }

    /// Who an upload by the token of an applicant's browser counts for, and what it is for.
    pub(crate) async fn admit_upload(
        &self,
        token: &str,
        headers: &HeaderMap,
        peer: Peer,
    ) -> Result<(Caller, String), Problem> {
        let found = {
            let _turn = self.look_up().await?;
            self.keys.store.upload_token(token, now_ms()).await?
        };
        let UploadToken { owner: id, asked, per_minute } = found.ok_or_else(Problem::unauthorized)?;
        // Who has no name is told apart by address.
        let lane = if id == OPEN { self.open_lane(headers, peer) } else { id.as_str().into() };
        let per_minute = self.own_quota(&id).or(per_minute);
        Ok((Caller { lane, id, scopes: Scopes::of(&[Scope::Check]), per_minute }, asked))
    }

    /// Takes one upload of a token that was let in.
    pub(crate) async fn spend_upload(&self, token: &str) -> Result<(), Problem> {
        let was_left = self.keys.store.spend_upload(token, now_ms()).await?;
        was_left.then_some(()).ok_or_else(Problem::unauthorized)
    }

    fn open_lane(&self, headers: &HeaderMap, peer: Peer) -> Lane {
        format!("{OPEN}:{}", network(asker(peer, headers, &self.proxies))).into()
    }

    fn own_quota(&self, caller: &str) -> Option<u32> {
        self.quota_of.get(caller).copied()
    }

    /// A turn to look something up in the store.
    async fn look_up(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(LOOK_UP_WAIT, self.look_ups.acquire()).await.ok().and_then(Result::ok);
        turn.ok_or_else(|| {
            let (en, zh) = ("Keys cannot be looked up just now.", "暂时无法验证密钥。");
            Problem::new(Kind::Unavailable, en, zh).retry_after(1)
        })
    }

    async fn identify(&self, token: &str) -> Result<Caller, Problem> {
        if let Some(found) = self.keys.recall(token) {
            return Ok(found);
        }
        let found = {
            let _turn = self.look_up().await?;
            self.keys.find(token, now_ms()).await?
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let issuer = self.issuer.as_ref().filter(|_| !keys::is_key(token)).ok_or_else(Problem::unauthorized)?;
        let identity = issuer.verify(token).await.map_err(|error| match error {
            OidcError::Refused(_) => Problem::unauthorized(),
            error => {
                tracing::error!(%error, cause = issuer.fault(), "identity provider");
                let (en, zh) = ("The identity provider cannot be reached just now.", "暂时无法连接身份提供方。");
                Problem::new(Kind::Unavailable, en, zh).retry_after(5)
            }
        })?;
        let id = format!("oidc:{}", identity.subject);
        Ok(Caller { lane: id.as_str().into(), id, scopes: identity.scopes, per_minute: None })
    }

    /// Counts a picture against the caller's quota; gives what is left in the form of headers, where there is one.
    pub(crate) fn spend(&self, caller: &str, per_minute: Option<u32>) -> Result<Option<QuotaHeaders>, Problem> {
        let left = self.quotas.take(caller, per_minute, 1);
        left.map(|left| left.map(|left| left.headers())).map_err(|exceeded| {
            let Exceeded { retry_after_s, limit, .. } = exceeded;
            Problem::new(
                Kind::Quota,
                format!("This key may send {limit} pictures a minute. Try again in {retry_after_s} s."),
                format!("该密钥每分钟最多 {limit} 张图片，请 {retry_after_s} 秒后重试。"),
            )
            .retry_after(retry_after_s)
            .with_headers(exceeded.headers())
        })
    }
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
