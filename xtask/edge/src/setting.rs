//! Where a release's server runs, and what it is told.

use crate::client_id::refuse_if_open_to_others;
use crate::server_record::ServerRecord;
use anyhow::Context;
use release::{Release, ServerEntry};
use report::Fault;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

/// Tells a server its folder for what must outlive it.
pub const DATA_ENV: &str = "XTASK_DATA";
/// Tells a server which release it belongs to.
const RELEASE_ENV: &str = "XTASK_RELEASE";

/// What a server of an environment inherits from the edge: what programs need to run at all.
const INHERITED: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Largest file of secrets that is read.
const MAX_SECRETS_BYTES: u64 = 1024 * 1024;

/// Where a release's server runs, and what it is told.
#[derive(Debug, Clone)]
pub enum Setting {
    /// A release that is checked: a folder that goes with the server, and the edge's environment, so
    /// that whoever starts the edge can add what is no part of the release.
    Check,
    Environment(Environment),
}

/// An environment's setting for its servers.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The working folder of all its servers, one after the other and side by side: what they keep
    /// there outlives a promotion.
    pub data: PathBuf,
    /// What `xtask.toml` says for this environment.
    pub env: BTreeMap<String, String>,
    /// `NAME=value` lines, see [`read_secrets`].
    pub secrets: Option<PathBuf>,
    /// Where running servers are remembered.
    pub records: PathBuf,
}

impl Setting {
    /// Tells a command all that it is to know; gives the folder that goes with it.
    ///
    /// # Errors
    /// When the folder cannot be made, or the secrets not be read or not be trusted.
    pub fn apply(
        &self,
        command: &mut Command,
        release: &Release,
        server: &ServerEntry,
    ) -> anyhow::Result<Option<TempDir>> {
        match self {
            Setting::Check => {
                let folder = tempfile::Builder::new()
                    .prefix("xtask-server-")
                    .tempdir()
                    .context("failed to make the server's working folder")?;
                command
                    .env_remove(report::OUTCOME_ENV)
                    .envs(&server.env)
                    .current_dir(folder.path());
                Ok(Some(folder))
            }
            Setting::Environment(environment) => {
                let data = std::path::absolute(&environment.data)?;
                fs::create_dir_all(&data)
                    .with_context(|| format!("failed to create {}", data.display()))?;
                let inherited = INHERITED
                    .into_iter()
                    .filter_map(|name| std::env::var_os(name).map(|value| (name, value)));
                command.env_clear().envs(inherited).envs(&server.env).envs(&environment.env);
                if let Some(secrets) = &environment.secrets {
                    command.envs(read_secrets(secrets)?);
                }
                command
                    .env(DATA_ENV, &data)
                    .env(RELEASE_ENV, release.manifest().id.as_str())
                    .current_dir(&data)
                    .process_group(0);
                Ok(None)
            }
        }
    }

    /// Remembers a server that was started.
    pub fn record(&self, pid: Option<u32>) -> Option<ServerRecord> {
        match self {
            Setting::Check => None,
            Setting::Environment(environment) => ServerRecord::write(&environment.records, pid?),
        }
    }
}

/// Reads `NAME=value` lines. Empty lines and lines that start with `#` say nothing; a value in single
/// or double quotes stands without them. No value is ever part of an error.
///
/// # Errors
/// When others may read the file, or a line is not of that form.
pub fn read_secrets(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    refuse_if_open_to_others(path)?;
    let shown = path.display();
    let size = fs::metadata(path).with_context(|| format!("failed to read {shown}"))?.len();
    if size > MAX_SECRETS_BYTES {
        let message = format!("{shown}: expected at most {MAX_SECRETS_BYTES} bytes, found {size}");
        return Err(Fault::usage(message).into());
    }
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {shown}"))?;
    let mut secrets = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = parse(line).ok_or_else(|| {
            Fault::usage(format!("{shown}:{number}: expected NAME=value, found something else"))
        })?;
        secrets.push((name.to_owned(), value.to_owned()));
    }
    Ok(secrets)
}

fn parse(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|first: char| !first.is_ascii_digit());
    let unquoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value);
    (is_name && !value.contains('\0')).then_some((name, unquoted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_lines_and_errors_never_tell_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.env");
        let write = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read_secrets(&path).map_err(|error| format!("{error:#}"))
        };
        let secrets = write("# a\n\nA=1=2\nB_2=\"x y\"\nC=\n", 0o600).unwrap();
        let pairs: Vec<_> = secrets.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(pairs, [("A", "1=2"), ("B_2", "x y"), ("C", "")]);
        assert!(write("A=1", 0o400).is_ok());
        let error = write("A=1", 0o644).unwrap_err();
        assert!(error.contains("expected mode 0600, found 0644; run `chmod 600 "), "{error}");
        for text in ["hunter2", "2A=hunter2", "A B=hunter2", "export A=hunter2"] {
            let error = write(&format!("A=1\n{text}"), 0o600).unwrap_err();
            assert!(error.contains(":2: expected NAME=value"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
