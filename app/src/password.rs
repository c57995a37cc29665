//! Passwords: which are strong enough, and argon2id around them.

use crate::model::Email;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// NIST SP 800-63B asks for length before anything else.
const LENGTH_FLOOR: usize = 12;
/// Argon2 is slow on purpose; nobody gets to make it hash a megabyte.
pub const LENGTH_LIMIT: usize = 256;
const DISTINCT_FLOOR: usize = 5;
/// OWASP's second choice: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Hashes computed at once: each holds 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Sign-ins that wait for a hash. More than these would wait longer than a request may take.
const WAITING_LIMIT: usize = 16;

/// Parts of passwords that every cracker tries first.
const COMMON: [&str; 14] = [
    "password", "passw0rd", "123456", "qwerty", "letmein", "welcome", "iloveyou", "admin",
    "abc123", "monkey", "dragon", "football", "changeme", "beacon",
];

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    Short { found: usize },
    Long,
    FewCharacters,
    Common,
    LikeEmail,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weakness::Short { found } => {
                write!(f, "a password of {found} characters (at least {LENGTH_FLOOR})")
            }
            Weakness::Long => write!(f, "a password of more than {LENGTH_LIMIT} bytes"),
            Weakness::FewCharacters => {
                write!(f, "a password of fewer than {DISTINCT_FLOOR} different characters")
            }
            Weakness::Common => f.write_str("a password built on one that everybody tries first"),
            Weakness::LikeEmail => f.write_str("a password built on the email address"),
        }
    }
}

/// # Errors
/// What makes the password weak.
pub fn check_strength(password: &str, email: &Email) -> Result<(), Weakness> {
    let length = password.chars().count();
    if length < LENGTH_FLOOR {
        return Err(Weakness::Short { found: length });
    }
    if password.len() > LENGTH_LIMIT {
        return Err(Weakness::Long);
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < DISTINCT_FLOOR {
        return Err(Weakness::FewCharacters);
    }
    let lower = password.to_lowercase();
    // What is left when the guessable part is taken out has to carry the password alone.
    let is_built_on = |part: &str| {
        part.len() >= 4
            && lower.contains(part)
            && lower.replace(part, "").chars().count() < LENGTH_FLOOR - 4
    };
    if COMMON.iter().any(|part| is_built_on(part)) {
        return Err(Weakness::Common);
    }
    let local = email.as_str().split('@').next().unwrap_or_default();
    if is_built_on(email.as_str()) || is_built_on(local) {
        return Err(Weakness::LikeEmail);
    }
    Ok(())
}

/// A password hash as a PHC string.
///
/// # Errors
/// Argon2 failed, which takes a machine without memory or randomness.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let hash = argon2().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| anyhow::anyhow!("failed to hash the password: {e}"))?.to_string())
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn is_match(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Compares passwords with hashes, off the async threads and a few at a time.
#[derive(Debug, Clone)]
pub struct Verifier {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// The hash of a password that nobody has: an unknown account costs what a known one costs.
    decoy: Arc<str>,
}

/// Too many sign-ins wait already.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too many passwords are waiting to be checked")]
pub struct VerifierBusy;

impl Verifier {
    /// # Errors
    /// No randomness or memory for the decoy.
    pub fn new() -> anyhow::Result<Verifier> {
        Ok(Verifier {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(WAITING_LIMIT)),
            decoy: hash(crate::token::Token::random()?.reveal())?.into(),
        })
    }

    /// Whether `password` belongs to `hash`; for no hash, as much work and `false`.
    ///
    /// # Errors
    /// Too many wait already.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, VerifierBusy> {
        let _queued = self.queue.try_acquire().map_err(|_| VerifierBusy)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| VerifierBusy)?;
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let compared = tokio::task::spawn_blocking(move || {
            let _place = place;
            is_match(&password, &hash)
        });
        Ok(compared.await.unwrap_or(false) && is_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_told_why() {
        let email = Email::parse("ann.other@example.com").unwrap();
        let check = |password: &str| check_strength(password, &email);
        assert_eq!(check("short"), Err(Weakness::Short { found: 5 }));
        assert_eq!(check("abababababab"), Err(Weakness::FewCharacters));
        assert_eq!(check("Password12345"), Err(Weakness::Common));
        assert_eq!(check("ann.other2026"), Err(Weakness::LikeEmail));
        assert_eq!(check(&"long and longer ".repeat(17)), Err(Weakness::Long));
        assert_eq!(check("correct horse battery"), Ok(()));
        assert_eq!(check("my password has many more words"), Ok(()));
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let verifier = Verifier::new().unwrap();
        let hash = hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verifier.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!verifier.verify("correct horse batter".into(), Some(hash)).await.unwrap());
        assert!(!verifier.verify("correct horse battery".into(), None).await.unwrap());
    }
}
