//! What the edge says of itself, on standard error, line by line.
//!
//! Invariant: that nothing can be said, because the disk of the log is full or nobody reads, stops
//! nothing. `eprintln!` would panic.

use std::fmt;
use std::io::Write;

/// Says a line, formatted as by `format!`.
macro_rules! say {
    ($($argument:tt)*) => { $crate::say::line(format_args!($($argument)*)) };
}

/// Says a line, in one write.
pub fn line(text: fmt::Arguments<'_>) {
    let line = format!("{text}\n");
    // There is nobody left to tell.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
