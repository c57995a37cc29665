//! Clients on HTTP/2 that open, reset, hold or mislead.

use super::frames::{
    CANCEL, Client, DATA, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE,
    RST_STREAM, WINDOW_UPDATE, frame, post, request, reset,
};
use super::support::Edge;
use super::support::tls::{config, open, site};
use std::io::{BufReader, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Longer than the edge's patience here, shorter than its patience by default.
const SOON: Duration = Duration::from_secs(8);

/// What an attack may cost.
const MAX_GROWTH_KB: u64 = 32 * 1024;

/// Memory that the edge has.
fn resident_kb(edge: &Edge) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", edge.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// `GET /` over HTTP/1.1 on a connection of its own.
fn page(edge: &Edge, certificate: &CertificateDer<'static>) -> String {
    let mut stream = open(edge.address, &config(certificate, &["http/1.1"]), "localhost").unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    super::read(&mut BufReader::new(stream), false).text()
}

/// Runs attackers side by side, with someone who just wants the page all the while.
fn while_served(edge: &Edge, certificate: &CertificateDer<'static>, attack: impl Fn() + Sync) {
    let before = resident_kb(edge);
    let is_over = AtomicBool::new(false);
    let served = std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..4).map(|_| scope.spawn(&attack)).collect();
        let visitor = scope.spawn(|| {
            let mut served = 0;
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(page(edge, certificate), "static");
                served += 1;
            }
            served
        });
        let results: Vec<_> =
            attackers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        results.into_iter().for_each(|result| result.unwrap());
        visitor.join().unwrap()
    });
    assert!(served > 0);
    let growth = resident_kb(edge).saturating_sub(before);
    assert!(growth < MAX_GROWTH_KB, "{growth} KB");
}

#[test]
fn who_resets_what_he_asked_for_again_and_again_is_sent_away() {
    let (_project, edge, _pair, certificate) = site(&[]);
    while_served(&edge, &certificate, || {
        for _ in 0..10 {
            let mut client = Client::open(&edge, &certificate, &[]);
            let burst: Vec<u8> = (0..1_000)
                .map(|count| 2 * count + 1)
                .flat_map(|stream| [request(stream, "/stream"), reset(stream)].concat())
                .collect();
            // The edge may have ended the connection before it had all.
            let _ = client.try_send(&burst);
            let goodbye = std::iter::from_fn(|| client.next()).find(|it| it.kind == GOAWAY);
            // A reset in the system may cost the goodbye.
            if let Some(goodbye) = goodbye {
                assert_eq!(goodbye.error_code(), ENHANCE_YOUR_CALM);
            }
            assert!(std::iter::from_fn(|| client.next()).last().is_none_or(|it| it.kind == GOAWAY));
        }
    });
}

#[test]
fn who_resets_slowly_costs_no_more_than_who_asks() {
    let (_project, edge, _pair, certificate) = site(&[]);
    while_served(&edge, &certificate, || {
        let mut client = Client::open(&edge, &certificate, &[]);
        for count in 0..200 {
            let stream = 2 * count + 1;
            client.send(&request(stream, "/stream"));
            // Until the server has answered.
            assert_eq!(client.wait_for(HEADERS, stream).status(), 200);
            client.send(&reset(stream));
        }
        client.send(&request(401, "/"));
        assert_eq!(client.wait_for(DATA, 401).payload, b"static");
    });
}

#[test]
fn an_answer_that_is_not_taken_is_given_up() {
    let (_project, edge, _pair, certificate) = site(&["--client-timeout", "1"]);
    let started = Instant::now();
    let mut client = Client::open(&edge, &certificate, &[]);
    client.send(&request(1, "/big"));
    assert_eq!(client.wait_for(HEADERS, 1).status(), 200);
    assert_eq!(client.wait_for(RST_STREAM, 1).error_code(), CANCEL);
    assert!(started.elapsed() < SOON);
    // What came of it used up the connection's window.
    client.send(&frame(WINDOW_UPDATE, 0, 0, &1_000_u32.to_be_bytes()));
    client.send(&request(3, "/"));
    assert_eq!(client.wait_for(DATA, 3).payload, b"static", "the connection is as good as before");
}

#[test]
fn a_connection_on_which_nothing_is_taken_ends() {
    let (_project, edge, _pair, certificate) = site(&["--client-timeout", "1"]);
    let mut client = Client::open(&edge, &certificate, &[(INITIAL_WINDOW_SIZE, 0)]);
    client.send(&request(1, "/"));
    let started = Instant::now();
    assert_eq!(client.wait_for(HEADERS, 1).status(), 200);
    let rest: Vec<u8> = std::iter::from_fn(|| client.next()).map(|frame| frame.kind).collect();
    assert!(!rest.contains(&DATA) && rest.contains(&GOAWAY), "{rest:?}");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
}

#[test]
fn an_answer_that_waits_for_the_server_waits_for_nobody_else() {
    let (_project, edge, _pair, certificate) = site(&["--client-timeout", "1"]);
    let mut client = Client::open(&edge, &certificate, &[]);
    client.send(&request(1, "/stream"));
    assert_eq!(client.wait_for(DATA, 1).payload, b"one\n");
    // Twice the patience with clients.
    std::thread::sleep(Duration::from_secs(2));
    client.send(&request(3, "/go"));
    assert_eq!(client.wait_for(DATA, 1).payload, b"two\n");
}

/// By an answer, by the end of the stream, or by that of the connection.
fn assert_refused(client: &mut Client, what: &str) {
    let end = std::iter::from_fn(|| client.next())
        .find(|it| [HEADERS, RST_STREAM, GOAWAY].contains(&it.kind));
    let end = end.unwrap_or_else(|| panic!("{what}: no end"));
    match end.kind {
        HEADERS => assert_eq!(end.status(), 400, "{what}"),
        _ => assert_ne!(end.error_code(), 0, "{what}"),
    }
}

#[test]
fn a_request_that_can_be_read_in_two_ways_reaches_no_server() {
    let (_project, edge, _pair, certificate) = site(&[]);
    for fields in [
        &[("content-length", "3"), ("content-length", "0")][..],
        &[("content-length", "3"), ("content-length", "3")],
        &[("content-length", "3, 3")],
        &[("content-length", "+3")],
        &[("transfer-encoding", "chunked")],
        &[("connection", "close")],
        &[("upgrade", "websocket")],
        &[("host", "another")],
        &[("host", "localhost"), ("host", "localhost")],
        &[("x", "1\r\ny: 2")],
        &[("x", "\0")],
        &[("X", "1")],
        &[("x y", "1")],
        &[("", "1")],
        &[(":path", "/other")],
        &[(":method", "GET")],
    ] {
        let mut client = Client::open(&edge, &certificate, &[]);
        client.send(&post(1, "/attack", fields));
        // The connection may have ended with the request.
        let _ = client.try_send(&frame(DATA, END_STREAM, 1, b"abc"));
        assert_refused(&mut client, &format!("{fields:?}"));
    }
    for path in ["/attack b", "attack", "/attack\r\nx: 1", ""] {
        let mut client = Client::open(&edge, &certificate, &[]);
        client.send(&request(1, path));
        assert_refused(&mut client, path);
    }
    let mut client = Client::open(&edge, &certificate, &[]);
    client.send(&request(1, "/seen"));
    let seen = String::from_utf8(client.wait_for(DATA, 1).payload).unwrap();
    assert!(!seen.contains("attack") && seen.contains("GET /seen"), "{seen}");
}

#[test]
fn a_body_of_another_length_than_announced_is_none() {
    let (_project, edge, _pair, certificate) = site(&[]);
    for (length, body) in [("5", "abc"), ("2", "abc")] {
        let mut client = Client::open(&edge, &certificate, &[]);
        client.send(&post(1, "/count", &[("content-length", length)]));
        client.send(&frame(DATA, END_STREAM, 1, body.as_bytes()));
        assert_refused(&mut client, length);
    }
}
