//! The end: what is under way may go on for a while, and nothing is cut off before.

use super::site;
use super::support::Edge;
use super::support::client::{Answer, connect, get, read_head};
use super::support::tls;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::ExitStatus;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long requests under way may go on, and when the edge has ended whatever happens.
const DRAIN: Duration = Duration::from_secs(3);
const END: Duration = Duration::from_secs(5);

/// Sends TERM, and waits until no connection is taken any more.
fn begin_end(edge: Edge) -> JoinHandle<(ExitStatus, String)> {
    let address = edge.address;
    let ending = std::thread::spawn(move || edge.signal(Signal::TERM));
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    ending
}

#[test]
fn an_event_stream_goes_on_until_the_bound_and_then_ends() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let Answer { status, .. } = read_head(&mut reader);
    assert_eq!(status, 200);
    let started = Instant::now();
    let ending = begin_end(edge);
    let (mut events, mut last) = (0, started);
    for line in reader.lines() {
        let Ok(line) = line else { break };
        if line == "data: now" {
            (events, last) = (events + 1, Instant::now());
        }
    }
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && said.contains("cut off"), "{said}");
    assert!(started.elapsed() < END);
    assert!(last - started >= DRAIN - Duration::from_millis(500), "{:?}", last - started);
    assert!(events > 50, "{events}");
}

#[test]
fn whoever_is_connected_when_the_end_begins_is_answered() {
    let (_project, mut edge) = site();
    let pid = Pid::from_raw(i32::try_from(edge.pid()).unwrap()).unwrap();
    // Connections, requests and the end are all there at once when it goes on.
    kill_process(pid, Signal::STOP).unwrap();
    let clients: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut client = connect(edge.address);
            client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
            client
        })
        .collect();
    kill_process(pid, Signal::TERM).unwrap();
    kill_process(pid, Signal::CONT).unwrap();
    for client in clients {
        let answer = super::read(&mut BufReader::new(client), false);
        assert_eq!((answer.status, answer.text().as_str()), (200, "static"));
    }
    let (status, said) = edge.wait();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}

#[test]
fn an_idle_connection_holds_nothing_up() {
    let (_project, edge) = site();
    let mut kept = connect(edge.address);
    kept.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::new(kept.try_clone().unwrap());
    super::read(&mut reader, false);
    let _without_a_request = connect(edge.address);
    let started = Instant::now();
    let (status, said) = edge.signal(Signal::TERM);
    assert!(status.success() && !said.contains("cut off"), "{said}");
    assert!(started.elapsed() < DRAIN, "{:?}", started.elapsed());
}

#[test]
fn a_body_that_is_still_coming_is_taken_to_its_end() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    stream.write_all(b"POST /count HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nhalf").unwrap();
    // It is under way once the server has it.
    while !get(edge.address, "/seen").text().contains("POST /count") {}
    let ending = begin_end(edge);
    stream.write_all(b"done").unwrap();
    let answer = super::read(&mut BufReader::new(stream), false);
    assert_eq!((answer.status, answer.text().as_str()), (200, "8"));
    assert_eq!(answer.header("connection"), "close");
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn answers_on_http2_end_as_they_would() {
    let (_project, edge, _pair, certificate) = tls::site(&[]);
    let place = super::support::tls::http2::<Empty<Bytes>>(&edge, &certificate)
        .await
        .send_request(tls::request("/place", Empty::new()))
        .await
        .unwrap();
    let place = tls::text(place).await;
    let server = place.lines().nth(3).unwrap().parse().unwrap();
    let mut sender = tls::http2::<Empty<Bytes>>(&edge, &certificate).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(sender.send_request(tls::request("/stream", Empty::new())).await.unwrap());
    }
    let ending = tokio::task::spawn_blocking(move || begin_end(edge)).await.unwrap();
    tokio::task::spawn_blocking(move || get(server, "/go")).await.unwrap();
    for answer in answers {
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "one\ntwo\n");
    }
    let (status, said) = tokio::task::spawn_blocking(|| ending.join().unwrap()).await.unwrap();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}
