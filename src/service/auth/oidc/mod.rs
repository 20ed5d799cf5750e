//! A bearer token of an OIDC issuer → who calls and what they may do.
//!
//! ```text
//! token ── header (algorithm, kid) ── key of the issuer ── signature ── claims ──► Identity
//!                                          │
//!             {issuer}/.well-known/openid-configuration ──► jwks_uri ──► keys, kept 10 minutes
//! ```
//!
//! Whatever cannot be decided is refused: while no keys are at hand every token is `Unavailable`, never accepted.

mod claims;
mod discovery;
#[cfg(test)]
mod fake;
mod keys;
mod verifying;

use std::sync::Arc;
use std::time::Instant;

use jsonwebtoken::Algorithm;
use thiserror::Error;

use claims::{Claims, Identity};
use discovery::Discovery;
use keys::KeyStore;
use verifying::{ALLOWED, PROVIDER};

use crate::service::config::OidcSettings;

/// Access tokens of the common issuers are 1 to 3 KiB; the rest is for group lists.
const TOKEN_LIMIT_BYTES: usize = 8 * 1024;
/// What a token's `typ` may say, if it says anything (RFC 7519 5.1, RFC 9068 2.1).
const TYPES: [&str; 4] = ["JWT", "application/jwt", "at+jwt", "application/at+jwt"];

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

/// Checks the tokens of one issuer. Clones share keys.
#[derive(Clone)]
pub(crate) struct Issuer {
    claims: Arc<Claims>,
    keys: Arc<KeyStore>,
}

impl Issuer {
    /// Reads the settings; fetches nothing yet.
    ///
    /// # Errors
    ///
    /// [`OidcError::Settings`] when the issuer is no URL of the kind asked for, a text is empty, or the certificates
    /// cannot be read.
    pub(crate) fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let OidcSettings { issuer, audience, scope_claim, ca_pem } = settings;
        if audience.is_empty() || scope_claim.is_empty() {
            return Err(OidcError::Settings("audience and scope claim must not be empty"));
        }
        let keys = KeyStore::new(Discovery::new(&issuer, ca_pem.as_deref())?);
        // One provider a process; where the program has installed its own, that one verifies.
        let _ = PROVIDER.install_default();
        Ok(Self { claims: Arc::new(Claims { issuer, audience, scope_claim }), keys })
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
    pub(crate) async fn verify(&self, token: &str) -> Result<Identity, OidcError> {
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
    pub(crate) async fn prepare(&self) -> Result<(), OidcError> {
        match self.keys.key(None, Algorithm::RS256, Instant::now()).await {
            Err(OidcError::Unavailable) => Err(OidcError::Unavailable),
            _ => Ok(()),
        }
    }

    /// Says why the last fetch failed, in words for a log or a health page, or `None` when it did not.
    pub(crate) fn fault(&self) -> Option<String> {
        self.keys.fault()
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
        let key = self.keys.key(header.kid.as_deref(), header.alg, now).await?;
        self.claims.identify(token, header.alg, &key)
    }
}

#[cfg(test)]
mod tests {
    use ring::signature as ring_signature;
    use serde_json::json;

    use super::fake::{DISCOVERY, RSA, Signer, Site, base64, ec_site, es256, refused, scopes};
    use super::*;

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
}
