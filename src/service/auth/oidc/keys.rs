//! A key's name → the key of the issuer, kept for a while and fetched by one caller for all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::OidcError;
use super::discovery::{Discovery, Fault};
use super::verifying::without_zeros;

/// After this the keys are asked for again, so that a withdrawn key goes.
const KEYS_FRESH: Duration = Duration::from_mins(10);
/// How long keys stay good while the issuer cannot be reached.
const KEYS_USABLE: Duration = Duration::from_hours(24);
/// Tokens with made-up key names must not turn into traffic at the issuer.
const FETCH_PAUSE: Duration = Duration::from_secs(30);
/// While there are no usable keys nothing works, so waiting longer than this helps nobody.
pub(super) const FETCH_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(1);
/// RFC 7518 3.3 asks for 2048 bits at least; above 8192 a verification costs too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// One key that may verify, and with what.
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    verifying: DecodingKey,
}

struct KeySet {
    keys: Vec<Key>,
    fetched_at: Instant,
}

impl KeySet {
    /// The key of that name; without a name the only key that fits, since a guess among several proves nothing.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm) && (kid.is_none() || key.id.as_deref() == kid));
        let first = fitting.next()?;
        (kid.is_some() || fitting.next().is_none()).then_some(&first.verifying)
    }
}

#[derive(Default)]
struct State {
    keys: Option<KeySet>,
    attempted_at: Option<Instant>,
    in_flight: bool,
    fault: Option<Fault>,
}

enum Look {
    Found(DecodingKey),
    Missing(OidcError),
    Wait(watch::Receiver<()>),
}

/// The keys of an issuer, and how they are come by.
pub(super) struct KeyStore {
    discovery: Discovery,
    state: Mutex<State>,
    /// Changes whenever a fetch has ended, well or not.
    landed: watch::Sender<()>,
}

impl KeyStore {
    pub(super) fn new(discovery: Discovery) -> Arc<Self> {
        Arc::new(Self { discovery, state: Mutex::default(), landed: watch::Sender::new(()) })
    }

    /// Why the last fetch failed, if it did.
    pub(super) fn fault(&self) -> Option<String> {
        self.state.lock().fault.as_ref().map(ToString::to_string)
    }

    /// The key of that name, fetched where it is missing or old.
    pub(super) async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: Instant,
    ) -> Result<DecodingKey, OidcError> {
        let mut landing = match self.look(kid, algorithm, now, true) {
            Look::Found(key) => return Ok(key),
            Look::Missing(error) => return Err(error),
            Look::Wait(landing) => landing,
        };
        // Fails only when the sender is gone, which `self` holds.
        let _ = landing.changed().await;
        match self.look(kid, algorithm, now, false) {
            Look::Found(key) => Ok(key),
            Look::Missing(error) => Err(error),
            Look::Wait(_) => Err(OidcError::Unavailable),
        }
    }

    /// Looks for a key, and with `may_fetch` starts a fetch or joins the one under way where that may change the answer.
    fn look(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm, now: Instant, may_fetch: bool) -> Look {
        let mut state = self.state.lock();
        let age = state.keys.as_ref().map(|keys| now.saturating_duration_since(keys.fetched_at));
        let usable = age.is_some_and(|age| age < KEYS_USABLE);
        let found = state.keys.as_ref().filter(|_| usable).and_then(|keys| keys.find(kid, algorithm)).cloned();
        let fresh = age.is_some_and(|age| age < KEYS_FRESH);
        if may_fetch && !(fresh && found.is_some()) {
            let pause = if usable { FETCH_PAUSE } else { FETCH_PAUSE_WITHOUT_KEYS };
            let due = state.attempted_at.is_none_or(|at| now.saturating_duration_since(at) >= pause);
            if due && !state.in_flight {
                state.in_flight = true;
                state.attempted_at = Some(now);
                let flight = Flight { store: Arc::clone(self), started_at: now, outcome: None };
                // Runs to its end even when the caller goes away, or each caller that hangs up would start another.
                drop(tokio::task::spawn_blocking(move || flight.run()));
            }
            // While the issuer is known to be down, a key still usable need not wait for it to be found down again.
            if state.in_flight && !(found.is_some() && state.fault.is_some()) {
                return Look::Wait(self.landed.subscribe());
            }
        }
        match found {
            Some(key) => Look::Found(key),
            None if !usable || state.fault.is_some() => Look::Missing(OidcError::Unavailable),
            None => Look::Missing(OidcError::Refused("unknown key")),
        }
    }
}

/// A fetch under way. Dropped, it always says that it ended, so that nobody waits for a fetch that never ran.
struct Flight {
    store: Arc<KeyStore>,
    started_at: Instant,
    outcome: Option<Result<Vec<Key>, Fault>>,
}

impl Flight {
    fn run(mut self) {
        self.outcome = Some(self.store.discovery.fetch());
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.store.state.lock();
        state.in_flight = false;
        match self.outcome.take().unwrap_or(Err(Fault::CutShort)) {
            Ok(keys) => {
                // An empty set is the issuer's word too: it withdraws what was there.
                state.fault = keys.is_empty().then_some(Fault::NoKeys);
                state.keys = Some(KeySet { keys, fetched_at: self.started_at });
            }
            Err(fault) => state.fault = Some(fault),
        }
        drop(state);
        self.store.landed.send_replace(());
    }
}

/// The keys of a set that may verify. What cannot be used, or is not understood, is passed over: issuers publish keys
/// of several kinds side by side, and one of a kind not known yet must not take the rest down.
pub(super) fn read_keys(bytes: &[u8]) -> Result<Vec<Key>, Fault> {
    let set: Map<String, Value> = serde_json::from_slice(bytes).map_err(|_| Fault::Json)?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or(Fault::Json)?;
    Ok(keys.iter().filter_map(|key| usable_key(serde_json::from_value(key.clone()).ok()?)).collect())
}

fn usable_key(jwk: Jwk) -> Option<Key> {
    if jwk.common.public_key_use.is_some_and(|purpose| purpose != PublicKeyUse::Signature)
        || jwk.common.key_operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify))
    {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(point) => match point.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(point) if point.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
        _ => return None,
    };
    if let Some(own) = jwk.common.key_algorithm {
        algorithms.retain(|&algorithm| KeyAlgorithm::from(algorithm) == own);
    }
    let verifying =
        DecodingKey::try_from(&Jwk { common: CommonParameters::default(), algorithm: jwk.algorithm }).ok()?;
    if let DecodingKeyKind::RsaModulusExponent { n, .. } = verifying.kind()
        && !RSA_BITS.contains(&bit_length(n))
    {
        return None;
    }
    (!algorithms.is_empty()).then_some(Key { id: jwk.common.key_id, algorithms, verifying })
}

fn bit_length(number: &[u8]) -> usize {
    let number = without_zeros(number);
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::json;

    use super::super::fake::{DISCOVERY, RSA, Signer, Site, base64, ec_site, es256, refused};
    use super::*;

    #[tokio::test]
    async fn a_rotated_key_is_accepted_after_one_fetch() {
        let (site, issuer, old) = ec_site();
        let (new, start) = (Signer::ec("P-256"), Instant::now());
        let claims = site.claims(json!({}));
        let at = |s| start + Duration::from_secs(s);
        let old_token = old.token(es256("k"), &claims);
        let new_token = new.token(es256("k2"), &claims);
        assert!(issuer.verify_at(&old_token, at(0)).await.is_ok());
        site.publish(&[new.jwk(json!({"kid": "k2"}))]);
        assert_eq!(issuer.verify_at(&new_token, at(29)).await, refused("unknown key"));
        assert_eq!(site.asked("/realm/keys"), 1);
        assert!(issuer.verify_at(&new_token, at(30)).await.is_ok());
        assert_eq!(issuer.verify_at(&old_token, at(31)).await, refused("unknown key"));
        for s in 31..60 {
            let made_up = new.token(es256(&s.to_string()), &claims);
            assert_eq!(issuer.verify_at(&made_up, at(s)).await, refused("unknown key"));
        }
        assert_eq!(site.asked("/realm/keys"), 2);
    }

    #[tokio::test]
    async fn a_withdrawn_key_goes_after_ten_minutes() {
        let (site, issuer, signer) = ec_site();
        let start = Instant::now();
        let token = signer.token(es256("k"), &site.claims(json!({})));
        assert!(issuer.verify_at(&token, start).await.is_ok());
        site.publish(&[]);
        assert!(issuer.verify_at(&token, start + Duration::from_secs(599)).await.is_ok());
        assert_eq!(issuer.verify_at(&token, start + Duration::from_mins(10)).await, Err(OidcError::Unavailable));
        assert_eq!(issuer.fault().unwrap(), Fault::NoKeys.to_string());
    }

    #[tokio::test]
    async fn old_keys_last_a_day_while_the_issuer_is_down() {
        let (site, issuer, signer) = ec_site();
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let token = signer.token(es256("k"), &site.claims(json!({})));
        assert!(issuer.verify_at(&token, at(0)).await.is_ok());
        site.answer(DISCOVERY, "503 Service Unavailable", "");
        assert!(issuer.verify_at(&token, at(700)).await.is_ok());
        assert_eq!(issuer.fault().unwrap(), Fault::Status(503).to_string());
        let made_up = signer.token(es256("k2"), &site.claims(json!({})));
        assert_eq!(issuer.verify_at(&made_up, at(701)).await, Err(OidcError::Unavailable));
        assert!(issuer.verify_at(&token, at(86_399)).await.is_ok());
        assert_eq!(issuer.verify_at(&token, at(86_400)).await, Err(OidcError::Unavailable));
    }

    #[tokio::test]
    async fn keys_must_be_for_this_use() {
        let site = Site::new();
        let signer = Signer::rs256();
        let small = signer.jwk(json!({"kid": "small", "n": base64(&RSA[0].n[128..])}));
        let mut keys = vec![small];
        for (kid, members) in [
            ("enc", json!({"use": "enc"})),
            ("ops", json!({"key_ops": ["encrypt"]})),
            ("oaep", json!({"alg": "RSA-OAEP"})),
            ("ps", json!({"alg": "PS256"})),
            ("good", json!({"use": "sig", "key_ops": ["verify"], "alg": "RS256"})),
        ] {
            let mut jwk = signer.jwk(members);
            jwk["kid"] = json!(kid);
            keys.push(jwk);
        }
        site.publish(&keys);
        let issuer = site.issuer();
        for kid in ["enc", "ops", "oaep", "ps", "small", "GOOD"] {
            let token = signer.token(json!({"alg": "RS256", "kid": kid}), &site.claims(json!({})));
            assert_eq!(issuer.verify(&token).await, refused("unknown key"), "{kid}");
        }
        let token = signer.token(json!({"alg": "RS256", "kid": "good"}), &site.claims(json!({})));
        assert!(issuer.verify(&token).await.is_ok());
        // Without a name it is the only one that fits.
        let token = signer.token(json!({"alg": "RS256"}), &site.claims(json!({})));
        assert!(issuer.verify(&token).await.is_ok());
    }

    #[tokio::test]
    async fn a_token_without_key_name_needs_a_single_key() {
        let (site, issuer, signer) = ec_site();
        site.publish(&[signer.jwk(json!({"kid": "k"})), Signer::ec("P-256").jwk(json!({"kid": "k2"}))]);
        let token = signer.token(json!({"alg": "ES256"}), &site.claims(json!({})));
        assert_eq!(issuer.verify(&token).await, refused("unknown key"));
    }

    #[tokio::test]
    async fn concurrent_fetches_are_one_also_when_callers_hang_up() {
        let (site, issuer, signer) = ec_site();
        let token = signer.token(es256("k"), &site.claims(json!({})));
        site.holding.store(true, Ordering::Relaxed);
        for _ in 0..5 {
            let mut hung_up = Box::pin(issuer.verify(&token));
            std::future::poll_fn(|context| {
                assert!(hung_up.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let (issuer, token) = (issuer.clone(), token.clone());
                tokio::spawn(async move { issuer.verify(&token).await })
            })
            .collect();
        tokio::task::yield_now().await;
        site.holding.store(false, Ordering::Relaxed);
        for answer in waiting {
            assert!(answer.await.unwrap().is_ok());
        }
        assert_eq!((site.asked(DISCOVERY), site.asked("/realm/keys")), (1, 1));
    }
}
