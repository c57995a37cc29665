//! Requests that two parsers may read in two ways: refused, and nothing behind them is a request.

use super::support::client::{connect, get, raw, read};
use super::support::{Edge, Project, project};
use std::io::{BufReader, Read, Write};

const BEHIND: &str = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
const CHUNKED: &str = "POST /count HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";

fn site() -> (Project, Edge) {
    let project = project(&[("index.html", b"static")], Some(""));
    let edge = project.serve();
    (project, edge)
}

/// The request lines that reached the server.
fn seen(edge: &Edge) -> String {
    get(edge.address, "/seen").text()
}

/// Sends a request with another one behind it; expects one answer, a 400, and the connection's end.
fn assert_refused(edge: &Edge, request: &str) {
    let answer = raw(edge.address, format!("{request}{BEHIND}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answer}");
    assert!(answer.contains("connection: close\r\n"), "{request:?}: {answer}");
}

#[test]
fn a_head_that_can_be_read_in_two_ways_is_a_400_and_reaches_no_server() {
    let (_project, edge) = site();
    for fields in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "content-length: 5\r\ncontent-length: 5",
        "content-length: 5\r\ncontent-length: 0",
        "content-length: 5, 5",
        "content-length: -5",
        "content-length: +5",
        "content-length: 0x5",
        "content-length: 5 5",
        "content-length: 99999999999999999999",
        "content-length : 5",
        "content-length\t: 5",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunkedx",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: identity",
        "transfer-encoding : chunked",
        "transfer-encoding:\r\n chunked",
        "transfer-encoding\r\n: chunked",
        "x: folded\r\n content-length: 5",
        "x: folded\r\n\tmore",
        " content-length: 5",
        "x: 1\ncontent-length: 5",
        "x: 1\rcontent-length: 5",
        "x: 1\r\r\ncontent-length: 5",
        "x: \0",
        "x y: 1",
        "x",
        "host: b",
    ] {
        let request = format!("POST /attack HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n0\r\n\r\n");
        assert_refused(&edge, &request);
    }
    for line in [
        "POST /attack HTTP/1.1\n",
        "POST /attack  HTTP/1.1\r\n",
        "POST /attack b HTTP/1.1\r\n",
        "POST\t/attack HTTP/1.1\r\n",
        "POST /attack HTTP/1.2\r\n",
        "POST /attack HTTP/1.0\r\ntransfer-encoding: chunked\r\n",
        "POST /attack\r\n",
        "POST attack HTTP/1.1\r\n",
        "\nPOST /attack HTTP/1.1\r\n",
    ] {
        assert_refused(&edge, &format!("{line}host: a\r\n\r\n"));
    }
    assert_refused(&edge, "POST /attack HTTP/1.1\r\n\r\n");
    let seen = seen(&edge);
    assert!(!seen.contains("attack") && !seen.contains("smuggled"), "{seen}");
}

#[test]
fn a_chunk_that_is_none_is_a_400_and_nothing_behind_it_is_a_request() {
    let (_project, edge) = site();
    for chunks in [
        "x\r\n",
        "\r\n",
        "-1\r\n",
        "+5\r\nabcde\r\n0\r\n\r\n",
        "0x5\r\nabcde\r\n0\r\n\r\n",
        "5 5\r\nabcde\r\n0\r\n\r\n",
        "5\nabcde\r\n0\r\n\r\n",
        "5\rabcde\r\n0\r\n\r\n",
        "5;x\nabcde\r\n0\r\n\r\n",
        "5\r\nabcdefg\r\n0\r\n\r\n",
        "5\r\nabcde\n0\r\n\r\n",
        "5\r\nabcde0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "10000000000000000\r\n",
        "0\n\r\n",
    ] {
        assert_refused(&edge, &format!("{CHUNKED}{chunks}"));
    }
    // All of the body is there; what should be its trailers is dropped, and the connection ends.
    for trailers in ["\n", "x\r\n\r\n", "content-length: 5\r\n\r\n"] {
        let answer = raw(edge.address, format!("{CHUNKED}0\r\n{trailers}{BEHIND}").as_bytes());
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{trailers:?}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{trailers:?}: {answer}");
    }
    let seen = seen(&edge);
    assert!(!seen.contains("smuggled"), "{seen}");
}

#[test]
fn a_body_in_chunks_is_the_last_on_its_connection() {
    let (_project, edge) = site();
    let all = format!("{CHUNKED}3;x=1\r\nabc\r\n0\r\n\r\n{BEHIND}");
    let answer = raw(edge.address, all.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n3"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(!seen(&edge).contains("smuggled"));
}

#[test]
fn good_requests_go_on_and_on() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    let all = "POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab\ncd\r\n\r\n\
               \r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n\
               POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    // A byte at a time, then all at once.
    for byte in all.as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.write_all(all.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let answers: Vec<String> = (0..6).map(|_| read(&mut reader, false).text()).collect();
    assert_eq!(answers, ["9", "static", "0", "9", "static", "0"]);
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    assert_eq!(read(&mut reader, false).text(), "static");
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn the_host_of_the_request_line_counts() {
    let (_project, edge) = site();
    let request =
        "GET http://me@one.test/api HTTP/1.1\r\nhost: two.test\r\nconnection: close\r\n\r\n";
    let answer = raw(edge.address, request.as_bytes());
    assert!(answer.contains("GET /api HTTP/1.1\r\n"), "{answer}");
    assert!(answer.contains("host: one.test\r\n") && !answer.contains("two.test"), "{answer}");
}
