//! Reading `xtask.toml` from a project's root.

use crate::{Config, ConfigError, FILE_NAME};
use std::path::Path;

impl Config {
    /// Reads `xtask.toml` from a project's root.
    ///
    /// # Errors
    /// When the file is missing, is not TOML, or says something that Slipway does not know.
    pub fn load(root: &Path) -> Result<Config, ConfigError> {
        let path = root.join(FILE_NAME);
        let fail =
            |position, message| ConfigError { path: path.clone(), position, message, help: None };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| fail(None, format!("failed to read it: {error}")))?;
        toml::from_str(&text).map_err(|error| fail(None, error.message().to_owned()))
    }
}
