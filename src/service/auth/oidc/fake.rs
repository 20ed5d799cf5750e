//! An issuer that tests make up → its keys, its tokens and what it answers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{self as ring_signature, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair};
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::{Issuer, OidcError, OidcSettings};
use crate::service::store::Scopes;

pub(super) const DISCOVERY: &str = "/realm/.well-known/openid-configuration";
pub(super) const AUDIENCE: &str = "https://gate.example";

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) struct Rsa {
    pair: RsaKeyPair,
    pub(super) n: Vec<u8>,
    e: Vec<u8>,
}

/// Making an RSA key takes a second, so the tests share two.
pub(super) static RSA: LazyLock<[Rsa; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Rsa {
            pair: RsaKeyPair::from_pkcs8(key.to_pkcs8_der().unwrap().as_bytes()).unwrap(),
            n: key.n().to_bytes_be(),
            e: key.e().to_bytes_be(),
        }
    })
});

pub(super) enum Signer {
    Rsa(&'static Rsa, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl Signer {
    pub(super) fn rs256() -> Self {
        Self::Rsa(&RSA[0], &ring_signature::RSA_PKCS1_SHA256)
    }

    pub(super) fn ps256() -> Self {
        Self::Rsa(&RSA[0], &ring_signature::RSA_PSS_SHA256)
    }

    pub(super) fn ec(curve: &'static str) -> Self {
        let (random, scheme) = match curve {
            "P-256" => (SystemRandom::new(), &ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            _ => (SystemRandom::new(), &ring_signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        };
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).unwrap(), curve)
    }

    pub(super) fn ed() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    /// The public key with these members besides.
    pub(super) fn jwk(&self, members: Value) -> Value {
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

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
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

    pub(super) fn token(&self, header: Value, claims: &Value) -> String {
        let message = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        format!("{message}.{}", base64(self.sign(message.as_bytes())))
    }
}

/// An issuer on a loopback port: what it answers at which path, and how often it was asked.
#[derive(Clone)]
pub(super) struct Site {
    url: String,
    answers: Arc<Mutex<BTreeMap<String, (String, String)>>>,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    /// While set, no answer leaves.
    pub(super) holding: Arc<AtomicBool>,
}

impl Site {
    pub(super) fn new() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(super) fn on(listener: TcpListener) -> Self {
        Self::start(listener, None)
    }

    /// An issuer over TLS, and the certificate that it shows.
    pub(super) fn tls() -> (Self, String) {
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

    pub(super) fn start(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/realm", listener.local_addr().unwrap());
        let site = Self { url: url.clone(), answers: Arc::default(), asked: Arc::default(), holding: Arc::default() };
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

    pub(super) fn serve(&self, mut stream: impl Read + Write) {
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

    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    pub(super) fn answer(&self, path: &str, status: &str, body: &str) {
        self.answers.lock().unwrap().insert(path.to_owned(), (status.to_owned(), body.to_owned()));
    }

    pub(super) fn publish(&self, keys: &[Value]) {
        self.answer("/realm/keys", "200 OK", &json!({"keys": keys}).to_string());
    }

    pub(super) fn asked(&self, path: &str) -> u32 {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    pub(super) fn issuer(&self) -> Issuer {
        Issuer::new(settings(self.url(), AUDIENCE)).unwrap()
    }

    /// Claims that are good, with these changed; `null` takes one away.
    pub(super) fn claims(&self, changes: Value) -> Value {
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

pub(super) fn unix_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A site with one EC key named `k`, and its issuer.
pub(super) fn ec_site() -> (Site, Issuer, Signer) {
    let (site, signer) = (Site::new(), Signer::ec("P-256"));
    site.publish(&[signer.jwk(json!({"kid": "k", "use": "sig", "alg": "ES256"}))]);
    let issuer = site.issuer();
    (site, issuer, signer)
}

pub(super) fn es256(kid: &str) -> Value {
    json!({"alg": "ES256", "kid": kid, "typ": "JWT"})
}

pub(super) fn scopes(names: &[&str]) -> Scopes {
    if names.is_empty() { Scopes::default() } else { names.join(",").parse().unwrap() }
}

/// Settings with the scopes in the claim `scope` and the built-in roots.
pub(super) fn settings(issuer: impl Into<String>, audience: &str) -> OidcSettings {
    OidcSettings { issuer: issuer.into(), audience: audience.to_owned(), scope_claim: "scope".to_owned(), ca_pem: None }
}

pub(super) fn refused<T>(cause: &'static str) -> Result<T, OidcError> {
    Err(OidcError::Refused(cause))
}
