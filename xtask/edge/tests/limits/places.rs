//! How many connections and requests there may be.

use super::support::client::connect;
use super::support::tls::{Pair, http2, request, text};
use super::support::{Edge, Project, project};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Files that the edge may have open: for 68 connections, 8 of them from one address.
const FILES: &str = "200";
const ALL: usize = 68;
const OF_ONE_ADDRESS: usize = 8;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// An edge that may have few files open.
fn small_edge(project: &Project, args: &[&str]) -> Edge {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -n {FILES}; exec \"$0\" --with-parent \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_xtask-edge"))
        .args(args)
        .current_dir(project.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Edge::start(command)
}

/// A connection from `127.0.0.HOST`.
fn connect_from(host: u8, edge: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, host], 0)).into()).unwrap();
    socket.connect(&edge.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Whether the edge answers on this connection; not when it closes it.
fn is_served(mut stream: &TcpStream) -> bool {
    if stream.write_all(REQUEST).is_err() {
        return false;
    }
    match stream.read(&mut [0; 4096]) {
        Ok(count) => count > 0,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn one_address_gets_its_share_of_the_connections() {
    let project = project(&[("index.html", b"static")], None);
    let edge = small_edge(&project, &[]);
    let mut held = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        held.push(connect(edge.address));
        assert!(is_served(&held[held.len() - 1]));
    }
    assert!(!is_served(&connect(edge.address)), "one more is closed");
    assert!(is_served(&connect_from(2, edge.address)), "another address has its own");
    held.pop();
    // The edge has to see the end first.
    while !is_served(&connect(edge.address)) {
        std::thread::yield_now();
    }
    let edge = small_edge(&project, &["--trust-proxy", "127.0.0.1"]);
    let many: Vec<TcpStream> = (0..2 * OF_ONE_ADDRESS).map(|_| connect(edge.address)).collect();
    assert!(many.iter().all(is_served), "a proxy speaks for many");
}

#[test]
fn a_connection_too_many_waits_for_its_place() {
    let project = project(&[("index.html", b"static")], None);
    let edge = small_edge(&project, &[]);
    let mut held: Vec<TcpStream> = (0..ALL)
        .map(|count| connect_from(u8::try_from(1 + count / OF_ONE_ADDRESS).unwrap(), edge.address))
        .collect();
    assert!(held.iter().all(is_served));
    let mut waiting = connect_from(100, edge.address);
    waiting.write_all(REQUEST).unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = waiting.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "it is neither served nor refused");
    held.pop();
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap(), 1, "the place of one that went is its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_gets_so_many_requests_and_the_rest_is_a_503() {
    let project = project(&[("503.html", b"<h1>back soon</h1>")], Some(""));
    let certificate = Pair::at(project.root()).renew();
    let edge = small_edge(&project, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let mut sender = http2(&edge, &certificate).await;
    let mut under_way = Vec::new();
    for _ in 0..ALL {
        let answer = sender.send_request(request("/stream", Empty::<Bytes>::new())).await.unwrap();
        assert_eq!(answer.status(), 200);
        under_way.push(answer);
    }
    let answer = sender.send_request(request("/api", Empty::new())).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(text(answer).await, "<h1>back soon</h1>");
    // Dropped before its end: its turn is another's.
    drop(under_way.pop());
    loop {
        let answer = sender.send_request(request("/go", Empty::new())).await.unwrap();
        if answer.status() == 200 {
            break;
        }
        answer.into_body().collect().await.unwrap();
    }
    for answer in under_way {
        assert_eq!(text(answer).await, "one\ntwo\n");
    }
}
