//! Addresses in settings: the public URL, and networks of trusted proxies.

use axum::http::Uri;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Scheme and authority that people reach Beacon by. Either https, or http on loopback: a session
/// cookie must not cross a network in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    is_https: bool,
    is_loopback: bool,
}

impl PublicUrl {
    pub(super) fn parse(text: &str) -> Option<PublicUrl> {
        let uri: Uri = text.strip_suffix('/').unwrap_or(text).parse().ok()?;
        let authority = uri.authority()?;
        let is_https = uri.scheme_str()? == "https";
        if uri.path_and_query().is_some_and(|p| p.as_str() != "/")
            || authority.as_str().contains('@')
        {
            return None;
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_loopback =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_local_http = is_loopback && uri.scheme_str()? == "http";
        if !is_https && !is_local_http {
            return None;
        }
        let origin = format!("{}://{}", uri.scheme_str()?, authority.as_str().to_ascii_lowercase());
        Some(PublicUrl { origin, is_https, is_loopback })
    }

    pub(super) fn of_listener(bound: SocketAddr) -> PublicUrl {
        let host = match bound.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let is_loopback = bound.ip().is_loopback() || bound.ip().is_unspecified();
        PublicUrl {
            origin: format!("http://{host}:{}", bound.port()),
            is_https: false,
            is_loopback,
        }
    }

    /// `https://status.example.com`, as a browser's `Origin` header says it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

/// An address range, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    pub(super) fn parse_list(text: &str) -> Option<Vec<Network>> {
        text.split(',').map(|part| Network::parse(part.trim())).collect()
    }

    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Some(widest), |p| p.parse().ok())?;
        (prefix_bits <= widest).then_some(Network { address, prefix_bits })
    }

    /// IPv4 addresses that arrive mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.prefix_bits);
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                (Ipv4Addr::to_bits(mine) ^ Ipv4Addr::to_bits(other)) & mask == 0
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                (Ipv6Addr::to_bits(mine) ^ Ipv6Addr::to_bits(other)) & mask == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_shares_their_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:1::5", "2001:db9::1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::1"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
        let everything = Network::parse("0.0.0.0/0").unwrap();
        assert!(everything.contains("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for text in ["https://status.example.com", "https://Status.example.com/"] {
            assert_eq!(PublicUrl::parse(text).unwrap().origin(), "https://status.example.com");
        }
        for text in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"] {
            assert!(PublicUrl::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["status.example.com", "https://me@example.com", "https://a.example/?q"] {
            assert_eq!(PublicUrl::parse(text), None, "{text}");
        }
    }
}
