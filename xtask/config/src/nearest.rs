//! Near misses: what a mistyped name was probably meant to be.

/// Names further away than this share of their length are no near miss.
const MIN_SIMILARITY: f64 = 0.5;

/// The candidate that is most like the name, if one is like it at all.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let keys = ["run", "needs", "inputs", "allow-failure"];
        assert_eq!(nearest("need", keys), Some("needs"));
        assert_eq!(nearest("allow_failure", keys), Some("allow-failure"));
        assert_eq!(nearest("colour", keys), None);
    }
}
