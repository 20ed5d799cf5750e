//! A connection's other side → the address by which callers without a name are told apart.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// Bits of an IPv6 address that name a network: whoever has one address of it has all.
const IPV6_NETWORK: u128 = !0 << 64;

/// The header by which a proxy says whom it speaks for; the address nearest to the proxy stands last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Who shares places: a key, a person, or an address.
pub(crate) type Lane = std::sync::Arc<str>;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Ok(Self(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))))
    }
}

/// What one caller has of the address space: an IPv4 address, or a network of IPv6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK)),
        address @ IpAddr::V4(_) => address,
    }
}

/// Who asks: the other side, or where that is one of `proxies`, whom the last proxy speaks for.
pub(crate) fn asker(peer: Peer, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let trusted = |address: &IpAddr| proxies.contains(&address.to_canonical());
    let direct = peer.0.to_canonical();
    if !trusted(&direct) {
        return direct;
    }
    let told = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let told: Vec<_> = told.flat_map(|list| list.split(',')).map(str::trim).collect();
    // What stands before the first address that is none, or no proxy's, is what a client made up.
    let addresses = told.iter().rev().map_while(|text| text.parse::<IpAddr>().ok());
    addresses.map(|address| address.to_canonical()).find(|address| !trusted(address)).unwrap_or(direct)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_caller_has_an_address_or_a_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::9", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            assert_eq!(network(ip(address)), ip(expected), "{address}");
        }
    }

    #[test]
    fn only_a_known_proxy_is_believed() {
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        for (peer, told, expected) in [
            ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.5, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, told.parse().unwrap());
            assert_eq!(asker(Peer(ip(peer)), &headers, &proxies), ip(expected), "{peer} {told}");
        }
    }
}
