//! `Host` and `Origin` of a request → whether a service that asks for no key may answer.
//!
//! A page of any site can have its own name lead to this machine (DNS rebinding), and a browser then takes an answer for
//! the site's own. What it cannot do is name this machine: without keys only loopback names are let in, and those that the
//! operator said. Nothing that a proxy adds is believed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::intake;
use super::problem::{Kind, Problem};

/// The names that a service may be asked under.
#[derive(Debug)]
pub(crate) struct Names {
    /// No key is asked for, so that names are what guards.
    are_asked: bool,
    /// Beside loopback ones; lower case, without ports.
    told: Vec<String>,
    /// Of other sites whose pages may call.
    origins: Vec<String>,
}

/// The host of `host[:port]`, lower case and without brackets; `None` where it has another form.
fn host_of(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    let sound = !host.is_empty() && host.bytes().all(plain) && port.bytes().all(|b| b.is_ascii_digit());
    // `::1` without brackets would be a name with a port.
    let sound = sound && (authority.starts_with('[') || !host.contains(':'));
    sound.then(|| host.trim_end_matches('.').to_ascii_lowercase())
}

/// Whether a name leads to this machine wherever it is asked (RFC 6761, 6.3), or is an address of it.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl Names {
    /// Loopback names and those `told`, where they `are_asked` for at all; `origins` are other sites that may call.
    pub(crate) fn new<'a>(are_asked: bool, told: impl IntoIterator<Item = &'a str>, origins: &[String]) -> Self {
        let told = told.into_iter().filter_map(|name| {
            // An address of IPv6 is written with and without brackets.
            let name = name.strip_prefix("http://").or(name.strip_prefix("https://")).unwrap_or(name);
            let name = name.split('/').next().unwrap_or_default();
            let bare = name.parse::<IpAddr>().ok().map(|address| address.to_string());
            bare.or_else(|| host_of(name))
        });
        let origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { are_asked, told: told.collect(), origins }
    }

    fn knows(&self, host: &str) -> bool {
        is_loopback(host)
            || self.told.iter().any(|told| match (told.parse::<IpAddr>(), host.parse::<IpAddr>()) {
                (Ok(told), Ok(host)) => told.to_canonical() == host.to_canonical(),
                _ => told == host,
            })
    }

    /// Whether all names that a request gives are known, and what is wrong where not.
    fn look(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if !self.are_asked {
            return Ok(());
        }
        let named = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let mut named: Vec<_> = named.chain(uri.authority().map(Authority::as_str)).collect();
        // Who gives no name at all says nothing that could be known.
        if named.is_empty() {
            named.push("");
        }
        if !named.iter().all(|name| host_of(name).is_some_and(|host| self.knows(&host))) {
            return Err(refused("Host", "host"));
        }
        let sites = headers.get_all(header::ORIGIN).iter().map(|origin| origin.to_str().unwrap_or_default());
        let known = |origin: &str| {
            let site = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
            self.origins.contains(&origin.to_ascii_lowercase())
                || site.and_then(host_of).is_some_and(|host| self.knows(&host))
        };
        if sites.into_iter().all(known) { Ok(()) } else { Err(refused("Origin", "cors-origin")) }
    }
}

fn refused(header: &str, setting: &str) -> Problem {
    Problem::new(
        Kind::Misdirected,
        format!(
            "A service without keys answers to loopback names only, and `{header}` names another: make a key, or name it \
             with the setting `{setting}`."
        ),
        format!("未设密钥的服务仅响应本机地址，而 {header} 指向其他地址：请创建密钥，或在设置 {setting} 中列出。"),
    )
}

/// Answers requests whose names are known.
pub(crate) async fn guard(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    match names.look(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let (head, body) = request.into_parts();
            intake::throw_away(&head.headers, body);
            problem.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lets_in(names: &Names, uri: &str, headers: &[(header::HeaderName, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        names.look(&uri.parse().unwrap(), &map).is_ok()
    }

    #[test]
    fn only_loopback_names_are_let_in() {
        let names = Names::new(true, [], &[]);
        for host in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "app.localhost:1",
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.9.9.9:1",
            "[::1]",
            "[::1]:8080",
            "[0:0:0:0:0:0:0:1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(lets_in(&names, "/", &[(header::HOST, host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "0.0.0.0:8080",
            "[::]:8080",
            "192.168.1.5:8080",
            "[2001:db8::1]:80",
            "[fe80::1]",
            "evil@localhost",
            "localhost@evil.example",
            "localhost:80:80",
            "localhost:8o",
            "::1",
            "[::1",
            "[::1]x",
            "[localhost]",
            "2130706433",
            "localhost evil.example",
            "localhost,evil.example",
            ".localhost.evil",
            "localhost/evil",
        ] {
            assert!(!lets_in(&names, "/", &[(header::HOST, host)]), "{host}");
        }
        assert!(!lets_in(&names, "/", &[]), "no name at all");
        // HTTP/2 and absolute addresses have the name elsewhere; one that is not known is enough.
        assert!(lets_in(&names, "http://localhost:8080/", &[]));
        assert!(!lets_in(&names, "http://evil.example/", &[]));
        assert!(!lets_in(&names, "http://evil.example/", &[(header::HOST, "localhost")]));
        assert!(!lets_in(&names, "/", &[(header::HOST, "localhost"), (header::HOST, "evil.example")]));
    }

    #[test]
    fn other_sites_are_not_let_in_though_the_name_is_right() {
        let names = Names::new(true, [], &["https://Shop.example/".to_owned()]);
        for (origin, expected) in [
            ("http://localhost:8080", true),
            ("https://[::1]:1", true),
            ("https://shop.example", true),
            ("http://shop.example", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
            ("file://localhost", false),
            ("http://localhost.evil.example", false),
            ("chrome-extension://localhost", false),
        ] {
            let headers = [(header::HOST, "localhost"), (header::ORIGIN, origin)];
            assert_eq!(lets_in(&names, "/", &headers), expected, "{origin}");
        }
    }

    #[test]
    fn what_the_operator_names_is_let_in_and_no_more() {
        let told = ["https://check.example.com/below", "192.168.1.5", "2001:db8::1", "Desk.local:8080"];
        let names = Names::new(true, told, &[]);
        for (host, expected) in [
            ("check.example.com", true),
            ("check.example.com:8443", true),
            ("192.168.1.5:8080", true),
            ("[::ffff:192.168.1.5]:8080", true),
            ("[2001:db8:0::1]:8080", true),
            ("desk.local", true),
            ("192.168.1.6:8080", false),
            ("example.com", false),
            ("evil.check.example.com", false),
        ] {
            assert_eq!(lets_in(&names, "/", &[(header::HOST, host)]), expected, "{host}");
        }
        assert!(lets_in(&Names::new(false, [], &[]), "/", &[(header::HOST, "anything")]), "a key is asked for");
    }
}
