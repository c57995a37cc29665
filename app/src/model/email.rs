//! An email address, as far as it can be judged without writing to it.

use std::fmt;

/// Lower case, so that one person has one account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// RFC 5321 allows 254 characters in a path.
    pub const LIMIT: usize = 254;

    /// Something, one `@`, and a domain with a dot or `localhost`; no spaces or controls.
    #[must_use]
    pub fn parse(text: &str) -> Option<Email> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let is_plain = !local.contains('@')
            && !text.contains(['<', '>', ',', ';', '"', '(', ')'])
            && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let labels_are_whole = domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        let is_domain = labels_are_whole && (domain.contains('.') || domain == "localhost");
        (is_plain && is_domain && !local.is_empty() && text.len() <= Email::LIMIT)
            .then(|| Email(text.to_lowercase()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Hides the address: debug output ends up in logs.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in
            ["a@example.com", " Ann.Other+x@Mail.Example.org ", "me@localhost", "ü@exämple.de"]
        {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "@", "a@", "@b.c", "a@b", "a@b..c", "a b@c.de", "a@b@c.de", "<a@b.de>", "a@-b.de"]
        {
            assert!(Email::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(Email::parse("Me@Example.COM").unwrap().as_str(), "me@example.com");
    }
}
