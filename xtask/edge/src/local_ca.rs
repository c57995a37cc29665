//! A certificate authority of one's own, for TLS on loopback while developing.
//!
//! Invariants: it is made once; its key is readable by its owner alone; what it signs is good for
//! localhost and for nothing else, so that a stolen key opens nothing.

use crate::tls::Files;
use anyhow::Context;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use report::Fault;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Trusting it is a chore, so it lasts.
const CA_DAYS: u32 = 3_650;

/// Longer ones are refused by browsers; a new one is made well before.
const LEAF_DAYS: u32 = 397;
const RENEW_LEAF_AFTER: Duration = DAY.saturating_mul(300);

/// What a leaf is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The authority's folder.
#[derive(Debug)]
pub struct LocalCa {
    dir: PathBuf,
}

impl LocalCa {
    /// The user's, made when there is none.
    ///
    /// # Errors
    /// When its folder cannot be written, or others can read its key.
    pub fn open() -> anyhow::Result<LocalCa> {
        LocalCa::at(data_folder()?.join("slipway/local-ca"))
    }

    fn at(dir: PathBuf) -> anyhow::Result<LocalCa> {
        let ca = LocalCa { dir };
        let made = if ca.certificate().exists() { Ok(()) } else { ca.make() };
        made.with_context(|| format!("failed to make a CA in {}", ca.dir.display()))?;
        ca.check_key()?;
        Ok(ca)
    }

    /// Where its certificate is: what a browser is to trust.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    fn key(&self) -> PathBuf {
        self.dir.join("ca-key.pem")
    }

    /// A certificate for localhost, made anew when it is missing or old.
    ///
    /// # Errors
    /// When the authority's key cannot be read, or the certificate not be written.
    pub fn leaf(&self) -> anyhow::Result<Files> {
        let files = Files {
            certificate: self.dir.join("localhost.pem"),
            key: self.dir.join("localhost-key.pem"),
        };
        if !is_fresh(&files.certificate, &self.certificate()) || !files.key.exists() {
            self.sign(&files).context("failed to make a certificate for localhost")?;
        }
        Ok(files)
    }

    /// What a person does with it.
    pub fn advice(&self, leaf: &Files) -> String {
        let ca = self.certificate();
        let (ca, certificate, key) = (ca.display(), leaf.certificate.display(), leaf.key.display());
        format!(
            "the CA's certificate: {ca}\n\
             certificate for localhost, 127.0.0.1 and ::1: {certificate}\n\
             its key: {key}\n\n\
             serve with it: cargo xtask edge --tls-local\n\n\
             trust it:\n  \
               curl      curl --cacert {ca} https://localhost:PORT/\n  \
               Debian    sudo cp {ca} /usr/local/share/ca-certificates/slipway-local.crt && sudo update-ca-certificates\n  \
               Chrome    certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n slipway-local -i {ca}\n  \
               Firefox   settings, certificates, view, authorities, import: {ca}\n  \
               macOS     security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {ca}\n  \
               Node      NODE_EXTRA_CA_CERTS={ca}\n"
        )
    }

    fn make(&self) -> anyhow::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let key = KeyPair::generate()?;
        let mut params = ca_params();
        valid_for(&mut params, CA_DAYS);
        write(&self.key(), &key.serialize_pem())?;
        write(&self.certificate(), &params.self_signed(&key)?.pem())
    }

    fn sign(&self, files: &Files) -> anyhow::Result<()> {
        let ca_key = fs::read_to_string(self.key())
            .with_context(|| format!("failed to read {}", self.key().display()))?;
        // The name and the key are all of the authority that a signature needs.
        let issuer = Issuer::new(ca_params(), KeyPair::from_pem(&ca_key)?);
        let key = KeyPair::generate()?;
        let leaf: Certificate = leaf_params()?.signed_by(&key, &issuer)?;
        write(&files.key, &key.serialize_pem())?;
        write(&files.certificate, &leaf.pem())
    }

    fn check_key(&self) -> anyhow::Result<()> {
        let path = self.key();
        let metadata = fs::metadata(&path)
            .with_context(|| format!("failed to look at the CA's key {}", path.display()))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(Fault::refused(format!(
                "others may read the CA's key {path}: expected mode 0600, found {mode:04o}; if nobody \
                 did, run `chmod 600 {path}`, else delete its folder and trust a new one"
            ))
            .into());
        }
        Ok(())
    }
}

/// Of the XDG base directory specification.
fn data_folder() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .ok_or_else(|| Fault::usage("no data folder: set HOME or XDG_DATA_HOME").into())
}

fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Slipway local CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: NAMES.map(subtree).into(),
        excluded_subtrees: Vec::new(),
    });
    params
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse() {
        Ok(address @ IpAddr::V4(_)) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 8))
        }
        Ok(address) => GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 128)),
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

fn leaf_params() -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid_for(&mut params, LEAF_DAYS);
    Ok(params)
}

/// From yesterday on, for clocks that are behind.
fn valid_for(params: &mut CertificateParams, days: u32) {
    let yesterday = SystemTime::now() - DAY;
    params.not_before = yesterday.into();
    params.not_after = (yesterday + DAY * days).into();
}

fn is_fresh(leaf: &Path, ca: &Path) -> bool {
    let made = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let (Some(leaf), Some(ca)) = (made(leaf), made(ca)) else { return false };
    leaf >= ca && leaf.elapsed().is_ok_and(|age| age < RENEW_LEAF_AFTER)
}

/// Readable by the owner alone, and never half written.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let dir = path.parent().context("a file in a folder")?;
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Tls;

    #[test]
    fn it_is_made_once_and_its_key_is_its_owners() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        let ca = LocalCa::at(dir.clone()).unwrap();
        let files = ca.leaf().unwrap();
        Tls::new(files.clone()).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let before = (read(&ca.certificate()), read(&files.certificate));
        for path in [ca.key(), files.key] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = LocalCa::at(dir.clone()).unwrap();
        assert_eq!((read(&again.certificate()), read(&again.leaf().unwrap().certificate)), before);

        fs::remove_file(files.certificate).unwrap();
        assert_ne!(read(&again.leaf().unwrap().certificate), before.1, "a new one is made");
        fs::set_permissions(ca.key(), fs::Permissions::from_mode(0o640)).unwrap();
        let error = LocalCa::at(dir).unwrap_err().to_string();
        assert!(error.contains("expected mode 0600, found 0640"), "{error}");
    }
}
