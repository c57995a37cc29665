//! Who is at the other end of a connection, and how the release's server is told of it.
//!
//! Invariant: what a request says of who sent it is believed only when it comes from a proxy that was
//! named at the start; from anyone else it is dropped.

use crate::places::Place;
use crate::worker::Busy;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Proxies in front of the edge whose word on who is asking counts.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Vec<IpNet>);

/// The other end of a connection, for as long as anything of the connection is left.
#[derive(Debug)]
pub struct Client {
    who: Who,
    /// Set when the other end is a proxy whose word counts.
    trusted: Option<Trusted>,
    _place: Place,
    _busy: Busy,
}

/// Who sent a request, ready to be told.
#[derive(Debug, Clone)]
pub struct Who {
    pub address: IpAddr,
    pub scheme: Scheme,
    /// `x-forwarded-for`: the address alone.
    pub forwarded_for: HeaderValue,
    /// `forwarded` of RFC 7239.
    pub forwarded: HeaderValue,
}

/// How a request came to the edge, or to the proxy before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Trusted {
    pub fn new(networks: Vec<IpNet>) -> Trusted {
        Trusted(networks)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The rightmost address that is not of a trusted proxy: each proxy adds, to the right, who it
    /// was asked by. What stands left of it anyone may have made up.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let fields = headers.get_all(X_FORWARDED_FOR).iter().map(|it| it.to_str().unwrap_or(""));
        let fields: Vec<&str> = fields.flat_map(|field| field.split(',')).collect();
        for field in fields.iter().rev() {
            let Some(address) = parse(field.trim()) else { break };
            client = address;
            if !self.contains(client) {
                break;
            }
        }
        client
    }
}

/// An address, with a port or not, as proxies write it.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|it: SocketAddr| it.ip()));
    address.map(|address| address.to_canonical())
}

impl Client {
    pub fn new(
        peer: SocketAddr,
        scheme: Scheme,
        trusted: &Trusted,
        place: Place,
        busy: Busy,
    ) -> Client {
        let address = peer.ip().to_canonical();
        let trusted = trusted.contains(address).then(|| trusted.clone());
        Client { who: Who::new(address, scheme), trusted, _place: place, _busy: busy }
    }

    /// Who sent a request with these headers.
    pub fn who(&self, headers: &HeaderMap) -> Cow<'_, Who> {
        let Some(trusted) = &self.trusted else { return Cow::Borrowed(&self.who) };
        let address = trusted.client(self.who.address, headers);
        let proto = headers.get(X_FORWARDED_PROTO).map(HeaderValue::as_bytes);
        let scheme = match proto {
            Some(b"https") => Scheme::Https,
            Some(b"http") => Scheme::Http,
            _ => self.who.scheme,
        };
        Cow::Owned(Who::new(address, scheme))
    }
}

impl Who {
    pub fn new(address: IpAddr, scheme: Scheme) -> Who {
        let proto = scheme.as_str();
        let forwarded = match address {
            IpAddr::V4(address) => format!("for={address};proto={proto}"),
            IpAddr::V6(address) => format!("for=\"[{address}]\";proto={proto}"),
        };
        // An address is written in characters that a header can carry.
        let value =
            |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let forwarded_for = value(&address.to_string());
        Who { address, scheme, forwarded_for, forwarded: value(&forwarded) }
    }
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, fields: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|it| it.parse().unwrap());
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(X_FORWARDED_FOR, field.parse().unwrap());
        }
        Trusted::new(networks.into()).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_rightmost_that_is_not_trusted_is_the_client() {
        for (fields, expected) in [
            (&[][..], "10.0.0.1"),
            (&["6.6.6.6"], "6.6.6.6"),
            (&["1.2.3.4, 6.6.6.6"], "6.6.6.6"),
            (&["1.2.3.4, 6.6.6.6, 10.2.2.2"], "6.6.6.6"),
            (&["1.2.3.4", "6.6.6.6,10.2.2.2"], "6.6.6.6"),
            (&["6.6.6.6, 2001:db8::7"], "6.6.6.6"),
            (&["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            (&["6.6.6.6:8080"], "6.6.6.6"),
            (&["[2001:db9::1]:80, [2001:db8::2]"], "2001:db9::1"),
            (&["6.6.6.6, nonsense, 10.2.2.2"], "10.2.2.2"),
            (&["nonsense"], "10.0.0.1"),
            (&[""], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn an_address_is_written_as_the_headers_want_it() {
        let who = Who::new("2001:db8::1".parse().unwrap(), Scheme::Https);
        assert_eq!(who.forwarded_for, "2001:db8::1");
        assert_eq!(who.forwarded, "for=\"[2001:db8::1]\";proto=https");
    }
}
