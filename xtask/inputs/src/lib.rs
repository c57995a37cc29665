//! The input files of a checkout: walked once, matched against all globs in one pass, hashed
//! through a stat cache.
//!
//! - A path is the bytes of a name relative to the root, `/` between its parts. Nothing here
//!   supposes that it is UTF-8.
//! - What git ignores is no input, with or without git, unless it is tracked or named outright.
//! - A symbolic link is its text, and what it leads to where that is inside the root.
//! - A digest covers a file's path, kind (executable or not) and content; never its times.
//! - A digest is taken from the record only where no edit can hide behind the file's times; see
//!   [`Stamp::is_settled`].

mod checkout;
mod clock;
mod content;
mod error;
mod gitignore;
mod glob;
mod index;
mod link;
mod matcher;
mod outputs;
mod parse;
mod pattern;
mod record;
mod rules;
mod stamp;
mod walk;

pub use checkout::{Change, Checkout, File, FileList};
pub use content::{content, copy_hashed};
pub use error::Error;
pub use glob::{Glob, GlobError};
pub use index::git_dir;
pub use matcher::{Globs, Matcher};
pub use outputs::{Leaving, collect};
pub use record::Record;
pub use stamp::{Kind, Stamp};

/// A BLAKE3 digest.
pub type Digest = [u8; 32];

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A path of this crate as the operating system takes it.
pub fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
