//! What can go wrong while inputs are gathered.

use crate::GlobError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What can go wrong while inputs are gathered. A single file that cannot be read is no error: it
/// gets a digest that says so.
#[derive(Debug)]
pub enum Error {
    /// A glob that cannot be understood.
    Glob(GlobError),
    /// The root, or a file of our own, could not be read or written.
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl Error {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { doing, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Glob(error) => error.fmt(f),
            Error::Io { doing, path, .. } => write!(f, "failed to {doing} {}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Glob(_) => None,
            Error::Io { source, .. } => Some(source),
        }
    }
}

impl From<GlobError> for Error {
    fn from(error: GlobError) -> Error {
        Error::Glob(error)
    }
}
