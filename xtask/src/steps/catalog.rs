//! The built-in steps with their defaults, and `xtask.toml` laid over them.

mod defaults;
mod signing_key;

use crate::context::Context;
use crate::pipeline::step::{Command, Step, Version};
use crate::steps::step::BASE_URL_ENV;
use crate::steps::versions::Versions;
use crate::tools;
use config::{BUILTIN_STEPS, Config, StepConfig, has_built_in};
use defaults::Project;
use std::time::Duration;

/// The step that builds Slipway's own tools before a step that runs one.
pub const TOOLS_STEP: &str = "tools";

/// Every step of the project, all defaults filled in, in the order in which people read them:
/// fmt, lint, test, build, audit, smoke, e2e, budget, load, then the project's own by name; last the
/// preparation step `tools` in a checkout of Slipway.
///
/// # Errors
/// When a section of `xtask.toml` cannot be digested.
pub fn catalog(cx: &Context, config: &Config) -> anyhow::Result<Vec<Step>> {
    let mut versions = Versions::open(cx);
    let project = Project::look(cx);
    let mut steps = Vec::new();
    for name in BUILTIN_STEPS {
        let section = config.steps.get(name);
        let is_replaced = section.is_some_and(|section| section.run.is_some());
        if !has_built_in(&cx.root, config, name) && !is_replaced {
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

fn custom(name: &str, section: &StepConfig) -> Step {
    // A section without a command is refused when the configuration is read.
    let command = Command::Shell(section.run.clone().unwrap_or_default());
    let mut step = Step::new(name, command);
    step.about = "a step of the project's own".to_owned();
    step.inputs = strings(&["**"]);
    lay_over(&mut step, section);
    if asks_for_url(section) {
        serve(&mut step);
    }
    step
}

fn preparation() -> Step {
    let command = Command::Builtin(vec!["step".into(), TOOLS_STEP.into()]);
    Step {
        about: "Slipway's own tools, built from their sources".to_owned(),
        timeout: minutes(30),
        // Cargo knows what is fresh.
        cache: false,
        exclusive: Some("cargo".to_owned()),
        ..Step::new(TOOLS_STEP, command)
    }
}

fn lay_over(step: &mut Step, section: &StepConfig) {
    if let Some(run) = &section.run {
        replace(step, run);
    }
    let StepConfig { needs, inputs, outputs, timeout, retries, exclusive, alone, cache, .. } =
        section;
    take(&mut step.needs, needs.as_ref());
    take(&mut step.inputs, inputs.as_ref());
    take(&mut step.outputs, outputs.as_ref());
    take(&mut step.timeout, timeout.as_ref().map(|timeout| &timeout.0));
    take(&mut step.retries, retries.as_ref());
    take(&mut step.alone, alone.as_ref());
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
    // What the built-in's own work depends on and holds.
    step.env.clear();
    step.pass_env.clear();
    step.exclusive = None;
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

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FULL: &str = "[project]\nname = \"demo\"\n[build]\nsite = \"site\"\n\
        [[smoke]]\npath = \"/\"\n[e2e]\nrun = \"true\"\n\
        [load]\npaths = [\"/\"]\nrate = 10\nfor = \"1s\"\n";

    fn steps(files: &[&str], toml: &str) -> Vec<Step> {
        let temp = tempfile::tempdir().unwrap();
        for file in files {
            let path = temp.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let config = Config::parse(Path::new("xtask.toml"), toml).unwrap();
        catalog(&Context { root: temp.path().to_path_buf() }, &config).unwrap()
    }

    fn named<'a>(steps: &'a [Step], name: &str) -> &'a Step {
        steps.iter().find(|step| step.name == name).unwrap()
    }

    fn names(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.name.as_str()).collect()
    }

    #[test]
    fn the_project_decides_which_built_ins_there_are() {
        assert_eq!(names(&steps(&[], "[project]\nname = \"demo\"\n")), ["audit"]);
        let all = steps(&["Cargo.toml", "budgets/home.json"], FULL);
        assert_eq!(names(&all), BUILTIN_STEPS);
        for step in &all {
            let needs: &[&str] = if is_served(&step.name) { &["build"] } else { &[] };
            assert_eq!(step.needs, needs, "{}", step.name);
        }
        let node = steps(&["package.json"], FULL);
        assert_eq!(names(&node), ["build", "audit", "smoke", "e2e", "load"]);
    }

    #[test]
    fn the_configuration_is_laid_over_the_defaults() {
        let toml = format!(
            "{FULL}[steps.lint]\ntimeout = \"9m\"\nenv = [\"MORE\"]\n\
             [steps.own]\nrun = \"true\"\nneeds = [\"lint\"]\n"
        );
        let all = steps(&["Cargo.toml"], &toml);
        let lint = named(&all, "lint");
        assert_eq!(lint.timeout, minutes(9));
        assert!(
            lint.env.contains(&"MORE".to_owned()) && lint.env.contains(&"RUSTFLAGS".to_owned())
        );
        assert_eq!(lint.exclusive.as_deref(), Some("cargo"));
        let own = all.last().unwrap();
        assert_eq!((own.name.as_str(), own.inputs.as_slice()), ("own", &["**".to_owned()][..]));
        assert_eq!(own.command, Command::Shell("true".to_owned()));
    }

    #[test]
    fn a_command_in_place_of_a_built_in_depends_on_everything() {
        let toml = format!(
            "{FULL}[steps.lint]\nrun = \"eslint .\"\n[steps.smoke]\nrun = \"curl $BASE_URL\"\n\
             [steps.own]\nrun = \"true\"\npass-env = [\"BASE_URL\"]\n"
        );
        let all = steps(&["package.json"], &toml);
        let lint = named(&all, "lint");
        assert_eq!(lint.command, Command::Shell("eslint .".to_owned()));
        assert_eq!(lint.inputs, ["**"]);
        // Those that are given the served release's address run inside the built-in that serves it.
        for (name, run) in [("smoke", "curl $BASE_URL"), ("own", "true")] {
            let step = named(&all, name);
            assert_eq!(step.command, Command::Builtin(vec!["step".into(), name.into()]));
            let command = Version { name: "command".to_owned(), value: run.to_owned() };
            assert!(step.versions.contains(&command), "{step:?}");
        }
    }

    #[test]
    fn a_section_is_part_of_the_fingerprints_of_those_who_read_it() {
        let before = steps(&["Cargo.toml", "budgets/home.json"], FULL);
        let changed = |toml: &str| {
            let after = steps(&["Cargo.toml", "budgets/home.json"], toml);
            let is_changed = |name: &&str| {
                let day = |version: &&Version| !version.name.contains("database");
                let now: Vec<_> =
                    named(&after, name).versions.iter().filter(day).cloned().collect();
                let then: Vec<_> =
                    named(&before, name).versions.iter().filter(day).cloned().collect();
                now != then
            };
            BUILTIN_STEPS.into_iter().filter(is_changed).collect::<Vec<_>>()
        };
        assert_eq!(changed(FULL), Vec::<&str>::new());
        assert_eq!(changed(&FULL.replace("path = \"/\"", "path = \"/new\"")), ["smoke"]);
        assert_eq!(changed(&FULL.replace("rate = 10", "rate = 20")), ["load"]);
        let header = format!("{FULL}[headers]\nx-frame-options = \"DENY\"\n");
        assert_eq!(changed(&header), ["build", "smoke"]);
    }
}
