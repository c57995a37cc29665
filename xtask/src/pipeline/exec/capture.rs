//! What a step prints, within bounds: the head and the tail are kept, and its lines are passed on
//! as they come unless it prints faster than anyone reads.

use std::time::{Duration, Instant};

/// Bytes kept from the start of a step's output, and as many from its end: enough for any log that
/// a person reads, little enough for many steps at once.
const HEAD_BYTES: usize = 4 << 20;
const TAIL_BYTES: usize = 4 << 20;

/// Longest line that is passed on; the rest of it is only in the captured output.
pub const LINE_BYTES: usize = 8 << 10;

/// Lines a step may have passed on in one burst, and in each second after that. A flood beyond it
/// is thinned to its latest line every [`THINNED_EVERY`].
const BURST_LINES: u32 = 20_000;
const LINES_PER_SECOND: u32 = 2_000;
const THINNED_EVERY: Duration = Duration::from_millis(100);

/// The captured output of one attempt.
#[derive(Debug, Default)]
pub struct Capture {
    head: Vec<u8>,
    /// The last bytes after the head; a ring once it is full, beginning at `start`.
    tail: Vec<u8>,
    start: usize,
    after_head: u64,
}

/// What is left of an output when it is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    pub bytes: Vec<u8>,
    /// How many bytes were left out in the middle; a line in `bytes` says so at the place.
    pub omitted_bytes: u64,
}

impl Capture {
    pub fn push(&mut self, mut bytes: &[u8]) {
        let to_head = bytes.len().min(HEAD_BYTES - self.head.len());
        self.head.extend_from_slice(&bytes[..to_head]);
        bytes = &bytes[to_head..];
        self.after_head += bytes.len() as u64;
        if bytes.len() > TAIL_BYTES {
            bytes = &bytes[bytes.len() - TAIL_BYTES..];
        }
        let to_end = bytes.len().min(TAIL_BYTES - self.tail.len());
        self.tail.extend_from_slice(&bytes[..to_end]);
        bytes = &bytes[to_end..];
        while !bytes.is_empty() {
            let room = bytes.len().min(TAIL_BYTES - self.start);
            self.tail[self.start..self.start + room].copy_from_slice(&bytes[..room]);
            self.start = (self.start + room) % TAIL_BYTES;
            bytes = &bytes[room..];
        }
    }

    pub fn finish(self) -> Captured {
        let Capture { head: mut bytes, mut tail, start, after_head } = self;
        tail.rotate_left(start);
        let mut omitted_bytes = after_head - tail.len() as u64;
        if omitted_bytes > 0 {
            // The tail begins within a line: that piece goes too, so that whole lines are left.
            let piece = tail.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            tail.drain(..piece);
            omitted_bytes += piece as u64;
            bytes.extend_from_slice(format!("\n[{omitted_bytes} bytes left out]\n").as_bytes());
        }
        bytes.extend_from_slice(&tail);
        Captured { bytes, omitted_bytes }
    }
}

/// Passes on whole lines, within the limits above.
#[derive(Debug)]
pub struct Lines {
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    allowance: f64,
    filled: Instant,
    thinned: Instant,
}

impl Lines {
    pub fn new(now: Instant) -> Lines {
        Lines { partial: Vec::new(), allowance: f64::from(BURST_LINES), filled: now, thinned: now }
    }

    /// The lines that these bytes complete, each with its line end.
    pub fn push(&mut self, bytes: &[u8], now: Instant) -> Vec<u8> {
        let refill = (now - self.filled).as_secs_f64() * f64::from(LINES_PER_SECOND);
        self.allowance = (self.allowance + refill).min(f64::from(BURST_LINES));
        self.filled = now;
        let mut rest = bytes;
        let mut lines = Vec::new();
        while self.allowance >= 1.0 {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.keep(rest);
                return lines;
            };
            self.keep(&rest[..end]);
            lines.append(&mut self.partial);
            lines.push(b'\n');
            self.allowance -= 1.0;
            rest = &rest[end + 1..];
        }
        self.thin(rest, now, &mut lines);
        lines
    }

    /// The last line, when it has no line end.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.partial.is_empty() {
            self.partial.push(b'\n');
        }
        self.partial
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES - self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Beyond the allowance: only the last whole line, and that not too often.
    fn thin(&mut self, rest: &[u8], now: Instant, lines: &mut Vec<u8>) {
        let mut parts = rest.rsplitn(3, |byte| *byte == b'\n');
        let (last, whole) = (parts.next(), parts.next());
        if let Some(whole) = whole {
            if now - self.thinned >= THINNED_EVERY {
                self.thinned = now;
                lines.extend_from_slice(&whole[..whole.len().min(LINE_BYTES)]);
                lines.push(b'\n');
            }
            self.partial.clear();
        }
        self.keep(last.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_flood_keeps_its_head_and_its_tail() {
        let mut capture = Capture::default();
        let line = |at: usize| format!("line {at:010}\n");
        let total: usize = (0..2_000_000)
            .map(|at| {
                capture.push(line(at).as_bytes());
                line(at).len()
            })
            .sum();
        let captured = capture.finish();
        assert!(captured.bytes.len() <= HEAD_BYTES + TAIL_BYTES + 100);
        assert!(captured.bytes.starts_with(line(0).as_bytes()));
        assert!(captured.bytes.ends_with(line(1_999_999).as_bytes()));
        let text = String::from_utf8(captured.bytes).unwrap();
        let note = format!("\n[{} bytes left out]\n", captured.omitted_bytes);
        assert_eq!(text.len() - note.len() + captured.omitted_bytes as usize, total);
        let (_, tail) = text.split_once(&note).unwrap();
        assert!(tail.starts_with("line "), "the tail begins with a whole line");
    }

    #[test]
    fn an_endless_line_is_cut() {
        let now = Instant::now();
        let mut lines = Lines::new(now);
        for _ in 0..100 {
            assert!(lines.push(&[b'x'; 1000], now).is_empty());
        }
        assert_eq!(lines.push(b"\nnext\n", now).len(), LINE_BYTES + 1 + 5);
    }

    #[test]
    fn a_flood_of_lines_is_thinned_to_the_latest() {
        let now = Instant::now();
        let mut lines = Lines::new(now);
        let burst = lines.push(&b"y\n".repeat(100_000), now);
        assert_eq!(burst.len() / 2, BURST_LINES as usize);
        assert!(lines.push(b"a\nb\nc", now).is_empty());
        let later = now + THINNED_EVERY;
        lines.allowance = -1e9;
        assert_eq!(lines.push(b"d\ne\nf", later), b"e\n");
        assert_eq!(lines.finish(), b"f\n");
    }

    proptest! {
        #[test]
        fn a_small_output_is_kept_whole(chunks in proptest::collection::vec(".*\n?", 0..20)) {
            let now = Instant::now();
            let (mut capture, mut lines, mut passed) =
                (Capture::default(), Lines::new(now), Vec::new());
            for chunk in &chunks {
                capture.push(chunk.as_bytes());
                passed.extend(lines.push(chunk.as_bytes(), now));
            }
            passed.extend(lines.finish());
            let whole = chunks.concat().into_bytes();
            let captured = capture.finish();
            prop_assert_eq!(&captured.bytes, &whole);
            prop_assert_eq!(captured.omitted_bytes, 0);
            let mut ended = whole;
            if !ended.is_empty() && !ended.ends_with(b"\n") {
                ended.push(b'\n');
            }
            prop_assert_eq!(passed, ended);
        }
    }
}
