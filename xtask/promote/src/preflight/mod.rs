//! What must be true before anything is changed. All that is missing is found at once, each with
//! the command that mends it.

mod environment;
mod release;
pub mod schema;

pub use environment::{Standing, stand};
pub use release::{Candidate, Proof, required_steps, signed};

use report::Fault;
use serde::Serialize;
use std::fmt;

/// Something that must be there before a release may go on, and is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The environment that asks for it; `None`: every one.
    pub environment: Option<String>,
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl Missing {
    pub fn new(what: impl Into<String>, mend: impl Into<String>) -> Missing {
        Missing { environment: None, what: what.into(), mend: mend.into() }
    }

    #[must_use]
    pub fn of(self, environment: &str) -> Missing {
        Missing { environment: Some(environment.to_owned()), ..self }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(environment) = &self.environment {
            write!(f, "{environment}: ")?;
        }
        write!(f, "{}; {}", self.what, self.mend)
    }
}

/// The refusal that names all that is missing: exit code 4.
pub fn refusal(release: &str, missing: &[Missing]) -> Fault {
    let things = if missing.len() == 1 { "thing is" } else { "things are" };
    let lines: String = missing.iter().map(|it| format!("\n  - {it}")).collect();
    Fault::refused(format!("{release} may not go on: {} {things} missing{lines}", missing.len()))
}
