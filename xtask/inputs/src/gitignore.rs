//! One file of git's ignore rules. <https://git-scm.com/docs/gitignore>

use crate::Glob;

/// The rules of one file, for paths relative to its folder.
#[derive(Debug, Default)]
pub struct Gitignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    glob: Glob,
    is_negated: bool,
    is_for_folders: bool,
}

impl Gitignore {
    /// Reads the text of a file. A line that cannot be understood matches nothing, as in git.
    pub fn parse(text: &[u8]) -> Gitignore {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        Gitignore { rules: text.split(|byte| *byte == b'\n').filter_map(rule).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the file says that a path is ignored, or that it is not; `None` when it says
    /// nothing. The last rule that matches decides.
    pub fn is_ignored(&self, path: &[u8], is_folder: bool) -> Option<bool> {
        self.rules
            .iter()
            .rev()
            .find(|rule| (is_folder || !rule.is_for_folders) && rule.glob.is_match_exact(path))
            .map(|rule| !rule.is_negated)
    }
}

fn rule(line: &[u8]) -> Option<Rule> {
    let line = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
    let line = without_trailing_spaces(line);
    let (is_negated, line) = match line.strip_prefix('!') {
        Some(rest) => (true, rest),
        None if line.starts_with('#') => return None,
        None => (false, line),
    };
    let (is_for_folders, line) = match line.strip_suffix('/') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let glob = match line.strip_prefix('/') {
        Some(rest) => Glob::without_braces(rest),
        None if line.contains('/') => Glob::without_braces(line),
        None => Glob::without_braces(&format!("**/{line}")),
    };
    (!line.is_empty()).then_some(())?;
    Some(Rule { glob: glob.ok()?, is_negated, is_for_folders })
}

/// A trailing space counts only when a backslash stands before it.
fn without_trailing_spaces(line: &str) -> &str {
    let trimmed = line.trim_end_matches(' ');
    let backslashes = trimmed.bytes().rev().take_while(|byte| *byte == b'\\').count();
    let kept = if backslashes % 2 == 1 && trimmed.len() < line.len() { 1 } else { 0 };
    &line[..trimmed.len() + kept]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_decides() {
        let rules =
            Gitignore::parse(b"*.log\r\n!keep.log\n# a comment\n\\#odd\n/build\nx/*.o\nout/\n");
        assert_eq!(rules.is_ignored(b"a/b.log", false), Some(true));
        assert_eq!(rules.is_ignored(b"a/keep.log", false), Some(false));
        assert_eq!(rules.is_ignored(b"#odd", false), Some(true));
        assert_eq!(rules.is_ignored(b"build", true), Some(true));
        assert_eq!(rules.is_ignored(b"a/build", true), None);
        assert_eq!(rules.is_ignored(b"x/a.o", false), Some(true));
        assert_eq!(rules.is_ignored(b"out", false), None);
        assert_eq!(rules.is_ignored(b"a/out", true), Some(true));
    }

    #[test]
    fn spaces_and_braces() {
        let rules = Gitignore::parse(b"trailing   \nkept\\ \n{a,b}\n\n/\n");
        assert_eq!(rules.is_ignored(b"trailing", false), Some(true));
        assert_eq!(rules.is_ignored(b"kept ", false), Some(true));
        assert_eq!(rules.is_ignored(b"{a,b}", false), Some(true));
        assert_eq!(rules.is_ignored(b"a", false), None);
    }
}
