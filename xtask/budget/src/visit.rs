//! One load of a page: what it requested and how it painted.

use e2e::{Request, Throttling};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The observers that each document of the page starts with.
const OBSERVERS: &str = include_str!("vitals.js");
/// After the last paint there was time for another frame and for the observers to be told.
const SETTLED: &str = "new Promise((done) => requestIdleCallback(() => requestAnimationFrame(() => \
     requestAnimationFrame(() => setTimeout(() => done(window[Symbol.for('slipway.vitals')])))), \
     { timeout: 5000 }))";
/// A page is quiet when no request was under way for so long; as Lighthouse's network quiet.
const QUIET: Duration = Duration::from_millis(500);
/// A page that polls or streams is never quiet: it is measured as it is then.
const QUIET_LIMIT: Duration = Duration::from_secs(15);
/// Longer tasks block (W3C Long Tasks API).
const LONG_TASK_MS: f64 = 50.0;
/// A session window of layout shifts ends after such a gap, or at such an age (web.dev/articles/cls).
const SHIFT_GAP_MS: f64 = 1_000.0;
const SHIFT_WINDOW_MS: f64 = 5_000.0;

/// One load of a page.
#[derive(Debug, Clone, Serialize)]
pub struct Visit {
    pub vitals: Vitals,
    /// Of http and https, redirects and the icon included.
    pub requests: Vec<Request>,
    /// Whether it became quiet within the limit.
    pub is_quiet: bool,
    /// The status of the document.
    pub status: u16,
}

/// What the observers saw; times in milliseconds since the navigation began.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Vitals {
    /// `None` for a page that paints nothing.
    pub fcp: Option<f64>,
    /// Candidates, each larger than the one before.
    pub lcp: Vec<Paint>,
    pub shifts: Vec<Shift>,
    pub tasks: Vec<Task>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paint {
    pub at: f64,
    pub element: String,
    pub url: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shift {
    pub at: f64,
    pub score: f64,
    pub sources: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Task {
    pub at: f64,
    pub duration: f64,
}

/// The screen and network of a visit.
#[derive(Debug, Clone, Copy)]
pub struct Conditions {
    pub width: u32,
    pub height: u32,
    pub scale: f64,
    pub mobile: bool,
    pub throttling: Option<Throttling>,
}

impl Visit {
    /// Loads an address in a context of its own, with an empty cache, and waits until it is quiet.
    pub fn make(url: &str, conditions: &Conditions) -> e2e::Result<Visit> {
        let page = e2e::Browser::shared()?.new_page()?;
        let Conditions { width, height, scale, mobile, throttling } = *conditions;
        page.set_viewport(width, height, scale, mobile)?;
        page.add_init_script(OBSERVERS)?;
        page.set_throttling(throttling)?;
        page.goto(url)?;
        let is_quiet = page.wait_until_quiet(QUIET, QUIET_LIMIT);
        let vitals = page.evaluate(SETTLED)?;
        let requests: Vec<Request> =
            page.network().into_iter().filter(|request| request.url.starts_with("http")).collect();
        let document = requests.iter().rfind(|request| request.kind == "Document");
        let status = document.map_or(0, |document| document.status);
        Ok(Visit { vitals, requests, is_quiet, status })
    }

    /// Bytes that came over the network, headers included.
    pub fn transfer_bytes(&self) -> u64 {
        self.requests.iter().map(|request| request.transfer_bytes).sum()
    }
}

impl Vitals {
    /// Largest Contentful Paint: the last candidate.
    pub fn lcp(&self) -> Option<&Paint> {
        self.lcp.last()
    }

    /// Cumulative Layout Shift: the worst session window.
    pub fn cls(&self) -> f64 {
        let (mut worst, mut sum) = (0.0_f64, 0.0);
        let mut window: Option<(f64, f64)> = None;
        for shift in &self.shifts {
            window = match window {
                Some((start, last))
                    if shift.at - last < SHIFT_GAP_MS && shift.at - start < SHIFT_WINDOW_MS =>
                {
                    sum += shift.score;
                    Some((start, shift.at))
                }
                _ => {
                    sum = shift.score;
                    Some((shift.at, shift.at))
                }
            };
            worst = worst.max(sum);
        }
        worst
    }

    /// Total Blocking Time between the first contentful paint and quiet. Of a task that began
    /// before the paint only the part after it counts, as in Lighthouse.
    pub fn tbt(&self) -> f64 {
        let fcp = self.fcp.unwrap_or(0.0);
        self.tasks
            .iter()
            .map(|task| {
                let after = task.at + task.duration - task.at.max(fcp);
                (after - LONG_TASK_MS).max(0.0)
            })
            // An empty sum of floating point numbers is -0.
            .fold(0.0, |sum, blocked| sum + blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(at: f64, score: f64) -> Shift {
        Shift { at, score, sources: Vec::new() }
    }

    #[test]
    fn layout_shifts_count_by_session_window() {
        let cls = |shifts: &[Shift]| Vitals { shifts: shifts.to_vec(), ..Vitals::default() }.cls();
        assert!((cls(&[]) - 0.0).abs() < 1e-9);
        assert!((cls(&[shift(0.0, 0.1), shift(900.0, 0.1)]) - 0.2).abs() < 1e-9);
        // A gap of a second ends the window.
        assert!((cls(&[shift(0.0, 0.1), shift(1_000.0, 0.15)]) - 0.15).abs() < 1e-9);
        // So do five seconds, however small the gaps.
        let steady: Vec<Shift> = (0..10).map(|n| shift(f64::from(n) * 900.0, 0.1)).collect();
        assert!((cls(&steady) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn only_what_blocks_after_the_first_paint_counts() {
        let task = |at, duration| Task { at, duration };
        let vitals = Vitals {
            fcp: Some(100.0),
            tasks: vec![task(0.0, 90.0), task(50.0, 150.0), task(300.0, 50.0), task(400.0, 80.0)],
            ..Vitals::default()
        };
        // 100 of the second lie after the paint: 50 of them block; then 30.
        assert!((vitals.tbt() - 80.0).abs() < 1e-9);
    }
}
