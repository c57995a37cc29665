//! A browser testing library: it launches Chromium, drives it over the DevTools protocol, and runs
//! journeys written in plain Rust.
//!
//! ```no_run
//! fn visitor_reads_the_status(page: &e2e::Page) -> e2e::Result {
//!     page.goto("/")?;
//!     page.role("heading", "All systems operational").expect().to_be_visible()?;
//!     page.role("link", "Report a problem").click()?;
//!     page.expect().to_have_url("/report")
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     e2e::journeys(e2e::list![visitor_reads_the_status])
//! }
//! ```
//!
//! Invariants: no journey shares anything but the browser's process with another; whatever waits
//! has a deadline and says at its end what it waited for; questions are repeated, actions never; a
//! browser and its profile folder never outlive this process for longer than until the next launch.
//! The library knows nothing of the application it is pointed at.

mod base64;
mod browser;
mod error;
mod evidence;
mod harness;
mod launch;
mod page;
mod profile;
mod wire;

pub use browser::Browser;
pub use error::{Error, Result};
pub use harness::{BASE_URL_ENV, Journey, journeys};
pub use launch::find_browser;
pub use page::{
    ColorScheme, ConsoleEntry, DEFAULT_TIMEOUT, DEFAULT_VIEWPORT, Expect, ExpectPage, Locator,
    NAVIGATION_TIMEOUT, Page, Request, Throttling,
};
