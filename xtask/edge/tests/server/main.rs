//! A release with a server: what is passed to it, what comes back, and how it lives and ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod introduced;
#[path = "../support/mod.rs"]
mod support;

use rustix::process::{Pid, Signal, test_kill_process};
use std::io::{BufReader, Write};
use std::time::{Duration, Instant};
use support::client::{connect, get, raw, read, read_chunk, read_head, send};
use support::{Edge, Project, project};

const SERVER: &str = "env = { GREETING = \"hello\" }";

/// Not a test: the server of the fixtures, which are started with this very binary.
#[test]
#[ignore = "the other half of the tests: they run it as the release's server"]
fn upstream() {
    support::upstream::run();
}

fn site(server: &str) -> (Project, Edge) {
    let project =
        project(&[("index.html", b"static"), ("503.html", b"<h1>back soon</h1>")], Some(server));
    let edge = project.serve();
    (project, edge)
}

fn is_alive(pid: &str) -> bool {
    test_kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap()).is_ok()
}

#[test]
fn files_are_static_and_all_else_goes_to_the_server() {
    let (_project, edge) = site(SERVER);
    assert_eq!(get(edge.address, "/").text(), "static");
    assert!(get(edge.address, "/api?x=%20").text().starts_with("GET /api?x=%20 HTTP/1.1\r\n"));
    assert!(send(edge.address, "POST", "/", "", b"").text().starts_with("POST / HTTP/1.1\r\n"));
    assert!(send(edge.address, "OPTIONS", "/", "", b"").text().starts_with("OPTIONS / "));
    assert_eq!(get(edge.address, "/missing").status, 404);
    assert!(get(edge.address, "/../x").text().starts_with("GET /../x "), "as it was asked for");
    let answer = send(edge.address, "HEAD", "/api", "", b"");
    assert!(answer.status == 200 && answer.header("content-length").parse::<u64>().unwrap() > 0);
}

#[test]
fn the_policy_completes_the_servers_answer_and_never_doubles_it() {
    let (_project, edge) = site(SERVER);
    let answer = get(edge.address, "/own-headers");
    assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'");
    assert_eq!(answer.headers["set-cookie"], ["a=1", "b=2"]);
    for gone in ["x-private", "keep-alive"] {
        assert_eq!(answer.header(gone), "", "{gone} belongs to the server's connection");
    }
}

#[test]
fn an_answer_without_a_body_keeps_its_headers() {
    let (_project, edge) = site(SERVER);
    let answer = get(edge.address, "/unchanged");
    assert_eq!((answer.status, answer.header("etag")), (304, "\"a\""));
    assert_eq!(get(edge.address, "/switch").status, 502, "nobody asked for another protocol");
}

#[test]
fn an_answer_is_streamed_as_it_comes() {
    let (_project, edge) = site(SERVER);
    let mut stream = connect(edge.address);
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_head(&mut reader).status, 200);
    assert_eq!(read_chunk(&mut reader).unwrap(), b"one\n", "before the server has sent the rest");
    get(edge.address, "/go");
    assert_eq!(read_chunk(&mut reader).unwrap(), b"two\n");
    assert_eq!(read_chunk(&mut reader), None);
}

#[test]
fn a_body_is_passed_up_to_the_limit() {
    let (_project, edge) = site(SERVER);
    let body = vec![b'x'; 5_000_000];
    assert_eq!(send(edge.address, "POST", "/count", "", &body).text(), "5000000");
    let chunked = "POST /count HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
                   transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert!(raw(edge.address, chunked.as_bytes()).ends_with("\r\n\r\n5"));

    let answer = send(edge.address, "POST", "/count", "content-length: 16777217\r\n", b"");
    assert_eq!((answer.status, answer.header("x-frame-options")), (413, "DENY"));
    let mut endless =
        b"POST /count HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..17 {
        endless.extend(b"100000\r\n");
        endless.extend(vec![b'x'; 0x10_0000]);
        endless.extend(b"\r\n");
    }
    let answer = raw(edge.address, &endless);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(get(edge.address, "/api").status, 200, "and it still serves");
}

#[test]
fn a_server_that_hangs_up_is_a_502_with_the_policy() {
    let (_project, edge) = site(SERVER);
    let answer = get(edge.address, "/hang-up");
    assert_eq!((answer.status, answer.text().as_str()), (502, "<h1>back soon</h1>"));
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("cache-control"), "no-store");
    let (status, said) = edge.close();
    assert!(status.success());
    assert!(said.contains("the server gave no answer"), "{said}");
}

#[test]
fn a_kept_connection_that_the_server_closes_costs_no_request_that_changes_nothing() {
    let (_project, edge) = site(SERVER);
    let seen = |line: &str| get(edge.address, "/seen").text().matches(line).count();
    for (method, status, times) in [("GET", 200, 2), ("POST", 502, 1)] {
        let mut stream = connect(edge.address);
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for target in ["GET /last", &format!("{method} /api")] {
            let request = format!("{target} HTTP/1.1\r\nhost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let answer = read(&mut reader, false);
            let expected = if target == "GET /last" { 200 } else { status };
            assert_eq!(answer.status, expected, "{target}: {answer:?}");
        }
        assert_eq!(seen(&format!("{method} /api ")), times);
    }
}

#[test]
fn an_answer_of_two_lengths_is_passed_as_it_was_read() {
    let (_project, edge) = site(SERVER);
    let answer = get(edge.address, "/two-lengths");
    assert_eq!((answer.header("content-length"), answer.text().as_str()), ("", "whole"));
}

#[test]
fn the_server_gets_its_environment_and_a_folder_of_its_own() {
    let (project, edge) = site(SERVER);
    let answer = get(edge.address, "/place").text();
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[1], "hello");
    assert!(!std::path::Path::new(lines[0]).starts_with(project.root()), "{answer}");
    assert!(std::path::Path::new(lines[0]).is_dir() && is_alive(lines[2]));

    let (status, said) = edge.close();
    assert!(status.success() && said.contains("upstream begins"), "{said}");
    assert!(!std::path::Path::new(lines[0]).exists(), "its folder goes with it");
    assert!(!is_alive(lines[2]));
}

#[test]
fn a_server_that_ignores_term_is_killed_in_time() {
    for signal in [Signal::TERM, Signal::INT] {
        let (_project, edge) = site("env = { MODE = \"stubborn\" }");
        let answer = get(edge.address, "/place").text();
        let started = Instant::now();
        let (status, _) = edge.signal(signal);
        assert!(status.success(), "{status}");
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(!is_alive(answer.lines().nth(2).unwrap()));
    }
}

#[test]
fn an_answer_under_way_is_not_cut_off_at_the_end() {
    let (_project, edge) = site(SERVER);
    let address = edge.address;
    let server = get(address, "/place").text().lines().nth(3).unwrap().parse().unwrap();
    let mut stream = connect(address);
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    read_head(&mut reader);
    read_chunk(&mut reader);
    let ending = std::thread::spawn(move || edge.signal(Signal::TERM));
    // The end has begun when no connection is taken any more; then the server goes on.
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    get(server, "/go");
    assert_eq!(read_chunk(&mut reader).unwrap(), b"two\n");
    assert_eq!(read_chunk(&mut reader), None);
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}

#[test]
fn a_server_that_dies_at_the_start_is_an_exit_3_with_its_last_words() {
    let project = project(&[("index.html", b"x")], Some("env = { MODE = \"dies\" }"));
    let (code, stdout, stderr) = project.serve_in_vain();
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    let error = &stderr[stderr.find("error:").unwrap()..];
    assert!(error.contains("died before it was ready: exit status: 7"), "{stderr}");
    assert!(error.contains("no database"), "{stderr}");
}

#[test]
fn a_server_that_dies_later_is_an_exit_3_too() {
    let (_project, mut edge) = site(SERVER);
    raw(edge.address, b"GET /die HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let (status, said) = edge.wait();
    assert_eq!(status.code(), Some(3), "{said}");
    let error = &said[said.rfind("error:").unwrap()..];
    assert!(
        error.contains("the server died: exit status: 7") && error.contains("goodbye"),
        "{said}"
    );
}
