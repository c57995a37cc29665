//! A client that sends exactly the bytes that it is told to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A test that waits longer for an answer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, its body decoded from its chunks.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lowercase; several fields of one name in order.
    pub headers: HashMap<String, Vec<String>>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The only field of this name; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        match self.headers.get(name).map_or(&[][..], Vec::as_slice) {
            [] => "",
            [value] => value,
            several => panic!("{name} occurs more than once: {several:?}"),
        }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// `GET` of a target, on a connection of its own.
pub fn get(address: SocketAddr, target: &str) -> Answer {
    get_with(address, target, "")
}

/// `GET` with further header lines, each ended by CRLF.
pub fn get_with(address: SocketAddr, target: &str, headers: &str) -> Answer {
    send(address, "GET", target, headers, b"")
}

/// A request on a connection of its own.
pub fn send(address: SocketAddr, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
    let length =
        if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: example.test\r\nconnection: close\r\n{headers}{length}\r\n"
    );
    let mut stream = connect(address);
    stream.write_all(head.as_bytes()).unwrap();
    // The edge may refuse before it has read all; its answer counts.
    let _ = stream.write_all(body);
    read(&mut BufReader::new(stream), method == "HEAD")
}

/// These very bytes on a connection of its own; the answer's bytes as they come.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    // A reset after the answer is as good an end.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer.
pub fn read(from: &mut impl BufRead, is_head: bool) -> Answer {
    let mut answer = read_head(from);
    let length = answer.header("content-length").parse::<usize>().ok();
    if is_head || answer.status == 304 || answer.status == 204 {
    } else if answer.header("transfer-encoding") == "chunked" {
        while let Some(chunk) = read_chunk(from) {
            answer.body.extend(chunk);
        }
    } else if let Some(length) = length {
        answer.body.resize(length, 0);
        from.read_exact(&mut answer.body).unwrap();
    } else {
        from.read_to_end(&mut answer.body).unwrap();
    }
    answer
}

/// Reads an answer up to its body.
pub fn read_head(from: &mut impl BufRead) -> Answer {
    let mut status = String::new();
    from.read_line(&mut status).unwrap();
    let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {status:?}"));
    let mut headers: HashMap<String, Vec<String>> = HashMap::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.entry(name.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
    }
    Answer { status: status.parse().unwrap(), headers, body: Vec::new() }
}

/// Reads one chunk; `None` for the last.
pub fn read_chunk(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut size = String::new();
    from.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    from.read_exact(&mut chunk).unwrap();
    chunk.truncate(size);
    (size > 0).then_some(chunk)
}
