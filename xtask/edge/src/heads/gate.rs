//! How far the bytes of a connection are good: pure, whatever pieces they come in.

/// Where in the stream of bytes the connection is.
#[derive(Debug)]
pub struct Gate {
    state: State,
    /// How far the head was searched for its end.
    searched: usize,
    /// Beyond it the parser refuses a head, whatever comes.
    max_head_bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Head,
    Body {
        left: u64,
    },
    /// No further head comes on this connection: see [`super::ends_connection`].
    Through,
}

/// A head that may be read in two ways.
#[derive(Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl Gate {
    /// Heads of more than `max_head_bytes` are for the parser to refuse.
    pub fn new(max_head_bytes: usize) -> Gate {
        Gate { state: State::Head, searched: 0, max_head_bytes }
    }

    /// Whether a head is next, or has begun.
    pub fn is_at_head(&self) -> bool {
        self.state == State::Head
    }

    /// No more bytes come: the parser knows what to say of half a head.
    pub fn end(&mut self) {
        self.state = State::Through;
    }

    /// How many of these bytes, the next that came, the parser may have; 0 when more have to come
    /// first. What is not admitted is to be given again, with more behind it.
    pub fn admit(&mut self, bytes: &[u8]) -> Result<usize, Ambiguous> {
        match &mut self.state {
            State::Through => return Ok(bytes.len()),
            State::Body { left } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                if *left == 0 {
                    self.state = State::Head;
                }
                return Ok(count);
            }
            State::Head => {}
        }
        if bytes.starts_with(b"\r\n") {
            // Some clients end a body with it (RFC 9112, section 2.2).
            self.searched = 0;
            return Ok(2);
        }
        let start = self.searched;
        let ends = bytes.iter().enumerate().skip(start).filter(|(_, byte)| **byte == b'\n');
        for (at, _) in ends {
            let line = &bytes[..at];
            if !line.ends_with(b"\r") {
                return Err(Ambiguous);
            }
            if line.ends_with(b"\r\n\r") {
                self.searched = 0;
                self.state = after(line)?;
                return Ok(at + 1);
            }
        }
        self.searched = bytes.len();
        if bytes.len() > self.max_head_bytes {
            self.state = State::Through;
            return Ok(bytes.len());
        }
        Ok(0)
    }
}

/// What comes after this head.
fn after(head: &[u8]) -> Result<State, Ambiguous> {
    let mut length = None;
    let mut is_chunked = false;
    let mut is_upgrade = false;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            // One and no more, be they equal or not.
            if length.replace(number(value).ok_or(Ambiguous)?).is_some() {
                return Err(Ambiguous);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // No other coding would be undone on the way to the server.
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous);
            }
            is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            is_upgrade = true;
        }
    }
    match length {
        Some(_) if is_chunked => Err(Ambiguous),
        _ if is_chunked || is_upgrade => Ok(State::Through),
        None | Some(0) => Ok(State::Head),
        Some(left) => Ok(State::Body { left }),
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}
