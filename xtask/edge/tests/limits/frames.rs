//! A client on HTTP/2 that sends exactly the frames that it is told to (RFC 9113), with heads that are
//! not compressed (RFC 7541).

use super::support::Edge;
use super::support::tls::{Stream, config, open};
use std::io::{Read, Write};
use tokio_rustls::rustls::pki_types::CertificateDer;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;

pub const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;
pub const INITIAL_WINDOW_SIZE: u16 = 4;

pub struct Client(Stream);

#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A head: its method is GET or, with `is_post`, POST.
pub fn head(is_post: bool, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    // Of the static table: the method and the scheme whole, the names of authority and path.
    let mut head = vec![if is_post { 0x83 } else { 0x82 }, 0x87, 0x01];
    let text = |head: &mut Vec<u8>, text: &str| {
        head.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).unwrap());
        head.extend(text.as_bytes());
    };
    text(&mut head, "localhost");
    head.push(0x04);
    text(&mut head, path);
    for (name, value) in fields {
        head.push(0);
        text(&mut head, name);
        text(&mut head, value);
    }
    head
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A request without a body.
pub fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &head(false, path, &[]))
}

/// The head of a `POST` whose body is still to come.
pub fn post(stream: u32, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &head(true, path, fields))
}

pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

impl Client {
    /// A connection with these settings.
    pub fn open(
        edge: &Edge,
        certificate: &CertificateDer<'static>,
        settings: &[(u16, u32)],
    ) -> Client {
        let config = config(certificate, &["h2"]);
        let mut client = Client(open(edge.address, &config, "localhost").unwrap());
        client.0.sock.set_nodelay(true).unwrap();
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        client.send(&frame(SETTINGS, 0, 0, &settings));
        client
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    /// # Errors
    /// When the edge has ended the connection.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// The next frame; `None` when the edge has ended the connection.
    pub fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], stream, payload })
    }

    /// The next frame of a kind on a stream.
    pub fn wait_for(&mut self, kind: u8, stream: u32) -> Frame {
        std::iter::from_fn(|| self.next())
            .find(|frame| (frame.kind, frame.stream) == (kind, stream))
            .unwrap_or_else(|| panic!("no frame of kind {kind} on stream {stream}"))
    }
}

impl Frame {
    /// Of a reset, or of a goodbye.
    pub fn error_code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// Of an answer's head, as far as the static table has it.
    pub fn status(&self) -> u16 {
        match self.payload[0] {
            0x88 => 200,
            0x8c => 400,
            other => panic!("another status: {other:#x}"),
        }
    }
}
