//! Who may call: everybody, or who has a token of an issuer beside those who have a key.

use std::path::PathBuf;

use super::group::settings;

settings! {
    /// Who may call, beside those who have an API key: holders of tokens of an OpenID Connect issuer.
    Callers {
        /// Lets everybody in without a key, beyond this machine too.
        #[env("BONAFIDE_INSECURE_NO_AUTH", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
        insecure_no_auth: bool = false,
        /// Issuer of OpenID Connect tokens that are taken beside API keys.
        #[env("BONAFIDE_OIDC_ISSUER", value_name = "URL")]
        #[sample(Shown "\"https://login.example.com/realms/staff\"")]
        oidc_issuer: Option<String>,
        /// What their `aud` must name.
        #[env("BONAFIDE_OIDC_AUDIENCE", value_name = "NAME")]
        #[sample(Shown "\"bonafide\"")]
        oidc_audience: Option<String>,
        /// Claim that holds their scopes: `check`, `review`, `admin`, with or without `bonafide:` before.
        #[env("BONAFIDE_OIDC_SCOPE_CLAIM", value_name = "CLAIM")]
        oidc_scope_claim: String = "scope".to_owned(),
        /// Certificates that the issuer's own must lead to, PEM, instead of the built-in ones.
        #[env("BONAFIDE_OIDC_CA", value_name = "FILE")]
        #[sample(Shown "\"/etc/bonafide/issuer-ca.pem\"")]
        oidc_ca: Option<PathBuf>,
    }
}

/// What an issuer is known by.
#[derive(Clone, Debug)]
pub(crate) struct OidcSettings {
    /// The issuer, exactly as it stands in the `iss` of its tokens. `https`, or `http` on a loopback address.
    pub(crate) issuer: String,
    /// What the `aud` of a token must name.
    pub(crate) audience: String,
    /// Which claim holds the scopes: space-separated text or an array of text. A claim of exactly this name is taken
    /// first; otherwise dots lead into objects (`realm_access.roles`).
    pub(crate) scope_claim: String,
    /// PEM certificates that the issuer's TLS certificate must lead to, instead of the built-in Mozilla roots.
    pub(crate) ca_pem: Option<Vec<u8>>,
}

impl Callers {
    /// The issuer of tokens, if there is one.
    pub(crate) fn oidc(&self) -> Result<Option<OidcSettings>, String> {
        let (issuer, audience) = match (&self.oidc_issuer, &self.oidc_audience) {
            (None, None) => return Ok(None),
            (Some(issuer), Some(audience)) => (issuer.clone(), audience.clone()),
            _ => return Err("--oidc-issuer and --oidc-audience go together".to_owned()),
        };
        let read = |file: &PathBuf| std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()));
        let ca_pem = self.oidc_ca.as_ref().map(read).transpose()?;
        Ok(Some(OidcSettings { issuer, audience, scope_claim: self.oidc_scope_claim.clone(), ca_pem }))
    }
}
