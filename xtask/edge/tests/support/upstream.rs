//! The server of a fixture release: tells what reached it, and misbehaves when asked to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The request lines that reached it.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Size of the answer to `/big`: more than the system buffers on the way.
pub const BIG_BYTES: usize = 32 * 1024 * 1024;

/// Whether the second half of `/stream` may be sent.
static GO: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Serves until it is killed, when a release's environment says so; else does nothing.
pub fn run() {
    let Ok(address) = std::env::var("LISTEN") else { return };
    println!("upstream begins");
    match std::env::var("MODE").as_deref() {
        Ok("dies") => {
            eprintln!("no database");
            std::process::exit(7);
        }
        Ok("stubborn") => ignore_term(),
        _ => {}
    }
    let listener = TcpListener::bind(address).unwrap();
    for stream in listener.incoming() {
        std::thread::spawn(move || serve(stream.unwrap()));
    }
}

/// A shell that ignores TERM hands that on to what it executes.
fn ignore_term() {
    if std::env::var_os("IGNORING").is_none() {
        use std::os::unix::process::CommandExt;
        let program = std::env::current_exe().unwrap();
        let error = std::process::Command::new("sh")
            .args(["-c", "trap '' TERM; exec \"$0\" upstream --exact --ignored --nocapture"])
            .arg(program)
            .env("IGNORING", "1")
            .exec();
        panic!("{error}");
    }
}

fn serve(stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    let mut is_over = false;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        SEEN.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if is_over {
            return;
        }
        let is_head = head.starts_with("HEAD");
        let path = target.split('?').next().unwrap_or_default();
        let body = match path {
            "/hang-up" => return,
            "/die" => {
                println!("goodbye");
                std::process::exit(7);
            }
            "/socket" => {
                echo(writer, &head);
                return;
            }
            "/stream" => {
                stream_slowly(&mut writer);
                continue;
            }
            "/two-lengths" => {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n\
                              5\r\nwhole\r\n0\r\n\r\n";
                writer.write_all(answer.as_bytes()).unwrap();
                continue;
            }
            "/last" => {
                is_over = true;
                "and nothing after it".to_owned()
            }
            "/big" => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BIG_BYTES}\r\n\r\n");
                // It may be too much for whoever asked.
                let sent = writer.write_all(head.as_bytes());
                if sent.and_then(|()| writer.write_all(&vec![b'x'; BIG_BYTES])).is_err() {
                    return;
                }
                continue;
            }
            "/events" => return send_events(writer),
            "/seen" => SEEN.lock().unwrap().join("\n"),
            "/go" => {
                *GO.0.lock().unwrap() = true;
                GO.1.notify_all();
                "gone".to_owned()
            }
            "/count" => format!("{}", read_body(&mut reader, &head).len()),
            "/place" => {
                let folder = std::env::current_dir().unwrap();
                let greeting = std::env::var("GREETING").unwrap_or_default();
                let address = std::env::var("LISTEN").unwrap_or_default();
                format!("{}\n{greeting}\n{}\n{address}", folder.display(), std::process::id())
            }
            _ => head,
        };
        let extra = match path {
            "/own-headers" => {
                "x-frame-options: SAMEORIGIN\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                 connection: x-private\r\nx-private: 1\r\nkeep-alive: timeout=5\r\n"
            }
            _ => "",
        };
        if path == "/unchanged" || path == "/switch" {
            let status = if path == "/switch" { "101 Go" } else { "304 Not Modified" };
            let answer = format!("HTTP/1.1 {status}\r\netag: \"a\"\r\ncontent-length: 9\r\n\r\n");
            if writer.write_all(answer.as_bytes()).is_err() || path == "/switch" {
                return;
            }
            continue;
        }
        let status = if path == "/missing" { "404 Not Found" } else { "200 OK" };
        let mut answer =
            format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\n\r\n", body.len());
        if !is_head {
            answer += &body;
        }
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A WebSocket that gives back what it is sent.
fn echo(mut stream: TcpStream, head: &str) {
    let key = head
        .to_ascii_lowercase()
        .find("sec-websocket-key: ")
        .map(|at| head[at + "sec-websocket-key: ".len()..].lines().next().unwrap().to_owned());
    let Some(key) = key.filter(|_| head.to_ascii_lowercase().contains("connection: upgrade\r\n"))
    else {
        stream.write_all(b"HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n").unwrap();
        return;
    };
    let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).unwrap();
    let role = tungstenite::protocol::Role::Server;
    let mut socket = tungstenite::WebSocket::from_raw_socket(stream, role, None);
    while let Ok(message) = socket.read() {
        if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
            return;
        }
    }
}

fn stream_slowly(writer: &mut TcpStream) {
    let first = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\none\n\r\n";
    writer.write_all(first.as_bytes()).unwrap();
    let mut may_go = GO.0.lock().unwrap();
    while !*may_go {
        may_go = GO.1.wait(may_go).unwrap();
    }
    writer.write_all(b"4\r\ntwo\n\r\n0\r\n\r\n").unwrap();
}

/// An event stream that never ends by itself.
fn send_events(mut writer: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let mut sent = writer.write_all(head.as_bytes());
    while sent.is_ok() {
        sent = writer.write_all(b"data: now\n\n");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read_body(reader: &mut impl BufRead, head: &str) -> Vec<u8> {
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        let mut body = Vec::new();
        while let Some(chunk) = super::client::read_chunk(reader) {
            body.extend(chunk);
        }
        return body;
    }
    let length = head.split("content-length: ").nth(1).and_then(|it| it.lines().next());
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    if reader.read_exact(&mut body).is_err() {
        return Vec::new();
    }
    body
}
