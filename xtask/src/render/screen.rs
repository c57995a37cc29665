//! Standard output that nobody may be reading any more.
//!
//! `xtask ci | head` closes the pipe early. That is no failure of the run: from then on what is
//! written goes nowhere.

use std::io::{ErrorKind, Result, Write};

/// A writer that goes quiet when the other side is gone.
pub struct Screen {
    out: Box<dyn Write>,
    is_closed: bool,
}

impl Screen {
    pub fn new(out: Box<dyn Write>) -> Screen {
        Screen { out, is_closed: false }
    }

    pub fn stdout() -> Screen {
        Screen::new(Box::new(std::io::stdout()))
    }

    /// Writes all of `text` at once.
    pub fn show(&mut self, text: &str) -> Result<()> {
        if self.is_closed || text.is_empty() {
            return Ok(());
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut screen = Screen::new(Box::new(writer));
        screen.show("nobody reads this\n").unwrap();
        screen.show("nor this\n").unwrap();
    }
}
