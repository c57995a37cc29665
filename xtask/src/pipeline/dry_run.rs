//! What a run would do, without doing it.

use crate::pipeline::cache::Cache;
use crate::pipeline::durations::Durations;
use crate::pipeline::explain::explain;
use crate::pipeline::plan::Plan;
use crate::pipeline::run::freshness::{Freshness, look_up};
use crate::pipeline::schedule::{Forecast, Schedule};
use crate::pipeline::select::{Part, Selection};
use std::path::Path;
use std::time::Duration;

/// What would become of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Replayed,
    /// It would run, for this reason.
    Run(String),
    Skipped(String),
}

/// A step of a run that was only thought through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    pub name: String,
    pub fate: Fate,
    /// How long it took before, if it would run and is remembered.
    pub expected: Option<Duration>,
}

/// The steps in the order in which they would start, were there one job; then what would be
/// skipped. `cache`: none when it is not used. A step that depends on one that would run is
/// foreseen from the files as they are now.
///
/// # Errors
/// When the checkout cannot be read.
pub fn foresee(
    root: &Path,
    plan: &Plan,
    selection: &Selection,
    cache: Option<&Cache>,
    is_forced: bool,
) -> anyhow::Result<Vec<Foreseen>> {
    let durations = Durations::load(root);
    let freshness = cache.map(|_| Freshness::take(root, plan, selection)).transpose()?;
    let mut fates: Vec<Fate> = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        fates.push(match (cache, &freshness) {
            _ if !step.cache => Fate::Run("it is never cached".to_owned()),
            (Some(_), _) if is_forced => Fate::Run("--force".to_owned()),
            (Some(cache), Some(freshness)) => {
                // A damaged entry is a reason like any other here.
                let mut damage = None;
                let hit = look_up(cache, step, freshness.fingerprint(at), &mut |warning| {
                    damage = Some(warning);
                });
                match (hit, damage) {
                    (Some(_), _) => Fate::Replayed,
                    (None, Some(damage)) => Fate::Run(damage),
                    (None, None) => Fate::Run(reason(cache, plan, at, freshness)),
                }
            }
            _ => Fate::Run("--no-cache".to_owned()),
        });
    }
    let forecast: Vec<Forecast> = plan
        .steps
        .iter()
        .zip(&fates)
        .map(|(step, fate)| Forecast {
            takes: durations.forecast(&step.name),
            is_hit: *fate == Fate::Replayed,
        })
        .collect();
    let mut schedule = Schedule::new(plan, selection, 1, &forecast);
    let mut foreseen = Vec::new();
    while let Some(step) = schedule.start() {
        schedule.end(step, true);
        let expected = durations.expected(plan.name(step));
        let fate = fates[step].clone();
        let expected = expected.filter(|_| fate != Fate::Replayed);
        foreseen.push(Foreseen { name: plan.name(step).to_owned(), fate, expected });
    }
    for step in 0..plan.steps.len() {
        if let Part::LeftOut(reason) = selection.part(step) {
            let fate = Fate::Skipped(reason.clone());
            foreseen.push(Foreseen { name: plan.name(step).to_owned(), fate, expected: None });
        }
    }
    Ok(foreseen)
}

fn reason(cache: &Cache, plan: &Plan, step: usize, freshness: &Freshness) -> String {
    let Some(ingredients) = freshness.ingredients(step) else { return String::new() };
    let explanation = explain(cache, &plan.steps[step], ingredients, &freshness.all());
    // The first line says that it would run; the next, if there is one, says what changed.
    let lines = &explanation.lines;
    let line = lines.get(1).or(lines.first()).map_or("", |line| line.trim());
    let prefix = format!("{} would run: ", explanation.step);
    line.strip_prefix(&prefix).unwrap_or(line).to_owned()
}

/// One line a step: what would become of it, and why.
pub fn text(foreseen: &[Foreseen]) -> String {
    let width = foreseen.iter().map(|step| step.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Foreseen { name, fate, expected } in foreseen {
        let (verb, why) = match fate {
            Fate::Replayed => ("replay", ""),
            Fate::Run(why) => ("run   ", why.as_str()),
            Fate::Skipped(why) => ("skip  ", why.as_str()),
        };
        let about =
            expected.map(|took| format!("about {:.1}s", took.as_secs_f64())).unwrap_or_default();
        let parts = [about.as_str(), why].into_iter().filter(|part| !part.is_empty());
        let notes = parts.collect::<Vec<_>>().join("; ");
        let line = format!("{verb}  {name:width$}  {notes}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
