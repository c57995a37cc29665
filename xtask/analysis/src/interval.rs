//! A closed interval. JSON has no infinity: an end that is open stands there as `null`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// From `lower` to `upper`, both included. `upper` is infinite when nothing bounds it; then
/// so is `lower`, where all values lie beyond the last bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    #[serde(serialize_with = "finite_or_null", deserialize_with = "number_or_infinity")]
    pub lower: f64,
    #[serde(serialize_with = "finite_or_null", deserialize_with = "number_or_infinity")]
    pub upper: f64,
}

/// An infinite value as `null`.
pub(crate) fn finite_or_null<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(to)
}

/// `null` as infinity.
pub(crate) fn number_or_infinity<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_end_survives_json() {
        let interval = Interval { lower: 0.5, upper: f64::INFINITY };
        let json = serde_json::to_string(&interval).unwrap();
        assert_eq!(json, r#"{"lower":0.5,"upper":null}"#);
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), interval);
    }
}
