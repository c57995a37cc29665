//! Which key signs releases, as a part of the fingerprint of `build`: a release that another key
//! signed is not put back. See `xtask key` for where a key is looked for.

use crate::pipeline::exec::environment::SIGNING_KEY_ENV;
use crate::pipeline::step::Version;
use std::ffi::OsString;
use std::path::PathBuf;

/// The digest of the secret key, which tells nothing of it; `None` where a development key signs.
pub(super) fn version() -> Option<Version> {
    of(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn of(set: impl Fn(&str) -> Option<OsString>) -> Option<Version> {
    let value = if let Some(data) = set(SIGNING_KEY_ENV) {
        digest(data.as_encoded_bytes())
    } else if let Some(path) = set("XTASK_SIGNING_KEY") {
        // The tool says what is wrong with it.
        std::fs::read(path).map_or_else(|error| error.to_string(), |key| digest(&key))
    } else {
        let config = set("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let config = config.or_else(|| Some(PathBuf::from(set("HOME")?).join(".config")))?;
        digest(&std::fs::read(config.join("slipway/signing.key")).ok()?)
    };
    Some(Version { name: "signing key".to_owned(), value })
}

fn digest(key: &[u8]) -> String {
    blake3::hash(key).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_key_is_another_version() {
        let home = tempfile::tempdir().unwrap();
        let version = |variables: &[(&str, &str)]| {
            of(|name| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| OsString::from(value))
            })
            .map(|version| version.value)
        };
        let home_only = ("HOME", home.path().to_str().unwrap());
        assert_eq!(version(&[]), None);
        assert_eq!(version(&[home_only]), None, "a development key signs");
        let folder = home.path().join(".config/slipway");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("signing.key"), "mine").unwrap();
        let mine = version(&[home_only]);
        assert_eq!(mine, Some(digest(b"mine")));
        let data = (SIGNING_KEY_ENV, "the server's");
        assert_eq!(version(&[home_only, data]), Some(digest(b"the server's")));
        let file = folder.join("signing.key");
        let file = ("XTASK_SIGNING_KEY", file.to_str().unwrap());
        assert_eq!(version(&[file]), mine);
        assert_ne!(version(&[("XTASK_SIGNING_KEY", "/no/such/file")]), None);
    }
}
