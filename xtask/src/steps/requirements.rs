//! What the project's steps need from the machine: derived from the plan and the configuration,
//! looked for on the file system alone, so that nothing is started when nothing is missing.

use crate::context::Context;
use crate::pipeline::step::Step;
use crate::steps::catalog;
use crate::{process, tools};
use config::{Config, StepConfig};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Names under which Chromium and its kin are installed.
const BROWSERS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
];

/// Where browsers lie that are not on PATH.
const BROWSER_FILES: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Something that a step needs from the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub name: &'static str,
    /// Why it is needed: `lint`, or a sentence's end for what is merely good to have.
    pub why: String,
    /// Where it was found.
    pub found: Option<PathBuf>,
    /// The arguments that make it say its version.
    pub version: &'static [&'static str],
    /// Without an optional one all steps work.
    pub is_optional: bool,
    pub remedy: Remedy,
}

/// What mends a missing requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Packages of the system's package manager.
    Packages(Packages),
    /// A component of the Rust toolchain.
    Component(&'static str),
    /// A command for a person.
    Command(String),
}

/// The same thing's names in several package managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packages {
    pub apt: &'static [&'static str],
    pub dnf: &'static str,
    pub pacman: &'static str,
    pub brew: &'static str,
}

const COMPILER: Packages =
    Packages { apt: &["gcc", "libc6-dev"], dnf: "gcc", pacman: "gcc", brew: "gcc" };
const GIT: Packages = Packages { apt: &["git"], dnf: "git", pacman: "git", brew: "git" };
const CHROMIUM: Packages =
    Packages { apt: &["chromium"], dnf: "chromium", pacman: "chromium", brew: "--cask chromium" };
const NODE: Packages = Packages { apt: &["nodejs"], dnf: "nodejs", pacman: "nodejs", brew: "node" };
const NPM: Packages = Packages { apt: &["npm"], dnf: "nodejs-npm", pacman: "npm", brew: "node" };

/// Everything that the project's steps need, in the order in which it is installed. Without a
/// configuration: what the files at the root let expect.
///
/// # Errors
/// When the plan cannot be made.
pub fn requirements(cx: &Context, config: Option<&Config>) -> anyhow::Result<Vec<Requirement>> {
    let mut steps = match config {
        Some(config) => catalog::catalog(cx, config)?,
        None => Vec::new(),
    };
    // Of a command of the project's own it is not known what it needs.
    let is_own = |name: &String| config.and_then(|c| c.steps.get(name)).is_some_and(has_run);
    steps.retain(|step| !is_own(&step.name));
    let mut all = Vec::new();
    if cx.root.join("Cargo.toml").is_file() {
        cargo(cx, &steps, config.is_none(), &mut all);
    }
    all.push(Requirement {
        name: "git",
        why: "the commit in reports and releases, and `--affected`".to_owned(),
        found: tools::on_path(OsStr::new("git")),
        version: &["--version"],
        is_optional: true,
        remedy: Remedy::Packages(GIT),
    });
    if let Some(why) = browser_steps(&steps, config) {
        all.push(required("chromium", why, browser(), Remedy::Packages(CHROMIUM)));
    }
    if cx.root.join("package.json").is_file() {
        let why = || "the project's package.json".to_owned();
        let on_path = |name: &str| tools::on_path(OsStr::new(name));
        all.push(required("node", why(), on_path("node"), Remedy::Packages(NODE)));
        all.push(required("npm", why(), on_path("npm"), Remedy::Packages(NPM)));
    }
    if tools::checkout().is_none() {
        all.extend(heavy_tools(&steps));
    }
    Ok(all)
}

fn cargo(cx: &Context, steps: &[Step], has_no_plan: bool, all: &mut Vec<Requirement>) {
    let has = |name: &str| has_no_plan || is_among(steps, name);
    for (step, name, component) in
        [("fmt", "rustfmt", "rustfmt"), ("lint", "cargo-clippy", "clippy")]
    {
        if has(step) {
            let found = beside_cargo(name);
            all.push(required(name, step.to_owned(), found, Remedy::Component(component)));
        }
    }
    if uses_c(&cx.root) {
        // `CC` may hold flags after the program.
        let named = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let found = named.split_whitespace().next().and_then(|cc| tools::on_path(OsStr::new(cc)));
        let why = "crates that build C, as SQLite and ring do".to_owned();
        all.push(required("cc", why, found, Remedy::Packages(COMPILER)));
    }
    if has("test") {
        all.push(Requirement {
            name: "cargo-nextest",
            why: "faster tests; `cargo test` runs them without it".to_owned(),
            found: beside_cargo("cargo-nextest"),
            version: &["nextest", "--version"],
            is_optional: true,
            remedy: Remedy::Command("cargo install --locked cargo-nextest".to_owned()),
        });
    }
}

fn required(
    name: &'static str,
    why: String,
    found: Option<PathBuf>,
    remedy: Remedy,
) -> Requirement {
    Requirement { name, why, found, version: &["--version"], is_optional: false, remedy }
}

fn has_run(section: &StepConfig) -> bool {
    section.run.is_some()
}

fn is_among(steps: &[Step], name: &str) -> bool {
    steps.iter().any(|step| step.name == name)
}

/// The steps that need Chromium, as a reason; `None` when there are none. Playwright and Cypress
/// bring browsers of their own.
fn browser_steps(steps: &[Step], config: Option<&Config>) -> Option<String> {
    let brings_its_own = config
        .and_then(|config| config.e2e.as_ref())
        .is_some_and(|e2e| ["playwright", "cypress"].iter().any(|runner| e2e.run.contains(runner)));
    let names = ["e2e", "budget"]
        .into_iter()
        .filter(|name| is_among(steps, name) && !(*name == "e2e" && brings_its_own));
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn browser() -> Option<PathBuf> {
    let on_path = BROWSERS.iter().find_map(|name| tools::on_path(OsStr::new(name)));
    on_path.or_else(|| BROWSER_FILES.iter().map(PathBuf::from).find(|path| path.is_file()))
}

/// A program of the Rust toolchain or one installed with cargo: beside cargo, on PATH, or in cargo's
/// own folder.
fn beside_cargo(name: &str) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let cargo = PathBuf::from(process::cargo());
    let beside = cargo.parent().map(|folder| folder.join(&file)).filter(|path| path.is_absolute());
    let in_home = home.map(|home| home.join("bin").join(&file));
    beside
        .filter(|path| path.is_file())
        .or_else(|| tools::on_path(OsStr::new(&file)))
        .or_else(|| in_home.filter(|path| path.is_file()))
}

/// Whether a locked crate compiles C.
fn uses_c(root: &Path) -> bool {
    std::fs::read_to_string(root.join("Cargo.lock"))
        .is_ok_and(|lock| lock.lines().any(|line| line == "name = \"cc\""))
}

/// The tools that the plan's steps are made of, where this program is an installed one.
fn heavy_tools(steps: &[Step]) -> Vec<Requirement> {
    // A step of the project's own may be named as a tool that is no step.
    let is_used = |name: &str| match name {
        "edge" => steps.iter().any(|step| catalog::is_served(&step.name)),
        "evidence" => is_among(steps, "build"),
        _ => config::BUILTIN_STEPS.contains(&name) && is_among(steps, name),
    };
    let tools = tools::TOOLS.into_iter().filter(|tool| is_used(tool.name));
    tools
        .map(|tool| {
            let install = format!("cargo install --path {} # in Slipway's checkout", tool.sources);
            let why = format!("`cargo xtask {}`", tool.name);
            required(tool.binary, why, tools::installed(tool.name), Remedy::Command(install))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_is_needed_when_a_locked_crate_compiles_it() {
        let temp = tempfile::tempdir().unwrap();
        assert!(!uses_c(temp.path()));
        let lock = temp.path().join("Cargo.lock");
        std::fs::write(&lock, "[[package]]\nname = \"ccc\"\n").unwrap();
        assert!(!uses_c(temp.path()));
        std::fs::write(&lock, "[[package]]\nname = \"cc\"\n").unwrap();
        assert!(uses_c(temp.path()));
    }
}
