//! Who gets the candidate: a client's id, in a signed cookie, and the share of the clients that it
//! falls into.
//!
//! Invariants: a client stays with its side as long as the salt is the same; a share that grows takes
//! nobody back; an id that the edge did not make itself is not believed.

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use release::routing::TrafficShare;
use report::Fault;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Name of the cookie that holds the client's id.
pub const COOKIE: &str = "slipway";

/// A rollout lasts hours. The id is of no use beyond it.
const MAX_AGE_SECONDS: u32 = 7 * 24 * 60 * 60;

const ID_BYTES: usize = 16;
/// Of the signature: what nobody guesses.
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// A client's random id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId([u8; ID_BYTES]);

/// Signs client ids, and believes those it signed.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl ClientId {
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> std::io::Result<ClientId> {
        random().map(ClientId)
    }

    /// Whether the client is among this share of all clients.
    pub fn is_among(&self, share: TrafficShare, salt: &str) -> bool {
        let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(self.0);
        let digest = digest.finalize();
        let number =
            digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // 2^64 is no multiple of 1000; the error is below 1 in 10^16.
        number % 1000 < u64::from(share.per_mille())
    }
}

impl Signer {
    pub fn new(key: &[u8]) -> anyhow::Result<Signer> {
        Ok(Signer(Hmac::new_from_slice(key)?))
    }

    /// The key in a file of mode 0600, which is made when it is not there.
    ///
    /// # Errors
    /// When the file can be read by others, holds no key, or cannot be written.
    pub fn of_file(path: &Path) -> anyhow::Result<Signer> {
        loop {
            match fs::read(path) {
                Ok(key) => {
                    refuse_if_open_to_others(path)?;
                    if key.len() != KEY_BYTES {
                        let (path, found) = (path.display(), key.len());
                        let message = format!(
                            "{path} is no key: expected {KEY_BYTES} bytes, found {found}; delete it \
                             to have one made"
                        );
                        return Err(Fault::usage(message).into());
                    }
                    return Signer::new(&key);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => make_key(path)?,
                Err(error) => {
                    return Err(error)
                        .with_context(|| format!("failed to read {}", path.display()));
                }
            }
        }
    }

    /// The `set-cookie` value for a client.
    pub fn cookie(&self, id: ClientId, is_secure: bool) -> String {
        let secure = if is_secure { "; Secure" } else { "" };
        let (id, tag) = (hex(&id.0), hex(&self.tag(&id.0)));
        format!(
            "{COOKIE}={id}.{tag}; Path=/; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
        )
    }

    /// The id in a cookie's value; `None` for one that was not made here.
    pub fn read(&self, value: &str) -> Option<ClientId> {
        let (id, tag) = value.split_once('.')?;
        let (id, tag) = (bytes::<ID_BYTES>(id)?, bytes::<TAG_BYTES>(tag)?);
        // Takes the same time whatever the tag.
        self.0.clone().chain_update(id).verify_truncated_left(&tag).ok()?;
        Some(ClientId(id))
    }

    fn tag(&self, id: &[u8]) -> [u8; TAG_BYTES] {
        let whole = self.0.clone().chain_update(id).finalize().into_bytes();
        std::array::from_fn(|at| whole[at])
    }
}

/// # Errors
/// With the command that helps, when others than its owner may read a file of secrets; or when there is
/// none.
pub fn refuse_if_open_to_others(path: &Path) -> anyhow::Result<()> {
    let metadata = fs::metadata(path)
        .map_err(|error| Fault::usage(format!("failed to read {}: {error}", path.display())))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Fault::refused(format!(
            "{path} can be read by others: expected mode 0600, found {mode:04o}; run `chmod 600 {path}`"
        ))
        .into());
    }
    Ok(())
}

/// Written aside and then named, so that an edge that starts at the same time sees all of it.
fn make_key(path: &Path) -> anyhow::Result<()> {
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        let key: [u8; KEY_BYTES] = random()?;
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&key)?;
        file.sync_all()?;
        match fs::hard_link(&aside, path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => fs::remove_file(&aside),
        }
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}

fn random<const SIZE: usize>() -> std::io::Result<[u8; SIZE]> {
    let mut bytes = [0; SIZE];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    // Up to 256 bytes come whole, see getrandom(2).
    if filled == SIZE { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const SIZE: usize>(hex: &str) -> Option<[u8; SIZE]> {
    let digits = hex.as_bytes();
    if digits.len() != 2 * SIZE {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let mut bytes = [0; SIZE];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn share(per_mille: u16) -> TrafficShare {
        per_mille.try_into().unwrap()
    }

    #[test]
    fn a_share_is_met_and_a_ramp_takes_nobody_back() {
        const CLIENTS: u32 = 20_000;
        let mut before = vec![false; CLIENTS as usize];
        for per_mille in [1, 50, 250, 500, 1000] {
            let mut count = 0_u32;
            for (client, was_among) in (0..CLIENTS).zip(&mut before) {
                let mut id = [0; ID_BYTES];
                id[..4].copy_from_slice(&client.to_be_bytes());
                let is_among = ClientId(id).is_among(share(per_mille), "a rollout");
                assert!(is_among || !*was_among, "client {client} went back at {per_mille}");
                *was_among = is_among;
                count += u32::from(is_among);
            }
            let p = f64::from(per_mille) / 1000.0;
            let expected = f64::from(CLIENTS) * p;
            // Five standard deviations of the binomial distribution.
            let bound = 5.0 * (f64::from(CLIENTS) * p * (1.0 - p)).sqrt();
            assert!((f64::from(count) - expected).abs() <= bound, "{count} at {per_mille}");
        }
    }

    #[test]
    fn another_rollout_begins_with_others() {
        let ids: Vec<ClientId> = (0..200).map(|_| ClientId::random().unwrap()).collect();
        let among =
            |salt| -> Vec<bool> { ids.iter().map(|id| id.is_among(share(500), salt)).collect() };
        assert_ne!(among("a"), among("b"));
    }

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie.key");
        let id = ClientId::random().unwrap();
        let cookie = Signer::of_file(&path).unwrap().cookie(id, true);
        assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        assert_eq!(Signer::of_file(&path).unwrap().read(value), Some(id));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Signer::of_file(&path).unwrap_err().to_string();
        assert!(error.contains("found 0640; run `chmod 600 "), "{error}");
    }

    proptest! {
        #[test]
        fn what_was_not_signed_here_is_not_believed(value in ".{0,80}", at in 0_usize..65) {
            let signer = Signer::new(b"k").unwrap();
            prop_assert_eq!(signer.read(&value), None);
            let id = ClientId::random().unwrap();
            let cookie = signer.cookie(id, false);
            let value = cookie.split(['=', ';']).nth(1).unwrap();
            prop_assert_eq!(signer.read(value), Some(id));
            let mut changed = value.as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            prop_assert_eq!(signer.read(std::str::from_utf8(&changed).unwrap()), None);
            prop_assert_eq!(Signer::new(b"other").unwrap().read(value), None);
        }
    }
}
