//! Installs what the steps need, where that can be done without asking anybody; else says the exact
//! commands. Idempotent, and fast when nothing is missing.

use crate::context::Context;
use crate::process;
use crate::steps::requirements::{Packages, Remedy, Requirement, requirements};
use crate::tools;
use config::{FILE_NAME, SetupCommand};
use report::{Exit, Fault};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use xshell::cmd;

/// Install what the steps need.
#[derive(Debug, clap::Args)]
pub struct Setup {}

impl Setup {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        install(cx)?;
        println!("setup: everything that the steps need is there");
        Ok(Exit::Passed)
    }
}

/// Installs what is missing, then runs the project's own setup commands that are due. Says what it
/// does; says nothing when there is nothing to do.
///
/// # Errors
/// Exit code 3 with the commands for a person when something cannot be installed from here; 1 when
/// a command of the project fails.
pub fn install(cx: &Context) -> anyhow::Result<()> {
    let config = if cx.root.join(FILE_NAME).exists() { Some(cx.config()?) } else { None };
    let look = || -> anyhow::Result<Vec<Requirement>> {
        let mut missing = requirements(cx, config.as_ref())?;
        missing.retain(|requirement| requirement.found.is_none() && !requirement.is_optional);
        Ok(missing)
    };
    let missing = look()?;
    if !missing.is_empty() {
        components(cx, &missing)?;
        packages(cx, &missing)?;
        let left = look()?;
        if !left.is_empty() {
            return Err(by_hand(&left).into());
        }
    }
    for command in config.iter().flat_map(|config| &config.setup) {
        run_own(cx, command)?;
    }
    Ok(())
}

/// The command that installs a missing requirement on this machine.
pub fn command_for(requirement: &Requirement) -> String {
    match &requirement.remedy {
        Remedy::Command(command) => command.clone(),
        Remedy::Component(component) => format!("rustup component add {component}"),
        Remedy::Packages(packages) => manager().map_or_else(
            || format!("install {} with the system's package manager", requirement.name),
            |manager| manager.command(*packages),
        ),
    }
}

/// A system's package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
}

impl Manager {
    fn command(self, packages: Packages) -> String {
        let sudo = if self == Manager::Brew || is_root() { "" } else { "sudo " };
        match self {
            Manager::Apt => {
                let names = packages.apt.join(" ");
                format!("{sudo}apt-get install -y --no-install-recommends {names}")
            }
            Manager::Dnf => format!("{sudo}dnf install -y {}", packages.dnf),
            Manager::Pacman => format!("{sudo}pacman -S --needed {}", packages.pacman),
            Manager::Brew => format!("brew install {}", packages.brew),
        }
    }
}

fn manager() -> Option<Manager> {
    let managers = [
        ("apt-get", Manager::Apt),
        ("dnf", Manager::Dnf),
        ("pacman", Manager::Pacman),
        ("brew", Manager::Brew),
    ];
    managers
        .into_iter()
        .find(|(program, _)| tools::on_path(OsStr::new(program)).is_some())
        .map(|(_, manager)| manager)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Adds missing components of the toolchain, where rustup manages it.
fn components(cx: &Context, missing: &[Requirement]) -> anyhow::Result<()> {
    let missing = missing.iter().filter_map(|requirement| match requirement.remedy {
        Remedy::Component(component) => Some(component),
        _ => None,
    });
    let missing: Vec<&str> = missing.collect();
    if missing.is_empty() || tools::on_path(OsStr::new("rustup")).is_none() {
        return Ok(());
    }
    say(&format!("rustup component add {}", missing.join(" ")))?;
    let shell = cx.shell()?;
    // A failure shows in what is still missing afterwards.
    process::status(cmd!(shell, "rustup component add {missing...}"))?;
    Ok(())
}

/// Installs missing packages on Debian and its kin, as root or by a sudo that asks nothing.
fn packages(cx: &Context, missing: &[Requirement]) -> anyhow::Result<()> {
    let missing = missing.iter().filter_map(|requirement| match requirement.remedy {
        Remedy::Packages(packages) => Some(packages.apt),
        _ => None,
    });
    let missing: Vec<&str> = missing.flatten().copied().collect();
    if missing.is_empty() || manager() != Some(Manager::Apt) {
        return Ok(());
    }
    let shell = cx.shell()?;
    let sudo: &[&str] = if is_root() {
        &[]
    } else if process::query(cmd!(shell, "sudo -n true")).is_some() {
        &["sudo", "-n"]
    } else {
        return Ok(());
    };
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let apt: Vec<&str> = sudo.iter().copied().chain(quiet).collect();
    let (program, apt) = apt.split_first().unwrap_or((&"apt-get", &[]));
    say("apt-get update")?;
    // An index that cannot be refreshed may still know the packages.
    process::status(cmd!(shell, "{program} {apt...} update"))?;
    say(&format!("apt-get install -y --no-install-recommends {}", missing.join(" ")))?;
    process::status(cmd!(
        shell,
        "{program} {apt...} install -y --no-install-recommends {missing...}"
    ))?;
    Ok(())
}

fn by_hand(missing: &[Requirement]) -> Fault {
    let lines = missing.iter().map(|requirement| {
        format!(
            "\n  {} is missing, for {}: {}",
            requirement.name,
            requirement.why,
            command_for(requirement)
        )
    });
    let lines: String = lines.collect();
    Fault::unreachable(format!(
        "something that the steps need could not be installed from here; run this, then again:{lines}"
    ))
}

/// Runs a command of the project's own, unless what it creates is there and as new as what it is
/// made from.
fn run_own(cx: &Context, command: &SetupCommand) -> anyhow::Result<()> {
    let from = command.from.as_ref().map(|from| cx.root.join(from));
    let digest = digest(from.as_deref());
    let creates = command.creates.as_ref().map(|creates| cx.root.join(creates));
    if let Some(creates) = creates.filter(|creates| creates.exists()) {
        let is_newer = from.as_ref().is_none_or(|from| modified(&creates) >= modified(from));
        // Unpacked files bear the times of their archive, so the digest of what they were made from
        // is remembered, too.
        if is_newer || remembered(cx).get(&command.run) == Some(&digest) {
            return Ok(());
        }
    }
    say(&command.run)?;
    let shell = cx.shell()?;
    let run = &command.run;
    let status = process::status(Command::from(cmd!(shell, "sh -c {run}")))?;
    if !status.success() {
        let code = process::code(status);
        anyhow::bail!("the setup command `{run}` failed with exit code {code}: see its output");
    }
    if let Some(creates) = &command.creates
        && !cx.root.join(creates).exists()
    {
        anyhow::bail!("the setup command `{run}` did not create {creates:?}");
    }
    let mut all = remembered(cx);
    all.insert(command.run.clone(), digest);
    let file = memory(cx);
    std::fs::create_dir_all(file.parent().unwrap_or(&cx.root))?;
    std::fs::write(file, serde_json::to_vec(&all)?)?;
    Ok(())
}

fn say(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "setup: {what}")
}

fn memory(cx: &Context) -> PathBuf {
    cx.root.join("target/xtask/state/setup.json")
}

fn remembered(cx: &Context) -> BTreeMap<String, String> {
    let bytes = std::fs::read(memory(cx)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn digest(file: Option<&Path>) -> String {
    let bytes = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    blake3::hash(&bytes).to_hex().to_string()
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_runs_until_what_it_creates_is_made_from_the_present_source() {
        let temp = tempfile::tempdir().unwrap();
        let cx = Context { root: temp.path().to_path_buf() };
        let old = "touch -t 198501010000 made; echo x >> count";
        let command = SetupCommand {
            run: old.to_owned(),
            creates: Some("made".to_owned()),
            from: Some("lock".to_owned()),
        };
        let runs = || std::fs::read_to_string(temp.path().join("count")).unwrap().lines().count();
        std::fs::write(temp.path().join("lock"), "one").unwrap();
        run_own(&cx, &command).unwrap();
        run_own(&cx, &command).unwrap();
        assert_eq!(runs(), 1);
        std::fs::write(temp.path().join("lock"), "two").unwrap();
        run_own(&cx, &command).unwrap();
        assert_eq!(runs(), 2);
    }

    #[test]
    fn a_command_that_creates_nothing_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let cx = Context { root: temp.path().to_path_buf() };
        let command =
            SetupCommand { run: "true".to_owned(), creates: Some("made".to_owned()), from: None };
        let error = run_own(&cx, &command).unwrap_err();
        assert_eq!(error.to_string(), "the setup command `true` did not create \"made\"");
    }
}
