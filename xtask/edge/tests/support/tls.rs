//! Clients that speak TLS, and an edge that does.

use super::client::connect;
use super::{Edge, Project, project};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_rustls::rustls;

/// A certificate and its key, in two files.
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Pair {
    /// `cert.pem` and `key.pem` in this folder; nothing is written yet.
    pub fn at(folder: &Path) -> Pair {
        Pair { certificate: folder.join("cert.pem"), key: folder.join("key.pem") }
    }

    /// Writes a new certificate for localhost, its key first; gives it.
    pub fn renew(&self) -> CertificateDer<'static> {
        self.write(&CertificateParams::new(["localhost".to_owned()]).unwrap())
    }

    /// Writes one that is good for so long from now.
    pub fn renew_for(&self, time: Duration) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = (SystemTime::now() + time).into();
        self.write(&params)
    }

    fn write(&self, params: &CertificateParams) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(&self.key, key.serialize_pem()).unwrap();
        fs::write(&self.certificate, certificate.pem()).unwrap();
        certificate.der().clone()
    }
}

/// A site with a server, served over TLS.
pub fn site(extra: &[&str]) -> (Project, Edge, Pair, CertificateDer<'static>) {
    let project = project(&[("index.html", b"static")], Some(""));
    let pair = Pair::at(project.root());
    let certificate = pair.renew();
    let mut args = vec!["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    args.extend(extra);
    let edge = project.serve_with(&args);
    (project, edge, pair, certificate)
}

/// A client that trusts a certificate and offers protocols.
pub fn config(trusted: &CertificateDer<'static>, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A connection to `name` that is through its handshake.
pub fn open(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    name: &str,
) -> std::io::Result<Stream> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, connect(address));
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// An HTTP/2 connection to an edge.
pub async fn http2<B>(edge: &Edge, certificate: &CertificateDer<'static>) -> http2::SendRequest<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let connector = tokio_rustls::TlsConnector::from(config(certificate, &["h2", "http/1.1"]));
    let stream = tokio::net::TcpStream::connect(edge.address).await.unwrap();
    let stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn request<B>(path: &str, body: B) -> Request<B> {
    Request::builder().uri(format!("https://localhost{path}")).body(body).unwrap()
}

pub async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
