//! Turns a bearer token of an OIDC issuer into who calls and what they may do.
//!
//! ```text
//! token ── header (algorithm, kid) ── key of the issuer ── signature ── claims ──► Identity
//!                                          │
//!             {issuer}/.well-known/openid-configuration ──► jwks_uri ──► keys, kept 10 minutes
//! ```
//!
//! Whatever cannot be decided is refused: while no keys are at hand every token is `Unavailable`, never accepted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind, new_error};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation};
use ring::signature as ring_signature;
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::watch;
use ureq::http::Uri;

/// The scopes that the service knows, as [`Identity::scopes`] names them.
pub const SCOPES: [&str; 3] = ["check", "review", "admin"];
/// What a scope may carry in front, so that an issuer can keep it apart from those of other services.
const SCOPE_PREFIX: &str = "bonafide:";

/// Access tokens of the common issuers are 1 to 3 KiB; the rest is for group lists.
const TOKEN_LIMIT_BYTES: usize = 8 * 1024;
/// Clock difference that `exp` and `nbf` are given.
const LEEWAY_S: u64 = 60;
/// OIDC Core 2: `sub` has at most 255 characters.
const SUBJECT_LIMIT_CHARS: usize = 255;
/// Key sets of large issuers are 5 to 20 KiB.
const ANSWER_LIMIT_BYTES: u64 = 256 * 1024;
/// For discovery and keys together.
const FETCH_LIMIT: Duration = Duration::from_secs(5);
/// After this the keys are asked for again, so that a withdrawn key goes.
const KEYS_FRESH: Duration = Duration::from_mins(10);
/// How long keys stay good while the issuer cannot be reached.
const KEYS_USABLE: Duration = Duration::from_hours(24);
/// Tokens with made-up key names must not turn into traffic at the issuer.
const FETCH_PAUSE: Duration = Duration::from_secs(30);
/// While there are no usable keys nothing works, so waiting longer than this helps nobody.
const FETCH_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(1);
/// RFC 7518 3.3 asks for 2048 bits at least; above 8192 a verification costs too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Why no identity was found.
///
/// No variant ever holds a part of the token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OidcError {
    /// The settings cannot be used; the text says which and why.
    #[error("OIDC settings: {0}")]
    Settings(&'static str),
    /// The token is not accepted (401); the cause is for the operator and may be shown to the caller.
    #[error("token refused: {0}")]
    Refused(&'static str),
    /// The issuer's keys are not at hand, so nothing can be said of the token (503).
    #[error("the issuer's keys cannot be fetched")]
    Unavailable,
}

/// What an issuer is known by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OidcSettings {
    /// The issuer, exactly as it stands in the `iss` of its tokens. `https`, or `http` on a loopback address.
    pub issuer: String,
    /// What the `aud` of a token must name.
    pub audience: String,
    /// Which claim holds the scopes: space-separated text or an array of text. A claim of exactly this name is taken
    /// first; otherwise dots lead into objects (`realm_access.roles`).
    pub scope_claim: String,
    /// PEM certificates that the issuer's TLS certificate must lead to, instead of the built-in Mozilla roots.
    pub ca_pem: Option<Vec<u8>>,
}

impl OidcSettings {
    /// Settings with the scopes in the claim `scope` and the built-in roots.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), audience: audience.into(), scope_claim: "scope".to_owned(), ca_pem: None }
    }
}

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`: 1 to 255 characters, none of them a control character. Unique at its issuer alone.
    pub subject: String,
    /// Those of [`SCOPES`] that the token grants, without prefix. May be empty; others are left out.
    pub scopes: BTreeSet<String>,
}

/// Checks the tokens of one issuer. Clones share keys.
#[derive(Clone, Debug)]
pub struct Issuer {
    shared: Arc<Shared>,
}

impl Issuer {
    /// Reads the settings; fetches nothing yet.
    ///
    /// # Errors
    ///
    /// [`OidcError::Settings`] when the issuer is no URL of the kind asked for, a text is empty, or the certificates
    /// cannot be read.
    pub fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let OidcSettings { issuer, audience, scope_claim, ca_pem } = settings;
        if audience.is_empty() || scope_claim.is_empty() {
            return Err(OidcError::Settings("audience and scope claim must not be empty"));
        }
        // OIDC Discovery 3: no query, no fragment.
        if issuer.contains(['?', '#']) {
            return Err(OidcError::Settings("the issuer must have no query and no fragment"));
        }
        let reach = Reach::of(&issuer).ok_or(OidcError::Settings("the issuer must be an https URL"))?;
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(pem) = ca_pem {
            let mut roots = Vec::new();
            for item in ureq::tls::parse_pem(&pem) {
                if let ureq::tls::PemItem::Certificate(root) =
                    item.map_err(|_| OidcError::Settings("the certificates are not PEM"))?
                {
                    roots.push(root);
                }
            }
            if roots.is_empty() {
                return Err(OidcError::Settings("the certificates are not PEM"));
            }
            tls = tls.root_certs(ureq::tls::RootCerts::Specific(Arc::new(roots)));
        }
        let mut config = ureq::Agent::config_builder()
            .https_only(reach == Reach::Public)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .tls_config(tls.build())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        if reach == Reach::Loopback {
            config = config.proxy(None);
        }
        // One provider a process; where the program has installed its own, that one verifies.
        let _ = PROVIDER.install_default();
        Ok(Self {
            shared: Arc::new(Shared {
                // OIDC Discovery 4.1: a slash at the end goes before the path is added.
                discovery: format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
                agent: config.build().new_agent(),
                reach,
                issuer,
                audience,
                scope_claim,
                state: Mutex::default(),
                landed: watch::Sender::new(()),
            }),
        })
    }

    /// Checks a token, fetching the issuer's keys where they are missing, old, or do not hold the token's key.
    ///
    /// Accepted are RS256, PS256, ES256, ES384 and `EdDSA` (Ed25519) with a signature by a key of the issuer, its `iss`,
    /// the audience in `aud`, `exp` not past, `nbf` not ahead (60 s leeway) and a `sub`.
    ///
    /// # Errors
    ///
    /// [`OidcError::Refused`] when the token is not good, [`OidcError::Unavailable`] when that cannot be said.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn verify(&self, token: &str) -> Result<Identity, OidcError> {
        self.verify_at(token, Instant::now()).await
    }

    /// Fetches the keys before the first token comes, so that a wrong setting shows at start.
    ///
    /// # Errors
    ///
    /// [`OidcError::Unavailable`]; [`Issuer::fault`] says why.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn prepare(&self) -> Result<(), OidcError> {
        match self.key(None, Algorithm::RS256, Instant::now()).await {
            Err(OidcError::Unavailable) => Err(OidcError::Unavailable),
            _ => Ok(()),
        }
    }

    /// Says why the last fetch failed, in words for a log or a health page, or `None` when it did not.
    pub fn fault(&self) -> Option<String> {
        self.shared.state().fault.as_ref().map(ToString::to_string)
    }

    async fn verify_at(&self, token: &str, now: Instant) -> Result<Identity, OidcError> {
        if token.len() > TOKEN_LIMIT_BYTES {
            return Err(OidcError::Refused("over 8 KiB"));
        }
        // An algorithm that the library does not know, `none` among them, is an error here.
        let header = jsonwebtoken::decode_header(token).map_err(|_| OidcError::Refused("header or algorithm"))?;
        if !ALLOWED.contains(&header.alg) {
            return Err(OidcError::Refused("algorithm"));
        }
        // RFC 7515 4.1.11: extensions that must be understood and are not make the token invalid.
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err(OidcError::Refused("header extension"));
        }
        // RFC 8725 3.11: what is typed as something else (logout token, DPoP proof) is no access token.
        if header.typ.as_deref().is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ))) {
            return Err(OidcError::Refused("type"));
        }
        let key = self.key(header.kid.as_deref(), header.alg, now).await?;
        self.shared.identify(token, header.alg, &key)
    }

    async fn key(&self, kid: Option<&str>, algorithm: Algorithm, now: Instant) -> Result<DecodingKey, OidcError> {
        let mut landing = match self.shared.look(kid, algorithm, now, true) {
            Look::Found(key) => return Ok(key),
            Look::Missing(error) => return Err(error),
            Look::Wait(landing) => landing,
        };
        // Fails only when the sender is gone, which `self` holds.
        let _ = landing.changed().await;
        match self.shared.look(kid, algorithm, now, false) {
            Look::Found(key) => Ok(key),
            Look::Missing(error) => Err(error),
            Look::Wait(_) => Err(OidcError::Unavailable),
        }
    }
}

/// Every algorithm that a token may name: those with a public key that issuers use and that are not broken.
const ALLOWED: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
/// What a token's `typ` may say, if it says anything (RFC 7519 5.1, RFC 9068 2.1).
const TYPES: [&str; 4] = ["JWT", "application/jwt", "at+jwt", "application/at+jwt"];

/// Whether plain http is permitted: only where both ends are this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Loopback,
    Public,
}

impl Reach {
    /// `None` when `url` is not http(s), is plain http to another machine, or holds a user name.
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        match uri.scheme_str()? {
            "http" | "https" if loopback => Some(Self::Loopback),
            "https" => Some(Self::Public),
            _ => None,
        }
    }
}

/// Why the keys could not be fetched.
#[derive(Debug, Error)]
enum Fault {
    #[error("the issuer did not answer in time")]
    Timeout,
    #[error("the issuer cannot be connected to, or does not speak HTTP")]
    Connection,
    #[error("the issuer's TLS certificate or handshake is not accepted")]
    Tls,
    #[error("the issuer answered {0}, and redirects are not followed")]
    Status(u16),
    #[error("the issuer's answer is over {} KiB", ANSWER_LIMIT_BYTES / 1024)]
    Size,
    #[error("the issuer's answer is not the JSON expected")]
    Json,
    #[error("the discovery document names another issuer")]
    OtherIssuer,
    #[error("the discovery document's jwks_uri is not an https URL")]
    KeysUrl,
    #[error("the issuer's key set holds no key for an accepted algorithm")]
    NoKeys,
    #[error("the fetch was cut short")]
    CutShort,
}

impl From<ureq::Error> for Fault {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::Timeout,
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => Self::Tls,
            // What rustls finds wrong during the handshake comes wrapped as this.
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Self::Tls,
            ureq::Error::BodyExceedsLimit(_) => Self::Size,
            _ => Self::Connection,
        }
    }
}

/// One key that may verify, and with what.
struct Key {
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

struct Shared {
    issuer: String,
    audience: String,
    scope_claim: String,
    discovery: String,
    reach: Reach,
    agent: ureq::Agent,
    state: Mutex<State>,
    /// Changes whenever a fetch has ended, well or not.
    landed: watch::Sender<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("issuer", &self.issuer).field("audience", &self.audience).finish_non_exhaustive()
    }
}

impl Shared {
    /// Every write to the state is one assignment after another that cannot panic, so a poisoned lock still holds a
    /// sound one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for a key, and with `may_fetch` starts a fetch or joins the one under way where that may change the answer.
    fn look(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm, now: Instant, may_fetch: bool) -> Look {
        let mut state = self.state();
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
                let flight = Flight { shared: Arc::clone(self), started_at: now, outcome: None };
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

    /// Asks the issuer for its keys. Blocks for 5 s at most.
    fn fetch(&self) -> Result<Vec<Key>, Fault> {
        let started = Instant::now();
        let discovery: Map<String, Value> =
            serde_json::from_slice(&self.read(&self.discovery, FETCH_LIMIT)?).map_err(|_| Fault::Json)?;
        if discovery.get("issuer").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Fault::OtherIssuer);
        }
        let url = discovery.get("jwks_uri").and_then(Value::as_str).ok_or(Fault::KeysUrl)?;
        // An issuer elsewhere must not send us to a service of this machine.
        if Reach::of(url).is_none_or(|reach| reach == Reach::Loopback && self.reach == Reach::Public) {
            return Err(Fault::KeysUrl);
        }
        let left = FETCH_LIMIT.checked_sub(started.elapsed()).ok_or(Fault::Timeout)?;
        read_keys(&self.read(url, left)?)
    }

    fn read(&self, url: &str, limit: Duration) -> Result<Vec<u8>, Fault> {
        let request = self.agent.get(url).header("accept", "application/json");
        let mut answer = request.config().timeout_global(Some(limit)).build().call()?;
        if answer.status().as_u16() != 200 {
            return Err(Fault::Status(answer.status().as_u16()));
        }
        Ok(answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec()?)
    }

    /// Checks signature and claims.
    fn identify(&self, token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Identity, OidcError> {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation)
            .map_err(|error| OidcError::Refused(cause(&error)))?
            .claims;
        // The library takes an array too, as long as one entry fits; RFC 7519 4.1.1 knows one issuer.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(OidcError::Refused("issuer"));
        }
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.chars().count() > SUBJECT_LIMIT_CHARS || subject.chars().any(char::is_control)
        {
            return Err(OidcError::Refused("subject"));
        }
        Ok(Identity { subject: subject.to_owned(), scopes: read_scopes(&claims, &self.scope_claim)? })
    }
}

/// A fetch under way. Dropped, it always says that it ended, so that nobody waits for a fetch that never ran.
struct Flight {
    shared: Arc<Shared>,
    started_at: Instant,
    outcome: Option<Result<Vec<Key>, Fault>>,
}

impl Flight {
    fn run(mut self) {
        self.outcome = Some(self.shared.fetch());
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.shared.state();
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
        self.shared.landed.send_replace(());
    }
}

/// The keys of a set that may verify. What cannot be used, or is not understood, is passed over: issuers publish keys
/// of several kinds side by side, and one of a kind not known yet must not take the rest down.
fn read_keys(bytes: &[u8]) -> Result<Vec<Key>, Fault> {
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

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|&byte| byte != 0).unwrap_or(number.len())..]
}

fn bit_length(number: &[u8]) -> usize {
    let number = without_zeros(number);
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// What the library found wrong, in words that hold nothing of the token.
fn cause(error: &JwtError) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "signature",
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not yet valid",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => match claim.as_str() {
            "exp" => "exp is missing or no number",
            "nbf" => "nbf is no number",
            "aud" => "aud is missing or no text",
            "iss" => "iss is missing or no text",
            "sub" => "sub is missing or no text",
            _ => "a claim is missing",
        },
        _ => "malformed",
    }
}

/// The scopes in a claim. No such claim grants nothing; one of another type is a fault of the issuer's settings that
/// should show.
fn read_scopes(claims: &Map<String, Value>, name: &str) -> Result<BTreeSet<String>, OidcError> {
    let claim = claims.get(name).or_else(|| {
        let mut steps = name.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    });
    let named: Vec<&str> = match claim {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(names)) => {
            names.iter().map(Value::as_str).collect::<Option<_>>().ok_or(OidcError::Refused("scope claim"))?
        }
        Some(_) => return Err(OidcError::Refused("scope claim")),
    };
    let plain = named.into_iter().map(|scope| scope.strip_prefix(SCOPE_PREFIX).unwrap_or(scope));
    Ok(plain.filter(|scope| SCOPES.contains(scope)).map(str::to_owned).collect())
}

/// Verification on ring, which TLS brings along anyway; the library's own choices would add a second set of
/// cryptography to the program.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |algorithm, key| {
        if !ALLOWED.contains(algorithm) || algorithm.family() != key.family() {
            return Err(new_error(ErrorKind::InvalidAlgorithm));
        }
        Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.clone() }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let rsa = match self.algorithm {
            Algorithm::RS256 => Some(&ring_signature::RSA_PKCS1_2048_8192_SHA256),
            Algorithm::PS256 => Some(&ring_signature::RSA_PSS_2048_8192_SHA256),
            _ => None,
        };
        let verified = match (self.key.kind(), rsa) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Some(scheme)) => {
                ring_signature::RsaPublicKeyComponents { n: without_zeros(n), e: without_zeros(e) }
                    .verify(scheme, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(point), None) => {
                let scheme: &dyn ring_signature::VerificationAlgorithm = match self.algorithm {
                    Algorithm::ES256 => &ring_signature::ECDSA_P256_SHA256_FIXED,
                    Algorithm::ES384 => &ring_signature::ECDSA_P384_SHA384_FIXED,
                    Algorithm::EdDSA => &ring_signature::ED25519,
                    _ => return Err(SignatureError::new()),
                };
                ring_signature::UnparsedPublicKey::new(scheme, point).verify(message, signature)
            }
            _ => return Err(SignatureError::new()),
        };
        verified.map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair};
    use rsa::pkcs8::EncodePrivateKey;
    use rsa::traits::PublicKeyParts;
    use serde_json::json;

    use super::*;

    const DISCOVERY: &str = "/realm/.well-known/openid-configuration";
    const AUDIENCE: &str = "https://gate.example";

    fn base64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    struct Rsa {
        pair: RsaKeyPair,
        n: Vec<u8>,
        e: Vec<u8>,
    }

    /// Making an RSA key takes a second, so the tests share two.
    static RSA: LazyLock<[Rsa; 2]> = LazyLock::new(|| {
        [(); 2].map(|()| {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
            Rsa {
                pair: RsaKeyPair::from_pkcs8(key.to_pkcs8_der().unwrap().as_bytes()).unwrap(),
                n: key.n().to_bytes_be(),
                e: key.e().to_bytes_be(),
            }
        })
    });

    enum Signer {
        Rsa(&'static Rsa, &'static dyn RsaEncoding),
        Ec(EcdsaKeyPair, &'static str),
        Ed(Ed25519KeyPair),
    }

    impl Signer {
        fn rs256() -> Self {
            Self::Rsa(&RSA[0], &ring_signature::RSA_PKCS1_SHA256)
        }

        fn ps256() -> Self {
            Self::Rsa(&RSA[0], &ring_signature::RSA_PSS_SHA256)
        }

        fn ec(curve: &'static str) -> Self {
            let (random, scheme) = match curve {
                "P-256" => (SystemRandom::new(), &ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING),
                _ => (SystemRandom::new(), &ring_signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            };
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
            Self::Ec(EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap(), curve)
        }

        fn ed() -> Self {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
        }

        /// The public key with these members besides.
        fn jwk(&self, members: Value) -> Value {
            let mut jwk = match self {
                Self::Rsa(rsa, _) => json!({"kty": "RSA", "n": base64(&rsa.n), "e": base64(&rsa.e)}),
                Self::Ec(pair, curve) => {
                    let point = &pair.public_key().as_ref()[1..];
                    let (x, y) = point.split_at(point.len() / 2);
                    json!({"kty": "EC", "crv": curve, "x": base64(x), "y": base64(y)})
                }
                Self::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key())}),
            };
            jwk.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            jwk
        }

        fn sign(&self, message: &[u8]) -> Vec<u8> {
            let random = SystemRandom::new();
            match self {
                Self::Rsa(rsa, encoding) => {
                    let mut signature = vec![0; rsa.pair.public().modulus_len()];
                    rsa.pair.sign(*encoding, &random, message, &mut signature).unwrap();
                    signature
                }
                Self::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
                Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            }
        }

        fn token(&self, header: Value, claims: &Value) -> String {
            let message = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
            format!("{message}.{}", base64(self.sign(message.as_bytes())))
        }
    }

    /// An issuer on a loopback port: what it answers at which path, and how often it was asked.
    #[derive(Clone)]
    struct Site {
        url: String,
        answers: Arc<Mutex<BTreeMap<String, (String, String)>>>,
        asked: Arc<Mutex<BTreeMap<String, u32>>>,
        /// While set, no answer leaves.
        holding: Arc<AtomicBool>,
    }

    impl Site {
        fn new() -> Self {
            Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
        }

        fn on(listener: TcpListener) -> Self {
            Self::start(listener, None)
        }

        /// An issuer over TLS, and the certificate that it shows.
        fn tls() -> (Self, String) {
            let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
            let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
                .unwrap();
            (Self::start(TcpListener::bind("127.0.0.1:0").unwrap(), Some(Arc::new(config))), made.cert.pem())
        }

        fn start(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}/realm", listener.local_addr().unwrap());
            let site =
                Self { url: url.clone(), answers: Arc::default(), asked: Arc::default(), holding: Arc::default() };
            site.answer(DISCOVERY, "200 OK", &json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string());
            let server = site.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming().map(Result::unwrap) {
                    match &tls {
                        None => server.serve(stream),
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
                            server.serve(rustls::StreamOwned::new(connection, stream));
                        }
                    }
                }
            });
            site
        }

        fn serve(&self, mut stream: impl Read + Write) {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let Some(path) = request.split(' ').nth(1) else { return };
            *self.asked.lock().unwrap().entry(path.to_owned()).or_default() += 1;
            let unknown = ("404 Not Found".to_owned(), String::new());
            let (status, body) = self.answers.lock().unwrap().get(path).cloned().unwrap_or(unknown);
            while self.holding.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            // The other end may have hung up.
            let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }

        fn url(&self) -> String {
            self.url.clone()
        }

        fn answer(&self, path: &str, status: &str, body: &str) {
            self.answers.lock().unwrap().insert(path.to_owned(), (status.to_owned(), body.to_owned()));
        }

        fn publish(&self, keys: &[Value]) {
            self.answer("/realm/keys", "200 OK", &json!({"keys": keys}).to_string());
        }

        fn asked(&self, path: &str) -> u32 {
            self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
        }

        fn issuer(&self) -> Issuer {
            Issuer::new(OidcSettings::new(self.url(), AUDIENCE)).unwrap()
        }

        /// Claims that are good, with these changed; `null` takes one away.
        fn claims(&self, changes: Value) -> Value {
            let now = unix_s();
            let mut claims = json!({
                "iss": self.url(), "aud": ["other", AUDIENCE], "sub": "u-1", "exp": now + 300, "nbf": now - 5,
                "scope": "openid bonafide:check review",
            });
            let members = claims.as_object_mut().unwrap();
            members.extend(changes.as_object().unwrap().clone());
            members.retain(|_, value| !value.is_null());
            claims
        }
    }

    fn unix_s() -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    }

    /// A site with one EC key named `k`, and its issuer.
    fn ec_site() -> (Site, Issuer, Signer) {
        let (site, signer) = (Site::new(), Signer::ec("P-256"));
        site.publish(&[signer.jwk(json!({"kid": "k", "use": "sig", "alg": "ES256"}))]);
        let issuer = site.issuer();
        (site, issuer, signer)
    }

    fn es256(kid: &str) -> Value {
        json!({"alg": "ES256", "kid": kid, "typ": "JWT"})
    }

    fn scopes(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn refused<T>(cause: &'static str) -> Result<T, OidcError> {
        Err(OidcError::Refused(cause))
    }

    #[tokio::test]
    async fn good_tokens_of_every_algorithm_are_accepted() {
        let site = Site::new();
        let signers = [
            ("RS256", Signer::rs256()),
            ("PS256", Signer::ps256()),
            ("ES256", Signer::ec("P-256")),
            ("ES384", Signer::ec("P-384")),
            ("EdDSA", Signer::ed()),
        ];
        let mut keys: Vec<_> = signers.iter().map(|(name, signer)| signer.jwk(json!({"kid": name}))).collect();
        // A kind of key that is not known is passed over.
        keys.insert(0, json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "later"}));
        site.publish(&keys);
        let issuer = site.issuer();
        for (name, signer) in &signers {
            let token = signer.token(json!({"alg": name, "kid": name, "typ": "at+jwt"}), &site.claims(json!({})));
            let identity = issuer.verify(&token).await.unwrap();
            assert_eq!(identity, Identity { subject: "u-1".to_owned(), scopes: scopes(&["check", "review"]) });
            let other = signer.token(json!({"alg": name, "kid": name}), &site.claims(json!({"sub": "u-2"})));
            let (message, _) = other.rsplit_once('.').unwrap();
            let (_, signature) = token.rsplit_once('.').unwrap();
            assert_eq!(issuer.verify(&format!("{message}.{signature}")).await, refused("signature"), "{name}");
        }
        assert_eq!((site.asked(DISCOVERY), site.asked("/realm/keys")), (1, 1));
        assert_eq!(issuer.fault(), None);
    }

    #[tokio::test]
    async fn claims_that_do_not_hold_are_refused() {
        let (site, issuer, signer) = ec_site();
        let now = unix_s();
        for (changes, cause) in [
            (json!({"exp": now - 70}), "expired"),
            (json!({"exp": null}), "exp is missing or no number"),
            (json!({"exp": (now + 300).to_string()}), "exp is missing or no number"),
            (json!({"exp": -1}), "exp is missing or no number"),
            (json!({"nbf": now + 90}), "not yet valid"),
            (json!({"nbf": (now - 5).to_string()}), "nbf is no number"),
            (json!({"aud": "other"}), "audience"),
            (json!({"aud": [AUDIENCE.to_uppercase()]}), "audience"),
            (json!({"aud": []}), "audience"),
            (json!({"aud": null}), "aud is missing or no text"),
            (json!({"aud": {"a": AUDIENCE}}), "aud is missing or no text"),
            (json!({"iss": "https://other.example"}), "issuer"),
            (json!({"iss": format!("{}/", site.url())}), "issuer"),
            (json!({"iss": [site.url(), "https://other.example"]}), "issuer"),
            (json!({"iss": null}), "iss is missing or no text"),
            (json!({"sub": null}), "sub is missing or no text"),
            (json!({"sub": 7}), "sub is missing or no text"),
            (json!({"sub": ""}), "subject"),
            (json!({"sub": "a\nb"}), "subject"),
            (json!({"sub": "a".repeat(256)}), "subject"),
            (json!({"scope": {"check": true}}), "scope claim"),
            (json!({"scope": ["check", 1]}), "scope claim"),
        ] {
            let token = signer.token(es256("k"), &site.claims(changes.clone()));
            assert_eq!(issuer.verify(&token).await, refused(cause), "{changes}");
        }
        for changes in
            [json!({"exp": now - 30}), json!({"nbf": now + 30}), json!({"nbf": null}), json!({"aud": AUDIENCE})]
        {
            let token = signer.token(es256("k"), &site.claims(changes.clone()));
            assert!(issuer.verify(&token).await.is_ok(), "{changes}");
        }
    }

    #[tokio::test]
    async fn algorithms_off_the_list_are_refused() {
        let site = Site::new();
        let signer = Signer::rs256();
        let jwk = signer.jwk(json!({"kid": "k"}));
        site.publish(&[jwk.clone(), json!({"kty": "oct", "k": base64("secret"), "kid": "s", "alg": "HS256"})]);
        let issuer = site.issuer();
        let claims = site.claims(json!({}));
        let good = signer.token(json!({"alg": "RS256", "kid": "k"}), &claims);
        assert!(issuer.verify(&good).await.is_ok());

        for alg in ["none", "None", "", "RS255"] {
            let unsigned =
                format!("{}.{}.", base64(json!({"alg": alg, "kid": "k"}).to_string()), base64(claims.to_string()));
            assert_eq!(issuer.verify(&unsigned).await, refused("header or algorithm"));
        }
        let pem_like = jwk["n"].as_str().unwrap().as_bytes();
        for (kid, secret) in [("k", pem_like), ("k", &RSA[0].n[..]), ("s", b"secret")] {
            let head = base64(json!({"alg": "HS256", "kid": kid}).to_string());
            let message = format!("{head}.{}", base64(claims.to_string()));
            let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), message.as_bytes());
            assert_eq!(issuer.verify(&format!("{message}.{}", base64(tag))).await, refused("algorithm"));
        }
        let rs512 = Signer::Rsa(&RSA[0], &ring_signature::RSA_PKCS1_SHA512);
        assert_eq!(
            issuer.verify(&rs512.token(json!({"alg": "RS512", "kid": "k"}), &claims)).await,
            refused("algorithm")
        );
        // The header says PSS, the signature is PKCS #1.
        assert_eq!(
            issuer.verify(&signer.token(json!({"alg": "PS256", "kid": "k"}), &claims)).await,
            refused("signature")
        );
        // A key that comes with the token counts for nothing.
        let own = Signer::Rsa(&RSA[1], &ring_signature::RSA_PKCS1_SHA256);
        let header = json!({"alg": "RS256", "kid": "k", "jwk": own.jwk(json!({})), "jku": "http://127.0.0.1:1/"});
        assert_eq!(issuer.verify(&own.token(header, &claims)).await, refused("signature"));
    }

    #[tokio::test]
    async fn headers_that_ask_for_more_are_refused() {
        let (site, issuer, signer) = ec_site();
        let claims = site.claims(json!({}));
        let crit = json!({"alg": "ES256", "kid": "k", "crit": ["b64"], "b64": false});
        assert_eq!(issuer.verify(&signer.token(crit, &claims)).await, refused("header extension"));
        let typ = json!({"alg": "ES256", "kid": "k", "typ": "logout+jwt"});
        assert_eq!(issuer.verify(&signer.token(typ, &claims)).await, refused("type"));
        for text in ["", ".", "..", "a.b.c", "a.b.c.d", "\u{0}", "ééé.é.é"] {
            assert_eq!(issuer.verify(text).await, refused("header or algorithm"));
        }
        let long = signer.token(es256("k"), &site.claims(json!({"x": "a".repeat(8192)})));
        assert_eq!(issuer.verify(&long).await, refused("over 8 KiB"));
        assert_eq!(site.asked(DISCOVERY), 0);
    }

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
    async fn an_issuer_that_comes_up_later_works_then() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let issuer = Issuer::new(OidcSettings::new(format!("http://{address}/realm"), AUDIENCE)).unwrap();
        let (start, signer) = (Instant::now(), Signer::ed());
        let header = json!({"alg": "EdDSA", "kid": "k"});
        let early = signer.token(header.clone(), &json!({}));
        assert_eq!(issuer.verify_at(&early, start).await, Err(OidcError::Unavailable));
        assert_eq!(issuer.fault().unwrap(), Fault::Connection.to_string());

        let site = Site::on(TcpListener::bind(address).unwrap());
        site.publish(&[signer.jwk(json!({"kid": "k"}))]);
        let token = signer.token(header, &site.claims(json!({})));
        assert_eq!(issuer.verify_at(&token, start).await, Err(OidcError::Unavailable));
        assert!(issuer.verify_at(&token, start + FETCH_PAUSE_WITHOUT_KEYS).await.is_ok());
        assert_eq!(issuer.fault(), None);
    }

    #[tokio::test]
    async fn answers_that_are_not_the_issuers_are_no_answers() {
        let (site, _, signer) = ec_site();
        let (url, keys) = (site.url(), json!({"keys": [signer.jwk(json!({"kid": "k"}))]}).to_string());
        let token = signer.token(es256("k"), &site.claims(json!({})));
        let good = json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string();
        let other = json!({"issuer": format!("{url}/"), "jwks_uri": format!("{url}/keys")}).to_string();
        let plain = json!({"issuer": url, "jwks_uri": "http://keys.example/keys"}).to_string();
        let file = json!({"issuer": url, "jwks_uri": "file:///keys"}).to_string();
        let redirect = format!("302 Found\r\nlocation: {url}/real");
        let padded = keys.replace("{\"keys\"", &format!("{{\"x\":\"{}\",\"keys\"", "a".repeat(256 * 1024)));
        site.answer("/realm/real", "200 OK", &keys);
        for (discovery, (status, body), fault) in [
            (&other, ("200 OK", &keys), Fault::OtherIssuer),
            (&plain, ("200 OK", &keys), Fault::KeysUrl),
            (&file, ("200 OK", &keys), Fault::KeysUrl),
            (&"[]".to_owned(), ("200 OK", &keys), Fault::Json),
            (&good, (redirect.as_str(), &keys), Fault::Status(302)),
            (&good, ("200 OK", &padded), Fault::Size),
            (&good, ("200 OK", &"{}".to_owned()), Fault::Json),
            (&good, ("200 OK", &"\u{1}".to_owned()), Fault::Json),
            (&good, ("206 Partial Content", &keys), Fault::Status(206)),
        ] {
            site.answer(DISCOVERY, "200 OK", discovery);
            site.answer("/realm/keys", status, body);
            let issuer = site.issuer();
            assert_eq!(issuer.prepare().await, Err(OidcError::Unavailable));
            assert_eq!(issuer.verify(&token).await, Err(OidcError::Unavailable));
            assert_eq!(issuer.fault().unwrap(), fault.to_string());
        }
        site.answer(DISCOVERY, &redirect, "");
        assert_eq!(site.issuer().verify(&token).await, Err(OidcError::Unavailable));
        assert_eq!(site.asked("/realm/real"), 0);
        site.answer(DISCOVERY, "200 OK", &good);
        site.answer("/realm/keys", "200 OK", &keys);
        let issuer = site.issuer();
        assert_eq!(issuer.prepare().await, Ok(()));
        assert!(issuer.verify(&token).await.is_ok());
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

    #[tokio::test]
    async fn the_certificate_must_lead_to_a_root() {
        let (site, pem) = Site::tls();
        let signer = Signer::ed();
        site.publish(&[signer.jwk(json!({"kid": "k"}))]);
        let token = signer.token(json!({"alg": "EdDSA", "kid": "k"}), &site.claims(json!({})));
        let issuer = site.issuer();
        assert_eq!(issuer.verify(&token).await, Err(OidcError::Unavailable));
        assert_eq!(issuer.fault().unwrap(), Fault::Tls.to_string());
        let mut settings = OidcSettings::new(site.url(), AUDIENCE);
        settings.ca_pem = Some(pem.into_bytes());
        assert!(Issuer::new(settings).unwrap().verify(&token).await.is_ok());
    }

    #[test]
    fn scopes_are_text_or_an_array_with_or_without_prefix() {
        let claims = json!({
            "scope": "openid bonafide:check  admin administrator check",
            "scp": ["bonafide:review", "other:admin", "bonafide:bonafide:check"],
            "a.b": "review",
            "a": {"b": "admin"},
            "realm_access": {"roles": ["admin"]},
            "nothing": null,
        });
        let claims = claims.as_object().unwrap();
        for (name, expected) in [
            ("scope", &["check", "admin"][..]),
            ("scp", &["review"]),
            ("a.b", &["review"]),
            ("realm_access.roles", &["admin"]),
            ("nothing", &[]),
            ("missing", &[]),
            ("realm_access.roles.admin", &[]),
        ] {
            assert_eq!(read_scopes(claims, name), Ok(scopes(expected)), "{name}");
        }
        assert_eq!(read_scopes(claims, "realm_access"), refused("scope claim"));
    }

    #[test]
    fn only_https_or_loopback_issuers_are_taken() {
        for good in ["https://id.example", "https://id.example/realm/", "http://localhost:8080", "http://[::1]:1/r"] {
            assert!(Issuer::new(OidcSettings::new(good, "a")).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "http://127.0.0.1.example",
            "http://localhost@id.example",
            "https://user@id.example",
            "ftp://localhost",
            "https://id.example?x",
            "https://id.example#x",
        ] {
            assert!(matches!(Issuer::new(OidcSettings::new(bad, "a")), Err(OidcError::Settings(_))), "{bad}");
        }
        assert!(Issuer::new(OidcSettings::new("https://id.example", "")).is_err());
        let mut settings = OidcSettings::new("https://id.example", "a");
        settings.ca_pem = Some(b"no certificate".to_vec());
        assert!(Issuer::new(settings).is_err());
    }
}
