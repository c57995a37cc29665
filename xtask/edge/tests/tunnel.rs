//! WebSockets through the edge: copied both ways, and ended with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::Signal;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use support::client::{connect, get, get_with, raw};
use support::{Edge, Project, project};
use tungstenite::{Message, WebSocket};

/// Not a test: the server of the fixtures, which are started with this very binary.
#[test]
#[ignore = "the other half of the tests: they run it as the release's server"]
fn upstream() {
    support::upstream::run();
}

fn site() -> (Project, Edge) {
    let project = project(&[("index.html", b"static")], Some(""));
    let edge = project.serve();
    (project, edge)
}

fn open(address: SocketAddr) -> WebSocket<TcpStream> {
    let url = format!("ws://{address}/socket");
    let (socket, answer) = tungstenite::client(url, connect(address)).unwrap();
    assert_eq!(answer.status(), 101);
    assert!(answer.headers().contains_key("x-request-id"));
    socket
}

fn assert_echoes(socket: &mut WebSocket<TcpStream>, message: impl Into<Message>) {
    let message = message.into();
    socket.send(message.clone()).unwrap();
    assert_eq!(socket.read().unwrap(), message);
}

#[test]
fn messages_go_both_ways() {
    let (_project, edge) = site();
    let mut socket = open(edge.address);
    assert_echoes(&mut socket, "hello");
    assert_echoes(&mut socket, vec![7; 1_000_000]);
    assert_eq!(get(edge.address, "/").text(), "static", "beside other requests");
    assert_echoes(&mut socket, "again");
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
}

#[test]
fn another_protocol_is_not_handed_on() {
    let (_project, edge) = site();
    let upgrade = "GET /api HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings, close\r\n\
                   upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answer = raw(edge.address, upgrade.as_bytes()).to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(!answer.contains("upgrade") && !answer.contains("h2c"), "{answer}");
    assert!(!answer.contains("http2-settings"), "{answer}");
    let answer = get_with(edge.address, "/socket", "upgrade: websocket\r\n");
    assert_eq!(answer.status, 426, "an upgrade that `connection` does not name is none");
}

#[test]
fn one_that_is_open_at_the_end_may_say_goodbye() {
    let (_project, edge) = site();
    let address = edge.address;
    let mut socket = open(address);
    assert_echoes(&mut socket, "hello");
    let ending = std::thread::spawn(move || edge.signal(Signal::TERM));
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    assert_echoes(&mut socket, "still there");
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}

#[test]
fn one_that_stays_is_cut_off_in_time() {
    let (_project, edge) = site();
    let mut socket = open(edge.address);
    assert_echoes(&mut socket, "hello");
    let started = Instant::now();
    let (status, said) = edge.signal(Signal::TERM);
    assert!(status.success() && said.contains("cut off"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(socket.read().is_err());
}
