//! Switching under load: no request fails, none is answered by two releases.

use super::support::client::{connect, read};
use super::support::environment::{Environment, until};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SWITCHES: usize = 100;

/// Releases that take turns: more than are kept warm, so that most switches load one.
const RELEASES: usize = 8;

/// Longest that a routing may take to be in effect once its release is loaded.
const EFFECT: Duration = Duration::from_millis(100);

struct Client {
    address: SocketAddr,
    is_kept: bool,
    connection: Option<(TcpStream, BufReader<TcpStream>)>,
}

impl Client {
    fn get(&mut self, target: &str) -> String {
        let (mut stream, mut reader) = self.connection.take().unwrap_or_else(|| {
            let stream = connect(self.address);
            (stream.try_clone().unwrap(), BufReader::new(stream))
        });
        let close = if self.is_kept { "" } else { "connection: close\r\n" };
        let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{close}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let answer = read(&mut reader, false);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        if answer.header("connection") != "close" {
            self.connection = Some((stream, reader));
        }
        answer.text()
    }
}

fn site(number: usize) -> Vec<(String, String)> {
    let script = format!("assets/app.{number:06x}a1.js");
    let page = format!("{number} {script}");
    vec![("index.html".to_owned(), page), (script, format!("script of {number}"))]
}

/// A page and then its script, again and again, over a kept connection or ever new ones.
fn browse(address: SocketAddr, is_kept: bool, is_over: &AtomicBool, count: &AtomicU64) {
    let mut client = Client { address, is_kept, connection: None };
    while !is_over.load(Ordering::Relaxed) {
        let page = client.get("/");
        let (number, script) = page.split_once(' ').unwrap();
        assert_eq!(client.get(&format!("/{script}")), format!("script of {number}"));
        count.fetch_add(2, Ordering::Relaxed);
    }
}

#[test]
fn a_hundred_switches_fail_no_request_and_mix_no_page() {
    let mut environment = Environment::new();
    let ids: Vec<_> = (0..RELEASES)
        .map(|number| {
            let files = site(number);
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
            environment.add(&files, None)
        })
        .collect();
    environment.live(&ids[0]);
    let edge = environment.serve();
    let (is_over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut effects = Vec::new();
    std::thread::scope(|scope| {
        for is_kept in [true, true, false] {
            let (address, is_over, count) = (edge.address, &is_over, &count);
            scope.spawn(move || browse(address, is_kept, is_over, count));
        }
        // However this ends, the clients end.
        let _end = End(&is_over);
        let mut client = Client { address: edge.address, is_kept: true, connection: None };
        for switch in 1..=SWITCHES {
            let number = switch % RELEASES;
            environment.live(&ids[number]);
            until("it is live", || (client.get("/").starts_with(&format!("{number} ")), number));
            // The one before is warm: back, and forth again.
            let before = (switch - 1) % RELEASES;
            for number in [before, number] {
                environment.live(&ids[number]);
                // The write itself waits for the disk.
                let start = Instant::now();
                until("it is live", || {
                    (client.get("/").starts_with(&format!("{number} ")), number)
                });
                effects.push(start.elapsed());
            }
        }
    });
    effects.sort_unstable();
    let at = |percent: usize| effects[(effects.len() - 1) * percent / 100];
    let count = count.into_inner();
    println!(
        "{count} requests; a written routing is in effect after {:?} (p50), {:?} (p99), {:?} (max)",
        at(50),
        at(99),
        at(100)
    );
    assert!(count > 1_000, "there was load: {count}");
    assert!(at(50) < EFFECT, "{:?}", at(50));
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn servers_are_switched_without_a_failed_request() {
    let mut environment = Environment::new();
    let ids: Vec<_> = ["0", "1", "2"]
        .iter()
        .map(|number| environment.add(&[("x.txt", number.as_bytes())], Some("")))
        .collect();
    environment.live(&ids[0]);
    let edge = environment.serve();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for is_kept in [true, false] {
            let (address, is_over, ids) = (edge.address, &is_over, &ids);
            scope.spawn(move || {
                let mut client = Client { address, is_kept, connection: None };
                while !is_over.load(Ordering::Relaxed) {
                    let id = client.get("/release");
                    assert!(ids.iter().any(|it| it.as_str() == id), "{id}");
                }
            });
        }
        let _end = End(&is_over);
        for switch in 1..=10 {
            let id = &ids[switch % ids.len()];
            environment.live(id);
            until("it is live", || {
                let release = edge.get("/release").text();
                (release == id.as_str(), release)
            });
        }
    });
}
