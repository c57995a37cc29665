//! What people see of Slipway, the same for every tool: text made safe and measured ([`text`]),
//! signs and colour ([`look`]), HTML that is escaped by construction ([`markup`]), a chart's
//! axis of time ([`axis`]), and standard output that nobody may be reading any more ([`Screen`]).

pub mod axis;
pub mod look;
pub mod markup;
pub mod text;

use std::fmt;
use std::io::{ErrorKind, Result, Write};

/// A writer that goes quiet when the other side is gone: `xtask ci | head` closes the pipe early,
/// and that is no failure of the run.
pub struct Screen {
    out: Box<dyn Write>,
    is_closed: bool,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("is_closed", &self.is_closed).finish_non_exhaustive()
    }
}

impl Screen {
    pub fn new(out: Box<dyn Write>) -> Screen {
        Screen { out, is_closed: false }
    }

    pub fn stdout() -> Screen {
        Screen::new(Box::new(std::io::stdout()))
    }

    /// Writes all of `text` at once.
    ///
    /// # Errors
    /// When it cannot be written, though somebody reads.
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
