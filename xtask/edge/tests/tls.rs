//! TLS: both protocols, certificates that change, and the local CA.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::Command;
use support::client::{connect, read};
use support::tls::{Stream, config, http2, open, request, site, text};
use support::{Edge, project};
use tokio_rustls::rustls;
use tungstenite::Message;

/// Not a test: the server of the fixtures, which are started with this very binary.
#[test]
#[ignore = "the other half of the tests: they run it as the release's server"]
fn upstream() {
    support::upstream::run();
}

fn get(stream: Stream, target: &str) -> support::client::Answer {
    let mut stream = stream;
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    read(&mut BufReader::new(stream), false)
}

#[test]
fn http1_is_spoken_to_who_wants_it() {
    let (_project, edge, _pair, certificate) = site(&[]);
    for protocols in [&["http/1.1"][..], &[]] {
        let config = config(&certificate, protocols);
        let answer = get(open(edge.address, &config, "localhost").unwrap(), "/");
        assert_eq!((answer.status, answer.text().as_str()), (200, "static"));
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
        let head = get(open(edge.address, &config, "localhost").unwrap(), "/api").text();
        assert!(head.contains("x-forwarded-proto: https\r\n"), "{head}");
        assert!(head.contains("forwarded: for=127.0.0.1;proto=https\r\n"), "{head}");
    }
    let mut plain = connect(edge.address);
    plain.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut answer);
    assert!(!answer.starts_with(b"HTTP"), "nothing is said in the clear");
}

#[test]
fn a_session_is_resumed_even_with_a_new_certificate() {
    let (_project, edge, pair, certificate) = site(&[]);
    let config = config(&certificate, &["http/1.1"]);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let stream = open(edge.address, &config, "localhost").unwrap();
        kinds.push(stream.conn.handshake_kind().unwrap());
        // The ticket comes with the answer.
        get(stream, "/");
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
    pair.renew();
    edge.wait_until_said("again");
    let stream = open(edge.address, &config, "localhost").unwrap();
    assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Resumed));
}

#[test]
fn a_new_certificate_is_shown_and_a_broken_pair_is_refused() {
    let (project, edge, pair, first) = site(&[]);
    let before = open(edge.address, &config(&first, &[]), "localhost").unwrap();
    let second = pair.renew();
    edge.wait_until_said("read cert.pem again");
    open(edge.address, &config(&second, &[]), "localhost").unwrap();
    assert!(open(edge.address, &config(&first, &[]), "localhost").is_err());
    assert_eq!(get(before, "/").status, 200, "a connection stays as it began");

    fs::write(&pair.certificate, "nonsense").unwrap();
    edge.wait_until_said("cert.pem holds no certificate");
    let good = (fs::read(&pair.key).unwrap(), fs::read(project.root().join("key.pem")).unwrap());
    assert_eq!(good.0, good.1);
    let third = pair.renew();
    fs::write(&pair.key, good.0).unwrap();
    edge.wait_until_said("does not go with the certificate");
    open(edge.address, &config(&second, &[]), "localhost").unwrap();
    assert!(open(edge.address, &config(&third, &[]), "localhost").is_err());
    edge.wait_until_said("the certificate before it is kept");
}

#[test]
fn a_pair_that_cannot_be_used_is_an_exit_2() {
    let (project, edge, pair, _) = site(&[]);
    drop(edge);
    fs::remove_file(&pair.key).unwrap();
    let mut command = project.command();
    let output = command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("failed to read the key key.pem"), "{said}");
}

#[test]
fn a_websocket_goes_over_tls() {
    let (_project, edge, _pair, certificate) = site(&[]);
    let stream = open(edge.address, &config(&certificate, &["http/1.1"]), "localhost").unwrap();
    let (mut socket, _) = tungstenite::client("wss://localhost/socket", stream).unwrap();
    let message = Message::binary(vec![3; 300_000]);
    socket.send(message.clone()).unwrap();
    assert_eq!(socket.read().unwrap(), message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn http2_is_spoken_to_who_can() {
    let (_project, edge, _pair, certificate) = site(&[]);
    let mut sender = http2(&edge, &certificate).await;
    let answer = sender.send_request(request("/", Full::default())).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert_eq!(text(answer).await, "static");

    let mut asked = request("/api?x=1", Full::default());
    asked.headers_mut().append("cookie", "a=1".parse().unwrap());
    asked.headers_mut().append("cookie", "b=2".parse().unwrap());
    let head = text(sender.send_request(asked).await.unwrap()).await;
    assert!(head.starts_with("GET /api?x=1 HTTP/1.1\r\n"), "{head}");
    for line in ["host: localhost\r\n", "cookie: a=1; b=2\r\n", "x-forwarded-proto: https\r\n"] {
        assert_eq!(
            head.matches(line).count(),
            if line.starts_with("host") { 2 } else { 1 },
            "{head}"
        );
    }

    let body = Full::new(Bytes::from(vec![1; 3_000_000]));
    let mut asked = request("/count", body);
    *asked.method_mut() = hyper::Method::POST;
    assert_eq!(text(sender.send_request(asked).await.unwrap()).await, "3000000");

    let mut asked = request("/", Full::default());
    asked.headers_mut().insert("x", "x".repeat(70_000).parse().unwrap());
    assert_eq!(sender.send_request(asked).await.unwrap().status(), 431);
    let answer = sender.send_request(request("/nowhere/%zz", Full::default())).await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn http2_answers_stream_and_go_side_by_side() {
    let (_project, edge, _pair, certificate) = site(&[]);
    let mut sender = http2(&edge, &certificate).await;
    let answer = sender.send_request(request("/stream", Empty::new())).await.unwrap();
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "one\n", "before the server has sent the rest");
    let gone = sender.send_request(request("/go", Empty::new())).await.unwrap();
    assert_eq!(text(gone).await, "gone");
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "two\n");
    assert_eq!(body.collect().await.unwrap().to_bytes(), "");
}

#[tokio::test]
async fn an_idle_http2_connection_is_ended_and_a_busy_one_is_not() {
    let (_project, edge, _pair, certificate) = site(&["--client-timeout", "1"]);
    let mut busy = http2(&edge, &certificate).await;
    let answer = busy.send_request(request("/stream", Empty::new())).await.unwrap();
    let mut idle = http2(&edge, &certificate).await;
    idle.send_request(request("/", Empty::new())).await.unwrap();
    while idle.ready().await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let gone = busy.send_request(request("/go", Empty::new())).await.unwrap();
    assert_eq!(text(gone).await, "gone");
    assert_eq!(text(answer).await, "one\ntwo\n");
}

#[test]
fn the_local_ca_is_made_once_and_signs_for_localhost() {
    let project = project(&[("index.html", b"static")], None);
    let data = project.root().join("data");
    let ca = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask-edge"));
        let output = command.arg("ca").env("XDG_DATA_HOME", &data).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = ca();
    let path = said.lines().next().unwrap().split_once(": ").unwrap().1;
    assert!(Path::new(path).starts_with(&data), "{said}");
    let certificate = fs::read(path).unwrap();
    assert_eq!(ca(), said);
    assert_eq!(fs::read(path).unwrap(), certificate, "it is made once");

    let mut command = project.command();
    command.arg("--tls-local").env("XDG_DATA_HOME", &data);
    let edge = Edge::start(command);
    let config = config(&CertificateDer::from_pem_file(path).unwrap(), &["http/1.1"]);
    for name in ["localhost", "127.0.0.1", "::1"] {
        let stream = open(edge.address, &config, name).unwrap();
        assert_eq!(get(stream, "/").text(), "static", "{name}");
    }
    assert!(open(edge.address, &config, "example.com").is_err());
}
