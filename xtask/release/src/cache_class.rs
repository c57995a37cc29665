//! How long a file may be kept by those who fetched it, told from the names of a site's files alone.
//!
//! The rule errs on the side of asking again: a file that is wrongly `revalidate` costs a 304, one
//! that is wrongly `immutable` stays stale for a year. A file is immutable when it is no page and
//!
//! - its name, without its extension, has a part (parts are separated by `.`, `-` and `_`) that is a
//!   digest in hexadecimal: 8 to 64 lowercase digits, both letters and numerals among them,
//!   following a name; or 16 to 64 of them with no name before (`app.4f9c2ab1.css`,
//!   `_next/static/css/5f2e1d0c9b8a7f6e.css`). A UUID is an identity and not a digest;
//! - or it lies in a bundler's folder ([`BUNDLER_FOLDERS`]) and ends in the eight base64url
//!   characters that Vite and Rollup add after a `-` or a `.`, when these change between capitals,
//!   small letters, numerals and signs as no word does (`index-BX9c_1aZ.js`, not
//!   `page-Settings.js`). Seven in ten such fingerprints do;
//! - or it is a script or a stylesheet in such a folder, all of whose scripts and stylesheets end in
//!   eight such characters, at least one of them as no word does (`chunk-DiwrgTda.js` beside
//!   `index-BX9c_1aZ.js`): a bundler wrote that folder, and not a person.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Folders that bundlers fill with fingerprinted files.
pub const BUNDLER_FOLDERS: [&str; 6] = ["assets", "_astro", "_app", "_next", "_nuxt", "static"];

/// Characters of the fingerprint that Vite and Rollup add by default.
const BASE64_DIGITS: usize = 8;

/// Runs of one kind of character that no name of eight characters has, but random ones nearly
/// always do.
const MIN_RUNS: usize = 4;

/// How long a file may be kept by those who fetched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheClass {
    /// Its name changes with its contents: keep it for a year and never ask again.
    Immutable,
    /// Keep it, but ask whether it still is the same each time.
    Revalidate,
}

/// The classes of a site's files.
#[derive(Debug, Default)]
pub struct CacheClasses {
    /// Folders whose scripts and stylesheets a bundler named.
    bundled: HashMap<String, bool>,
}

impl CacheClasses {
    /// Learns from the paths of all files of a site, relative to it.
    pub fn of_site(paths: &[&str]) -> CacheClasses {
        let code = || paths.iter().filter_map(|path| code_stem(path).map(|stem| (*path, stem)));
        let mut bundled = HashMap::new();
        for (path, _) in code().filter(|(_, stem)| base64_digest(stem).is_some_and(is_no_word)) {
            bundled.insert(folder(path).to_owned(), is_bundlers(folder(path)));
        }
        for (path, _) in code().filter(|(_, stem)| base64_digest(stem).is_none()) {
            bundled.insert(folder(path).to_owned(), false);
        }
        CacheClasses { bundled }
    }

    /// The class of a file of the site.
    pub fn class(&self, path: &str) -> CacheClass {
        if code_stem(path).is_some() && self.bundled.get(folder(path)) == Some(&true) {
            return CacheClass::Immutable;
        }
        CacheClass::of(path)
    }
}

/// The stem of a script, a stylesheet, or the map of one.
fn code_stem(path: &str) -> Option<&str> {
    let path = path.strip_suffix(".map").unwrap_or(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.')
        .filter(|(_, extension)| matches!(*extension, "js" | "mjs" | "css"))
        .map(|(stem, _)| stem)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_bundlers(folder: &str) -> bool {
    folder.split('/').any(|name| BUNDLER_FOLDERS.contains(&name))
}

impl CacheClass {
    /// The class of a file of which only the path in its site is known.
    pub fn of(path: &str) -> CacheClass {
        let path = path.strip_suffix(".map").unwrap_or(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some((stem, extension)) = name.rsplit_once('.') else { return CacheClass::Revalidate };
        let is_page = matches!(extension.to_ascii_lowercase().as_str(), "html" | "htm" | "xhtml");
        let is_bundled = is_bundlers(folder(path)) && base64_digest(stem).is_some_and(is_no_word);
        if !is_page && (has_hex_digest(stem) || is_bundled) {
            CacheClass::Immutable
        } else {
            CacheClass::Revalidate
        }
    }

    /// The `cache-control` value of a file of this class.
    pub fn cache_control(self) -> &'static str {
        match self {
            CacheClass::Immutable => "public, max-age=31536000, immutable",
            CacheClass::Revalidate => "no-cache",
        }
    }
}

fn has_hex_digest(stem: &str) -> bool {
    let parts: Vec<&str> = stem.split(['.', '-', '_']).collect();
    if parts.windows(5).any(is_uuid) {
        return false;
    }
    parts.iter().enumerate().any(|(index, part)| {
        let shortest = if index == 0 { 16 } else { 8 };
        (shortest..=64).contains(&part.len())
            && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_lowercase())
    })
}

fn is_uuid(parts: &[&str]) -> bool {
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The eight characters after the name, as Vite and Rollup add them.
fn base64_digest(stem: &str) -> Option<&str> {
    let at = stem.len().checked_sub(BASE64_DIGITS).filter(|at| stem.is_char_boundary(*at))?;
    let (name, digest) = stem.split_at(at);
    let is_base64 =
        digest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    (name.len() > 1 && name.ends_with(['-', '.']) && is_base64).then_some(digest)
}

fn is_no_word(digest: &str) -> bool {
    digest.bytes().any(|byte| byte.is_ascii_uppercase())
        && digest.bytes().any(|byte| byte.is_ascii_lowercase())
        && runs(digest.as_bytes()) >= MIN_RUNS
}

/// How many words, numbers and signs a name consists of; a capital begins a word.
fn runs(name: &[u8]) -> usize {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Capital,
        Small,
        Numeral,
        Sign,
    }
    let kind = |byte: u8| match byte {
        b'A'..=b'Z' => Kind::Capital,
        b'a'..=b'z' => Kind::Small,
        b'0'..=b'9' => Kind::Numeral,
        _ => Kind::Sign,
    };
    let mut runs = 0;
    let mut before = None;
    for now in name.iter().map(|byte| kind(*byte)) {
        let continues = before == Some(now) || (before, now) == (Some(Kind::Capital), Kind::Small);
        runs += usize::from(!continues);
        before = Some(now);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_bundlers_write_is_immutable() {
        for path in [
            "app.4f9c2ab1.css",
            "main.4f9c2ab1.chunk.js",
            "js/app.4f9c2ab1.js.map",
            "assets/index-BX9c_1aZ.js",
            "assets/index-BX9c_1aZ.js.map",
            "assets/logo-D-x8K2_q.svg",
            "_next/static/chunks/4bd1b696-f785427dddbba9fb.js",
            "_next/static/media/a34f9d1faa5f3315-s.p.woff2",
            "_astro/hoisted.C5a2Kf1Q.js",
            "fonts/inter-1f0e5b9a7c6d4e32.woff2",
        ] {
            assert_eq!(CacheClass::of(path), CacheClass::Immutable, "{path}");
        }
    }

    #[test]
    fn a_folder_that_a_bundler_wrote_is_immutable_in_its_code() {
        let site = |paths: &[&str]| {
            let classes = CacheClasses::of_site(paths);
            let is_immutable = |path: &&&str| classes.class(path) == CacheClass::Immutable;
            paths.iter().filter(is_immutable).copied().collect::<Vec<&str>>().join(" ")
        };
        let chunks =
            ["assets/index-BX9c_1aZ.js", "assets/chunk-DiwrgTda.js", "assets/a-abcdefgh.css"];
        assert_eq!(site(&chunks), chunks.join(" "));
        let with_pictures = [chunks[0], chunks[1], "assets/photo-Holidays.jpg", "index.html"];
        assert_eq!(site(&with_pictures), chunks[..2].join(" "));
        // One that a person named, and the folder is no longer the bundler's alone.
        assert_eq!(site(&[chunks[0], chunks[1], "assets/vendor.js"]), chunks[0]);
        // None that is no word, or no bundler's folder: no evidence.
        assert_eq!(site(&["assets/page-Settings.js", "assets/page-MyHeader.js"]), "");
        assert_eq!(site(&["js/index-BX9c_1aZ.js", "js/chunk-DiwrgTda.js"]), "");
        // Another folder's evidence does not count.
        assert_eq!(site(&[chunks[0], "assets/lib/page-Settings.js"]), chunks[0]);
    }

    #[test]
    fn what_people_name_is_revalidated() {
        for path in [
            "index.html",
            "app.css",
            "assets/app.css",
            "assets/page-Settings.js",
            "assets/photo-holiday2.jpg",
            "assets/photo-Holiday2.jpg",
            "assets/lib-v1-2-3-4.js",
            "report-20261123.pdf",
            "report-2026-11-23.pdf",
            "facade-deadbeef.png",
            "post-4f9c2ab1.html",
            "4f9c2ab1.png",
            "550e8400-e29b-41d4-a716-4466554400ab.png",
            "index-BX9c_1aZ.js",
            "LICENSE-4f9c2ab1",
            "assets/ééééééé-é.js",
            "assets/-BX9c_1aZ.js",
        ] {
            assert_eq!(CacheClass::of(path), CacheClass::Revalidate, "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_page_is_always_revalidated(stem in "[A-Za-z0-9._/-]{0,40}") {
            prop_assert_eq!(CacheClass::of(&format!("{stem}.html")), CacheClass::Revalidate);
        }

        #[test]
        fn words_and_numbers_are_always_revalidated(
            words in proptest::collection::vec("[g-z][a-z]{0,11}|[0-9]{1,12}|[A-Z][g-z]{1,9}", 1..6),
            folder in "|assets/|static/js/",
        ) {
            let path = format!("{folder}{}.js", words.join("-"));
            let runs_of_words = words.len() < 4 || words.iter().all(|word| word.len() > 4);
            prop_assume!(runs_of_words);
            prop_assert_eq!(CacheClass::of(&path), CacheClass::Revalidate);
        }

        #[test]
        fn a_hex_digest_of_sixteen_or_more_is_immutable(
            name in "[a-z]{0,8}[.-]?", digest in "[0-9a-f]{6}[0-9][a-f][0-9a-f]{8,24}",
        ) {
            prop_assume!(name.is_empty() || name.len() > 1 && !name.ends_with(char::is_alphabetic));
            prop_assert_eq!(CacheClass::of(&format!("{name}{digest}.css")), CacheClass::Immutable);
        }

        #[test]
        fn any_name_has_a_class(path in ".{0,60}") {
            CacheClass::of(&path);
        }
    }
}
