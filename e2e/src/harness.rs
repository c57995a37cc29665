//! Running journeys so that `cargo test`, nextest and `cargo xtask e2e` see each of them.
//!
//! Journeys run in parallel on threads and share one browser; under nextest each is a process of
//! its own. Without an address to run against they are listed as ignored, and the reason is said.

use crate::browser::Browser;
use crate::page::Page;
use crate::{Result, evidence, find_browser};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// The environment variable that holds the address which the journeys run against.
pub const BASE_URL_ENV: &str = "BASE_URL";

/// The environment variable that names the tag of the journeys that are to be run; all are when it is
/// not set.
pub const TAG_ENV: &str = "XTASK_E2E_TAG";

/// A journey: its name, its tags, and what it does with a fresh page.
#[derive(Debug, Clone, Copy)]
pub struct Journey {
    pub name: &'static str,
    pub tags: &'static [&'static str],
    pub run: fn(&Page) -> Result,
}

/// Journeys by the names of their functions, each with its tags, if any:
/// `e2e::list![visitor::reads => ["smoke"], operator::signs_in]`.
#[macro_export]
macro_rules! list {
    ($($function:path $(=> [$($tag:literal),* $(,)?])?),* $(,)?) => {
        &[$($crate::Journey {
            name: stringify!($function),
            tags: &[$($($tag),*)?],
            run: $function,
        }),*]
    };
}

/// The `main` of a journeys' test target: does what the command line asks, as Rust's own test
/// harness would, and gives the exit code: 0, 101 when a journey failed, 3 when there is no browser.
pub fn journeys(journeys: &[Journey]) -> ExitCode {
    let arguments = Arguments::from_args();
    let base_url = std::env::var(BASE_URL_ENV).ok().filter(|url| !url.is_empty());
    let will_run = !arguments.list && (base_url.is_some() || asks_for_ignored(&arguments));
    if base_url.is_none() && !arguments.list {
        eprintln!(
            "journeys are ignored: {BASE_URL_ENV} is not set; run them against the built release \
             with: cargo xtask e2e"
        );
    }
    if will_run && let Err(error) = find_browser() {
        eprintln!("error: {error}");
        return report::Exit::Unreachable.into();
    }
    let tag = std::env::var(TAG_ENV).ok().filter(|tag| !tag.is_empty());
    let chosen = match with_tag(journeys, tag.as_deref()) {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("error: {error}");
            return report::Exit::Usage.into();
        }
    };
    let trials = chosen.into_iter().map(|journey| trial(journey, base_url.clone())).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    Browser::end_shared();
    conclusion.exit_code()
}

/// Those with a tag, or all. That none has it is an error: nothing would be tried, and that would look
/// like success.
fn with_tag(journeys: &[Journey], tag: Option<&str>) -> std::result::Result<Vec<Journey>, String> {
    let Some(tag) = tag else { return Ok(journeys.to_vec()) };
    let chosen: Vec<Journey> =
        journeys.iter().filter(|journey| journey.tags.contains(&tag)).copied().collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let known: BTreeSet<&str> = journeys.iter().flat_map(|it| it.tags).copied().collect();
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none".to_owned() } else { known };
    Err(format!("no journey has the tag {tag:?} that {TAG_ENV} names; the tags are: {known}"))
}

fn asks_for_ignored(arguments: &Arguments) -> bool {
    arguments.ignored || arguments.include_ignored
}

fn trial(journey: Journey, base_url: Option<String>) -> Trial {
    let is_ignored = base_url.is_none();
    Trial::test(journey.name, move || match base_url {
        Some(base_url) => run(journey, base_url),
        None => Err(Failed::from(format!("{BASE_URL_ENV} is not set: there is nothing to visit"))),
    })
    .with_ignored_flag(is_ignored)
}

fn run(journey: Journey, base_url: String) -> std::result::Result<(), Failed> {
    let page = Browser::shared()?.new_page()?.with_base_url(base_url);
    let failure = match catch_unwind(AssertUnwindSafe(|| (journey.run)(&page))) {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => said(panic.as_ref()),
    };
    let mut message = failure.clone();
    match evidence::keep(&page, journey.name, &failure) {
        Ok(files) => {
            for file in files {
                let _ = write!(message, "\n  kept: {}", file.display());
            }
        }
        Err(error) => {
            let _ = write!(message, "\n  nothing kept of the page: {error}");
        }
    }
    Err(Failed::from(message))
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the journey panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &Page) -> Result {
        Ok(())
    }

    #[test]
    fn a_tag_chooses_and_an_unknown_one_is_no_success() {
        const JOURNEYS: &[Journey] = &[
            Journey { name: "a", tags: &["smoke"], run: nothing },
            Journey { name: "b", tags: &[], run: nothing },
        ];
        let names = |tag| {
            let chosen = with_tag(JOURNEYS, tag);
            chosen.map(|chosen| chosen.iter().map(|it| it.name).collect::<Vec<_>>())
        };
        assert_eq!(names(None), Ok(vec!["a", "b"]));
        assert_eq!(names(Some("smoke")), Ok(vec!["a"]));
        let error = names(Some("smok")).unwrap_err();
        assert!(error.contains("the tags are: smoke"), "{error}");
    }
}
