//! How long a client may keep the edge waiting.

use super::site;
use super::support::client::{connect, get};
use super::support::environment::{Environment, EnvironmentEdge, until};
use super::support::project;
use super::support::tls;
use super::support::upstream::BIG_BYTES;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::ClientConnection;

/// Longer than the edge's patience here, shorter than its patience by default.
const SOON: Duration = Duration::from_secs(8);

fn assert_ends_soon(mut stream: &TcpStream) -> Vec<u8> {
    let started = Instant::now();
    let mut got = Vec::new();
    // A reset is as good an end.
    let _ = stream.read_to_end(&mut got);
    assert!(started.elapsed() < SOON);
    got
}

#[test]
fn a_handshake_that_does_not_go_on_is_ended() {
    let (_project, edge, _pair, certificate) = tls::site(&["--client-timeout", "1"]);
    let silent = connect(edge.address);
    let config = tls::config(&certificate, &["h2"]);
    let mut hello = Vec::new();
    ClientConnection::new(config, "localhost".try_into().unwrap())
        .unwrap()
        .write_tls(&mut hello)
        .unwrap();
    let mut half = connect(edge.address);
    half.write_all(&hello[..hello.len() / 2]).unwrap();
    let mut whole = connect(edge.address);
    whole.write_all(&hello).unwrap();
    assert_eq!(assert_ends_soon(&silent), b"");
    assert_eq!(assert_ends_soon(&half), b"");
    // The edge's part of the handshake, which the client never answers.
    assert!(!assert_ends_soon(&whole).is_empty());
}

#[test]
fn a_body_in_a_trickle_is_a_408() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    let head = b"POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n";
    stream.write_all(head).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        // Never silent for long, and far too slow.
        while stream.write_all(b"xx").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    trickle.join().unwrap();
}

#[test]
fn a_tunnel_that_is_quiet_is_closed_and_a_busy_one_is_not() {
    let project = project(&[("index.html", b"static")], Some(""));
    let edge = project.serve_with(&["--tunnel-timeout", "1"]);
    let open = || {
        let url = format!("ws://{}/socket", edge.address);
        tungstenite::client(url, connect(edge.address)).unwrap().0
    };
    let mut busy = open();
    let quiet = std::thread::spawn({
        let mut quiet = open();
        move || {
            let started = Instant::now();
            assert!(quiet.read().is_err(), "the edge says nothing of its own");
            started.elapsed()
        }
    });
    while !quiet.is_finished() {
        busy.send("hello".into()).unwrap();
        assert_eq!(busy.read().unwrap(), "hello".into());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(quiet.join().unwrap() < SOON);
    busy.send("still there".into()).unwrap();
    assert_eq!(busy.read().unwrap(), "still there".into());
}

/// Answers that are not over.
fn in_flight(edge: &EnvironmentEdge) -> u64 {
    let metrics = edge.json("/metrics.json");
    let releases = metrics["releases"].as_object().unwrap();
    releases.values().map(|it| it["in_flight"].as_u64().unwrap()).sum()
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    let mut environment = Environment::new();
    let big = vec![b'x'; BIG_BYTES];
    let live = environment.add(&[("big.bin", &big)], Some(""));
    environment.live(&live);
    let edge = environment.serve_with(&["--client-timeout", "1"]);
    for target in ["/big.bin", "/big"] {
        let mut stream = connect(edge.address);
        let request = format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        until("it is being answered", || (in_flight(&edge) == 1, ()));
        until("it is given up", || (in_flight(&edge) == 0, ()));
        // What the system had already sent is there, and no more.
        let got = assert_ends_soon(&stream);
        assert!(got.starts_with(b"HTTP/1.1 200 ") && got.len() < BIG_BYTES, "{target}");
    }
    let all = get(edge.address, "/big");
    assert_eq!(all.body.len(), BIG_BYTES, "who takes it gets all of it");
}
