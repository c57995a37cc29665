//! Reading `xtask.toml`, and saying what is wrong with it in a person's words.

use crate::validate::validate;
use crate::{BUILTIN_STEPS, Config, ConfigError, FILE_NAME, Position, nearest};
use std::path::Path;

/// A configuration is a page or two; anything larger is another file by mistake.
const MAX_BYTES: u64 = 1 << 20;

impl Config {
    /// Reads `xtask.toml` from a project's root.
    ///
    /// # Errors
    /// When the file is missing, is not TOML, or says something that Slipway does not know.
    pub fn load(root: &Path) -> Result<Config, ConfigError> {
        let path = root.join(FILE_NAME);
        let unreadable = |message: String, help: &str| ConfigError {
            path: path.clone(),
            position: None,
            message,
            help: Some(help.to_owned()),
        };
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > MAX_BYTES => {
                return Err(unreadable(
                    format!("expected at most {MAX_BYTES} bytes, found {}", metadata.len()),
                    "is this another file by mistake?",
                ));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(unreadable(
                    "there is no such file".to_owned(),
                    "`cargo xtask init` writes one for the project found here",
                ));
            }
            _ => {}
        }
        let text = std::fs::read_to_string(&path).map_err(|error| {
            unreadable(
                format!("failed to read it: {error}"),
                "it must be a readable file of UTF-8 text",
            )
        })?;
        Config::parse(&path, &text)
    }

    /// Parses the text of an `xtask.toml`; the path is for errors only.
    ///
    /// # Errors
    /// When the text is not TOML, or says something that Slipway does not know.
    pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
        let config = toml::from_str(text).map_err(|error| {
            let (message, help) = in_plain_words(error.message());
            ConfigError {
                path: path.to_owned(),
                position: Some(Position::of(text, &error.span().unwrap_or(0..0))),
                message,
                help,
            }
        })?;
        validate(&config, path, text)?;
        Ok(config)
    }
}

/// Turns the parser's message into what is wrong and what to do: `unknown field` becomes a near
/// miss, `invalid type: A, expected B` becomes `expected B, found A`.
fn in_plain_words(message: &str) -> (String, Option<String>) {
    for (kind, word) in [("unknown field ", "key"), ("unknown variant ", "value")] {
        let Some(rest) = message.strip_prefix(kind) else { continue };
        let mut quoted = rest.split('`').skip(1).step_by(2);
        let found = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        let miss = nearest(found, known.iter().copied())
            .map(|name| format!(", did you mean `{name}`?"))
            .unwrap_or_default();
        let help = match known.as_slice() {
            [] => "nothing is expected here".to_owned(),
            names => format!("expected one of {}", quote(names)),
        };
        return (format!("unknown {word} `{found}`{miss}"), Some(help));
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        let expected = expected.replace("a sequence", "an array").replace("a map", "a table");
        return (format!("expected {expected}, found {found}"), None);
    }
    (message.replace("missing field", "missing key").replace('\n', "; "), None)
}

/// Says that a step is not known, with the one that was probably meant.
pub(crate) fn unknown_step(name: &str, config: &Config) -> (String, Option<String>) {
    let known: Vec<&str> = BUILTIN_STEPS
        .into_iter()
        .chain(config.steps.keys().map(String::as_str).filter(|name| !BUILTIN_STEPS.contains(name)))
        .collect();
    let miss = nearest(name, known.iter().copied())
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default();
    (format!("unknown step `{name}`{miss}"), Some(format!("expected one of {}", quote(&known))))
}

fn quote(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
