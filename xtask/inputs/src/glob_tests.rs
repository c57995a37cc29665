use super::*;
use proptest::prelude::*;

fn matches(glob: &str, path: &str) -> bool {
    Glob::new(glob).unwrap().is_match(path.as_bytes())
}

#[test]
fn the_common_shapes() {
    assert!(matches("**", "a/b.rs") && matches("**/*", "a/b.rs") && matches("**/*", ".hidden"));
    assert!(matches("**/*.rs", "b.rs") && matches("**/*.rs", "a/b/c.rs"));
    assert!(!matches("*.rs", "a/b.rs") && matches("*.rs", "b.rs"));
    assert!(
        matches("src/**", "src/a/b") && !matches("src/**", "src") && !matches("src/**", "srcs/a")
    );
    assert!(matches("src/**/*.css", "src/x.css") && !matches("src/**/*.css", "lib/x.css"));
    assert!(matches("a/**/b/*.{js,ts}", "a/x/y/b/c.ts") && matches("a/**/b/*.{js,ts}", "a/b/c.js"));
    assert!(matches("**/[Mm]akefile", "x/Makefile") && !matches("**/[!Mm]akefile", "makefile"));
    assert!(matches("a?c", "aéc") && matches("\\*.rs", "*.rs") && !matches("\\*.rs", "a.rs"));
}

#[test]
fn a_literal_is_a_file_or_all_below_a_folder() {
    assert!(matches("site", "site") && matches("site", "site/a/b") && !matches("site", "sites/a"));
    assert!(matches("./site/", "site/a") && !matches("site/", "site"));
    assert!(!Glob::new("site").unwrap().is_match_exact(b"site/a"));
}

#[test]
fn what_cannot_be_understood_is_said() {
    for glob in ["", "/etc/*", "../x", "a/../../b", "a[", "a{b", "a}", "a\\", "[z-a]", "[a/b]"] {
        let error = Glob::new(glob).unwrap_err().to_string();
        assert!(error.starts_with(&format!("glob `{glob}`: ")), "{error}");
    }
    assert!(Glob::new(&"{a,b}".repeat(9)).is_err());
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab.]{1,3}".prop_filter("dots", |part| !part.chars().all(|char| char == '.')),
        1 => Just("*".to_owned()),
        2 => Just("**".to_owned()),
        2 => "[ab]?\\*[ab.]{0,2}\\*?",
        1 => "[ab?]{1,3}",
        1 => "\\[!?a\\]b?",
        1 => "(a|\\*)?\\{a,b\\*\\}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Globset is the reference, but for a literal folder, which it does not know.
    #[test]
    fn agrees_with_globset(
        parts in prop::collection::vec(part(), 1..5),
        path in prop::collection::vec("[ab.\n]{1,3}", 1..5),
    ) {
        let glob = parts.join("/");
        let path = path.join("/");
        let reference = globset::GlobBuilder::new(&glob).literal_separator(true).build().unwrap();
        let expected = reference.compile_matcher().is_match(&path);
        let ours = Glob::new(&glob).unwrap();
        prop_assert_eq!(ours.is_match_exact(path.as_bytes()), expected, "{} on {}", glob, path);
        if expected {
            let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
            for folder in folders {
                prop_assert!(ours.can_match_below(folder.as_bytes()), "{} below {}", glob, folder);
            }
            let starts = ours.starts().collect::<Vec<_>>();
            prop_assert!(
                starts.iter().any(|start| path.as_bytes().starts_with(start)),
                "{} starts at {:?}, not above {}", glob, starts, path
            );
        }
    }
}
