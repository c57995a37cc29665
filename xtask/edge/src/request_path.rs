//! A request's path, decoded once, as the manifest writes paths.

/// What a request's path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestPath {
    /// Decoded; begins with `/`.
    Decoded(String),
    /// Well-formed, but no name that a release can hold: not UTF-8.
    Foreign,
    /// Not a path: a broken escape, or a control character.
    Malformed,
}

/// Decodes the path of a request (RFC 3986, section 2.1), once: what decodes to an escape stays one.
pub fn decode(path: &str) -> RequestPath {
    if !path.starts_with('/') {
        return RequestPath::Malformed;
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return RequestPath::Malformed,
            },
            byte => byte,
        };
        if byte.is_ascii_control() {
            return RequestPath::Malformed;
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).map_or(RequestPath::Foreign, RequestPath::Decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded_once() {
        let decoded = |path: &str| RequestPath::Decoded(path.to_owned());
        assert_eq!(decode("/caf%C3%A9%20%2e%2E"), decoded("/café .."));
        assert_eq!(decode("/%252e"), decoded("/%2e"));
        assert_eq!(decode("/%ff"), RequestPath::Foreign);
        for path in ["", "*", "a", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab", "/%7f", "/%+1"] {
            assert_eq!(decode(path), RequestPath::Malformed, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(name in "[^\\p{Cc}]{0,20}") {
            let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&format!("/{escaped}")), RequestPath::Decoded(format!("/{name}")));
        }
    }
}
