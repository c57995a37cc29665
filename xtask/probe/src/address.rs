//! The address under test, and the addresses of the paths below it.

use report::Fault;
use reqwest::Url;
use std::net::IpAddr;

/// The address that `--url` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

impl Address {
    /// # Errors
    /// Exit 2 when it is not an `http` or `https` URL, or has a query or fragment.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Address> {
        let expected = "expected one such as http://127.0.0.1:8080 or https://example.org";
        let url = Url::parse(text).map_err(|error| {
            Fault::usage(format!("--url {text:?} is not a URL ({error}); {expected}"))
        })?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(
                Fault::usage(format!("--url {text:?} is not a web address; {expected}")).into()
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Fault::usage(format!(
                "--url {text:?} has a query or fragment, and paths are asked for below it; {expected}"
            ))
            .into());
        }
        Ok(Address(url))
    }

    /// The URL of a path below this address: an address with a path of its own, as GitHub Pages
    /// gives a project, keeps it.
    ///
    /// # Errors
    /// Exit 2 when the path does not start with a slash.
    pub(crate) fn join(&self, path: &str) -> anyhow::Result<Url> {
        if !path.starts_with('/') {
            return Err(Fault::usage(format!("path {path:?} must start with `/`")).into());
        }
        let base = self.0.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).map_err(|error| {
            Fault::usage(format!("path {path:?} makes no URL below {}: {error}", self.shown()))
                .into()
        })
    }

    /// Whether requests stay on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// The address as it may be shown: without a password.
    pub(crate) fn shown(&self) -> String {
        shown(&self.0)
    }
}

/// A URL as it may be shown: without user and password.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs without a host, which `Address` refuses.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_below_the_address() {
        let join =
            |base: &str, path: &str| Address::parse(base).unwrap().join(path).unwrap().to_string();
        assert_eq!(join("http://127.0.0.1:8080", "/a?b=c"), "http://127.0.0.1:8080/a?b=c");
        assert_eq!(join("https://example.org/project/", "/"), "https://example.org/project/");
        assert!(Address::parse("http://h").unwrap().join("a").is_err());
    }

    #[test]
    fn a_path_cannot_lead_to_another_host() {
        let url = Address::parse("http://127.0.0.1:1").unwrap().join("//evil.example/").unwrap();
        assert_eq!(url.host_str(), Some("127.0.0.1"));
        let url = Address::parse("http://127.0.0.1:1").unwrap().join("/@evil.example/").unwrap();
        assert_eq!(url.host_str(), Some("127.0.0.1"));
    }

    #[test]
    fn loopback_is_recognised() {
        let is_loopback = |url: &str| Address::parse(url).unwrap().is_loopback();
        assert!(is_loopback("http://127.0.0.1:1"));
        assert!(is_loopback("http://127.9.9.9"));
        assert!(is_loopback("http://[::1]:80/"));
        assert!(is_loopback("http://LOCALHOST:80/"));
        assert!(!is_loopback("http://localhost.example.org"));
        assert!(!is_loopback("http://10.0.0.1"));
    }

    #[test]
    fn what_is_not_a_web_address_is_refused() {
        for text in ["127.0.0.1:8080", "ftp://host/", "http://", "http://h/?q", "beacon"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(Address::parse("http://me:secret@host/").unwrap().shown(), "http://host/");
    }
}
