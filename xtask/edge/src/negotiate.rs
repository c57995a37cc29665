//! Which content coding a client wants: `accept-encoding` of RFC 9110, section 12.5.3.

use release::Encoding;

/// A weight in thousandths, as precise as the RFC lets it be written.
type Weight = u16;

const FULL_WEIGHT: Weight = 1_000;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Identity,
    Encoded(Encoding),
    /// The client refuses all that there is.
    NotAcceptable,
}

/// Chooses among the available codings, given from the smallest to the largest: the weightiest to
/// the client, of equally weighty ones the smallest. Without a header, or with one that says nothing
/// about any of them, the contents go as they are.
pub fn choose<'a>(fields: impl Iterator<Item = &'a str>, available: &[Encoding]) -> Choice {
    let accepted: Vec<(&str, Weight)> =
        fields.flat_map(|field| field.split(',')).filter_map(element).collect();
    let weight = |name: &str| {
        accepted.iter().find(|(coding, _)| is_same(coding, name)).map(|(_, weight)| *weight)
    };
    let any = weight("*");
    let mut best: Option<(Encoding, Weight)> = None;
    for encoding in available {
        let Some(weight) = weight(encoding.token()).or(any) else { continue };
        if weight > best.map_or(0, |(_, best)| best) {
            best = Some((*encoding, weight));
        }
    }
    // Identity is acceptable unless it is refused, but preferred only where the client says so.
    let identity = weight("identity");
    match best {
        Some((encoding, weight)) if weight >= identity.unwrap_or(0) => Choice::Encoded(encoding),
        _ if identity.or(any) == Some(0) => Choice::NotAcceptable,
        _ => Choice::Identity,
    }
}

/// `gzip;q=0.5`, or `None` when it is not of that form.
fn element(text: &str) -> Option<(&str, Weight)> {
    let mut parts = text.split(';').map(str::trim);
    let coding = parts.next().filter(|coding| !coding.is_empty())?;
    let weight = match parts.next() {
        None => FULL_WEIGHT,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("q") {
                return None;
            }
            parse_weight(value.trim())?
        }
    };
    Some((coding, weight))
}

fn parse_weight(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: Weight = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL_WEIGHT),
        _ => None,
    }
}

fn is_same(coding: &str, name: &str) -> bool {
    // RFC 9110, section 8.4.1.3: `x-gzip` is `gzip`.
    let coding = if coding.eq_ignore_ascii_case("x-gzip") { "gzip" } else { coding };
    coding.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALLEST_FIRST: [Encoding; 3] = [Encoding::Br, Encoding::Zstd, Encoding::Gzip];

    fn of(field: &str) -> Choice {
        choose(std::iter::once(field), &SMALLEST_FIRST)
    }

    #[test]
    fn the_weightiest_wins_and_of_equals_the_smallest() {
        use Choice::{Encoded, Identity, NotAcceptable};
        for (field, expected) in [
            ("", Identity),
            ("gzip", Encoded(Encoding::Gzip)),
            ("gzip, deflate, br, zstd", Encoded(Encoding::Br)),
            ("gzip;q=1.0, br;q=0.8", Encoded(Encoding::Gzip)),
            ("GZIP ; Q=0.5", Encoded(Encoding::Gzip)),
            ("x-gzip", Encoded(Encoding::Gzip)),
            ("*", Encoded(Encoding::Br)),
            ("br;q=0, *", Encoded(Encoding::Zstd)),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Encoded(Encoding::Gzip)),
            ("gzip;q=0", Identity),
            ("*;q=0", NotAcceptable),
            ("identity;q=0", NotAcceptable),
            ("identity;q=0, br", Encoded(Encoding::Br)),
            ("*;q=0, identity", Identity),
            ("deflate", Identity),
            ("gzip;q=2", Identity),
            ("gzip;q=0.1234", Identity),
            ("gzip;level=9", Identity),
            (",;,=;q", Identity),
        ] {
            assert_eq!(of(field), expected, "{field:?}");
        }
    }

    #[test]
    fn several_fields_count_as_one() {
        let fields = ["gzip;q=0.2", "br;q=0.9"];
        assert_eq!(choose(fields.into_iter(), &SMALLEST_FIRST), Choice::Encoded(Encoding::Br));
    }

    #[test]
    fn what_is_not_there_is_not_chosen() {
        assert_eq!(choose(std::iter::once("br, gzip"), &[]), Choice::Identity);
    }

    proptest! {
        #[test]
        fn a_refused_coding_is_never_sent(
            weights in proptest::collection::vec(0..=1000u16, 4), count in 0..=3usize,
        ) {
            let names = ["br", "zstd", "gzip", "identity"];
            let field = names
                .iter()
                .zip(&weights)
                .map(|(name, weight)| format!("{name};q={}.{:03}", weight / 1000, weight % 1000))
                .collect::<Vec<_>>()
                .join(", ");
            let available = &SMALLEST_FIRST[..count];
            let best = weights[..count].iter().copied().max().unwrap_or(0);
            match choose(std::iter::once(field.as_str()), available) {
                Choice::Encoded(encoding) => {
                    let index = SMALLEST_FIRST.iter().position(|it| *it == encoding).unwrap();
                    prop_assert!(index < count);
                    prop_assert!(weights[index] > 0);
                    prop_assert_eq!(weights[index], best);
                    prop_assert!(best >= weights[3]);
                }
                Choice::Identity => prop_assert!(weights[3] > 0 && weights[3] > best),
                Choice::NotAcceptable => prop_assert!(weights[3] == 0 && best == 0),
            }
        }

        #[test]
        fn any_field_gets_an_answer(field in "\\PC{0,60}") {
            of(&field);
        }
    }
}
