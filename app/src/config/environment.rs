//! The environment as Beacon sees it: values by variable, and errors that name the variable.

use super::variables::{self, Variable};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Longest file that a variable ending in `_FILE` may name: a secret is one line.
const SECRET_FILE_LIMIT_BYTES: u64 = 4_096;

/// A setting that cannot be used. Never holds the value of a secret.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: expected {expected}, found {found} (`beacon config` lists all variables)")]
pub struct ConfigError {
    pub variable: &'static str,
    pub expected: String,
    pub found: String,
}

impl ConfigError {
    #[must_use]
    pub fn new(variable: &Variable, found: impl Into<String>) -> ConfigError {
        ConfigError {
            variable: variable.name,
            expected: variable.expects.to_owned(),
            found: found.into(),
        }
    }
}

/// The variables whose names begin with `BEACON_`, and the few that defaults come from.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    values: BTreeMap<String, OsString>,
}

impl Environment {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Environment {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect()
    }

    /// The value, unless absent or empty.
    ///
    /// # Errors
    /// The value is not UTF-8.
    pub fn get(&self, variable: &Variable) -> Result<Option<&str>, ConfigError> {
        match self.values.get(variable.name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some("") => Ok(None),
                Some(text) => Ok(Some(text)),
                None => Err(ConfigError::new(variable, "a value that is not UTF-8")),
            },
        }
    }

    /// Parses the value; `None` from `parse` becomes an error that shows what was found.
    ///
    /// # Errors
    /// The value does not parse.
    pub fn parse<T>(
        &self,
        variable: &Variable,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(variable)?
            .map(|text| parse(text).ok_or_else(|| ConfigError::new(variable, format!("{text:?}"))))
            .transpose()
    }

    /// First line of the file that the variable names.
    ///
    /// # Errors
    /// The file cannot be read, is too long, or starts with an empty line.
    pub fn secret_file(&self, variable: &Variable) -> Result<Option<String>, ConfigError> {
        self.get(variable)?
            .map(|path| {
                let size_bytes = std::fs::metadata(path)
                    .map_err(|e| ConfigError::new(variable, format!("{path:?} ({e})")))?
                    .len();
                if size_bytes > SECRET_FILE_LIMIT_BYTES {
                    let found = format!("{path:?}, a file of {size_bytes} bytes");
                    return Err(ConfigError::new(variable, found));
                }
                let text = std::fs::read_to_string(Path::new(path))
                    .map_err(|e| ConfigError::new(variable, format!("{path:?} ({e})")))?;
                match text.lines().next() {
                    Some(line) if !line.is_empty() => Ok(line.to_owned()),
                    _ => Err(ConfigError::new(variable, format!("{path:?}, which is empty"))),
                }
            })
            .transpose()
    }

    /// A variable that is not Beacon's own, such as `HOME`.
    #[must_use]
    pub fn foreign(&self, name: &str) -> Option<&OsString> {
        self.values.get(name).filter(|value| !value.is_empty())
    }

    /// Names that begin with `BEACON_` and that nothing reads. They are told of and not refused:
    /// Kubernetes sets `BEACON_PORT` and the like for a service of that name.
    #[must_use]
    pub fn unknown(&self) -> Vec<&str> {
        let is_known = |name: &str| variables::ALL.iter().any(|known| known.name == name);
        self.values
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("BEACON_") && !is_known(name))
            .collect()
    }
}

impl<K: Into<String>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Environment {
        Environment { values: values.into_iter().map(|(k, v)| (k.into(), v.into())).collect() }
    }
}
