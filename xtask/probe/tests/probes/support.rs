//! A small HTTP/1.1 server on a free port, and a project folder to run the real binaries in.

use report::Outcome;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Bytes of an answer, written as they are. `None` closes the connection without one.
pub type Handler = dyn Fn(&Request) -> Option<String> + Send + Sync;

pub struct Server {
    pub address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Option<String> + Send + Sync + 'static) -> Server {
        Server::on(TcpListener::bind("127.0.0.1:0").unwrap(), handler)
    }

    pub fn on(
        listener: TcpListener,
        handler: impl Fn(&Request) -> Option<String> + Send + Sync + 'static,
    ) -> Server {
        let address = listener.local_addr().unwrap();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        let handler: Arc<Handler> = Arc::new(handler);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let handler = Arc::clone(&handler);
                std::thread::spawn(move || serve(stream.unwrap(), &*handler));
            }
        });
        Server { address, is_stopped, accepting: Some(accepting) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().unwrap().join();
    }
}

fn serve(stream: TcpStream, handler: &Handler) {
    stream.set_nodelay(true).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        match handler(&request) {
            Some(answer) if writer.write_all(answer.as_bytes()).is_ok() => {}
            _ => return,
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let mut request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = request.headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// An answer with a length, so that the connection is kept.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Option<String> {
    let mut text = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    Some(format!("{text}\r\n{body}"))
}

/// A port on which nothing listens: bound once and given back.
pub fn closed_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub struct Run {
    pub code: i32,
    pub outcome: Outcome,
    pub stderr: String,
}

/// Runs a tool in a project whose `xtask.toml` holds `toml`.
pub fn run(binary: &str, toml: &str, arguments: &[&str]) -> Run {
    let project = tempfile::tempdir().unwrap();
    let text = format!("[project]\nname = \"fixture\"\n{toml}");
    std::fs::write(project.path().join("xtask.toml"), text).unwrap();
    let outcome = project.path().join("outcome.json");
    let Output { status, stderr, .. } = Command::new(binary)
        .args(arguments)
        .current_dir(project.path())
        .env("XTASK_OUTCOME", &outcome)
        // A proxy must not come between a probe and loopback.
        .env("http_proxy", "http://127.0.0.1:9")
        .output()
        .unwrap();
    Run {
        code: status.code().unwrap(),
        outcome: read_outcome(&outcome),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn read_outcome(path: &Path) -> Outcome {
    report::read_outcome(path).unwrap().unwrap()
}

/// The findings as a person reads them, one after the other.
pub fn shown(outcome: &Outcome) -> String {
    let mut text = format!("{}: {}\n", outcome.status, outcome.summary);
    for finding in &outcome.findings {
        text.push_str(&format!("\n{} [{}]", finding.level, finding.rule));
        if let Some(place) = &finding.place {
            text.push_str(&format!(" {place}"));
        }
        text.push_str(&format!("\n{}\n", finding.message));
        if let Some(help) = &finding.help {
            text.push_str(&format!("help: {help}\n"));
        }
    }
    text
}
