//! TLS: which certificate is shown, when it is read again, and when it expires.
//!
//! Invariant: the edge always has a certificate and a key that belong together. A pair that does not
//! is refused, and the last good one kept.

use crate::certificate;
use anyhow::{Context, bail};
use jiff::Timestamp;
use report::Fault;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at: a renewal is seen at once by those who made it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Protocols offered, the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where a certificate and its key are, in PEM.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, then those that it was signed by.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Encrypts connections, with a certificate that is read again when its files change.
pub struct Tls {
    acceptor: TlsAcceptor,
    files: Files,
    shown: Arc<Shown>,
    /// The files as they were when they were read first.
    seen: Option<Stamps>,
}

/// The certificate that connections are shown now.
#[derive(Debug)]
pub struct Shown(RwLock<Arc<CertifiedKey>>);

/// What tells that a file was changed: length, inode, time.
type Stamps = [(u64, u64, SystemTime); 2];

impl Tls {
    /// Reads the files. Connections show what is in them; run [`Tls::renew`] beside the serving.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn new(files: Files) -> anyhow::Result<Tls> {
        let provider = Arc::new(crypto::ring::default_provider());
        let seen = files.stamps().ok();
        let key = files.read(&provider).map_err(|error| Fault::usage(format!("{error:#}")))?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        // Sessions are resumed by tickets whose key changes every few hours; nothing is kept here.
        config.ticketer = crypto::ring::Ticketer::new()?;
        let tls = Tls { acceptor: TlsAcceptor::from(Arc::new(config)), files, shown, seen };
        tls.warn();
        Ok(tls)
    }

    /// What connections are shown, now and later.
    pub fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown)
    }

    /// Looks at the files for ever, shows what is new in them, and warns before they expire.
    pub async fn renew(&self) -> Infallible {
        let mut seen = self.seen;
        let mut warned = Timestamp::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // While a file is being replaced it may be missing for a moment.
            if let Ok(stamps) = self.files.stamps()
                && seen.replace(stamps) != Some(stamps)
            {
                self.read_again();
            } else if Timestamp::now().duration_since(warned) < certificate::WARN_EVERY {
                continue;
            }
            self.warn();
            warned = Timestamp::now();
        }
    }

    /// Says when the certificate expires, if that is soon.
    fn warn(&self) {
        let warning = self.shown.not_after().and_then(|not_after| {
            certificate::warning(&self.files.certificate, not_after, Timestamp::now())
        });
        if let Some(warning) = warning {
            say!("{warning}");
        }
    }

    fn read_again(&self) {
        match self.files.read(&crypto::ring::default_provider()) {
            Ok(key) => {
                *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                say!("note: read {} again", self.files.certificate.display());
            }
            Err(error) => say!("error: {error:#}; the certificate before it is kept"),
        }
    }

    pub fn accept<IO>(&self, stream: IO) -> impl Future<Output = io::Result<TlsStream<IO>>>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream)
    }

    /// Whether HTTP/2 was agreed on.
    pub fn is_http2<IO>(stream: &TlsStream<IO>) -> bool {
        stream.get_ref().1.alpn_protocol() == Some(PROTOCOLS[0])
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Files {
    fn stamps(&self) -> io::Result<Stamps> {
        let stamp = |path: &Path| {
            let metadata = std::fs::metadata(path)?;
            Ok::<_, io::Error>((metadata.len(), metadata.ino(), metadata.modified()?))
        };
        Ok([stamp(&self.certificate)?, stamp(&self.key)?])
    }

    fn read(&self, provider: &CryptoProvider) -> anyhow::Result<CertifiedKey> {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .with_context(|| format!("failed to read the certificate {certificate}"))?;
        if chain.is_empty() {
            bail!("{certificate} holds no certificate: expected PEM with BEGIN CERTIFICATE");
        }
        let private = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("failed to read the key {key}"))?;
        CertifiedKey::from_der(chain, private, provider).with_context(|| {
            format!("the key {key} does not go with the certificate {certificate}")
        })
    }
}

impl Shown {
    /// When it expires.
    pub fn not_after(&self) -> Option<Timestamp> {
        certificate::not_after(self.key().end_entity_cert().ok()?)
    }

    fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key())
    }
}
