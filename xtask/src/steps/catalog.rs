//! The built-in steps with their defaults, and `xtask.toml` laid over them.

use crate::context::Context;
use crate::pipeline::step::{Command, Step, Version};
use crate::steps::audit_version;
use crate::steps::step::BASE_URL_ENV;
use crate::steps::versions::Versions;
use crate::tools;
use config::{BUILTIN_STEPS, Config, StepConfig, When};
use serde::Serialize;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// The step that builds Slipway's own tools before a step that runs one.
const TOOLS_STEP: &str = "tools";

/// How long a step of the project's own may take when nothing is said.
const CUSTOM_TIMEOUT: Duration = minutes(10);

/// What cargo's result depends on besides the files.
const CARGO_ENV: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "RUSTDOCFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTUP_TOOLCHAIN",
    "CC",
    "CFLAGS",
];

/// Manifests and settings that change what cargo does with the same sources.
const CARGO_FILES: [&str; 7] = [
    "**/Cargo.toml",
    "**/Cargo.lock",
    "**/.cargo/config.toml",
    "**/clippy.toml",
    "**/.clippy.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// Files that no compiler, test or site reads, whatever the project. More cannot be said of all
/// projects: a README is often a doc test, and a page of documentation may be included.
const PROSE: [&str; 8] = [
    "!CHANGELOG*",
    "!CONTRIBUTING*",
    "!CODE_OF_CONDUCT*",
    "!SECURITY.md",
    "!LICENSE*",
    "!.github/**",
    "!.mailmap",
    "!target/**",
];

/// Files of Slipway's own workspace that its light steps are made of.
const OWN_FILES: [&str; 4] = ["xtask/src/**", "xtask/config/**", "xtask/report/**", "Cargo.lock"];

/// Every step of the project, all defaults filled in, in the order in which people read them:
/// fmt, lint, test, build, audit, smoke, e2e, budget, load, then the project's own by name; last the
/// preparation step `tools` in a checkout of Slipway.
///
/// # Errors
/// When a section of `xtask.toml` cannot be digested.
pub fn catalog(cx: &Context, config: &Config) -> anyhow::Result<Vec<Step>> {
    let mut versions = Versions::open(cx);
    let project = Project::look(cx, config);
    let mut steps = Vec::new();
    for name in BUILTIN_STEPS {
        let section = config.steps.get(name);
        let is_replaced = section.is_some_and(|section| section.run.is_some());
        if !project.has(name, config) && !is_replaced {
            continue;
        }
        let mut step = project.built_in(name, config, &mut versions)?;
        if let Some(section) = section {
            lay_over(&mut step, section);
        }
        steps.push(step);
    }
    let own = config.steps.iter().filter(|(name, _)| !BUILTIN_STEPS.contains(&name.as_str()));
    steps.extend(own.map(|(name, section)| custom(name, section)));
    if project.is_checkout && steps.iter().any(|step| step.prepares_with.is_some()) {
        steps.push(preparation());
    }
    versions.save();
    Ok(steps)
}

/// Whether a step asks the served release, and so is given its address.
pub fn is_served(name: &str) -> bool {
    matches!(name, "smoke" | "e2e" | "budget" | "load")
}

/// Whether a command of the project's own asks for the address of the served release: by naming
/// the variable that holds it.
pub fn asks_for_url(section: &StepConfig) -> bool {
    section.env.iter().chain(&section.pass_env).any(|name| name == BASE_URL_ENV)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// What kind of project lies at the root.
#[derive(Debug, Clone, Copy)]
struct Project {
    has_cargo: bool,
    has_node: bool,
    has_budgets: bool,
    has_e2e_folder: bool,
    /// The tools are built from source on demand.
    is_checkout: bool,
    /// The project is Slipway itself: the sources of its steps are among the files.
    is_slipway: bool,
}

impl Project {
    fn look(cx: &Context, config: &Config) -> Project {
        let checkout = tools::checkout();
        let is_there = |path: &str| cx.root.join(path).exists();
        Project {
            has_cargo: is_there("Cargo.toml"),
            has_node: is_there("package.json"),
            has_budgets: config.build.is_some() && has_json(&cx.root.join("budgets")),
            has_e2e_folder: is_there("e2e"),
            is_slipway: checkout.as_ref().is_some_and(|checkout| checkout.root == cx.root),
            is_checkout: checkout.is_some(),
        }
    }

    fn has(self, name: &str, config: &Config) -> bool {
        match name {
            "fmt" | "lint" | "test" => self.has_cargo,
            "build" => config.build.is_some(),
            "smoke" => config.build.is_some() && !config.smoke.is_empty(),
            "e2e" => config.e2e.is_some(),
            "budget" => self.has_budgets,
            "load" => config.build.is_some() && config.load.is_some(),
            _ => true,
        }
    }

    fn built_in(
        self,
        name: &str,
        config: &Config,
        versions: &mut Versions<'_>,
    ) -> anyhow::Result<Step> {
        let mut step = Step {
            command: Command::Builtin(vec![OsString::from("step"), OsString::from(name)]),
            ..blank(name)
        };
        let is_tool = !matches!(name, "fmt" | "lint" | "test" | "e2e");
        step.versions = versions.slipway(is_tool.then_some(name));
        if is_served(name) {
            step.versions.extend(versions.slipway(Some("edge")).into_iter().skip(1));
            step.needs = config.build.iter().map(|_| "build".to_owned()).collect();
        }
        if self.is_checkout && (is_tool || is_served(name)) {
            step.prepares_with = Some(TOOLS_STEP.to_owned());
        }
        match name {
            "fmt" => {
                step.about = "formatting, with rustfmt".to_owned();
                step.timeout = minutes(5);
                step.inputs =
                    strings(&["**/*.rs", "**/rustfmt.toml", "**/.rustfmt.toml", "**/Cargo.toml"]);
                step.versions.extend(versions.rustc());
            }
            "lint" => {
                step.about = "code, with clippy, warnings denied".to_owned();
                step.timeout = minutes(20);
                step.inputs = strings(&["**/*.rs"]);
                step.inputs.extend(strings(&CARGO_FILES));
                self.runs_cargo(&mut step, versions);
            }
            "test" => {
                step.about = "tests, with nextest or cargo".to_owned();
                step.timeout = minutes(30);
                step.inputs = everything();
                self.runs_cargo(&mut step, versions);
            }
            "build" => {
                step.about = "the release: files, manifest, digests".to_owned();
                step.timeout = minutes(30);
                step.inputs = everything();
                // Its sections of the configuration, not the whole file: see the versions.
                step.inputs.push("!xtask.toml".to_owned());
                step.inputs.push("!budgets/**".to_owned());
                step.versions.push(section("project", &config.project)?);
                step.versions.push(section("build", &config.build)?);
                step.versions.push(section("headers", &config.headers)?);
                step.env = if self.has_cargo { strings(&CARGO_ENV) } else { Vec::new() };
                step.env.push("NODE_ENV".to_owned());
                step.versions.extend(self.has_cargo.then(|| versions.rustc()).flatten());
                step.versions.extend(self.has_node.then(|| versions.node()).flatten());
            }
            "audit" => {
                step.about = "dependencies, against the advisory database".to_owned();
                step.timeout = minutes(5);
                step.inputs = strings(&["**/Cargo.lock", "**/Cargo.toml"]);
                step.versions.push(section("audit", &config.audit)?);
                step.versions.extend(audit_version::versions(&config.audit));
                step.env = vec!["CI".to_owned()];
            }
            "smoke" => {
                step.about = "questions to the served release".to_owned();
                step.timeout = minutes(5);
                step.versions.push(section("smoke", &config.smoke)?);
                step.versions.push(section("headers", &config.headers)?);
            }
            "e2e" => {
                step.about = "journeys in a browser".to_owned();
                step.timeout = minutes(20);
                step.inputs = if self.has_e2e_folder {
                    let mut inputs = strings(&["**/e2e/**", "**/package*.json", "playwright.*"]);
                    inputs.extend(strings(&CARGO_FILES));
                    inputs
                } else {
                    everything()
                };
                step.versions.push(section("e2e", &config.e2e)?);
                step.versions.extend(self.has_cargo.then(|| versions.rustc()).flatten());
                step.versions.extend(self.has_node.then(|| versions.node()).flatten());
            }
            "budget" => {
                step.about = "budgets of bytes and of a page load".to_owned();
                step.timeout = minutes(15);
                step.inputs = strings(&["budgets/**"]);
                step.exclusive = Some("quiet".to_owned());
            }
            _ => {
                step.about = "latency under a steady rate of requests".to_owned();
                step.timeout = minutes(15);
                step.versions.push(section("load", &config.load)?);
                step.exclusive = Some("quiet".to_owned());
            }
        }
        // What takes the release's server is told by the configuration, not by the release.
        if is_served(name) {
            step.versions.push(section("build.server", &server(config))?);
        }
        if self.is_slipway {
            step.inputs.extend(strings(&OWN_FILES));
            let used = [Some(name), is_served(name).then_some("edge")];
            let tools = tools::TOOLS.iter().filter(|tool| used.contains(&Some(tool.name)));
            step.inputs.extend(tools.map(|tool| format!("{}/**", tool.sources)));
            step.inputs.extend(is_served(name).then(|| "xtask/release/**".to_owned()));
            step.inputs.extend((name == "budget").then(|| "e2e/src/**".to_owned()));
        }
        Ok(step)
    }

    fn runs_cargo(self, step: &mut Step, versions: &mut Versions<'_>) {
        step.exclusive = Some("cargo".to_owned());
        step.env = strings(&CARGO_ENV);
        step.versions.extend(versions.rustc());
    }
}

fn server(config: &Config) -> Option<&config::Server> {
    config.build.as_ref().and_then(|build| build.server.as_ref())
}

fn custom(name: &str, section: &StepConfig) -> Step {
    let mut step = Step { about: "a step of the project's own".to_owned(), ..blank(name) };
    step.timeout = CUSTOM_TIMEOUT;
    step.inputs = strings(&["**"]);
    lay_over(&mut step, section);
    if asks_for_url(section) {
        serve(&mut step);
    }
    step
}

fn preparation() -> Step {
    Step {
        about: "Slipway's own tools, built from their sources".to_owned(),
        command: Command::Builtin(vec!["step".into(), TOOLS_STEP.into()]),
        timeout: minutes(30),
        // Cargo knows what is fresh.
        cache: false,
        exclusive: Some("cargo".to_owned()),
        ..blank(TOOLS_STEP)
    }
}

/// A step with nothing in it but what holds for all.
fn blank(name: &str) -> Step {
    Step {
        name: name.to_owned(),
        about: String::new(),
        command: Command::Shell(String::new()),
        versions: Vec::new(),
        needs: Vec::new(),
        prepares_with: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
        env: Vec::new(),
        pass_env: Vec::new(),
        timeout: CUSTOM_TIMEOUT,
        retries: 0,
        exclusive: None,
        cache: true,
        junit: Vec::new(),
        sarif: Vec::new(),
        allow_failure: false,
        when: When::Always,
    }
}

fn lay_over(step: &mut Step, section: &StepConfig) {
    if let Some(run) = &section.run {
        replace(step, run);
    }
    let StepConfig { needs, inputs, outputs, timeout, retries, exclusive, cache, .. } = section;
    take(&mut step.needs, needs.as_ref());
    take(&mut step.inputs, inputs.as_ref());
    take(&mut step.outputs, outputs.as_ref());
    take(&mut step.timeout, timeout.as_ref().map(|timeout| &timeout.0));
    take(&mut step.retries, retries.as_ref());
    take(&mut step.cache, cache.as_ref());
    step.exclusive = exclusive.clone().or(step.exclusive.take());
    step.env.extend(section.env.iter().cloned());
    step.pass_env.extend(section.pass_env.iter().cloned());
    step.junit.clone_from(&section.junit);
    step.sarif.clone_from(&section.sarif);
    step.allow_failure = section.allow_failure;
    step.when = section.when.clone();
}

/// Puts a command in the place of a built-in's work. What the command reads is not known, so it
/// depends on every file until `inputs` says otherwise.
fn replace(step: &mut Step, run: &str) {
    step.inputs = strings(&["**"]);
    let is_served = is_served(&step.name);
    step.command = Command::Shell(run.to_owned());
    if is_served {
        serve(step);
    } else {
        step.prepares_with = None;
    }
}

/// Lets the built-in serve the release around a step's command and give it the address.
fn serve(step: &mut Step) {
    if let Command::Shell(run) = &step.command {
        step.versions.push(Version { name: "command".to_owned(), value: run.clone() });
    }
    step.command = Command::Builtin(vec!["step".into(), step.name.clone().into()]);
    if tools::checkout().is_some() {
        step.prepares_with = Some(TOOLS_STEP.to_owned());
    }
}

fn take<T: Clone>(slot: &mut T, given: Option<&T>) {
    if let Some(given) = given {
        slot.clone_from(given);
    }
}

/// A section of the configuration as a part of a fingerprint.
fn section(name: &str, value: &impl Serialize) -> anyhow::Result<Version> {
    let digest = blake3::hash(&serde_json::to_vec(value)?).to_hex().to_string();
    Ok(Version { name: format!("[{name}] of xtask.toml"), value: digest })
}

fn everything() -> Vec<String> {
    let mut inputs = strings(&["**"]);
    inputs.extend(strings(&PROSE));
    inputs
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn has_json(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|e| e == "json"))
}
