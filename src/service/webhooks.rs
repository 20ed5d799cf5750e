//! The outbox → signed messages at the operator's webhooks.
//!
//! A message is a POST of JSON with `Bonafide-Event`, `Bonafide-Delivery` (an id that stays the same in every attempt,
//! by which a receiver knows repeats) and `Bonafide-Signature: t=<unix seconds>,v1=<hex>`, where the hex is HMAC-SHA256,
//! by the webhook's secret, of the seconds, a dot and the body. Only operators say where webhooks are, so their addresses
//! may be private ones.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ureq::http::Uri;
use zeroize::Zeroizing;

use super::clock::now_ms;
use super::store::{Due, NewDelivery, ReviewStore, StoreError, To};
use crate::policy::Decision;

/// Longest time one message may take, from looking up the name to the reply's head.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// For how long a message is claimed, in milliseconds: well above [`SEND_LIMIT`] and the calls of the store around it.
const LEASE_MS: i64 = 60_000;
/// Messages under way at once, to each webhook: one that does not answer holds up no other.
const AT_ONCE: usize = 8;
/// How often the outbox is looked into when nothing wakes the courier.
const POLL: Duration = Duration::from_secs(3);
/// Shortest secret that is taken, in bytes.
const SHORTEST_SECRET: usize = 16;

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The URL is not one of http or https with a host, or holds a user name.
    #[error("webhook: the URL must be http:// or https:// with a host and no user name")]
    Url,
    /// The secret is too short to protect anything.
    #[error("webhook: the secret must have 16 bytes or more")]
    Secret,
}

/// What a webhook may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The gate's decision about an upload.
    Verdict,
    /// A person's decision about a case.
    Decision,
}

impl Event {
    /// Its name in `Bonafide-Event` and in `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Decision => "decision",
        }
    }
}

/// Where messages go.
#[derive(Clone)]
pub struct Webhook {
    name: String,
    url: Uri,
    secret: Zeroizing<String>,
    decisions: Option<Vec<Decision>>,
    events: Option<Vec<Event>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Paths and queries of such URLs are often secrets.
        write!(formatter, "Webhook({})", self.name)
    }
}

impl Webhook {
    /// A webhook called `name` at `url` that wants to hear of `decisions`, or all.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn new(name: &str, url: &str, secret: &str, decisions: Option<Vec<Decision>>) -> Result<Self, WebhookError> {
        let url: Uri = url.parse().map_err(|_| WebhookError::Url)?;
        let plain = url.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !plain || !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(WebhookError::Url);
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(WebhookError::Secret);
        }
        Ok(Self { name: name.to_owned(), url, secret: Zeroizing::new(secret.to_owned()), decisions, events: None })
    }

    /// The same, told of `events` alone, or of all.
    #[must_use]
    pub fn with_events(mut self, events: Option<Vec<Event>>) -> Self {
        self.events = events;
        self
    }

    /// The name deliveries know it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it wants to hear of an `event` about one of `decisions`.
    #[must_use]
    pub fn wants(&self, event: Event, decisions: &[Decision]) -> bool {
        self.events.as_ref().is_none_or(|events| events.contains(&event))
            && self.decisions.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| decisions.contains(wanted)))
    }

    /// The value of `Bonafide-Signature` for `body` sent at `unix_s`.
    #[must_use]
    pub fn sign(&self, unix_s: i64, body: &str) -> String {
        // HMAC takes keys of any length; the error is there for other codes.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()) else { return String::new() };
        mac.update(format!("{unix_s}.").as_bytes());
        mac.update(body.as_bytes());
        format!("t={unix_s},v1={}", hex::encode(mac.finalize().into_bytes()))
    }
}

/// One message of `event` and `body` for each of `webhooks` that wants to hear of one of `decisions`, to be recorded with
/// the case.
///
/// # Errors
/// [`StoreError::Unavailable`] when the system gives no random bytes.
pub fn address(
    webhooks: &[Webhook],
    event: Event,
    decisions: &[Decision],
    body: &str,
) -> Result<Vec<NewDelivery>, StoreError> {
    let wanted = webhooks.iter().filter(|webhook| webhook.wants(event, decisions));
    wanted.map(|webhook| NewDelivery::new(webhook.name(), event.name(), body.to_owned())).collect()
}

/// Sends what is due in the outbox.
pub struct Courier {
    store: ReviewStore,
    webhooks: Arc<[Webhook]>,
    agent: ureq::Agent,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    heard: Arc<dyn Fn(bool) + Send + Sync>,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Courier").field("webhooks", &self.webhooks).finish_non_exhaustive()
    }
}

impl Courier {
    /// A courier between `store` and `webhooks`. It follows no redirect and takes no proxy from the environment.
    #[must_use]
    pub fn new(store: ReviewStore, webhooks: Vec<Webhook>) -> Self {
        Self {
            store,
            webhooks: webhooks.into(),
            agent: agent(SEND_LIMIT),
            clock: Arc::new(now_ms),
            heard: Arc::new(|_| {}),
        }
    }

    /// The same with less than 10 s for each message.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.agent = agent(limit.min(SEND_LIMIT));
        self
    }

    /// The same with another clock, in milliseconds since 1970.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The same with somebody who hears of every attempt whether it was delivered.
    #[must_use]
    pub fn with_listener(mut self, heard: impl Fn(bool) + Send + Sync + 'static) -> Self {
        self.heard = Arc::new(heard);
        self
    }

    /// Sends until `stop`, then waits for what is under way: 10 s and a call of the store at most. Looks into the outbox
    /// when `wake` is notified, and every few seconds.
    pub async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        let courier = Arc::new(self);
        let names: Vec<&str> = courier.webhooks.iter().map(Webhook::name).collect();
        // And those that are not in the settings any more, to be told so.
        let rooms: Vec<_> = (0..=names.len()).map(|_| Arc::new(Semaphore::new(AT_ONCE))).collect();
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            for (at, room) in rooms.iter().enumerate() {
                let to = names.get(at).map_or(To::NoneOf(&names), |name| To::One(name));
                let due = match room.available_permits() {
                    0 => Vec::new(),
                    // With the store away, what is due waits for the next look.
                    free => {
                        courier.store.due_to(to, (courier.clock)(), free as u32, LEASE_MS).await.unwrap_or_default()
                    }
                };
                for due in due {
                    // There is one: nobody else takes any.
                    let place = Arc::clone(room).try_acquire_owned();
                    let courier = Arc::clone(&courier);
                    under_way.spawn(async move {
                        courier.deliver(due).await;
                        drop(place);
                    });
                }
            }
            // Where no webhook has room, there may be more, but it waits for one of these to end.
            let full = rooms.iter().all(|room| room.available_permits() == 0);
            tokio::select! {
                () = stop.cancelled() => {}
                () = wake.notified(), if !full => {}
                () = tokio::time::sleep(POLL), if !full => {}
                Some(_) = under_way.join_next() => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// One attempt. If the store cannot be told how it ended, the lease runs out and the message comes again.
    async fn deliver(&self, due: Due) {
        let outcome = match self.webhooks.iter().find(|webhook| webhook.name == due.webhook) {
            Some(webhook) => self.send(webhook.clone(), due.clone()).await,
            None => Err("no such webhook".to_owned()),
        };
        (self.heard)(outcome.is_ok());
        let now_ms = (self.clock)();
        let told = match outcome {
            Ok(()) => self.store.delivered(&due.id, now_ms).await,
            Err(cause) => {
                tracing::warn!(delivery = due.id, webhook = due.webhook, attempt = due.attempt, %cause, "not delivered");
                self.store.failed(&due, &cause, now_ms).await
            }
        };
        if let Err(error) = told {
            tracing::warn!(delivery = due.id, %error, "outcome not recorded");
        }
    }

    async fn send(&self, webhook: Webhook, due: Due) -> Result<(), String> {
        let (agent, unix_s) = (self.agent.clone(), (self.clock)().div_euclid(1000));
        let sent = tokio::task::spawn_blocking(move || {
            let reply = agent
                .post(webhook.url.clone())
                .header("Content-Type", "application/json")
                .header("Bonafide-Event", &due.event)
                .header("Bonafide-Delivery", &due.id)
                .header("Bonafide-Signature", webhook.sign(unix_s, &due.body))
                .send(&due.body);
            // The reply's body is not read at all: only its status counts.
            match reply {
                Ok(reply) if reply.status().is_success() => Ok(()),
                Ok(reply) => Err(format!("status {}", reply.status().as_u16())),
                Err(error) => Err(cause(&error).to_owned()),
            }
        });
        sent.await.unwrap_or_else(|_| Err("sending broke off".to_owned()))
    }
}

fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(limit))
        .timeout_connect(Some(limit))
        .proxy(None)
        .user_agent(concat!("bonafide/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// A failure in words that hold nothing of the URL or the message.
fn cause(error: &ureq::Error) -> &'static str {
    use ureq::Error as E;
    match error {
        E::Timeout(_) => "no answer in time",
        E::HostNotFound => "host not found",
        E::ConnectionFailed => "connection failed",
        E::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => "connection refused",
        E::Io(_) => "connection lost",
        E::Tls(_) | E::Rustls(_) => "TLS failed",
        _ => "not sent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_what_receivers_compute() {
        let webhook = Webhook::new("a", "http://127.0.0.1/x", "0123456789abcdef", None).unwrap();
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(
            webhook.sign(1_700_000_000, "{\"a\":1}"),
            "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
        );
        assert_eq!(format!("{webhook:?}"), "Webhook(a)");
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        let secret = "0123456789abcdef";
        for url in ["", "/path", "ftp://host/", "http://", "http://user:word@host/", "host:80"] {
            assert_eq!(Webhook::new("a", url, secret, None).unwrap_err(), WebhookError::Url, "{url}");
        }
        assert_eq!(Webhook::new("a", "https://host/", "short", None).unwrap_err(), WebhookError::Secret);
    }

    #[test]
    fn each_webhook_gets_what_it_wants_under_an_id_of_its_own() {
        let webhook = |name, events| Webhook::new(name, "https://host/", "0123456789abcdef", events).unwrap();
        let webhooks =
            [webhook("all", None), webhook("some", Some(vec![Decision::Reject])), webhook("none", Some(vec![]))];
        let names = |decision| -> Vec<String> {
            address(&webhooks, Event::Verdict, &[decision], "{}")
                .unwrap()
                .into_iter()
                .map(|delivery| delivery.webhook)
                .collect()
        };
        assert_eq!(names(Decision::Reject), ["all", "some"]);
        assert_eq!(names(Decision::Accept), ["all"]);
        let sent = address(&webhooks, Event::Verdict, &[Decision::Reject], "{}").unwrap();
        assert_ne!(sent[0].id, sent[1].id);
        // A person's decision is told to who was told of the gate's, too.
        let both = [Decision::Accept, Decision::Reject];
        let wants =
            |events| webhook("a", Some(vec![Decision::Reject])).with_events(events).wants(Event::Decision, &both);
        assert!(wants(None) && wants(Some(vec![Event::Decision])) && !wants(Some(vec![Event::Verdict])));
    }
}
