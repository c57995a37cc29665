//! Where in `xtask.toml` it stands that the steps are no plan.

use crate::context::Context;
use crate::pipeline::plan::PlanError;
use config::{BUILTIN_STEPS, Config, ConfigError};
use report::Fault;

/// The error as a person who wrote the file needs it: the place, and what to do.
pub fn blame(cx: &Context, config: &Config, steps: &[String], error: &PlanError) -> Fault {
    let place = match error {
        PlanError::Name { name } | PlanError::Twice { name } => (name.as_str(), None),
        PlanError::UnknownNeed { step, need, .. } => (step.as_str(), Some(need.as_str())),
        PlanError::Cycle(names) => written_need(config, names),
        PlanError::UnknownStep { .. } => return Fault::usage(error.to_string()),
    };
    let help = match error {
        PlanError::UnknownNeed { need, .. } if BUILTIN_STEPS.contains(&need.as_str()) => {
            Some(format!(
                "`{need}` is no step of this project; give it a `run` in [steps.{need}], or need one \
                 of {}",
                steps.join(", ")
            ))
        }
        PlanError::UnknownNeed { .. } => Some(format!("the steps are {}", steps.join(", "))),
        PlanError::Cycle(_) => Some("take one of these needs out".to_owned()),
        PlanError::Twice { .. } => Some("give it another name".to_owned()),
        PlanError::Name { .. } | PlanError::UnknownStep { .. } => None,
    };
    Fault::usage(ConfigError::about_step(&cx.root, place, error.to_string(), help).to_string())
}

/// A need of the circle that stands in the file: those of the built-in steps do not.
fn written_need<'a>(config: &Config, names: &'a [String]) -> (&'a str, Option<&'a str>) {
    let is_written = |pair: &&[String]| {
        let needs = config.steps.get(&pair[0]).and_then(|section| section.needs.as_ref());
        needs.is_some_and(|needs| needs.contains(&pair[1]))
    };
    match names.windows(2).find(is_written) {
        Some(pair) => (&pair[0], Some(&pair[1])),
        None => (names.first().map_or("", String::as_str), None),
    }
}
