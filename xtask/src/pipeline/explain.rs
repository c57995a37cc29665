//! Why a step would run again.

use crate::pipeline::cache::{Cache, Lookup};
use crate::pipeline::fingerprint::{Fingerprint, Ingredients};
use crate::pipeline::name;
use crate::pipeline::step::Step;
use inputs::{Change, Kind};
use report::Status;
use std::collections::BTreeMap;
use std::fmt;

/// Why a step would run again, or why it would not. Shown as lines for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub step: String,
    /// The first says what would happen; those after it say why, indented below what they explain.
    pub lines: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Compares a step's ingredients with those of its last run. `all` holds the ingredients of every
/// step of the plan, so that a changed need is followed to what changed there.
pub fn explain(cache: &Cache, step: &Step, now: &Ingredients, all: &[Ingredients]) -> Explanation {
    let name = &step.name;
    let mut lines = Vec::new();
    if !step.cache {
        lines.push(format!("{name} runs every time: `cache = false`"));
    } else if let Some(fingerprint) = now.fingerprint() {
        compare(cache, now, &fingerprint, all, &mut lines);
    } else {
        let open = now.needs.iter().filter(|(_, need)| need.is_none());
        let open = open.map(|(need, _)| format!("`{need}`")).collect::<Vec<_>>().join(", ");
        lines.push(format!("{name} runs every time: it needs {open}, which is not cached"));
    }
    Explanation { step: name.clone(), lines }
}

fn compare(
    cache: &Cache,
    now: &Ingredients,
    fingerprint: &Fingerprint,
    all: &[Ingredients],
    lines: &mut Vec<String>,
) {
    let name = &now.step;
    match cache.lookup(name, fingerprint) {
        Lookup::Hit(_) => {
            lines.push(format!("{name} would be replayed: nothing that it depends on changed"));
            lines.push(format!("  {} input files, fingerprint {fingerprint}", now.files.len()));
            return;
        }
        Lookup::Damaged(warning) => lines.push(warning),
        Lookup::Miss => {}
    }
    let Some(last) = cache.trail().last(name) else {
        lines.push(format!("{name} would run: it never ran here"));
        return;
    };
    if last.ingredients.fingerprint() == Some(*fingerprint) {
        lines.push(format!("{name} would run, though nothing changed since it last ran"));
        lines.push(match last.status {
            Status::Passed => "  its result is no longer in the cache".to_owned(),
            status => format!("  it {status} then, and only what passed is kept"),
        });
        return;
    }
    lines.push(format!("{name} would run: something changed since it last ran here"));
    differences(cache, &last.ingredients, now, all, 1, lines);
}

/// How many differences of one kind are listed before the rest are only counted.
const MAX_LISTED: usize = 20;

fn differences(
    cache: &Cache,
    old: &Ingredients,
    new: &Ingredients,
    all: &[Ingredients],
    depth: usize,
    lines: &mut Vec<String>,
) {
    let indent = "  ".repeat(depth);
    let mut say = |line: String| lines.push(format!("{indent}{line}"));
    let changes = old.files.changes(&new.files).collect::<Vec<_>>();
    for change in changes.iter().take(MAX_LISTED) {
        say(shown(change, old, new));
    }
    if changes.len() > MAX_LISTED {
        say(format!("and {} more input files", changes.len() - MAX_LISTED));
    }
    if old.command != new.command {
        say(format!("command: `{}` became `{}`", old.command, new.command));
    }
    if old.platform != new.platform {
        say(format!("platform: {} became {}", old.platform, new.platform));
    }
    pairs(&old.settings, &new.settings, |name, old, new| match (old, new) {
        (Some(old), Some(new)) => say(format!("setting `{name}`: {old:?} became {new:?}")),
        (None, Some(new)) => say(format!("setting `{name}` was added: {new:?}")),
        (_, None) => say(format!("setting `{name}` was removed")),
    });
    pairs(&old.versions, &new.versions, |name, old, new| match (old, new) {
        (Some(old), Some(new)) => say(format!("version of {name}: {old} became {new}")),
        (None, Some(new)) => say(format!("version of {name} was added: {new}")),
        (_, None) => say(format!("version of {name} was removed")),
    });
    pairs(&old.env, &new.env, |name, old, new| match (old, new) {
        (None, _) => say(format!("environment variable {name} was added to `env`")),
        (_, None) => say(format!("environment variable {name} was removed from `env`")),
        (Some(None), _) => say(format!("environment variable {name} was not set, and is now")),
        (_, Some(None)) => say(format!("environment variable {name} was set, and is not now")),
        _ => say(format!("environment variable {name} has another value")),
    });
    pairs(&old.needs, &new.needs, |name, old, new| match (old, new) {
        (None, _) => lines.push(format!("{indent}need `{name}` was added")),
        (_, None) => lines.push(format!("{indent}need `{name}` was removed")),
        (Some(old), Some(_)) => {
            lines.push(format!("{indent}need `{name}` changed"));
            let then = old.and_then(|old| cache.trail().at(name, &old));
            let now = all.iter().find(|ingredients| ingredients.step == name);
            match (then, now) {
                (Some(then), Some(now)) => {
                    differences(cache, &then.ingredients, now, all, depth + 1, lines);
                }
                _ => lines.push(format!("{indent}  what it was made of is no longer known")),
            }
        }
    });
}

fn shown(change: &Change, old: &Ingredients, new: &Ingredients) -> String {
    let kind = |of: &Ingredients, path: &[u8]| {
        of.files.iter().find(|file| &*file.path == path).map(|file| file.kind)
    };
    match change {
        Change::Added(path) => format!("{} was added", name::show(path)),
        Change::Removed(path) => format!("{} was removed", name::show(path)),
        Change::Changed(path) | Change::Written(path) => {
            let how = match (kind(old, path), kind(new, path)) {
                (Some(Kind::File), Some(Kind::Executable)) => "is executable now",
                (Some(Kind::Executable), Some(Kind::File)) => "is no longer executable",
                (Some(old), Some(Kind::Unreadable)) if old != Kind::Unreadable => {
                    "cannot be read any more"
                }
                _ => "changed",
            };
            format!("{} {how}", name::show(path))
        }
    }
}

/// Calls `differ` for every key whose values are not the same.
fn pairs<V: PartialEq>(
    old: &BTreeMap<String, V>,
    new: &BTreeMap<String, V>,
    mut differ: impl FnMut(&str, Option<&V>, Option<&V>),
) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let (old, new) = (old.get(key), new.get(key));
        if old != new {
            differ(key, old, new);
        }
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
