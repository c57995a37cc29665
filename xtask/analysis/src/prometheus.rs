//! Answers of Prometheus' `GET /api/v1/query`: one number.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>

use crate::Sample;
use serde::Deserialize;

/// One number is a few hundred bytes.
const MAX_BYTES: usize = 1 << 20;

/// Why an answer holds no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("expected at most {MAX_BYTES} bytes from prometheus, found {found}")]
    Size { found: usize },
    #[error("expected the JSON of prometheus' query API: {problem}")]
    Json { problem: String },
    #[error("prometheus refuses the query: {kind}: {message}")]
    Refused { kind: String, message: String },
    #[error("expected a query that gives one number, found one that gives a {found}")]
    Type { found: String },
    #[error(
        "expected a query that gives one series, found {found}; aggregate them, for instance with sum(…)"
    )]
    Series { found: usize },
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success {
        data: Data,
    },
    Error {
        #[serde(rename = "errorType")]
        kind: String,
        error: String,
    },
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Series {
    /// Absent in a series of native histograms.
    value: Option<(f64, String)>,
}

/// The number that an instant query gave: a scalar, or a vector of one series. No series, and a value
/// that is no finite number (a division of nothing by nothing), is missing data, not an error.
pub fn parse(bytes: &[u8]) -> Result<Sample, QueryError> {
    if bytes.len() > MAX_BYTES {
        return Err(QueryError::Size { found: bytes.len() });
    }
    let json = |error: serde_json::Error| QueryError::Json { problem: error.to_string() };
    let data = match serde_json::from_slice(bytes).map_err(json)? {
        Answer::Success { data } => data,
        Answer::Error { kind, error } => {
            return Err(QueryError::Refused { kind, message: error });
        }
    };
    let value = match data.kind.as_str() {
        "scalar" => serde_json::from_value::<(f64, String)>(data.result).map_err(json)?.1,
        "vector" => {
            let series: Vec<Series> = serde_json::from_value(data.result).map_err(json)?;
            let found = series.len();
            match (series.into_iter().next(), found) {
                (None, _) => {
                    return Ok(Sample::Missing("the query gives no series".to_owned()));
                }
                (Some(Series { value: Some((_, value)) }), 1) => value,
                (Some(Series { value: None }), 1) => {
                    return Err(QueryError::Type { found: "native histogram".to_owned() });
                }
                _ => return Err(QueryError::Series { found }),
            }
        }
        other => return Err(QueryError::Type { found: other.to_owned() }),
    };
    // Prometheus writes "NaN", "+Inf" and "-Inf", which Rust reads too.
    let value = value.parse::<f64>().map_err(|_| QueryError::Json {
        problem: format!("expected a number as text, found {value:?}"),
    })?;
    Ok(Sample::value(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(kind: &str, result: &str) -> Result<Sample, QueryError> {
        let data = format!(r#"{{"resultType":"{kind}","result":{result}}}"#);
        parse(format!(r#"{{"status":"success","data":{data},"warnings":["w"]}}"#).as_bytes())
    }

    #[test]
    fn one_number_is_read() {
        assert_eq!(success("scalar", r#"[1435781451.781,"1.5"]"#), Ok(Sample::Value(1.5)));
        let vector = r#"[{"metric":{"job":"api"},"value":[1435781451.781,"0.25"]}]"#;
        assert_eq!(success("vector", vector), Ok(Sample::Value(0.25)));
    }

    #[test]
    fn nothing_and_no_number_are_missing() {
        assert!(matches!(success("vector", "[]"), Ok(Sample::Missing(_))));
        for value in ["NaN", "+Inf", "-Inf"] {
            let sample = success("scalar", &format!(r#"[1,"{value}"]"#));
            assert!(matches!(sample, Ok(Sample::Missing(_))), "{value}: {sample:?}");
        }
    }

    #[test]
    fn what_is_not_one_number_says_so() {
        let two = r#"[{"metric":{},"value":[1,"1"]},{"metric":{},"value":[1,"2"]}]"#;
        assert_eq!(success("vector", two), Err(QueryError::Series { found: 2 }));
        assert_eq!(success("matrix", "[]"), Err(QueryError::Type { found: "matrix".to_owned() }));
        let histogram = r#"[{"metric":{},"histogram":[1,{}]}]"#;
        assert!(matches!(success("vector", histogram), Err(QueryError::Type { .. })));
        let refused = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert_eq!(
            parse(refused).unwrap_err().to_string(),
            "prometheus refuses the query: bad_data: parse error"
        );
        assert!(matches!(parse(b"<html>"), Err(QueryError::Json { .. })));
        assert!(matches!(success("scalar", r#"[1,"one"]"#), Err(QueryError::Json { .. })));
    }
}
