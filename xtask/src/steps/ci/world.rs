//! What the world has to say about which steps take part: CI or not, which files changed.

use crate::context::Context;
use crate::pipeline::git;
use crate::pipeline::plan::Plan;
use crate::pipeline::select::Request;
use crate::steps::ci::Ci;
use config::{FILE_NAME, When};
use inputs::Globs;
use report::Fault;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
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
        if (is_any && !files.is_empty()) || is_any_in(files, &step.inputs)? {
            affected.insert(at);
        }
    }
    Ok(affected)
}

fn matched_by_when(plan: &Plan, files: &[PathBuf]) -> anyhow::Result<BTreeSet<usize>> {
    let mut matched = BTreeSet::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if let When::Changed(globs) = &step.when
            && is_any_in(files, globs)?
        {
            matched.insert(at);
        }
    }
    Ok(matched)
}

/// Whether any of the files is in the list, as the fingerprint would see it.
fn is_any_in(files: &[PathBuf], globs: &[String]) -> anyhow::Result<bool> {
    let globs = Globs::new(globs).map_err(|error| Fault::usage(format!("{FILE_NAME}: {error}")))?;
    Ok(files.iter().any(|file| globs.is_match(file.as_os_str().as_bytes())))
}
