//! A token with its key → whose it is and what they may do, if signature and claims hold.

use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::OidcError;
use crate::service::store::{Scope, Scopes};

/// What a scope may carry in front, so that an issuer can keep it apart from those of other services.
const SCOPE_PREFIX: &str = "bonafide:";
/// Clock difference that `exp` and `nbf` are given.
const LEEWAY_S: u64 = 60;
/// OIDC Core 2: `sub` has at most 255 characters.
const SUBJECT_LIMIT_CHARS: usize = 255;

/// Who calls, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The token's `sub`: 1 to 255 characters, none of them a control character. Unique at its issuer alone.
    pub(crate) subject: String,
    /// What the token grants. May be nothing.
    pub(crate) scopes: Scopes,
}

/// What a token must claim.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) audience: String,
    /// Which claim holds the scopes.
    pub(super) scope_claim: String,
}

impl Claims {
    /// Checks signature and claims.
    pub(super) fn identify(&self, token: &str, algorithm: Algorithm, key: &DecodingKey) -> Result<Identity, OidcError> {
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

/// The scopes in a claim, with or without prefix; others are left out. No such claim grants nothing; one of another type
/// is a fault of the issuer's settings that should show.
fn read_scopes(claims: &Map<String, Value>, name: &str) -> Result<Scopes, OidcError> {
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
    let known: Vec<Scope> = plain.filter_map(|scope| scope.parse().ok()).collect();
    Ok(Scopes::of(&known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fake::{AUDIENCE, ec_site, es256, refused, scopes, unix_s};
    use super::*;

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
}
