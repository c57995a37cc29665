//! A release and its signature, `manifest.sig`: minisign's format, over the bytes of
//! `manifest.json`, which lists the digest of everything else.

use crate::open::{MANIFEST, SIGNATURE};
use crate::signing::{
    MAX_SIGNATURE_BYTES, SignatureError, Signer, SigningKey, Statement, Subject, Trust,
};
use crate::{Release, ReleaseError, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

impl Release {
    /// Where the release's signature is, if it has one.
    pub fn signature_path(&self) -> PathBuf {
        self.dir().join(SIGNATURE)
    }

    /// What a signature of this release's manifest states.
    pub fn statement(&self) -> Statement<'_> {
        Statement {
            subject: Subject::Manifest,
            release: &self.manifest().id,
            manifest_sha256: self.manifest_sha256(),
        }
    }

    /// Who signed the release, proved. The files are another question: see [`Release::verify`].
    ///
    /// # Errors
    /// Why its signature is not believed, or that it has none.
    pub fn signer(&self, trust: &Trust) -> Result<Signer, SignatureError> {
        let signature = read_signature(&self.signature_path())?;
        let path = self.dir().join(MANIFEST);
        let manifest = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        // Changed since it was opened: what is vouched for must be what was read.
        if Sha256::of(&manifest) != self.manifest_sha256() {
            let reason = "it changed while it was being verified".to_owned();
            return Err(SignatureError::Unreadable { path, reason });
        }
        trust.verify(&signature, &manifest, &self.statement())
    }

    /// Signs the release, unless this key did already (`false`). The signature is replaced by a
    /// rename.
    ///
    /// # Errors
    /// When the manifest cannot be read, or the signature not be written.
    pub fn sign(&self, key: &SigningKey) -> Result<bool, ReleaseError> {
        let own = Trust::default().with_development(key.public().clone());
        if self.signer(&own).is_ok_and(|signer| signer.name == *key.name()) {
            return Ok(false);
        }
        let path = self.dir().join(MANIFEST);
        let manifest = fs::read(&path).map_err(ReleaseError::io("read", &path))?;
        let expected = self.manifest_sha256();
        let found = Sha256::of(&manifest);
        if found != expected {
            return Err(ReleaseError::Digest { path, expected, found });
        }
        let signature = key
            .sign(&manifest, &self.statement())
            .map_err(|source| ReleaseError::Sign { dir: self.dir().into(), source })?;
        let path = self.signature_path();
        let write = || -> std::io::Result<()> {
            let mut partial =
                tempfile::Builder::new().prefix(".signature-").tempfile_in(self.dir())?;
            partial.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            partial.write_all(signature.as_bytes())?;
            partial.as_file().sync_all()?;
            partial.persist(&path)?;
            Ok(())
        };
        write().map_err(ReleaseError::io("write", &path))?;
        Ok(true)
    }
}

fn read_signature(path: &Path) -> Result<String, SignatureError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(SignatureError::Missing { path: path.into() });
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    let mut text = String::new();
    // One byte more than the bound: a longer file is then no signature.
    file.take(MAX_SIGNATURE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(path, &error))?;
    Ok(text)
}

fn unreadable(path: &Path, error: &std::io::Error) -> SignatureError {
    SignatureError::Unreadable { path: path.into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MANIFEST_VERSION, Manifest, ReleaseId};
    use proptest::prelude::*;

    fn release() -> (tempfile::TempDir, Release) {
        let dir = tempfile::tempdir().unwrap();
        let mut manifest = Manifest {
            version: MANIFEST_VERSION,
            id: ReleaseId::new(None, &Sha256::of(b"")),
            project: "beacon".into(),
            commit: None,
            created: None,
            has_uncommitted_changes: false,
            toolchain: [("rustc".to_owned(), "rustc 1.95.0".to_owned())].into(),
            lockfiles: [("Cargo.lock".to_owned(), Sha256::of(b"lock"))].into(),
            compression: "none".into(),
            headers: [("x-frame-options".to_owned(), "DENY".to_owned())].into(),
            server: None,
            files: Vec::new(),
        };
        manifest.id = manifest.contents_id().unwrap();
        fs::write(dir.path().join(MANIFEST), manifest.to_json().unwrap()).unwrap();
        let release = Release::open(dir.path()).unwrap();
        (dir, release)
    }

    fn key(name: &str) -> SigningKey {
        SigningKey::generate(name.parse().unwrap()).unwrap()
    }

    fn trusting(keys: &[&SigningKey]) -> Trust {
        let keys: Vec<String> = keys.iter().map(|key| key.public().to_string()).collect();
        Trust::new(&keys).unwrap()
    }

    #[test]
    fn a_signature_is_kept_unless_the_key_changed() {
        let (_dir, release) = release();
        let (first, second) = (key("first"), key("second"));
        let trust = trusting(&[&first, &second]);
        assert!(matches!(release.signer(&trust), Err(SignatureError::Missing { .. })));
        assert!(release.sign(&first).unwrap());
        let signature = fs::read(release.signature_path()).unwrap();
        assert!(!release.sign(&first).unwrap());
        assert_eq!(fs::read(release.signature_path()).unwrap(), signature);
        assert_eq!(release.signer(&trust).unwrap().name, *first.name());
        assert!(release.sign(&second).unwrap());
        assert_eq!(release.signer(&trust).unwrap().name, *second.name());
        let mode = fs::metadata(release.signature_path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "whoever may read the release may read who signed it");
    }

    #[test]
    fn a_damaged_signature_is_made_again() {
        let (_dir, release) = release();
        let key = key("a");
        release.sign(&key).unwrap();
        fs::write(release.signature_path(), "x".repeat(100_000)).unwrap();
        let error = release.signer(&trusting(&[&key])).unwrap_err();
        assert!(matches!(error, SignatureError::Malformed { .. }), "{error}");
        assert!(release.sign(&key).unwrap());
        assert!(release.signer(&trusting(&[&key])).is_ok());
    }

    proptest! {
        #[test]
        fn no_byte_of_a_manifest_can_be_changed(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let (_dir, release) = release();
            let key = key("a");
            release.sign(&key).unwrap();
            let path = release.dir().join(MANIFEST);
            let mut manifest = fs::read(&path).unwrap();
            let at = at.index(manifest.len());
            prop_assume!(manifest[at] != to);
            manifest[at] = to;
            fs::write(&path, manifest).unwrap();
            prop_assert!(release.signer(&trusting(&[&key])).is_err());
            // Whitespace, say, that leaves the manifest's contents as they are.
            if let Ok(changed) = Release::open(release.dir()) {
                prop_assert!(changed.signer(&trusting(&[&key])).is_err());
            }
        }
    }
}
