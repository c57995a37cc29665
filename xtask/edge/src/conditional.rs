//! Conditions and ranges of a request: RFC 9110, sections 13 and 14.

use hyper::HeaderMap;
use hyper::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};

/// Which bytes of a representation a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    All,
    /// First and last byte, both included, inside the representation.
    Part(u64, u64),
    /// A range that no byte is in: 416.
    Nothing,
}

/// What a request's conditions come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Met,
    /// The client already has the representation: 304.
    HasIt,
    /// It wants only a representation that this is not: 412.
    Failed,
}

/// Weighs the conditions of a GET or HEAD against the entity tag (quoted, strong) of what would be
/// sent, in the order of section 13.2.2. Dates are no conditions here: no `last-modified` is sent,
/// because after a rollback a date would say that the newer release is still good.
pub fn condition(headers: &HeaderMap, etag: &str) -> Condition {
    if headers.contains_key(IF_MATCH)
        && !tags(headers, IF_MATCH).any(|tag| tag == "*" || tag == etag)
    {
        return Condition::Failed;
    }
    // The comparison is the weak one: `W/"x"` is `"x"`.
    let is_same = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    if tags(headers, IF_NONE_MATCH).any(is_same) { Condition::HasIt } else { Condition::Met }
}

fn tags(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|field| field.split(',')).map(str::trim)
}

/// The part that a request asks for of a representation of `size` bytes. Several ranges at once, or
/// a range that is not understood, get the whole, as the RFC allows.
pub fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::All;
    };
    // `if-range` with a date never matches: no `last-modified` is sent.
    if headers.get(IF_RANGE).is_some_and(|tag| tag.as_bytes() != etag.as_bytes()) {
        return Wanted::All;
    }
    let Some((unit, set)) = range.split_once('=') else { return Wanted::All };
    let Some((first, last)) = set.trim().split_once('-') else { return Wanted::All };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::All;
    }
    match (number(first), number(last)) {
        (Some(Number::None), Some(Number::Of(suffix))) => match suffix.min(size) {
            0 => Wanted::Nothing,
            suffix => Wanted::Part(size - suffix, size - 1),
        },
        (Some(Number::Of(first)), Some(last)) => {
            let last = match last {
                Number::None => u64::MAX,
                Number::Of(last) if last < first => return Wanted::All,
                Number::Of(last) => last,
            };
            if first >= size { Wanted::Nothing } else { Wanted::Part(first, last.min(size - 1)) }
        }
        _ => Wanted::All,
    }
}

enum Number {
    None,
    Of(u64),
}

/// Digits only; a number beyond any file counts as the largest.
fn number(text: &str) -> Option<Number> {
    if text.is_empty() {
        return Some(Number::None);
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Number::Of(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(value: &str, size: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, value.parse().unwrap());
        wanted(&headers, "\"tag\"", size)
    }

    #[test]
    fn ranges_are_clamped_to_the_size() {
        for (value, expected) in [
            ("bytes=0-3", Wanted::Part(0, 3)),
            ("bytes=4-", Wanted::Part(4, 9)),
            ("bytes=-3", Wanted::Part(7, 9)),
            ("bytes=-30", Wanted::Part(0, 9)),
            ("bytes=8-99", Wanted::Part(8, 9)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0, 9)),
            ("Bytes=9-9", Wanted::Part(9, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("lines=1-2", Wanted::All),
            ("nonsense", Wanted::All),
        ] {
            assert_eq!(range(value, 10), expected, "{value}");
        }
        assert_eq!(range("bytes=-5", 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, "bytes=0-1".parse().unwrap());
        headers.insert(IF_RANGE, "\"old\"".parse().unwrap());
        assert_eq!(wanted(&headers, "\"new\"", 10), Wanted::All);
        assert_eq!(wanted(&headers, "\"old\"", 10), Wanted::Part(0, 1));
    }

    fn under(fields: &[(HeaderName, &str)]) -> Condition {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().unwrap());
        }
        condition(&headers, "\"b\"")
    }

    #[test]
    fn a_known_tag_is_found_in_a_list() {
        for (value, expected) in [
            ("\"b\"", Condition::HasIt),
            ("\"a\", W/\"b\"", Condition::HasIt),
            ("*", Condition::HasIt),
            ("\"a\"", Condition::Met),
            ("b", Condition::Met),
            ("\"b-br\"", Condition::Met),
        ] {
            assert_eq!(under(&[(IF_NONE_MATCH, value)]), expected, "{value}");
        }
        assert_eq!(under(&[(IF_NONE_MATCH, "\"a\""), (IF_NONE_MATCH, "\"b\"")]), Condition::HasIt);
    }

    #[test]
    fn another_representation_than_the_wanted_one_is_not_sent() {
        for (value, expected) in [
            ("\"b\"", Condition::Met),
            ("\"a\", \"b\"", Condition::Met),
            ("*", Condition::Met),
            ("\"a\"", Condition::Failed),
            // The comparison is the strong one.
            ("W/\"b\"", Condition::Failed),
            ("", Condition::Failed),
        ] {
            assert_eq!(under(&[(IF_MATCH, value)]), expected, "{value}");
        }
        assert_eq!(under(&[(IF_MATCH, "\"a\""), (IF_NONE_MATCH, "\"b\"")]), Condition::Failed);
        assert_eq!(under(&[(IF_MATCH, "\"b\""), (IF_NONE_MATCH, "\"b\"")]), Condition::HasIt);
    }

    proptest! {
        #[test]
        fn a_part_is_always_inside(value in "bytes=[0-9]{0,6}-[0-9]{0,6}", size in 0..100_000u64) {
            if let Wanted::Part(first, last) = range(&value, size) {
                prop_assert!(first <= last && last < size);
            }
        }
    }
}
