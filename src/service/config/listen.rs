//! Where the service listens, under which name, and what a connection may cost.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::group::settings;
use super::span::{Span, of_secs};

settings! {
    /// Where the service listens.
    ///
    /// Loopback: nobody else reaches it until you say so. Without a key in the store, whoever reaches a loopback address
    /// is let in, and that is everybody where a reverse proxy stands before it: make a key first. Phones need https for
    /// the live hints of the camera; with a reverse proxy that speaks it, leave the certificate out. The unit of systemd
    /// gives the service 30 s more than `grace` to stop.
    Listen {
        /// Address to listen on.
        #[env("BONAFIDE_LISTEN", value_name = "ADDRESS")]
        #[sample(Set "\"127.0.0.1:8080\"")]
        listen: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
        /// Address under which phones reach the service; made of `listen` when left out.
        #[env("BONAFIDE_PUBLIC_URL", value_name = "URL")]
        #[sample(Shown "\"https://check.example.com\"")]
        public_url: Option<String>,
        /// Name or address under which a service without keys may be asked, beside loopback ones and `public-url`; can be
        /// repeated.
        #[env("BONAFIDE_HOST", value_name = "NAME", value_delimiter = ',')]
        #[sample(Shown "[\"192.168.1.5\"]")]
        host: Vec<String>,
        /// Address of a proxy before it: its `X-Forwarded-For` is believed, and its connections are many callers'; can be
        /// repeated.
        #[env("BONAFIDE_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',')]
        #[sample(Shown "[\"127.0.0.1\"]")]
        trusted_proxy: Vec<IpAddr>,
        /// Certificate chain for HTTPS, PEM; read again on SIGHUP.
        #[env("BONAFIDE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
        #[sample(Shown "\"/etc/bonafide/tls/fullchain.pem\"")]
        tls_cert: Option<PathBuf>,
        /// Private key for HTTPS, PEM.
        #[env("BONAFIDE_TLS_KEY", value_name = "FILE")]
        #[sample(Shown "\"/etc/bonafide/tls/privkey.pem\"")]
        tls_key: Option<PathBuf>,
        /// Another site whose pages may call the API and frame the pages of the hand-off; can be repeated.
        #[env("BONAFIDE_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
        #[sample(Shown "[\"https://shop.example.com\"]")]
        cors_origin: Vec<String>,
        /// Connections open at a time; more wait, and one address holds half at most.
        #[env("BONAFIDE_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        connections: u32 = 4096,
        /// Time for a request's headers, and for a connection to stay without a request.
        #[env("BONAFIDE_HEADER_TIME", value_name = "TIME", value_parser = super::span::span)]
        header_time: Span = of_secs(5),
        /// Time that requests in work have to finish when the service stops.
        #[env("BONAFIDE_GRACE", value_name = "TIME", value_parser = super::span::span)]
        grace: Span = of_secs(30),
    }
}

/// Certificate and key in PEM files; read again on SIGHUP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tls<'a> {
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
}

impl Listen {
    /// Certificate and key, for HTTPS.
    pub(crate) fn tls(&self) -> Result<Option<Tls<'_>>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(Tls { certificate, key })),
            (None, None) => Ok(None),
            _ => Err("--tls-cert and --tls-key go together".to_owned()),
        }
    }

    /// Proxies that are believed.
    pub(crate) fn proxies(&self) -> Vec<IpAddr> {
        self.trusted_proxy.iter().map(IpAddr::to_canonical).collect()
    }

    /// The public address without a slash at its end.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref().map(|url| url.trim_end_matches('/'))
    }
}
