//! What each built-in step is by default, as far as the project at the root decides it.

use super::{TOOLS_STEP, is_served, minutes, signing_key, strings};
use crate::context::Context;
use crate::pipeline::exec::environment::SIGNING_KEY_ENV;
use crate::pipeline::step::{Command, Step, Version};
use crate::steps::audit_version;
use crate::steps::versions::Versions;
use crate::tools;
use config::{Config, Server};
use serde::Serialize;
use std::ffi::OsString;

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

/// What pins the project's dependencies, and what asks for them.
const LOCKS: [&str; 9] = [
    "**/Cargo.lock",
    "**/Cargo.toml",
    "**/package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
];

/// Files of Slipway's own workspace that its light steps are made of.
const OWN_FILES: [&str; 5] =
    ["xtask/src/**", "xtask/config/**", "xtask/report/**", "xtask/screen/**", "Cargo.lock"];

/// What kind of project lies at the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Project {
    has_cargo: bool,
    has_node: bool,
    has_e2e_folder: bool,
    /// The tools are built from source on demand.
    pub(super) is_checkout: bool,
    /// The project is Slipway itself: the sources of its steps are among the files.
    is_slipway: bool,
}

impl Project {
    pub(super) fn look(cx: &Context) -> Project {
        let checkout = tools::checkout();
        let is_there = |path: &str| cx.root.join(path).exists();
        Project {
            has_cargo: is_there("Cargo.toml"),
            has_node: is_there("package.json"),
            has_e2e_folder: is_there("e2e"),
            is_slipway: checkout.as_ref().is_some_and(|checkout| checkout.root == cx.root),
            is_checkout: checkout.is_some(),
        }
    }

    /// The step with its defaults.
    pub(super) fn built_in(
        self,
        name: &str,
        config: &Config,
        versions: &mut Versions<'_>,
    ) -> anyhow::Result<Step> {
        let arguments = vec![OsString::from("step"), OsString::from(name)];
        let mut step = Step::new(name, Command::Builtin(arguments));
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
                step.about = "the release: files, manifest, digests, signature".to_owned();
                step.timeout = minutes(30);
                step.inputs = everything();
                // Its sections of the configuration, not the whole file: see the versions.
                step.inputs.push("!xtask.toml".to_owned());
                step.inputs.push("!budgets/**".to_owned());
                step.versions.push(section("project", &config.project)?);
                step.versions.push(section("build", &config.build)?);
                step.versions.push(section("headers", &config.headers)?);
                step.versions.extend(signing_key::version());
                step.pass_env.push(SIGNING_KEY_ENV.to_owned());
                step.env = if self.has_cargo { strings(&CARGO_ENV) } else { Vec::new() };
                step.env.push("NODE_ENV".to_owned());
                step.versions.extend(self.has_cargo.then(|| versions.rustc()).flatten());
                step.versions.extend(self.has_node.then(|| versions.node()).flatten());
            }
            "audit" => {
                step.about = "dependencies, against the advisory database".to_owned();
                step.timeout = minutes(5);
                step.inputs = strings(&LOCKS);
                // Pages that are not built lie in the checkout.
                let site = config.build.as_ref().filter(|build| build.run.is_none());
                let site = site.map(|build| build.site.trim_matches('/'));
                step.inputs.extend(site.map(|site| match site {
                    "" | "." => "**/*.{html,htm}".to_owned(),
                    site => format!("{site}/**/*.{{html,htm}}"),
                }));
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
                step.alone = true;
            }
            _ => {
                step.about = "latency under a steady rate of requests".to_owned();
                step.timeout = minutes(15);
                step.versions.push(section("load", &config.load)?);
                step.alone = true;
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

fn server(config: &Config) -> Option<&Server> {
    config.build.as_ref().and_then(|build| build.server.as_ref())
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
