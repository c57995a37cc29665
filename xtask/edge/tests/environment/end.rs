//! The end of an edge with requests in flight: bounded, and nothing is cut off before.

use super::support::client::{Answer, connect, read};
use super::support::environment::{Environment, EnvironmentEdge, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::ExitStatus;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long requests under way may go on, and when the edge has ended whatever happens.
const DRAIN: Duration = Duration::from_secs(3);
const END: Duration = Duration::from_secs(6);

/// An edge with a request in its server; the answer comes when `data/go` is there.
fn with_a_request_in_flight() -> (Environment, EnvironmentEdge, TcpStream) {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&live);
    let edge = environment.serve();
    let mut waiting = connect(edge.address);
    waiting.write_all(b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    until("the request is in the server", || {
        let metrics = edge.json("/metrics.json");
        (metrics["releases"][live.as_str()]["in_flight"] == 1, metrics)
    });
    (environment, edge, waiting)
}

/// Sends TERM, and waits until no connection is taken any more.
fn begin_end(edge: EnvironmentEdge) -> JoinHandle<(ExitStatus, String)> {
    let address = edge.address;
    let pid = i32::try_from(edge.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    std::thread::spawn(move || edge.close())
}

#[test]
fn a_request_in_flight_is_answered_at_the_end() {
    let (environment, edge, waiting) = with_a_request_in_flight();
    let ending = begin_end(edge);
    fs::write(environment.folder().join("data/go"), "").unwrap();
    let Answer { status, .. } = read(&mut BufReader::new(waiting), false);
    assert_eq!(status, 200, "its server was there to the last");
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && !said.contains("cut off"), "{said}");
}

#[test]
fn a_request_that_stays_is_cut_off_at_the_bound_and_not_before() {
    let (_environment, edge, mut waiting) = with_a_request_in_flight();
    let started = Instant::now();
    let ending = begin_end(edge);
    let mut answer = Vec::new();
    let _ = waiting.read_to_end(&mut answer);
    let cut_after = started.elapsed();
    assert!(answer.is_empty() && cut_after > DRAIN - Duration::from_millis(200), "{cut_after:?}");
    let (status, said) = ending.join().unwrap();
    assert!(status.success() && said.contains("cut off"), "{said}");
    assert!(started.elapsed() < END, "{:?}", started.elapsed());
}
