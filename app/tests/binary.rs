//! The real binary as an operator of a machine meets it: starting, wrong settings, accounts,
//! ending, and being killed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

const EMAIL: &str = "ann@example.com";
const PASSWORD: &str = "correct horse battery";
/// Nothing here takes longer; a hang becomes a failure.
const TIMEOUT: Duration = Duration::from_secs(20);

fn beacon(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beacon"));
    command.env_clear().env("BEACON_DATA", data).env("BEACON_LISTEN", "127.0.0.1:0");
    command
}

/// Runs a command to its end, with `input` on standard input.
fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let (ended, wait) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if wait.recv_timeout(TIMEOUT) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    // A command that asks for nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    drop(ended);
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server of its own, ended with the test.
struct Server {
    child: Child,
    address: String,
    out: BufReader<std::process::ChildStdout>,
    log: File,
}

fn read(mut log: File) -> String {
    let mut text = String::new();
    log.seek(SeekFrom::Start(0)).unwrap();
    log.read_to_string(&mut text).unwrap();
    text
}

impl Server {
    fn start(command: &mut Command) -> Server {
        // A file, not a pipe: nobody reads along, and a full pipe would hold the server up.
        let log = tempfile::tempfile().unwrap();
        let mut child =
            command.stdout(Stdio::piped()).stderr(log.try_clone().unwrap()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once("on http://") else {
            panic!("no address in {line:?}: {}", read(log));
        };
        Server { address: address.to_owned(), child, out, log }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    fn post(&self, path: &str, body: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "{}{body}", self.head(path, body.len())).unwrap();
        answer(&mut stream)
    }

    fn head(&self, path: &str, length: usize) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n",
            self.address
        )
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end; what it wrote to both streams.
    fn end(mut self) -> (Option<i32>, String) {
        let mut output = String::new();
        self.out.read_to_string(&mut output).unwrap();
        let code = self.child.wait().unwrap().code();
        output.push_str(&read(self.log.try_clone().unwrap()));
        (code, output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    text(&bytes)
}

#[test]
fn a_wrong_setting_ends_the_start_and_names_the_variable() {
    let data = TempDir::new().unwrap();
    for (name, value) in [
        ("BEACON_LISTEN", "eighty"),
        ("BEACON_LOG", "loud"),
        ("BEACON_LOG_FORMAT", "xml"),
        ("BEACON_SEED_OPERATOR_EMAIL", EMAIL),
    ] {
        let output = run(beacon(data.path()).env(name, value), "");
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.starts_with(&format!("beacon: {name}: expected ")), "{errors}");
    }
    let output = run(Command::new(env!("CARGO_BIN_EXE_beacon")).env_clear(), "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("BEACON_DATA: "), "{}", text(&output.stderr));
}

#[test]
fn an_address_in_use_and_a_file_for_a_folder_are_told() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut beacon(data.path()));
    let other = TempDir::new().unwrap();
    let output = run(beacon(other.path()).env("BEACON_LISTEN", &server.address), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&format!("failed to listen on {}", server.address)));

    let file = other.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = run(&mut beacon(&file), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("failed to make the data folder"));

    let damaged = TempDir::new().unwrap();
    std::fs::write(damaged.path().join("beacon.db"), "no database ".repeat(100)).unwrap();
    let output = run(&mut beacon(damaged.path()), "");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("not a database"), "{}", text(&output.stderr));
}

#[test]
fn operators_are_added_listed_and_removed() {
    let data = TempDir::new().unwrap();
    let operator =
        |args: &[&str], input: &str| run(beacon(data.path()).arg("operator").args(args), input);
    assert!(text(&operator(&["list"], "").stdout).contains("There are no operators"));

    let weak = operator(&["add", EMAIL], "short\n");
    assert_eq!(weak.status.code(), Some(1));
    assert!(text(&weak.stderr).contains("a password of 5 characters (at least 12)"));
    assert_eq!(operator(&["add", "nobody"], "").status.code(), Some(2));

    let added = operator(&["add", EMAIL], &format!("{PASSWORD}\n"));
    assert_eq!(text(&added.stdout), format!("{EMAIL} may sign in.\n"), "{}", text(&added.stderr));
    let again = operator(&["add", "Ann@Example.com"], &format!("{PASSWORD}\n"));
    assert!(text(&again.stderr).contains("is an operator already"));
    assert!(text(&operator(&["list"], "").stdout).starts_with(EMAIL));

    let server = Server::start(&mut beacon(data.path()));
    let form = "email=ann%40example.com&password=correct+horse+battery";
    assert!(server.post("/sign-in", form).starts_with("HTTP/1.1 303 "));

    assert!(operator(&["remove", EMAIL], "").status.success());
    assert_eq!(operator(&["remove", EMAIL], "").status.code(), Some(1));
    assert!(server.post("/sign-in", form).starts_with("HTTP/1.1 422 "));
}

#[test]
fn the_first_operator_comes_from_the_environment_once_and_no_secret_is_logged() {
    let data = TempDir::new().unwrap();
    let start = |password: &str| {
        Server::start(
            beacon(data.path())
                .env("BEACON_LOG", "trace")
                .env("BEACON_SEED", "demo")
                .env("BEACON_SEED_OPERATOR_EMAIL", EMAIL)
                .env("BEACON_SEED_OPERATOR_PASSWORD", password),
        )
    };
    let form = "email=ann%40example.com&password=correct+horse+battery";
    let server = start(PASSWORD);
    let answer = server.post("/sign-in", form);
    let token = answer.split("beacon=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    server.post("/report", "component=1&summary=Something+private&email=visitor%40example.org");
    server.signal(Signal::TERM);
    let (code, output) = server.end();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("\"signed in\"") && output.contains("first operator"), "{output}");
    for secret in [token.as_str(), PASSWORD, "correct+horse", EMAIL, "private", "visitor"] {
        assert!(!output.contains(secret), "{secret} in {output}");
    }

    let server = start("another password entirely");
    assert!(server.post("/sign-in", form).starts_with("HTTP/1.1 303 "));
}

#[test]
fn a_request_under_way_is_finished_before_the_end() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut beacon(data.path()));
    let body = "component=&summary=Half+of+a+report";
    let (first, rest) = body.split_at(12);
    let mut stream = server.connect();
    // "100 Continue" is the sign that the server is reading the body.
    let head =
        server.head("/report", body.len()).replace("Connection: close", "Expect: 100-continue");
    stream.write_all(head.as_bytes()).unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    stream.write_all(first.as_bytes()).unwrap();

    server.signal(Signal::TERM);
    // Nobody is let in any more; that is how the end begins.
    while TcpStream::connect(&server.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(rest.as_bytes()).unwrap();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 303 "), "{rest}");
    let (code, output) = server.end();
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("\"ended\""), "{output}");
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut beacon(data.path()));
    let mut acknowledged = 0;
    for _ in 0..8 {
        let answer = server.post("/report", "component=&summary=Kept");
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
        acknowledged += 1;
    }
    server.signal(Signal::KILL);
    let (code, _) = server.end();
    assert_eq!(code, None);
    // A new server opens what the killed one left, and so may we.
    let server = Server::start(&mut beacon(data.path()));
    let connection = rusqlite::Connection::open(data.path().join("beacon.db")).unwrap();
    let kept: u32 =
        connection.query_row("SELECT count(*) FROM reports", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, acknowledged);
    drop(server);
}

#[test]
fn exported_files_are_the_ones_that_are_served() {
    let data = TempDir::new().unwrap();
    let site = TempDir::new().unwrap();
    let output = run(
        Command::new(env!("CARGO_BIN_EXE_beacon"))
            .env_clear()
            .env("BEACON_SITE_NAME", "Northwind")
            .arg("export-site")
            .arg(site.path()),
        "",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let server = Server::start(beacon(data.path()).env("BEACON_SITE_NAME", "Northwind"));
    let get = |path: &str| {
        let mut stream = server.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        bytes.split_off(body)
    };
    let style = std::fs::read_dir(site.path().join("assets")).unwrap().next().unwrap().unwrap();
    let style = format!("/assets/{}", style.file_name().to_str().unwrap());
    for path in [style.as_str(), "/favicon.svg", "/apple-touch-icon.png", "/robots.txt"] {
        let file = std::fs::read(site.path().join(&path[1..])).unwrap();
        assert!(get(path) == file, "{path}");
    }
    assert!(text(&get("/")).contains(&style));
    assert_eq!(get("/no/such/page"), std::fs::read(site.path().join("404.html")).unwrap());
    for name in ["500.html", "503.html"] {
        assert!(std::fs::read_to_string(site.path().join(name)).unwrap().contains(&style));
    }
}

#[test]
fn every_variable_is_in_the_table() {
    let output = run(Command::new(env!("CARGO_BIN_EXE_beacon")).arg("config"), "");
    let table = text(&output.stdout);
    assert_eq!(table.lines().count(), 2 + app::config::variables::ALL.len());
    assert!(table.contains("| `BEACON_LISTEN` | Where to listen."), "{table}");
}
