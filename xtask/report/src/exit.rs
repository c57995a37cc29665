//! Exit codes, the same for every subcommand and tool, and the error that carries one.

use std::fmt;
use std::process::ExitCode;

/// What a process of Slipway came to, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: every check passed.
    Passed = 0,
    /// 1: the checks found something wrong.
    Failed = 1,
    /// 2: usage or configuration.
    Usage = 2,
    /// 3: the world was not reachable: no browser, no network, no store.
    Unreachable = 3,
    /// 4: refused on safety grounds: lock held, missing evidence, bad signature.
    Refused = 4,
    /// 130: interrupted (SIGINT).
    Interrupted = 130,
    /// 143: terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// The numeric exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The meaning of a numeric exit code; `None` for one that Slipway does not use.
    pub fn from_code(code: i32) -> Option<Exit> {
        [
            Exit::Passed,
            Exit::Failed,
            Exit::Usage,
            Exit::Unreachable,
            Exit::Refused,
            Exit::Interrupted,
            Exit::Terminated,
        ]
        .into_iter()
        .find(|exit| i32::from(exit.code()) == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An error that knows which exit code it deserves. Put it into an `anyhow` chain; [`Exit`] is
/// found again by [`Fault::exit_of`] however much context was added around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exit code that the process should end with.
    pub exit: Exit,
    /// What is wrong, where, what was expected, what to do next; lowercase, no full stop.
    pub message: String,
}

impl Fault {
    /// Exit 2: usage or configuration.
    pub fn usage(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Usage, message: message.into() }
    }

    /// Exit 3: the world was not reachable.
    pub fn unreachable(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Unreachable, message: message.into() }
    }

    /// Exit 4: refused on safety grounds.
    pub fn refused(message: impl Into<String>) -> Fault {
        Fault { exit: Exit::Refused, message: message.into() }
    }

    /// The exit code of an error: that of the first fault in its chain, else 1.
    pub fn exit_of(error: &anyhow::Error) -> Exit {
        // A fault that was itself added as context is found only by anyhow's own look-up.
        error
            .downcast_ref::<Fault>()
            .or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<Fault>()))
            .map_or(Exit::Failed, |fault| fault.exit)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn codes_round_trip() {
        for code in [0, 1, 2, 3, 4, 130, 143] {
            assert_eq!(Exit::from_code(code).map(|exit| i32::from(exit.code())), Some(code));
        }
        assert_eq!(Exit::from_code(101), None);
    }

    #[test]
    fn a_fault_is_found_under_its_context() {
        let error = Err::<(), _>(Fault::unreachable("no browser found"))
            .context("failed to start the journeys")
            .unwrap_err();
        assert_eq!(Fault::exit_of(&error), Exit::Unreachable);
        let error = Err::<(), _>(std::io::Error::other("refused"))
            .context(Fault::unreachable("no store"))
            .context("failed to promote")
            .unwrap_err();
        assert_eq!(Fault::exit_of(&error), Exit::Unreachable);
        assert_eq!(Fault::exit_of(&anyhow::anyhow!("plain")), Exit::Failed);
    }
}
