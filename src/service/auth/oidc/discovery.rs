//! An issuer's address → its keys, by the discovery document that it publishes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use thiserror::Error;
use ureq::http::Uri;

use super::OidcError;
use super::keys::{Key, read_keys};

/// Key sets of large issuers are 5 to 20 KiB.
const ANSWER_LIMIT_BYTES: u64 = 256 * 1024;
/// For discovery and keys together.
const FETCH_LIMIT: Duration = Duration::from_secs(5);

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
pub(super) enum Fault {
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

/// Where an issuer's keys are asked for.
pub(super) struct Discovery {
    issuer: String,
    url: String,
    reach: Reach,
    agent: ureq::Agent,
}

impl Discovery {
    /// Reads what an issuer is known by; asks for nothing yet.
    pub(super) fn new(issuer: &str, ca_pem: Option<&[u8]>) -> Result<Self, OidcError> {
        // OIDC Discovery 3: no query, no fragment.
        if issuer.contains(['?', '#']) {
            return Err(OidcError::Settings("the issuer must have no query and no fragment"));
        }
        let reach = Reach::of(issuer).ok_or(OidcError::Settings("the issuer must be an https URL"))?;
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(pem) = ca_pem {
            tls = tls.root_certs(ureq::tls::RootCerts::Specific(Arc::new(roots(pem)?)));
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
        Ok(Self {
            issuer: issuer.to_owned(),
            // OIDC Discovery 4.1: a slash at the end goes before the path is added.
            url: format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')),
            reach,
            agent: config.build().new_agent(),
        })
    }

    /// Asks the issuer for its keys. Blocks for 5 s at most.
    pub(super) fn fetch(&self) -> Result<Vec<Key>, Fault> {
        let started = Instant::now();
        let discovery: Map<String, Value> =
            serde_json::from_slice(&self.read(&self.url, FETCH_LIMIT)?).map_err(|_| Fault::Json)?;
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
}

fn roots(pem: &[u8]) -> Result<Vec<ureq::tls::Certificate<'static>>, OidcError> {
    let refuse = || OidcError::Settings("the certificates are not PEM");
    let mut roots = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        if let ureq::tls::PemItem::Certificate(root) = item.map_err(|_| refuse())? {
            roots.push(root);
        }
    }
    if roots.is_empty() { Err(refuse()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use serde_json::json;

    use super::super::Issuer;
    use super::super::fake::{AUDIENCE, DISCOVERY, Signer, Site, ec_site, es256, settings};
    use super::super::keys::FETCH_PAUSE_WITHOUT_KEYS;
    use super::*;

    #[tokio::test]
    async fn an_issuer_that_comes_up_later_works_then() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let issuer = Issuer::new(settings(format!("http://{address}/realm"), AUDIENCE)).unwrap();
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
    async fn the_certificate_must_lead_to_a_root() {
        let (site, pem) = Site::tls();
        let signer = Signer::ed();
        site.publish(&[signer.jwk(json!({"kid": "k"}))]);
        let token = signer.token(json!({"alg": "EdDSA", "kid": "k"}), &site.claims(json!({})));
        let issuer = site.issuer();
        assert_eq!(issuer.verify(&token).await, Err(OidcError::Unavailable));
        assert_eq!(issuer.fault().unwrap(), Fault::Tls.to_string());
        let mut with_roots = settings(site.url(), AUDIENCE);
        with_roots.ca_pem = Some(pem.into_bytes());
        assert!(Issuer::new(with_roots).unwrap().verify(&token).await.is_ok());
    }

    #[test]
    fn only_https_or_loopback_issuers_are_taken() {
        for good in ["https://id.example", "https://id.example/realm/", "http://localhost:8080", "http://[::1]:1/r"] {
            assert!(Issuer::new(settings(good, "a")).is_ok(), "{good}");
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
            assert!(matches!(Issuer::new(settings(bad, "a")), Err(OidcError::Settings(_))), "{bad}");
        }
        assert!(Issuer::new(settings("https://id.example", "")).is_err());
        let mut with_roots = settings("https://id.example", "a");
        with_roots.ca_pem = Some(b"no certificate".to_vec());
        assert!(Issuer::new(with_roots).is_err());
    }
}
