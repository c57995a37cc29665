//! Fetching the database: one archive over HTTPS, unpacked within bounds.
//!
//! Only files at `<top>/crates/<name>/<id>.md`, all three of plain characters, are ever written,
//! so that no entry of an archive can name a place outside.

use flate2::read::GzDecoder;
use jiff::civil::Date;
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url, header};
use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;
use tar::{Archive, EntryType};
use tempfile::TempDir;

/// Where the database comes from, unless [`VARIABLE`] names a mirror.
const ADDRESS: &str = "https://github.com/RustSec/advisory-db/archive/refs/heads/main.tar.gz";

/// Environment variable with the address of a mirror of that archive.
pub(super) const VARIABLE: &str = "XTASK_DB_URL";

/// Longest wait for a connection: an audit without a network should soon say so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the whole archive, which is below 2 MB.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Largest archive, as it comes: twenty times that of 2026.
const MAX_ARCHIVE_BYTES: u64 = 32 * 1024 * 1024;

/// Largest archive, unpacked: what a gzip bomb may cost.
const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

/// Most advisories: forty times those of 2026.
const MAX_ADVISORIES: usize = 50_000;

/// Redirects that are followed: GitHub uses one.
const MAX_REDIRECTS: usize = 5;

/// What came of asking for the archive.
#[derive(Debug)]
pub(super) enum Fetched {
    /// The server says that the copy with this ETag is current.
    Unchanged,
    New(New),
}

/// A new copy, not yet in its place.
#[derive(Debug)]
pub(super) struct New {
    pub(super) dir: TempDir,
    /// What to call its folder: its commit where that is known.
    pub(super) name: String,
    pub(super) etag: Option<String>,
    /// Of its commit.
    pub(super) date: Option<Date>,
    pub(super) advisories: usize,
}

/// Fetches the archive and unpacks it into a new folder below `dir`.
pub(super) fn fetch(dir: &Path, etag: Option<&str>) -> Result<Fetched, String> {
    let address = std::env::var(VARIABLE).ok().filter(|address| !address.is_empty());
    let address = address.as_deref().unwrap_or(ADDRESS);
    let failed =
        |reason: String| format!("failed to fetch the advisory database from {address}: {reason}");
    let response = request(address, etag).map_err(failed)?;
    match response.status() {
        StatusCode::NOT_MODIFIED => Ok(Fetched::Unchanged),
        StatusCode::OK => unpack(response, dir).map(Fetched::New).map_err(failed),
        status => Err(failed(format!("the server answered {status}"))),
    }
}

fn request(address: &str, etag: Option<&str>) -> Result<Response, String> {
    let url = Url::parse(address).map_err(|error| format!("it is not a URL: {error}"))?;
    // Plain HTTP is for a mirror on this machine alone: advisories decide what is let through.
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !is_local {
        return Err("expected an https:// address".to_owned());
    }
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("slipway-audit/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(Policy::limited(MAX_REDIRECTS))
        .https_only(!is_local);
    if is_local {
        builder = builder.no_proxy();
    }
    let mut request = builder.build().map_err(reason)?.get(url);
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    request.send().map_err(reason)
}

fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn unpack(response: Response, dir: &Path) -> Result<New, String> {
    let etag = response.headers().get(header::ETAG);
    let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
    let target = tempfile::Builder::new()
        .prefix("unpacking-")
        .tempdir_in(dir)
        .map_err(|error| format!("failed to make a folder in {}: {error}", dir.display()))?;
    let archive = Bounded { inner: response, left: MAX_ARCHIVE_BYTES };
    let content = Bounded { inner: GzDecoder::new(archive), left: MAX_UNPACKED_BYTES };
    let unpacked = unpack_into(Archive::new(content), target.path())
        .map_err(|error| format!("the archive cannot be unpacked: {error}"))?;
    if unpacked.advisories == 0 {
        return Err("the archive holds no crates/<name>/RUSTSEC-*.md".to_owned());
    }
    let name = match (&unpacked.commit, unpacked.newest_s) {
        (Some(commit), _) => commit.clone(),
        (None, newest_s) => format!("state-{newest_s}-{}", unpacked.advisories),
    };
    let date =
        i64::try_from(unpacked.newest_s).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let date = date.map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date());
    Ok(New { dir: target, name, etag, date, advisories: unpacked.advisories })
}

#[derive(Debug, Default)]
struct Unpacked {
    advisories: usize,
    /// `git archive` writes the commit into a comment, and its time on every file.
    commit: Option<String>,
    newest_s: u64,
}

fn unpack_into(mut archive: Archive<impl Read>, target: &Path) -> io::Result<Unpacked> {
    let mut unpacked = Unpacked::default();
    for entry in archive.entries()? {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => {
                let mut text = String::new();
                (&mut entry).take(1_024).read_to_string(&mut text)?;
                unpacked.commit = commit_in(&text);
            }
            EntryType::Regular => {
                let path = entry.path()?.into_owned();
                let Some((name, file)) = advisory_at(&path) else { continue };
                let folder = target.join("crates").join(name);
                std::fs::create_dir_all(&folder)?;
                io::copy(&mut entry, &mut std::fs::File::create(folder.join(file))?)?;
                unpacked.newest_s = unpacked.newest_s.max(entry.header().mtime()?);
                unpacked.advisories += usize::from(!file.starts_with("RUSTSEC-0000-"));
                if unpacked.advisories > MAX_ADVISORIES {
                    return Err(io::Error::other(format!(
                        "it holds more than {MAX_ADVISORIES} advisories"
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(unpacked)
}

/// `52 comment=<commit>` of a pax global header.
fn commit_in(header: &str) -> Option<String> {
    let commit = header.trim_end().split_once(" comment=")?.1;
    let is_digest = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| commit.to_owned())
}

/// The crate and file of `<top>/crates/<crate>/RUSTSEC-….md`; `None` for any other path.
fn advisory_at(path: &Path) -> Option<(&str, &str)> {
    let parts: Vec<&str> = path.to_str()?.split('/').collect();
    let [_, "crates", name, file] = parts[..] else { return None };
    let is_plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let stem = file.strip_suffix(".md")?;
    (!name.is_empty() && is_plain(name) && is_plain(stem) && stem.starts_with("RUSTSEC-"))
        .then_some((name, file))
}

/// A reader that fails, rather than ends, past its bound.
#[derive(Debug)]
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("it is larger than any advisory database"))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_advisories_are_unpacked() {
        let at = |path: &str| advisory_at(Path::new(path)).is_some();
        assert!(at("advisory-db-main/crates/time/RUSTSEC-2020-0071.md"));
        for path in [
            "crates/time/RUSTSEC-2020-0071.md",
            "top/rust/std/RUSTSEC-2020-0071.md",
            "top/crates/../RUSTSEC-2020-0071.md",
            "top/crates/time/../../RUSTSEC-2020-0071.md",
            "top/crates//RUSTSEC-2020-0071.md",
            "/etc/crates/x/passwd",
            "top/crates/time/RUSTSEC-2020-0071.md.exe",
            "top/crates/time/README.md",
        ] {
            assert!(!at(path), "{path}");
        }
    }

    #[test]
    fn a_commit_is_read_from_the_archive() {
        let commit = "0123456789012345678901234567890123456789";
        assert_eq!(commit_in(&format!("52 comment={commit}\n")).as_deref(), Some(commit));
        assert_eq!(commit_in("52 comment=../../x\n"), None);
    }

    #[test]
    fn a_bound_is_an_error_not_an_end() {
        let mut reader = Bounded { inner: io::repeat(0), left: 10 };
        assert!(io::copy(&mut reader, &mut io::sink()).is_err());
    }
}
