//! Finding Chromium and starting it, through `headless_chrome`.
//!
//! The crate starts the process and reads the address of its DevTools socket. Its own connection
//! takes 107 ms for each call, so the library drives the browser over [`crate::wire`].

use crate::profile::{self, Profile};
use crate::wire::Wire;
use crate::{Error, Result};
use headless_chrome::LaunchOptions;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// The environment variable that names the browser to use.
const CHROME: &str = "CHROME";

/// What is looked for on PATH, the first found first.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "microsoft-edge-stable",
];

/// Flags beside the crate's own. No name but loopback's resolves, which is the only thing that
/// silences all of Chromium's calls home; no window before the first page; no GPU process; a page
/// looks the same on every machine.
const FLAGS: [&str; 11] = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--no-startup-window",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-field-trial-config",
    "--disable-search-engine-choice-screen",
    "--no-default-browser-check",
    "--no-pings",
    "--hide-scrollbars",
    "--mute-audio",
    "--font-render-hinting=none",
];

/// How long the crate keeps its side connection when nothing happens on it.
const SIDE_CONNECTION_IDLE: Duration = Duration::from_secs(30);

/// A running Chromium and its profile folder. Dropping it ends the one and removes the other.
pub(crate) struct Chromium {
    // In this order: the process ends before its folder goes.
    process: headless_chrome::Browser,
    _profile: Profile,
}

/// The browser that would be launched on this machine.
///
/// # Errors
/// [`Error::NoBrowser`], which says what was looked for.
pub fn find_browser() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(CHROME).map(PathBuf::from).filter(|path| path.exists()) {
        return Ok(path);
    }
    let folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
        // Also knows where browsers are on systems that do not put them on PATH.
        .or_else(|| headless_chrome::browser::default_executable().ok())
        .ok_or_else(|| Error::NoBrowser {
            looked_for: NAMES.iter().map(ToString::to_string).collect(),
        })
}

impl Chromium {
    /// Starts the browser, after sweeping what killed runners left.
    pub(crate) fn launch() -> Result<Chromium> {
        profile::sweep();
        let path = find_browser()?;
        let profile = Profile::create()?;
        let options = LaunchOptions {
            path: Some(path.clone()),
            // The sandbox needs a user that is not root; anyone else keeps it.
            sandbox: !is_root(),
            port: Some(0),
            user_data_dir: Some(profile.path().to_owned()),
            idle_browser_timeout: SIDE_CONNECTION_IDLE,
            ignore_certificate_errors: false,
            args: FLAGS.iter().map(OsStr::new).collect(),
            // Chromium leaves sockets and the like there when it is killed; they go with the profile.
            process_envs: profile
                .path()
                .to_str()
                .map(|path| HashMap::from([("TMPDIR".to_owned(), path.to_owned())])),
            ..LaunchOptions::default()
        };
        let process = headless_chrome::Browser::new(options)
            .map_err(|error| Error::Launch { path, reason: format!("{error:#}") })?;
        if let Some(pid) = process.get_process_id() {
            profile.note_browser(pid)?;
        }
        Ok(Chromium { process, _profile: profile })
    }

    /// Connects to it.
    pub(crate) fn connect(&self) -> Result<Wire> {
        Wire::connect(&self.process.get_ws_url())
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_browser_says_what_was_looked_for_and_what_to_do() {
        let error = Error::NoBrowser { looked_for: vec!["chromium".to_owned()] };
        assert!(error.is_unreachable());
        let message = error.to_string();
        assert!(message.contains("$CHROME"), "{message}");
        assert!(message.contains("chromium"), "{message}");
        assert!(message.contains("cargo xtask setup"), "{message}");
    }
}
