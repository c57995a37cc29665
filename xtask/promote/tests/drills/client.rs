//! A visitor's browser, as far as the drills need one: every failure is told, none is tried again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One visitor at a time, over a connection that is kept or ever new ones.
pub struct Client {
    address: SocketAddr,
    is_kept: bool,
    connection: Option<BufReader<TcpStream>>,
    /// What the edge knows the visitor by.
    cookie: Option<String>,
}

/// An answer with a status of 2xx.
pub struct Answer {
    /// The release that gave it.
    pub release: String,
    pub body: Vec<u8>,
}

/// A request that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The release that gave the answer; empty when nothing says which.
    pub release: String,
    pub why: String,
}

impl Client {
    pub fn new(address: SocketAddr, is_kept: bool) -> Client {
        Client { address, is_kept, connection: None, cookie: None }
    }

    /// Another visitor, over the same connection.
    pub fn forget(&mut self) {
        self.cookie = None;
    }

    pub fn get(&mut self, target: &str) -> Result<Answer, Failure> {
        let mut head = Head::default();
        let failed = |head: &Head, why: String| Failure {
            release: head.release.clone(),
            why: format!("{target}: {why}"),
        };
        let body = self.exchange(target, &mut head);
        let body = body.map_err(|error| failed(&head, error.to_string()))?;
        if !(200..300).contains(&head.status) {
            let text = String::from_utf8_lossy(&body);
            return Err(failed(&head, format!("status {}: {text}", head.status)));
        }
        Ok(Answer { release: head.release, body })
    }

    fn exchange(&mut self, target: &str, head: &mut Head) -> std::io::Result<Vec<u8>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let close = if self.is_kept { "" } else { "connection: close\r\n" };
        let cookie = self.cookie.iter().map(|cookie| format!("cookie: {cookie}\r\n"));
        let cookie: String = cookie.collect();
        let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{close}{cookie}\r\n");
        connection.get_mut().write_all(request.as_bytes())?;
        head.read(&mut connection)?;
        let mut body = vec![0; head.length];
        connection.read_exact(&mut body)?;
        if !head.is_last {
            self.connection = Some(connection);
        }
        if let Some(cookie) = head.cookie.take() {
            self.cookie = Some(cookie);
        }
        Ok(body)
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }
}

#[derive(Default)]
struct Head {
    status: u16,
    release: String,
    length: usize,
    cookie: Option<String>,
    is_last: bool,
}

impl Head {
    fn read(&mut self, from: &mut impl BufRead) -> std::io::Result<()> {
        let bad = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
        let mut line = String::new();
        from.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        self.status = status.ok_or_else(|| bad(format!("no answer, but {line:?}")))?;
        let mut has_length = false;
        loop {
            line.clear();
            from.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "x-slipway-release" => self.release = value.to_owned(),
                "content-length" => {
                    self.length = value.parse().map_err(|_| bad(line.clone()))?;
                    has_length = true;
                }
                "set-cookie" => self.cookie = value.split(';').next().map(str::to_owned),
                "connection" => self.is_last = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        if has_length { Ok(()) } else { Err(bad("the answer does not say how long it is".into())) }
    }
}
