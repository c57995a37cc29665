//! Rules that the types alone cannot say.

use crate::load::unknown_step;
use crate::locate::{Part, locate};
use crate::{BUILTIN_STEPS, Config, ConfigError, Expect, SmokeCheck, StepConfig, When};
use std::path::{Component, Path};

/// How often a failed step may be tried again: more hides what is broken.
const MAX_RETRIES: u32 = 10;

/// Requests per second that one machine can still start on time.
const MAX_RATE: u32 = 100_000;

/// Longest name of a step: it becomes part of file names, and 80 columns have to show it.
const MAX_NAME_CHARS: usize = 60;

pub(crate) struct Check<'a> {
    pub(crate) path: &'a Path,
    text: &'a str,
}

pub(crate) type Checked = Result<(), ConfigError>;

/// Checks a parsed configuration.
pub(crate) fn validate(config: &Config, path: &Path, text: &str) -> Checked {
    let check = Check { path, text };
    if config.project.name.trim().is_empty() {
        return check.fail(&["project".into(), "name".into()], "expected a name, found none");
    }
    if let Some(build) = &config.build {
        check.relative(&["build".into(), "site".into()], &build.site)?;
        check.globs(&["build".into(), "exclude".into()], &build.exclude)?;
        if let Some(server) = &build.server {
            let way = ["build".into(), "server".into()];
            check.relative(&[way[0], way[1], "path".into()], &server.path)?;
            check.url_path(&[way[0], way[1], "ready".into()], &server.ready)?;
            if let Some(schema) = server.schema.filter(|schema| schema.keeps > schema.version) {
                let (keeps, version) = (schema.keeps, schema.version);
                return check.fail(
                    &[way[0], way[1], "schema".into(), "keeps".into()],
                    format!("expected at most the version {version}, found {keeps}"),
                );
            }
        }
    }
    for (name, step) in &config.steps {
        check.step(config, name, step)?;
    }
    for (index, smoke) in config.smoke.iter().enumerate() {
        check.smoke(index, smoke)?;
    }
    if let Some(load) = &config.load {
        if load.paths.is_empty() {
            return check.fail(&["load".into(), "paths".into()], "expected at least one path");
        }
        for (index, path) in load.paths.iter().enumerate() {
            check.url_path(&["load".into(), "paths".into(), index.into()], path)?;
        }
        if load.rate == 0 || load.rate > MAX_RATE {
            return check.fail(
                &["load".into(), "rate".into()],
                format!("expected 1 to {MAX_RATE} requests per second, found {}", load.rate),
            );
        }
    }
    check.header_names(&["headers".into()], config.headers.keys())?;
    for (index, ignored) in config.audit.ignore.iter().enumerate() {
        if ignored.reason.trim().is_empty() {
            return check.fail(
                &["audit".into(), "ignore".into(), index.into(), "reason".into()],
                "expected the reason why this advisory is accepted, found none",
            );
        }
    }
    crate::validate_environments::validate(config, &check)
}

impl Check<'_> {
    pub(crate) fn fail(&self, way: &[Part<'_>], message: impl Into<String>) -> Checked {
        self.fail_with_help(way, message, None)
    }

    fn fail_with_help(
        &self,
        way: &[Part<'_>],
        message: impl Into<String>,
        help: Option<String>,
    ) -> Checked {
        Err(ConfigError {
            path: self.path.to_owned(),
            position: locate(self.text, way),
            message: message.into(),
            help,
        })
    }

    fn step(&self, config: &Config, name: &str, step: &StepConfig) -> Checked {
        let way: [Part<'_>; 2] = ["steps".into(), name.into()];
        let at = |key| [way[0], way[1], Part::Key(key)];
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !name.chars().all(is_plain)
            || !(1..=MAX_NAME_CHARS).contains(&name.len())
            || name.starts_with('-')
        {
            return self.fail(
                &way,
                format!(
                    "expected a step name of at most {MAX_NAME_CHARS} letters, digits, `-` and `_`, \
                     not first a `-`, found {name:?}"
                ),
            );
        }
        if step.run.is_none() && !BUILTIN_STEPS.contains(&name) {
            let (message, help) = unknown_step(name, &without(config, name));
            let help = help.map(|help| format!("{help}; a step of your own needs a `run`"));
            return self.fail_with_help(&way, message, help);
        }
        if step.run.as_deref().is_some_and(|run| run.trim().is_empty()) {
            return self.fail(&at("run"), "expected a command, found nothing");
        }
        if step.run.as_deref().is_some_and(|run| run.contains('\0')) {
            return self.fail(&at("run"), "expected a command without NUL, found one");
        }
        for (index, need) in step.needs.iter().flatten().enumerate() {
            let way = [way[0], way[1], "needs".into(), index.into()];
            if need == name {
                return self.fail(&way, format!("step `{name}` cannot need itself"));
            }
            if !BUILTIN_STEPS.contains(&need.as_str()) && !config.steps.contains_key(need) {
                let (message, help) = unknown_step(need, config);
                return self.fail_with_help(&way, message, help);
            }
        }
        for (key, globs) in [
            ("inputs", step.inputs.as_deref().unwrap_or_default()),
            ("outputs", step.outputs.as_deref().unwrap_or_default()),
            ("junit", &step.junit),
            ("sarif", &step.sarif),
        ] {
            self.globs(&at(key), globs)?;
        }
        if let When::Changed(globs) = &step.when {
            self.globs(&[way[0], way[1], "when".into(), "changed".into()], globs)?;
        }
        for (key, names) in [("env", &step.env), ("pass-env", &step.pass_env)] {
            for (index, name) in names.iter().enumerate() {
                if name.is_empty() || name.contains(['=', '\0', ' ']) {
                    return self.fail(
                        &[way[0], way[1], key.into(), index.into()],
                        format!("expected the name of an environment variable, found {name:?}"),
                    );
                }
            }
        }
        match step.retries {
            Some(retries) if retries > MAX_RETRIES => self.fail(
                &at("retries"),
                format!("expected at most {MAX_RETRIES} retries, found {retries}"),
            ),
            _ => Ok(()),
        }
    }

    fn smoke(&self, index: usize, smoke: &SmokeCheck) -> Checked {
        let at = |key| [Part::Key("smoke"), Part::Index(index), Part::Key(key)];
        let Expect { status, headers, json, .. } = &smoke.expect;
        let expect = at("expect");
        self.url_path(&at("path"), &smoke.path)?;
        if smoke.method.is_empty() || !smoke.method.chars().all(|c| c.is_ascii_uppercase()) {
            return self.fail(
                &at("method"),
                format!("expected a method in capitals such as \"GET\", found {:?}", smoke.method),
            );
        }
        self.header_names(&at("headers"), smoke.headers.keys())?;
        if let Some(status) = status.filter(|status| !(100..=599).contains(status)) {
            return self.fail(
                &[expect[0], expect[1], expect[2], "status".into()],
                format!("expected a status from 100 to 599, found {status}"),
            );
        }
        self.header_names(&[expect[0], expect[1], expect[2], "headers".into()], headers.keys())?;
        match json.keys().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            Some(pointer) => self.fail(
                &[expect[0], expect[1], expect[2], "json".into(), pointer.as_str().into()],
                format!("expected a JSON pointer that starts with `/`, found {pointer:?}"),
            ),
            None => Ok(()),
        }
    }

    fn url_path(&self, way: &[Part<'_>], path: &str) -> Checked {
        if path.starts_with('/') && !path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Ok(());
        }
        self.fail(way, format!("expected a path that starts with `/`, found {path:?}"))
    }

    fn relative(&self, way: &[Part<'_>], path: &str) -> Checked {
        let stays_inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if stays_inside && !path.is_empty() {
            return Ok(());
        }
        self.fail(way, format!("expected a path inside the project, without `..`, found {path:?}"))
    }

    fn globs(&self, way: &[Part<'_>], globs: &[String]) -> Checked {
        for (index, glob) in globs.iter().enumerate() {
            let way: Vec<Part<'_>> = way.iter().copied().chain([Part::Index(index)]).collect();
            let plain = glob.strip_prefix('!').unwrap_or(glob);
            self.relative(&way, plain)?;
            if let Err(error) = inputs::Glob::new(plain) {
                return self
                    .fail(&way, format!("expected a glob, found {glob:?}: {}", error.message));
            }
        }
        Ok(())
    }

    fn header_names<'n>(
        &self,
        way: &[Part<'_>],
        names: impl Iterator<Item = &'n String>,
    ) -> Checked {
        for name in names {
            let is_token = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || !name.chars().all(is_token) {
                let way: Vec<Part<'_>> =
                    way.iter().copied().chain([Part::Key(name.as_str())]).collect();
                return self.fail(
                    &way,
                    format!("expected a header name in small letters, found {name:?}"),
                );
            }
        }
        Ok(())
    }
}

/// The configuration without one step, so that a step is no near miss of itself.
fn without(config: &Config, name: &str) -> Config {
    let mut rest = config.clone();
    rest.steps.remove(name);
    rest
}
