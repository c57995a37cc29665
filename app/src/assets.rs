//! Static files: compiled into the binary, served by it, and written by `beacon export-site` byte
//! for byte for a web server in front of it. The stylesheet's name holds the digest of its text, so
//! that it may be kept for ever.

use crate::token::hex;
use crate::views;
use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLES: &str = include_str!("../assets/beacon.css");
const FAVICON: &str = include_str!("../assets/favicon.svg");
const TOUCH_ICON: &[u8] = include_bytes!("../assets/apple-touch-icon.png");
const ROBOTS: &str = "User-agent: *\nDisallow: /operator\nDisallow: /sign-in\n";

/// Path of the stylesheet.
pub static STYLES_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = hex(&Sha256::digest(STYLES.as_bytes()));
    format!("/assets/beacon.{}.css", &digest[..12])
});

/// How long a file may be kept without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The name changes with the content.
    Forever,
    Day,
}

impl Keep {
    #[must_use]
    pub fn cache_control(self) -> &'static str {
        match self {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::Day => "public, max-age=86400",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Asset {
    pub content_type: &'static str,
    pub keep: Keep,
    pub bytes: &'static [u8],
}

/// Each asset with its path.
#[must_use]
pub fn all() -> [(&'static str, Asset); 4] {
    let asset = |content_type, keep, bytes| Asset { content_type, keep, bytes };
    [
        (&STYLES_PATH, asset("text/css; charset=utf-8", Keep::Forever, STYLES.as_bytes())),
        ("/favicon.svg", asset("image/svg+xml", Keep::Day, FAVICON.as_bytes())),
        ("/apple-touch-icon.png", asset("image/png", Keep::Day, TOUCH_ICON)),
        ("/robots.txt", asset("text/plain; charset=utf-8", Keep::Day, ROBOTS.as_bytes())),
    ]
}

/// The pages that a web server shows when it cannot ask Beacon: file name and text.
#[must_use]
pub fn error_pages(site_name: &str) -> [(&'static str, String); 3] {
    let page = |status| views::error::page(site_name, status, None).into_string();
    [
        ("404.html", page(StatusCode::NOT_FOUND)),
        ("500.html", page(StatusCode::INTERNAL_SERVER_ERROR)),
        ("503.html", page(StatusCode::SERVICE_UNAVAILABLE)),
    ]
}
