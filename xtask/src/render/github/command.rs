//! Workflow commands: what GitHub Actions reads from standard output.
//!
//! The runner reads two forms: a line that begins with `::name properties::data`, and the older
//! `##[name properties]data` anywhere in a line (actions/runner, `ActionCommand.cs`). Text that is
//! not ours is either printed between `::stop-commands::TOKEN` and `::TOKEN::`, or passed through
//! [`inert`].

use std::hash::{BuildHasher, Hasher, RandomState};

/// One command with its line end: `::error file=a%2Cb.rs,line=3::message`.
pub fn command(name: &str, properties: &[(&str, String)], data: &str) -> String {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", escape_property(value)))
        .collect();
    let gap = if properties.is_empty() { "" } else { " " };
    format!("::{name}{gap}{}::{}\n", properties.join(","), escape(data))
}

/// `text` printed so that no line of it is read as a command.
pub fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let token = token();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

/// One line of text that is read as no command.
pub fn inert(line: &str) -> String {
    let line = line.replace("##[", "## [");
    if line.trim_start().starts_with("::") { format!("\u{200b}{line}") } else { line }
}

/// A word that nobody can guess: 128 bits from the operating system, through the standard
/// library's hash keys.
pub fn token() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("slipway-{:016x}{:016x}", half(), half())
}

fn escape(data: &str) -> String {
    data.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(value: &str) -> String {
    escape(value).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_escaped() {
        let line = command("error", &[("file", "a,b:c%".to_owned())], "50% done\r\nnext: a, b");
        assert_eq!(line, "::error file=a%2Cb%3Ac%25::50%25 done%0D%0Anext: a, b\n");
        assert_eq!(command("endgroup", &[], ""), "::endgroup::\n");
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(token(), token());
    }
}
