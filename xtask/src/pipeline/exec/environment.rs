//! What a step's process is started with.
//!
//! It inherits the runner's environment, or the tools that people have set up would not be found,
//! but for what cargo set for the runner itself: a child cargo that inherits that rebuilds crates
//! which nobody changed; and but for the key that signs releases, with which whatever a test or a
//! dependency runs has no business. A variable that a step names in `env` or `pass-env` is passed on
//! even if it is one of those. `env` is part of the fingerprint; all else that is inherited is not.

use crate::pipeline::step::{Command as StepCommand, Step};
use report::OUTCOME_ENV;
use std::path::Path;
use std::process::Command;

/// Environment variable that names the folder for what a step leaves for people.
pub const ARTIFACTS_ENV: &str = "XTASK_ARTIFACTS";

/// What cargo sets for a program that it runs, or a crate that it builds.
const CARGO_FAMILIES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_BIN_"];
const CARGO_SINGLES: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];

/// Environment variable that holds the secret key which signs releases.
pub const SIGNING_KEY_ENV: &str = "XTASK_SIGNING_KEY_DATA";

/// The command of a step, to be run in `root`. `program` is this very program, for a built-in.
pub fn command(
    step: &Step,
    root: &Path,
    program: &Path,
    outcome: &Path,
    artifacts: &Path,
) -> Command {
    let mut command = match &step.command {
        StepCommand::Shell(script) => {
            let mut command = Command::new("sh");
            // Whatever the script begins with, it is no option.
            command.args(["-c", "--", script]);
            command
        }
        StepCommand::Builtin(arguments) => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
    };
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if is_kept_back(&text) && !step.env.iter().chain(&step.pass_env).any(|own| *own == text) {
            command.env_remove(&name);
        }
    }
    command.current_dir(root).env(OUTCOME_ENV, outcome).env(ARTIFACTS_ENV, artifacts);
    command
}

fn is_kept_back(name: &str) -> bool {
    is_cargos_own(name) || name == SIGNING_KEY_ENV
}

fn is_cargos_own(name: &str) -> bool {
    CARGO_FAMILIES.iter().any(|family| name.starts_with(family)) || CARGO_SINGLES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_own_are_known_and_cargo_itself_stays() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_CFG_UNIX", "OUT_DIR"] {
            assert!(is_cargos_own(name), "{name}");
        }
        for name in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR", "PATH"] {
            assert!(!is_cargos_own(name), "{name}");
        }
    }
}
