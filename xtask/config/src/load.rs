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
            // A pipe is waited on for ever, a device may never end.
            Ok(metadata) if !metadata.is_file() => {
                return Err(unreadable(
                    "expected a regular file, found something else".to_owned(),
                    "move it away; `cargo xtask init` writes one for the project found here",
                ));
            }
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
        let bytes = std::fs::read(&path).map_err(|error| {
            unreadable(format!("failed to read it: {error}"), "it must be a file you may read")
        })?;
        match str::from_utf8(&bytes) {
            Ok(text) => Config::parse(&path, text),
            Err(error) => Err(no_text(&path, &bytes, error.valid_up_to())),
        }
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

/// Says where a file stops being text.
fn no_text(path: &Path, bytes: &[u8], at: usize) -> ConfigError {
    let byte = bytes.get(at).copied().unwrap_or_default();
    ConfigError {
        path: path.to_owned(),
        position: Some(Position::of(&String::from_utf8_lossy(bytes), &(at..at))),
        message: format!("expected UTF-8 text, found the byte {byte:#04x}"),
        help: Some("save the file as UTF-8".to_owned()),
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
    let invalid = ["invalid type: ", "invalid value: ", "invalid length: "]
        .iter()
        .find_map(|kind| message.strip_prefix(kind)?.split_once(", expected "));
    if let Some((found, expected)) = invalid {
        return (format!("expected {}, found {found}", type_in_plain_words(expected)), None);
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let help = format!("add {rest}; `cargo xtask init --print` shows a whole file");
        return (format!("missing key {rest}"), Some(help));
    }
    (
        message
            .replace("wanted string or table", "expected a string or a table")
            .replace('\n', "; "),
        None,
    )
}

/// What the parser calls a type, as a person who writes TOML does.
fn type_in_plain_words(expected: &str) -> String {
    let number = |most: u64| format!("a whole number from 0 to {most}");
    match expected {
        "u16" => number(u16::MAX.into()),
        "u32" => number(u32::MAX.into()),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        _ => expected.replace("a sequence", "an array").replace("a map", "a table"),
    }
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
