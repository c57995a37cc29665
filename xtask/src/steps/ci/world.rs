//! What the world has to say about which steps take part: CI or not, which files changed.

use crate::context::Context;
use crate::pipeline::git;
use crate::pipeline::plan::Plan;
use crate::pipeline::select::Request;
use crate::steps::ci::Ci;
use config::{FILE_NAME, When};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use report::Fault;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a person asked for, with all that has to be known to answer.
///
/// # Errors
/// When git cannot say what changed although `--affected` asks for it, or a glob is none.
pub fn request(ci: &Ci, cx: &Context, plan: &Plan) -> anyhow::Result<Request> {
    let is_changed = |when: &When| matches!(when, When::Changed(_));
    let is_asked = ci.affected.is_some() || plan.steps.iter().any(|step| is_changed(&step.when));
    let base = ci.affected.as_deref().filter(|base| !base.is_empty());
    let changed = if is_asked { Some(git::changed_files(&cx.root, base)) } else { None };
    let all: BTreeSet<usize> = (0..plan.steps.len()).collect();
    let (affected, changed) = match changed {
        None => (None, BTreeSet::new()),
        // Not knowing what changed, everything may have.
        Some(Err(_)) if ci.affected.is_none() => (None, all),
        Some(Err(error)) => {
            return Err(Fault::usage(format!(
                "--affected: git cannot say what changed: {error:#}"
            ))
            .into());
        }
        Some(Ok(files)) => {
            let affected = affected(plan, &files)?;
            (ci.affected.is_some().then_some(affected), matched_by_when(plan, &files)?)
        }
    };
    Ok(Request {
        only: ci.only.clone(),
        skip: ci.skip.clone(),
        from: ci.from.clone(),
        is_ci: is_ci(),
        affected,
        changed,
    })
}

/// As many steps run at once as there are cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The steps that a change reaches by their own inputs. A step that declares none may read
/// anything, and a changed configuration may change any step.
fn affected(plan: &Plan, files: &[PathBuf]) -> anyhow::Result<BTreeSet<usize>> {
    let is_configuration_changed = files.iter().any(|file| file == Path::new(FILE_NAME));
    let mut affected = BTreeSet::new();
    for (at, step) in plan.steps.iter().enumerate() {
        let is_any = step.inputs.is_empty() || is_configuration_changed;
        if (is_any && !files.is_empty()) || Globs::new(&step.inputs)?.match_any(files) {
            affected.insert(at);
        }
    }
    Ok(affected)
}

fn matched_by_when(plan: &Plan, files: &[PathBuf]) -> anyhow::Result<BTreeSet<usize>> {
    let mut matched = BTreeSet::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if let When::Changed(globs) = &step.when
            && Globs::new(globs)?.match_any(files)
        {
            matched.insert(at);
        }
    }
    Ok(matched)
}

/// Globs of which those with a leading `!` take files out again.
struct Globs {
    within: GlobSet,
    without: GlobSet,
}

impl Globs {
    fn new(globs: &[String]) -> anyhow::Result<Globs> {
        let mut within = GlobSetBuilder::new();
        let mut without = GlobSetBuilder::new();
        for glob in globs {
            let (set, glob) = match glob.strip_prefix('!') {
                Some(glob) => (&mut without, glob),
                None => (&mut within, glob.as_str()),
            };
            let glob = GlobBuilder::new(glob).literal_separator(true).build();
            set.add(glob.map_err(|error| Fault::usage(format!("{FILE_NAME}: {error}")))?);
        }
        Ok(Globs { within: within.build()?, without: without.build()? })
    }

    fn match_any(&self, files: &[PathBuf]) -> bool {
        files.iter().any(|file| self.within.is_match(file) && !self.without.is_match(file))
    }
}
