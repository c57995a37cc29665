//! Third-party scripts and style sheets in the site's HTML.
//!
//! A page that loads a script from another host runs whatever that host sends, unless the tag
//! carries a digest (Subresource Integrity, <https://www.w3.org/TR/sri-2/>).

use crate::Part;
use crate::text::{counted, line_at};
use anyhow::Context;
use report::{Finding, Measure, Place, Unit};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Most pages that are read.
const MAX_PAGES: usize = 20_000;

/// Largest page that is read, in bytes; a larger one is read to here.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Folders that are no part of a site, should it be the project's root.
const SKIPPED: [&str; 3] = ["node_modules", "target", ".git"];

/// Deepest folder: a guard against links in a circle.
const MAX_DEPTH: usize = 32;

/// Checks the pages of a folder, named relative to the root; `None` when it holds none.
pub(crate) fn check(root: &Path, site: &str) -> anyhow::Result<Option<Part>> {
    let mut pages = Vec::new();
    find(&root.join(site), 0, &mut pages).with_context(|| format!("failed to list {site}"))?;
    if pages.is_empty() {
        return Ok(None);
    }
    pages.sort_unstable();
    let mut loads: BTreeMap<String, (Place, usize, Kind)> = BTreeMap::new();
    for page in &pages {
        let bytes = match std::fs::read(page) {
            Ok(bytes) => bytes,
            Err(error) if is_gone(&error) => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read {}", page.display()));
            }
        };
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_PAGE_BYTES)]);
        let path = page.strip_prefix(root).unwrap_or(page);
        let path: Vec<_> =
            path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        for load in loads_in(&text) {
            let place = || Place::line(path.join("/"), line_at(&text, load.offset));
            let (_, count, _) = loads.entry(load.url).or_insert_with(|| (place(), 0, load.kind));
            *count += 1;
        }
    }
    let summary = format!(
        "{}, {} without a digest",
        counted(pages.len(), "page", "pages"),
        counted(loads.len(), "third-party file", "third-party files")
    );
    let findings = loads
        .into_iter()
        .map(|(url, (place, count, kind))| finding(&url, place, count, kind))
        .collect();
    let measures = vec![Measure::new("site.pages", pages.len() as f64, Unit::Count)];
    Ok(Some(Part { summary, findings, measures, ..Part::default() }))
}

fn finding(url: &str, place: Place, count: usize, kind: Kind) -> Finding {
    let (rule, what) = match kind {
        Kind::Script => ("audit::script-without-integrity", "runs a script"),
        Kind::Style => ("audit::style-without-integrity", "applies a style sheet"),
    };
    let mut message = format!("the page {what} of another host without a digest: {url}");
    if url.starts_with("http:") {
        message.push_str("\nit is fetched over plain HTTP: anyone on the way can replace it");
    }
    if count > 1 {
        message.push_str(&format!("\nused {count} times in the site"));
    }
    Finding::warning(rule, message).at(place).help(
        "serve it yourself, or pin it: integrity=\"sha384-…\" crossorigin=\"anonymous\", with the digest of \
         `openssl dgst -sha384 -binary FILE | openssl base64 -A`",
    )
}

/// A build may be at work in the folder: what it has just removed is no part of the site.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn find(folder: &Path, depth: usize, pages: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match folder.read_dir() {
        Err(error) if is_gone(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        let is_page =
            path.extension().is_some_and(|extension| extension == "html" || extension == "htm");
        let is_skipped = SKIPPED.iter().any(|skipped| entry.file_name() == *skipped);
        if kind.is_dir() && depth < MAX_DEPTH && !is_skipped {
            find(&path, depth + 1, pages)?;
        } else if kind.is_file() && is_page && pages.len() < MAX_PAGES {
            pages.push(path);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Script,
    Style,
}

/// A file of another host that a page loads without a digest.
#[derive(Debug, PartialEq, Eq)]
struct Load {
    url: String,
    kind: Kind,
    offset: usize,
}

fn loads_in(html: &str) -> Vec<Load> {
    let mut loads = Vec::new();
    let mut at = 0;
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let rest = &html[start..];
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(html.len(), |end| start + end + 3);
            continue;
        }
        let name: String = rest[1..].chars().take_while(char::is_ascii_alphanumeric).collect();
        let (attributes, length) = attributes(&rest[1 + name.len()..]);
        at = start + 1 + name.len() + length;
        let attribute = |name: &str| {
            attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
        };
        let load = match name.to_ascii_lowercase().as_str() {
            "script" => attribute("src").map(|url| (url, Kind::Script)),
            "link" => {
                let rel = attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let is = |word| rel.split_ascii_whitespace().any(|rel| rel == word);
                let kind = if is("modulepreload") {
                    Some(Kind::Script)
                } else {
                    is("stylesheet").then_some(Kind::Style)
                };
                attribute("href").zip(kind)
            }
            _ => None,
        };
        if let Some((url, kind)) = load.filter(|(url, _)| is_elsewhere(url))
            && attribute("integrity").is_none_or(str::is_empty)
        {
            loads.push(Load { url: url.to_owned(), kind, offset: start });
        }
        // What stands between these tags is not HTML.
        if let Some(raw) =
            ["script", "style"].into_iter().find(|raw| name.eq_ignore_ascii_case(raw))
        {
            let rest = html.get(at..).unwrap_or_default();
            let is_end = |end: &usize| {
                rest.get(end + 2..end + 2 + raw.len())
                    .is_some_and(|name| name.eq_ignore_ascii_case(raw))
            };
            let end = rest.match_indices("</").map(|(end, _)| end).find(is_end);
            at = end.map_or(html.len(), |end| at + end);
        }
    }
    loads
}

fn is_elsewhere(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    ["http://", "https://", "//"].iter().any(|scheme| url.starts_with(scheme))
}

/// The attributes of a tag, names in lower case, and how far the tag reaches.
fn attributes(text: &str) -> (Vec<(String, String)>, usize) {
    let mut attributes = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let Some(first) = rest.chars().next().filter(|first| *first != '>') else { break };
        let end = rest[first.len_utf8()..]
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .map_or(rest.len(), |end| end + first.len_utf8());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_whitespace());
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''));
            (value, rest) = match quote {
                Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                None => {
                    let is_end = |c: char| c.is_ascii_whitespace() || c == '>';
                    after.split_at(after.find(is_end).unwrap_or(after.len()))
                }
            };
        }
        attributes.push((name, value.replace("&amp;", "&")));
    }
    let read = text.len() - rest.len() + usize::from(rest.starts_with('>'));
    (attributes, read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn urls(html: &str) -> Vec<String> {
        loads_in(html).into_iter().map(|load| load.url).collect()
    }

    #[test]
    fn only_other_hosts_without_a_digest_are_found() {
        let html = r#"<!doctype html><script src="/own.js"></script>
<SCRIPT async SRC='https://a.example/a.js'></SCRIPT>
<script src=//b.example/b.js defer></script>
<script src="https://c.example/c.js" integrity="sha384-x" crossorigin></script>
<script src="https://d.example/d.js" integrity=""></script>
<link rel="preconnect stylesheet" href="http://e.example/e.css?a=1&amp;b=2">
<link rel="icon" href="https://f.example/f.ico"><link rel=canonical href=https://g.example/>"#;
        assert_eq!(
            urls(html),
            [
                "https://a.example/a.js",
                "//b.example/b.js",
                "https://d.example/d.js",
                "http://e.example/e.css?a=1&b=2"
            ]
        );
    }

    #[test]
    fn comments_and_the_text_of_scripts_are_not_tags() {
        let html = r#"<!-- <script src="https://a.example/"></script> -->
<script>document.write('<script src="https://b.example/">')</script>
<p title="<script src='https://c.example/'>">"#;
        assert_eq!(urls(html), [] as [&str; 0]);
    }

    proptest! {
        /// Whatever a page holds, reading it ends, and every find is at a `<`.
        #[test]
        fn any_text_can_be_read(html in "([<>/='\" a-é-]|<script|</script|<style|<!--|-->|src=|//x|<link rel=stylesheet href=){0,40}") {
            for load in loads_in(&html) {
                prop_assert!(html[load.offset..].starts_with('<'));
                prop_assert!(is_elsewhere(&load.url));
            }
        }
    }

    #[test]
    fn broken_html_ends() {
        for html in [
            "<",
            "<script",
            "<script src",
            "<script src=",
            "<script src='",
            "<!--",
            "<a b='>",
            "<é é=é>",
            "<script/",
        ] {
            assert_eq!(urls(html), [] as [&str; 0], "{html}");
        }
    }
}
