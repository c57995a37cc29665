//! A page's loads in Chromium against their limits.

use crate::Found;
use crate::breach::Limited;
use crate::noise::Runs;
use crate::schema::Page;
use crate::visit::{Conditions, Visit};
use anyhow::Context as _;
use e2e::{Request, Throttling};
use report::{Fault, Finding, Place, Unit};

/// Loads a page as often as its budget says, and checks the medians; gives every run too. `file`
/// is the budget's, for the findings.
///
/// # Errors
/// When there is no browser, or the page cannot be opened.
pub fn check(page: &Page, base_url: &str, file: &str) -> anyhow::Result<(Found, Vec<Visit>)> {
    let url = format!("{}{}", base_url.trim_end_matches('/'), page.path);
    let conditions = conditions(page);
    let mut visits = Vec::new();
    for _ in 0..page.runs {
        let visit = Visit::make(&url, &conditions).map_err(fault)?;
        let is_an_error_page = visit.status >= 400;
        visits.push(visit);
        if is_an_error_page {
            // Measuring an error page would only prove that errors are fast.
            break;
        }
    }
    let mut found = Found::default();
    let last = visits.last().with_context(|| "no run was made")?;
    if last.status >= 400 {
        let message =
            format!("{} answers {}: its budgets were not checked", page.path, last.status);
        found.findings.push(Finding::error("budget::page", message).at(Place::url(&url)));
        return Ok((found, visits));
    }
    judge(page, &url, file, &visits, &mut found);
    Ok((found, visits))
}

fn conditions(page: &Page) -> Conditions {
    let device = page.device.0.or(crate::schema::Preset::default().0);
    let (width, height) =
        device.map_or(e2e::DEFAULT_VIEWPORT, |device| (device.width, device.height));
    Conditions {
        width,
        height,
        scale: device.map_or(1.0, |device| device.scale),
        mobile: device.is_some_and(|device| device.mobile),
        throttling: page.throttling.0.map(Throttling::from),
    }
}

fn judge(page: &Page, url: &str, file: &str, visits: &[Visit], found: &mut Found) {
    let limits = &page.limits;
    let place = || Place::url(url);
    let name = |what: &str| format!("{}.{what}", page.name);
    let mut check = |what: &'static str,
                     rule: &'static str,
                     unit: Unit,
                     max: Option<f64>,
                     value: &dyn Fn(&Visit) -> Option<f64>,
                     why: &dyn Fn(&Visit) -> Vec<String>| {
        let Some(max) = max else { return };
        let runs = visits.iter().map(value).collect::<Option<Vec<f64>>>().and_then(Runs::new);
        let Some(runs) = runs else {
            let message = format!("{} was not seen: the page painted nothing", name(what));
            found.findings.push(Finding::error(rule, message).at(place()));
            return;
        };
        let median = runs.median();
        // The run whose value is the median explains it.
        let typical = visits.iter().find(|visit| value(visit) == Some(median));
        found.add(Limited {
            name: name(what),
            rule,
            value: median,
            max,
            unit,
            place: place(),
            file,
            contributors: typical.map(why).unwrap_or_default(),
        });
        if let Some(noise) = runs.noise().filter(|_| unit == Unit::Ms) {
            let message = format!("{}: {noise}; measured on a noisy machine", name(what));
            let help = "run it again when nothing else runs, or with more runs";
            found.findings.push(Finding::note("budget::noise", message).at(place()).help(help));
        }
    };
    check(
        "requests",
        "budget::requests",
        Unit::Count,
        limits.requests.map(f64::from),
        &|visit| Some(count(visit.requests.len())),
        &|visit| {
            visit
                .requests
                .iter()
                .map(|request| format!("{} {}", request.kind, request.url))
                .collect()
        },
    );
    check(
        "transfer",
        "budget::transfer",
        Unit::Bytes,
        limits.transfer_bytes.map(|bytes| exact(bytes.0)),
        &|visit| Some(exact(visit.transfer_bytes())),
        &|visit| largest(&visit.requests),
    );
    check("fcp", "budget::fcp", Unit::Ms, limits.fcp_ms, &|visit| visit.vitals.fcp, &|visit| {
        slowest(&visit.requests)
    });
    check(
        "lcp",
        "budget::lcp",
        Unit::Ms,
        limits.lcp_ms,
        &|visit| visit.vitals.lcp().map(|paint| paint.at),
        &|visit| {
            let paint = visit.vitals.lcp().map(|paint| match &paint.url {
                Some(url) => format!("the largest paint is {} with {url}", paint.element),
                None => format!("the largest paint is the text of {}", paint.element),
            });
            paint.into_iter().chain(slowest(&visit.requests)).collect()
        },
    );
    check(
        "cls",
        "budget::cls",
        Unit::Score,
        limits.cls,
        &|visit| Some(visit.vitals.cls()),
        &|visit| {
            let mut shifts = visit.vitals.shifts.clone();
            shifts.sort_by(|a, b| b.score.total_cmp(&a.score));
            shifts
                .iter()
                .map(|shift| {
                    format!(
                        "{:.3} at {:.0} ms: {}",
                        shift.score,
                        shift.at,
                        shift.sources.join(", ")
                    )
                })
                .collect()
        },
    );
    check(
        "tbt",
        "budget::tbt",
        Unit::Ms,
        limits.tbt_ms,
        &|visit| Some(visit.vitals.tbt()),
        &|visit| {
            let mut tasks = visit.vitals.tasks.clone();
            tasks.sort_by(|a, b| b.duration.total_cmp(&a.duration));
            tasks
                .iter()
                .map(|task| format!("a task of {:.0} ms at {:.0} ms", task.duration, task.at))
                .collect()
        },
    );
    if visits.iter().any(|visit| !visit.is_quiet) {
        let message =
            format!("{} never became quiet: it was measured while it still loaded", page.path);
        found.findings.push(Finding::warning("budget::quiet", message).at(place()));
    }
}

fn largest(requests: &[Request]) -> Vec<String> {
    let mut requests: Vec<&Request> = requests.iter().collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.transfer_bytes));
    requests
        .iter()
        .map(|request| {
            format!("{} {}", request.url, Unit::Bytes.show(exact(request.transfer_bytes)))
        })
        .collect()
}

fn slowest(requests: &[Request]) -> Vec<String> {
    let mut requests: Vec<(&Request, f64)> = requests
        .iter()
        .filter_map(|request| request.duration_ms.map(|duration_ms| (request, duration_ms)))
        .collect();
    requests.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    requests
        .iter()
        .map(|(request, duration_ms)| format!("{} took {duration_ms:.0} ms", request.url))
        .collect()
}

/// What kept the page from being measured, with the exit code that it deserves.
fn fault(error: e2e::Error) -> anyhow::Error {
    let is_the_world = error.is_unreachable() || matches!(error, e2e::Error::Navigation { .. });
    if is_the_world { Fault::unreachable(error.to_string()).into() } else { error.into() }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
fn exact(bytes: u64) -> f64 {
    bytes as f64
}

#[expect(clippy::cast_precision_loss, reason = "requests of one page are few")]
fn count(requests: usize) -> f64 {
    requests as f64
}
