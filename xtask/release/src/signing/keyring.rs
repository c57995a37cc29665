//! Where the key that signs comes from: the environment, the user's configuration, or one made on
//! first use that is good for development alone.

use crate::signing::private_file;
use crate::signing::{InvalidKey, KeyName, SigningKey};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Environment variable that names the file of the secret key.
pub const KEY_FILE_ENV: &str = "XTASK_SIGNING_KEY";

/// Environment variable that holds the secret key itself, for a build server's secrets.
pub const KEY_DATA_ENV: &str = "XTASK_SIGNING_KEY_DATA";

/// Relative to the user's configuration folder.
const USER_FILE: &str = "slipway/signing.key";

/// Relative to the project's root.
const DEVELOPMENT_FILE: &str = "target/xtask/keys/development.key";

/// Where this process may look for its key.
#[derive(Clone, Default)]
pub struct Keyring {
    /// [`KEY_DATA_ENV`]: the text of a secret key file.
    data: Option<String>,
    /// [`KEY_FILE_ENV`].
    file: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    config: Option<PathBuf>,
}

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In [`KEY_DATA_ENV`].
    Data,
    /// In the file that [`KEY_FILE_ENV`] names.
    File(PathBuf),
    /// In the user's configuration folder.
    User(PathBuf),
    /// Made by itself in this project.
    Development(PathBuf),
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "others can read the secret key {}: expected mode 0600, found {mode:04o}; \
         run `chmod 600 {}`, and make a new key if others did", path.display(), path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{} is not there; {KEY_FILE_ENV} names it", path.display())]
    Missing { path: PathBuf },
    #[error("{}: {invalid}", path.display())]
    NotAKey { path: PathBuf, invalid: InvalidKey },
    #[error("{KEY_DATA_ENV}: {0}")]
    Data(InvalidKey),
    #[error("there is a key at {} already; a lost key cannot be made again, so move it yourself", path.display())]
    Exists { path: PathBuf },
    #[error("there is no folder for the key: neither XDG_CONFIG_HOME nor HOME is set; name a file")]
    NoHome,
    #[error(transparent)]
    Invalid(#[from] InvalidKey),
    #[error("failed to {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl KeyError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
        let path = path.to_path_buf();
        move |source| KeyError::Io { action, path, source }
    }

    /// Whether signing was refused so that a secret is not misused.
    pub fn is_refusal(&self) -> bool {
        matches!(self, KeyError::Exposed { .. } | KeyError::Exists { .. })
    }
}

impl Keyring {
    /// Of this process's environment. A variable that is empty counts as not set: a build server
    /// sets a secret that it lacks to nothing.
    pub fn from_env() -> Keyring {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = |value: OsString| PathBuf::from(value);
        let home = || set("HOME").map(|home| path(home).join(".config"));
        Keyring {
            data: set(KEY_DATA_ENV).map(|data| data.to_string_lossy().into_owned()),
            file: set(KEY_FILE_ENV).map(path),
            // A relative path is to be ignored, says the XDG Base Directory Specification.
            config: set("XDG_CONFIG_HOME").map(path).filter(|it| it.is_absolute()).or_else(home),
        }
    }

    /// The key that signs for the project at `root`. The first of: [`KEY_DATA_ENV`],
    /// [`KEY_FILE_ENV`], the user's, the project's development key, made now if there is none.
    ///
    /// # Errors
    /// When the first that is there cannot be used; a later one is not tried in its place.
    pub fn signing_key(&self, root: &Path) -> Result<(SigningKey, KeySource), KeyError> {
        if let Some(configured) = self.configured()? {
            return Ok(configured);
        }
        let path = root.join(DEVELOPMENT_FILE);
        if let Some(key) = read(&path)? {
            return Ok((key, KeySource::Development(path)));
        }
        let key = SigningKey::generate(KeyName::development())?;
        if private_file::create(&path, &key.to_secret_text()?)? {
            return Ok((key, KeySource::Development(path)));
        }
        // Another process was faster; its key is the project's.
        let key = read(&path)?.ok_or_else(|| KeyError::Missing { path: path.clone() })?;
        Ok((key, KeySource::Development(path)))
    }

    /// The key that was given; `None` where only a development key can sign.
    ///
    /// # Errors
    /// When it is given but cannot be used.
    pub fn configured(&self) -> Result<Option<(SigningKey, KeySource)>, KeyError> {
        if let Some(data) = &self.data {
            let key = SigningKey::parse(data).map_err(KeyError::Data)?;
            return Ok(Some((key, KeySource::Data)));
        }
        if let Some(path) = &self.file {
            let key = read(path)?.ok_or_else(|| KeyError::Missing { path: path.clone() })?;
            return Ok(Some((key, KeySource::File(path.clone()))));
        }
        let Some(path) = self.user_file() else { return Ok(None) };
        Ok(read(&path)?.map(|key| (key, KeySource::User(path))))
    }

    /// The development key of the project at `root`; `None` when none was made yet.
    ///
    /// # Errors
    /// When it is there but cannot be used.
    pub fn development_key(root: &Path) -> Result<Option<SigningKey>, KeyError> {
        read(&root.join(DEVELOPMENT_FILE))
    }

    /// The file in the user's configuration folder; `None` for a user without a home.
    pub fn user_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join(USER_FILE))
    }

    /// Makes a key in a file that is not there yet, by default the user's. Gives where it is.
    ///
    /// # Errors
    /// When a file of that name is there, or it cannot be written.
    pub fn create(
        &self,
        name: KeyName,
        file: Option<PathBuf>,
    ) -> Result<(SigningKey, PathBuf), KeyError> {
        if name.is_development() {
            return Err(InvalidKey::Reserved.into());
        }
        let path = file.or_else(|| self.user_file()).ok_or(KeyError::NoHome)?;
        let key = SigningKey::generate(name)?;
        if !private_file::create(&path, &key.to_secret_text()?)? {
            return Err(KeyError::Exists { path });
        }
        Ok((key, path))
    }
}

fn read(path: &Path) -> Result<Option<SigningKey>, KeyError> {
    let Some(text) = private_file::read(path)? else { return Ok(None) };
    let key = SigningKey::parse(&text)
        .map_err(|invalid| KeyError::NotAKey { path: path.into(), invalid })?;
    Ok(Some(key))
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeySource::Data => write!(f, "the variable {KEY_DATA_ENV}"),
            KeySource::File(path) => write!(f, "{}, which {KEY_FILE_ENV} names", path.display()),
            KeySource::User(path) => write!(f, "{}", path.display()),
            KeySource::Development(path) => write!(f, "{}, made by itself", path.display()),
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let has_data = self.data.is_some();
        write!(
            f,
            "Keyring {{ has_data: {has_data}, file: {:?}, config: {:?} }}",
            self.file, self.config
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn without_a_key_a_development_key_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let keyring = Keyring::default();
        assert!(Keyring::development_key(root.path()).unwrap().is_none());
        let (key, source) = keyring.signing_key(root.path()).unwrap();
        let path = root.path().join(DEVELOPMENT_FILE);
        assert_eq!(source, KeySource::Development(path.clone()));
        assert!(key.name().is_development());
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let (again, _) = keyring.signing_key(root.path()).unwrap();
        assert_eq!(again.public(), key.public());
    }

    #[test]
    fn keys_made_at_the_same_time_are_one() {
        let root = tempfile::tempdir().unwrap();
        let make = || Keyring::default().signing_key(root.path()).unwrap().0.public().to_string();
        let keys: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }

    #[test]
    fn the_nearest_key_signs() {
        let root = tempfile::tempdir().unwrap();
        let config = root.path().join("config");
        let mut keyring = Keyring { config: Some(config), ..Keyring::default() };
        let (user, path) = keyring.create("mine".parse().unwrap(), None).unwrap();
        assert_eq!(path, keyring.user_file().unwrap());
        let signs = |keyring: &Keyring| keyring.signing_key(root.path()).unwrap();
        assert_eq!(signs(&keyring).0.public(), user.public());

        let named = root.path().join("deploy.key");
        let (file, _) = keyring.create("deploy".parse().unwrap(), Some(named.clone())).unwrap();
        keyring.file = Some(named.clone());
        let (key, source) = signs(&keyring);
        assert_eq!((key.public(), source), (file.public(), KeySource::File(named)));

        let data = SigningKey::generate("ci".parse().unwrap()).unwrap();
        keyring.data = Some(data.to_secret_text().unwrap());
        assert_eq!(signs(&keyring).0.public(), data.public());
        assert!(Keyring::development_key(root.path()).unwrap().is_none());
        let secret = data.to_secret_text().unwrap();
        let secret = secret.lines().nth(1).unwrap();
        assert!(!format!("{keyring:?}").contains(secret));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deploy.key");
        let mut keyring = Keyring::default();
        keyring.create("deploy".parse().unwrap(), Some(path.clone())).unwrap();
        keyring.file = Some(path.clone());
        for mode in [0o640, 0o604, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = keyring.signing_key(root.path()).unwrap_err();
            let said = error.to_string();
            assert!(error.is_refusal() && said.contains("chmod 600"), "{said}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(keyring.signing_key(root.path()).is_ok());
    }

    #[test]
    fn a_key_that_was_given_and_is_wrong_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let missing = Keyring { file: Some(root.path().join("no")), ..Keyring::default() };
        assert!(matches!(missing.signing_key(root.path()), Err(KeyError::Missing { .. })));
        let wrong = Keyring { data: Some("hunter2".to_owned()), ..Keyring::default() };
        let said = wrong.signing_key(root.path()).unwrap_err().to_string();
        assert!(said.starts_with(KEY_DATA_ENV) && !said.contains("hunter2"), "{said}");
        assert!(Keyring::development_key(root.path()).unwrap().is_none(), "nothing stands in");
    }

    #[test]
    fn a_key_is_never_written_over() {
        let root = tempfile::tempdir().unwrap();
        let path = Some(root.path().join("a.key"));
        let keyring = Keyring::default();
        keyring.create("a".parse().unwrap(), path.clone()).unwrap();
        let error = keyring.create("b".parse().unwrap(), path).unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }) && error.is_refusal());
        let reserved = keyring.create(KeyName::development(), None).unwrap_err();
        assert!(matches!(reserved, KeyError::Invalid(InvalidKey::Reserved)));
    }
}
