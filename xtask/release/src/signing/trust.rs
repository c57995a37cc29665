//! The keys that a project trusts, and what it means to be signed by one of them.

use crate::signing::signature::parse;
use crate::signing::{
    InvalidKey, KeyError, KeyId, KeyName, Keyring, PublicKey, SignatureError, Statement, UNSIGNED,
};
use std::fmt;
use std::path::Path;

/// The keys whose signatures are believed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    trusted: Vec<PublicKey>,
    development: Option<PublicKey>,
}

/// Whose signature it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub key: KeyId,
    pub name: KeyName,
    /// Whether `xtask.toml` trusts the key, and it is not a development key.
    pub is_for_production: bool,
}

impl Trust {
    /// Trusts the public keys that `[signing] trusted` of `xtask.toml` lists, and no other.
    ///
    /// # Errors
    /// When one of them is no public key.
    pub fn new(trusted: &[String]) -> Result<Trust, InvalidKey> {
        let trusted = trusted.iter().map(|key| key.parse()).collect::<Result<_, _>>()?;
        Ok(Trust { trusted, development: None })
    }

    /// Trusts those, and for use on this machine the development key of the project at `root`, if
    /// one was made.
    ///
    /// # Errors
    /// When one of the listed keys is no public key, or the development key cannot be read.
    pub fn of_project(root: &Path, trusted: &[String]) -> Result<Trust, KeyError> {
        let development = Keyring::development_key(root)?.map(|key| key.public().clone());
        Ok(Trust { development, ..Trust::new(trusted)? })
    }

    /// Trusts a development key too; what it signed is never for production.
    #[must_use]
    pub fn with_development(self, key: PublicKey) -> Trust {
        Trust { development: Some(key), ..self }
    }

    /// The trusted keys that `xtask.toml` lists.
    pub fn trusted(&self) -> &[PublicKey] {
        &self.trusted
    }

    /// Proves a signature file: made by a key of these, of these bytes, as this statement.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(
        &self,
        signature: &str,
        bytes: &[u8],
        statement: &Statement<'_>,
    ) -> Result<Signer, SignatureError> {
        let parsed = parse(signature)?;
        let id = parsed.key;
        // Two keys may have the same id: it is eight bytes that anyone can choose.
        let mut keys = self
            .trusted
            .iter()
            .map(|key| (key, true))
            .chain(self.development.iter().map(|key| (key, false)))
            .filter(|(key, _)| key.id() == id)
            .peekable();
        if keys.peek().is_none() {
            return Err(SignatureError::UnknownKey { id });
        }
        let is_allowed_legacy = false;
        let (_, is_trusted) = keys
            .find(|(key, _)| {
                key.verifier.verify(bytes, &parsed.verifier, is_allowed_legacy).is_ok()
            })
            .ok_or(SignatureError::Mismatch { id })?;
        let name = statement.key_of(&parsed.comment).ok_or_else(|| SignatureError::Statement {
            expected: statement.what(),
            found: parsed.comment.clone(),
        })?;
        let is_for_production = is_trusted && !name.is_development();
        Ok(Signer { key: id, name, is_for_production })
    }
}

impl fmt::Display for Signer {
    /// `release-2026 (E7620F1842B4E81F)`, or `development (…), unsigned for production use`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.key)?;
        if self.is_for_production { Ok(()) } else { write!(f, ", {UNSIGNED}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{SigningKey, Subject};
    use crate::{ReleaseId, Sha256};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const BYTES: &[u8] = b"{ \"version\": 1 }\n";

    static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::generate("release".parse().unwrap()).unwrap());
    static ID: LazyLock<ReleaseId> = LazyLock::new(|| "2026-11-23-1f9c2ab04d7e".parse().unwrap());
    static SIGNATURE: LazyLock<String> =
        LazyLock::new(|| KEY.sign(BYTES, &statement(Subject::Manifest)).unwrap());

    fn statement(subject: Subject<'_>) -> Statement<'_> {
        Statement { subject, release: &ID, manifest_sha256: Sha256::of(BYTES) }
    }

    fn trust() -> Trust {
        Trust::new(&[KEY.public().to_string()]).unwrap()
    }

    fn verify(signature: &str, bytes: &[u8]) -> Result<Signer, SignatureError> {
        trust().verify(signature, bytes, &statement(Subject::Manifest))
    }

    #[test]
    fn a_signature_says_what_it_is_of() {
        let line = SIGNATURE.lines().nth(2).unwrap();
        let digest = Sha256::of(BYTES);
        let id = &*ID;
        assert_eq!(line, format!("trusted comment: release:{id} sha256:{digest} key:release"));
        let signer = verify(&SIGNATURE, BYTES).unwrap();
        assert_eq!((signer.key, signer.is_for_production), (KEY.public().id(), true));
    }

    #[test]
    fn a_signature_is_good_for_one_statement() {
        let of = |statement: &Statement<'_>| trust().verify(&SIGNATURE, BYTES, statement);
        assert!(of(&statement(Subject::Manifest)).is_ok());
        let other: ReleaseId = "2026-11-24-1f9c2ab04d7e".parse().unwrap();
        let wrong = [
            statement(Subject::Evidence { step: "test" }),
            Statement { release: &other, ..statement(Subject::Manifest) },
            Statement { manifest_sha256: Sha256::of(b""), ..statement(Subject::Manifest) },
        ];
        for statement in wrong {
            assert!(matches!(of(&statement), Err(SignatureError::Statement { .. })));
        }
    }

    #[test]
    fn only_a_trusted_key_is_believed() {
        let other = SigningKey::generate("release".parse().unwrap()).unwrap();
        let signature = other.sign(BYTES, &statement(Subject::Manifest)).unwrap();
        let id = other.public().id();
        assert_eq!(verify(&signature, BYTES), Err(SignatureError::UnknownKey { id }));
        let nobody = Trust::default().verify(&SIGNATURE, BYTES, &statement(Subject::Manifest));
        assert!(matches!(nobody, Err(SignatureError::UnknownKey { .. })));
    }

    #[test]
    fn what_a_development_key_signed_is_never_for_production() {
        let statement = statement(Subject::Manifest);
        let named = |name: KeyName| {
            let key = SigningKey::generate(name).unwrap();
            let signature = key.sign(BYTES, &statement).unwrap();
            let public = key.public().clone();
            let local = Trust::default().with_development(public.clone());
            let listed = Trust::new(&[public.to_string()]).unwrap();
            [local, listed].map(|trust| trust.verify(&signature, BYTES, &statement).unwrap())
        };
        let signers = named(KeyName::development());
        assert!(signers.iter().all(|signer| !signer.is_for_production));
        assert!(signers[0].to_string().ends_with("unsigned for production use"));
        // A development key that gives itself a better name.
        let [local, listed] = named("release".parse().unwrap());
        assert_eq!((local.is_for_production, listed.is_for_production), (false, true));
    }

    proptest! {
        #[test]
        fn no_byte_of_a_signature_can_be_changed(at in 0..SIGNATURE.len(), to in any::<u8>()) {
            let mut changed = SIGNATURE.clone().into_bytes();
            prop_assume!(changed[at] != to);
            changed[at] = to;
            if let Ok(changed) = String::from_utf8(changed) {
                prop_assert!(verify(&changed, BYTES).is_err(), "{}", changed);
            }
        }

        #[test]
        fn no_byte_of_what_is_signed_can_be_changed(at in 0..BYTES.len(), to in any::<u8>()) {
            let mut changed = BYTES.to_vec();
            prop_assume!(changed[at] != to);
            changed[at] = to;
            let id = KEY.public().id();
            prop_assert_eq!(verify(&SIGNATURE, &changed), Err(SignatureError::Mismatch { id }));
        }

        #[test]
        fn nothing_can_be_added_or_taken_away(at in 0..SIGNATURE.len(), byte in 0u8..128) {
            let mut longer = SIGNATURE.clone();
            longer.insert(at, char::from(byte));
            prop_assert!(verify(&longer, BYTES).is_err(), "{}", longer);
            prop_assert!(verify(&SIGNATURE[..at], BYTES).is_err());
            let added = SIGNATURE.clone() + &char::from(byte).to_string();
            prop_assert!(verify(&added, BYTES).is_err());
        }
    }
}
