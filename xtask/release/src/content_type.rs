//! A file's `content-type`, from its extension; and whether files of that type compress.

/// Types that the table of extensions lacks, or gives in a form that the WHATWG's MIME Sniffing and
/// HTML standards replaced.
const PREFERRED: [(&str, &str); 7] = [
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("map", "application/json"),
    ("md", "text/markdown"),
    ("rss", "application/rss+xml"),
    ("webmanifest", "application/manifest+json"),
    ("ts", "text/plain"),
];

/// Types outside `text/` that are text all the same, or that are known to hold air.
const COMPRESSIBLE: [&str; 11] = [
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/svg+xml",
    "image/x-icon",
];

/// The `content-type` of a file. `is_utf8`: whether its contents are UTF-8; only then the header
/// says so, since it would overrule what an older page declares inside.
pub fn content_type(path: &str, is_utf8: bool) -> String {
    with_charset(essence(path), is_utf8)
}

/// A `content-type` without parameters, by the name alone.
pub(crate) fn essence(path: &str) -> String {
    let extension = path.rsplit(['.', '/']).next().unwrap_or_default();
    let preferred = PREFERRED.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    let known = preferred.map(|(_, essence)| *essence);
    let known = known.or_else(|| mime_guess::from_path(path).first_raw());
    known.unwrap_or("application/octet-stream").to_ascii_lowercase()
}

pub(crate) fn with_charset(essence: String, is_utf8: bool) -> String {
    if is_utf8 && essence.starts_with("text/") { essence + "; charset=utf-8" } else { essence }
}

/// Whether files of this type are worth compressing.
pub fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || COMPRESSIBLE.contains(&essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_browsers_expect() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/APP.JS", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("app.css", "text/css; charset=utf-8"),
            ("app.js.map", "application/json"),
            ("data.json", "application/json"),
            ("logo.svg", "image/svg+xml"),
            ("site.webmanifest", "application/manifest+json"),
            ("font.woff2", "font/woff2"),
            ("photo.avif", "image/avif"),
            ("code.wasm", "application/wasm"),
            ("LICENSE", "application/octet-stream"),
            ("v1.2/LICENSE", "application/octet-stream"),
            ("sheet.xlsm", "application/vnd.ms-excel.sheet.macroenabled.12"),
        ] {
            assert_eq!(content_type(path, true), expected, "{path}");
        }
    }

    #[test]
    fn an_older_page_keeps_the_charset_that_it_declares() {
        assert_eq!(content_type("index.html", false), "text/html");
    }

    #[test]
    fn only_what_compresses_is_compressed() {
        for path in ["a.html", "a.svg", "a.json", "a.wasm", "a.xml", "feed.atom", "a.ttf"] {
            assert!(is_compressible(&content_type(path, true)), "{path}");
        }
        for path in ["a.png", "a.woff2", "a.zip", "a.mp4", "LICENSE"] {
            assert!(!is_compressible(&content_type(path, true)), "{path}");
        }
    }
}
