//! Clients that are slow, silent, or ask for too much.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod end;
mod frames;
mod http2;
mod large;
mod patience;
mod places;
mod smuggling;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufReader, Read, Write};
use support::client::{connect, get, read};
use support::{Edge, Project, project};

/// Not a test: the server of the fixtures, which are started with this very binary.
#[test]
#[ignore = "the other half of the tests: they run it as the release's server"]
fn upstream() {
    support::upstream::run();
}

/// An edge with little patience.
fn site() -> (Project, Edge) {
    let project = project(&[("index.html", b"static")], Some(""));
    let edge = project.serve_with(&["--client-timeout", "1"]);
    (project, edge)
}

/// All that comes back for these bytes, until the edge ends the connection.
fn answer(edge: &Edge, bytes: &[u8]) -> String {
    let mut stream = connect(edge.address);
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_head_that_never_ends_is_a_408() {
    let (_project, edge) = site();
    let answer = answer(&edge, b"GET / HTTP/1.1\r\nhost: a\r\nx-slow");
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn a_head_in_a_trickle_is_a_408_all_the_same() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ").unwrap();
    let mut reader = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        // As fast as one likes: each byte is progress, and none is the last.
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    let mut answer = Vec::new();
    // What was sent after the answer may make the end a reset.
    let _ = reader.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    trickle.join().unwrap();
}

#[test]
fn a_connection_without_a_request_just_ends() {
    let (_project, edge) = site();
    assert_eq!(answer(&edge, b""), "");
    let kept = answer(&edge, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(kept.starts_with("HTTP/1.1 200 ") && kept.ends_with("static"), "{kept}");
}

#[test]
fn a_body_that_stops_is_a_408() {
    let (_project, edge) = site();
    let head = b"POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf";
    let answer = answer(&edge, head);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("x-frame-options: DENY\r\n"), "{answer}");
}

#[test]
fn a_connection_is_used_for_so_many_requests() {
    let (_project, edge) = site();
    let mut writer = connect(edge.address);
    let mut reader = BufReader::with_capacity(64 * 1024, writer.try_clone().unwrap());
    // A batch at a time: what is on its way when the edge closes would cost the last answers.
    let batch = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    for last in (100..=10_000).step_by(100) {
        writer.write_all(&batch).unwrap();
        for request in last - 99..=last {
            let is_last = read(&mut reader, false).header("connection") == "close";
            assert_eq!(is_last, request == 10_000, "{request}");
        }
    }
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "it is closed");
    assert_eq!(get(edge.address, "/").status, 200, "and the next connection is as good");
}
