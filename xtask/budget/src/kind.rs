//! Kinds of files, as budgets tell them apart.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a file is, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Html,
    Css,
    Js,
    Image,
    Font,
    Other,
    /// All of them together.
    Total,
}

impl Kind {
    /// The kind that a content type belongs to; never [`Kind::Total`].
    pub fn of(content_type: &str) -> Kind {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match essence {
            "text/html" | "application/xhtml+xml" => Kind::Html,
            "text/css" => Kind::Css,
            "text/javascript" | "application/javascript" | "application/x-javascript" => Kind::Js,
            _ if essence.starts_with("image/") => Kind::Image,
            _ if essence.starts_with("font/") || essence.contains("font-") => Kind::Font,
            _ => Kind::Other,
        }
    }

    /// Whether a file of another kind counts towards this one.
    pub fn counts(self, file: Kind) -> bool {
        self == Kind::Total || self == file
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Html => "html",
            Kind::Css => "css",
            Kind::Js => "js",
            Kind::Image => "image",
            Kind::Font => "font",
            Kind::Other => "other",
            Kind::Total => "total",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_has_a_kind() {
        assert_eq!(Kind::of("text/html; charset=utf-8"), Kind::Html);
        assert_eq!(Kind::of("image/svg+xml"), Kind::Image);
        assert_eq!(Kind::of("application/font-woff2"), Kind::Font);
        assert_eq!(Kind::of("application/json"), Kind::Other);
        assert!(Kind::Total.counts(Kind::Css) && !Kind::Js.counts(Kind::Css));
    }
}
