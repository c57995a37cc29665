//! The digest of all that a step's result depends on, and the parts that it is made of.
//!
//! In it: the inputs (paths, kinds, contents), the command, the versions of what it runs, the
//! platform, the declared environment variables, the fingerprints of what it needs, and those
//! settings that decide what is kept of a run: `outputs`, `junit`, `sarif`.
//!
//! Not in it, because a passed result stays a passed result whatever they say: `timeout`,
//! `retries`, `exclusive`, `alone`, `when`, `allow-failure`, `pass-env`. Nor the globs of the inputs: what
//! counts is the files they find.

pub use crate::pipeline::snapshot::Snapshot;

use crate::pipeline::name;
use crate::pipeline::step::{Command, Step};
use inputs::FileList;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// Digest of all that a step's result depends on. Shown in hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(inputs::Digest);

/// The parts of a fingerprint, kept so that a difference can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ingredients {
    pub step: String,
    pub command: String,
    pub platform: String,
    /// Settings that decide what is kept of a run.
    pub settings: BTreeMap<String, Vec<String>>,
    pub versions: BTreeMap<String, String>,
    /// Name to the digest of the value, `None` for a variable that is not set. Never the value:
    /// it may be a secret.
    pub env: BTreeMap<String, Option<String>>,
    /// Name to fingerprint, `None` for a need that is not cacheable.
    pub needs: BTreeMap<String, Option<Fingerprint>>,
    #[serde(with = "file_list")]
    pub files: FileList,
}

/// Domains of the digests; a change of what goes in changes them.
const FINGERPRINT_CONTEXT: &str = "slipway 2026-11 step fingerprint 1";
const ENV_CONTEXT: &str = "slipway 2026-11 environment value 1";
/// Enough to tell values apart, too little to be more than that.
const ENV_DIGEST_BYTES: usize = 12;

impl Ingredients {
    /// All but the files and needs is taken from the step and this process's environment.
    pub fn of(
        step: &Step,
        needs: &[(&str, Option<Fingerprint>)],
        files: FileList,
        variable: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Ingredients {
        let command = match &step.command {
            Command::Shell(command) => format!("sh -c {command}"),
            Command::Builtin(arguments) => {
                let shown = arguments.iter().map(|argument| name::show(argument.as_bytes()));
                format!("xtask {}", shown.collect::<Vec<_>>().join(" "))
            }
        };
        let mut settings = BTreeMap::new();
        for (key, value) in
            [("outputs", &step.outputs), ("junit", &step.junit), ("sarif", &step.sarif)]
        {
            if !value.is_empty() {
                settings.insert(key.to_owned(), value.clone());
            }
        }
        let mut versions = BTreeMap::<String, String>::new();
        for version in &step.versions {
            let value = versions.entry(version.name.clone()).or_default();
            if !value.is_empty() {
                value.push_str(", ");
            }
            value.push_str(&version.value);
        }
        Ingredients {
            step: step.name.clone(),
            command,
            platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            settings,
            versions,
            env: (step.env.iter())
                .map(|name| (name.clone(), variable(name).map(|value| env_digest(name, &value))))
                .collect(),
            needs: needs.iter().map(|(name, need)| ((*name).to_owned(), *need)).collect(),
            files,
        }
    }

    /// `None` when something that the step needs has none: then this step has none either.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let mut hasher = blake3::Hasher::new_derive_key(FINGERPRINT_CONTEXT);
        let mut part = |bytes: &[u8]| {
            // The length before each part keeps two parts from running into one another.
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        part(self.step.as_bytes());
        part(self.command.as_bytes());
        part(self.platform.as_bytes());
        part(&self.settings.len().to_le_bytes());
        for (key, values) in &self.settings {
            part(key.as_bytes());
            part(&values.len().to_le_bytes());
            values.iter().for_each(|value| part(value.as_bytes()));
        }
        part(&self.versions.len().to_le_bytes());
        for (name, value) in &self.versions {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(&self.env.len().to_le_bytes());
        for (name, value) in &self.env {
            part(name.as_bytes());
            part(value.as_deref().unwrap_or("unset").as_bytes());
        }
        for (name, need) in &self.needs {
            part(name.as_bytes());
            part(&(*need)?.0);
        }
        part(&self.files.digest());
        Some(Fingerprint(*hasher.finalize().as_bytes()))
    }
}

fn env_digest(name: &str, value: &OsStr) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(ENV_CONTEXT);
    hasher.update(name.as_bytes()).update(b"=").update(value.as_bytes());
    hex(&hasher.finalize().as_bytes()[..ENV_DIGEST_BYTES])
}

/// Bytes in lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A digest from its hex.
pub fn digest(hex: &str) -> Option<inputs::Digest> {
    let mut digest = inputs::Digest::default();
    if hex.len() != digest.len() * 2 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(digest)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Fingerprint, &'static str> {
        digest(text).map(Fingerprint).ok_or("expected a fingerprint: 64 hexadecimal digits")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A list of files as a JSON object: name to kind and digest.
mod file_list {
    use super::{FileList, digest, hex, name};
    use inputs::Kind;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(files: &FileList, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(files.iter().map(|file| {
            let digest = hex(&file.digest);
            (name::show(&file.path), format!("{}{digest}", letter(file.kind)))
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<FileList, D::Error> {
        let shown = BTreeMap::<String, String>::deserialize(d)?;
        let mut files = BTreeMap::new();
        for (path, value) in &shown {
            let file = name::parse(path).zip(value.split_at_checked(1));
            let file = file.and_then(|(path, (kind, hex))| {
                let kind = KINDS.iter().find(|known| letter(**known) == kind)?;
                Some((path.into_boxed_slice(), (*kind, digest(hex)?)))
            });
            let (path, file) = file.ok_or_else(|| D::Error::custom("not a file and its digest"))?;
            files.insert(path, file);
        }
        Ok(FileList::of(files.into_iter().map(|(path, (kind, digest))| (path, kind, digest))))
    }

    const KINDS: [Kind; 5] =
        [Kind::File, Kind::Executable, Kind::Symlink, Kind::Special, Kind::Unreadable];

    fn letter(kind: Kind) -> &'static str {
        match kind {
            Kind::File => "f",
            Kind::Executable => "x",
            Kind::Symlink => "l",
            Kind::Special => "s",
            Kind::Unreadable => "u",
        }
    }
}

#[cfg(test)]
#[path = "fingerprint_tests.rs"]
mod tests;
