//! Runs to test renderers on: one that passed, one that failed in every way, one interrupted.

use super::Renderer;
use super::closing::Kept;
use super::look::Look;
use super::screen::Screen;
use crate::pipeline::event::{Event, Output, StepHead};
use report::{
    Artifact, Finding, Limit, Measure, Outcome, Place, Report, SCHEMA_VERSION, Status, StepReport,
    Unit,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// A screen of 80 by 24 that shows Unicode without colour.
pub fn look() -> Look {
    Look { color: false, unicode: true, columns: 80, lines: 24, live: false }
}

/// A writer whose contents can be looked at.
#[derive(Debug, Clone, Default)]
pub struct Paper(Rc<RefCell<Vec<u8>>>);

impl Paper {
    pub fn screen(&self) -> Screen {
        Screen::new(Box::new(self.clone()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn step(name: &str, needs: &[&str], start_ms: u64, end_ms: u64, outcome: Outcome) -> StepReport {
    let is_run = matches!(outcome.status, Status::Passed | Status::Failed) && !outcome.replayed;
    let duration_ms = if is_run { end_ms - start_ms } else { outcome.duration_ms };
    StepReport {
        name: name.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        start_ms,
        end_ms,
        allow_failure: false,
        attempts: u32::from(is_run),
        fingerprint: is_run.then(|| "9f2c5e1d0b7a".repeat(5)),
        output: Some(format!("target/xtask/runs/20261123-084312-4711/output/{name}.log")),
        outcome: Outcome { duration_ms, ..outcome },
    }
}

fn replayed(mut outcome: Outcome, duration_ms: u64) -> Outcome {
    outcome.replayed = true;
    outcome.duration_ms = duration_ms;
    outcome
}

fn report(status: Status, exit_code: i32, duration_ms: u64, steps: Vec<StepReport>) -> Report {
    Report {
        version: SCHEMA_VERSION,
        project: "beacon".to_owned(),
        run: "20261123-084312-4711".to_owned(),
        started_at: "2026-11-23T08:43:12Z".to_owned(),
        duration_ms,
        commit: Some("1f9c2ab4d5e6f708192a3b4c5d6e7f8091a2b3c4".to_owned()),
        status,
        exit_code,
        steps,
        critical_path: Vec::new(),
        advice: None,
        warnings: Vec::new(),
    }
}

fn budget(over: bool) -> Vec<Measure> {
    vec![
        Measure::new("home.lcp", if over { 3_120.0 } else { 1_240.0 }, Unit::Ms).max(2_500.0),
        Measure::new("home.cls", 0.012, Unit::Score).max(0.1),
        Measure::new("site.css.brotli", 4_812.0, Unit::Bytes).max(12_000.0),
        Measure::new("site.html.brotli", 18_240.0, Unit::Bytes).max(20_000.0),
        Measure::new("home.requests", 9.0, Unit::Count),
    ]
}

/// Nine steps that all passed, three of them from the cache.
pub fn passed() -> Report {
    let release = Outcome {
        artifacts: vec![Artifact {
            name: "release".to_owned(),
            path: "target/xtask/releases/2026-11-23-1f9c2ab".to_owned(),
        }],
        ..Outcome::passed("release 2026-11-23-1f9c2ab")
    };
    let load = Outcome {
        measures: vec![
            Measure::new("load.latency.p95", 8.4, Unit::Ms).max(50.0),
            Measure::new("load.rate", 199.6, Unit::PerSecond).min(190.0),
            Measure::new("load.errors", 0.0, Unit::Share).max(0.001),
        ],
        ..Outcome::passed("200/s for 10s, p95 8.4 ms")
    };
    let budget = Outcome { measures: budget(false), ..Outcome::passed("5 measures") };
    let audit = Outcome {
        findings: vec![
            Finding::warning("RUSTSEC-2024-0436", "paste is unmaintained")
                .at(Place::line("Cargo.lock", 1204))
                .help("nothing replaces it; it is built only for tests")
                .url("https://rustsec.org/advisories/RUSTSEC-2024-0436"),
        ],
        ..Outcome::passed("312 packages, 1 advisory")
    };
    let steps = vec![
        step("fmt", &[], 3, 5, replayed(Outcome::passed("88 files"), 640)),
        step("lint", &[], 5, 8, replayed(Outcome::passed("no findings"), 21_400)),
        step("test", &[], 10, 33_010, Outcome::passed("412 passed")),
        step("build", &[], 10, 31_010, release),
        step("audit", &[], 8, 12, replayed(audit, 96)),
        step("smoke", &["build"], 31_020, 32_480, Outcome::passed("14 checks")),
        step("e2e", &["build"], 31_020, 43_120, Outcome::passed("18 journeys, 3 engines")),
        step("budget", &["build"], 33_020, 39_840, budget),
        step("load", &["build"], 39_850, 44_060, load),
    ];
    Report {
        critical_path: vec!["build".to_owned(), "e2e".to_owned()],
        advice: Some(
            "build took 31.0s of 44.1s, and everything behind it waited: \
             5.2s less of it would have been 5.2s less of the run"
                .to_owned(),
        ),
        ..report(Status::Passed, 0, 44_100, steps)
    }
}

/// A run in which two steps failed, one was allowed to, one was skipped and two were cancelled.
pub fn failed() -> Report {
    let lint = Outcome {
        findings: vec![
            Finding::warning("clippy::needless_pass_by_value", "this argument is passed by value")
                .at(Place::line("app/src/pages/status.rs", 88)),
            Finding::error(
                "clippy::unwrap_used",
                "used `unwrap()` on an `Option` value\nif this value is `None`, it will panic",
            )
            .at(Place::File {
                path: "app/src/pages/incident.rs".to_owned(),
                line: Some(31),
                column: Some(17),
                end_line: Some(31),
            })
            .help("use `?`, or say by `expect` why it cannot be")
            .url("https://rust-lang.github.io/rust-clippy/master/index.html#unwrap_used"),
        ],
        ..Outcome::failed("1 error, 1 warning")
    };
    let test = Outcome {
        exit_code: 101,
        findings: vec![
            Finding::error("test::failed", "incident::closes <script>alert(1)</script> & more")
                .at(Place::line("app/tests/incident.rs", 57)),
            Finding::error("test::failed", "status::shows_history"),
        ],
        measures: vec![Measure::new("tests.failed", 2.0, Unit::Count).max(0.0)],
        ..Outcome::failed("2 of 412 failed")
    };
    let release = Outcome {
        artifacts: vec![Artifact {
            name: "release".to_owned(),
            path: "target/xtask/releases/2026-11-23-1f9c2ab".to_owned(),
        }],
        ..Outcome::passed("release 2026-11-23-1f9c2ab")
    };
    let budget = Outcome {
        measures: budget(true),
        findings: vec![
            Finding::error("budget::lcp", "home: LCP 3.12 s, limit 2.50 s")
                .at(Place::url("http://127.0.0.1:41217/")),
        ],
        ..Outcome::failed("1 of 5 measures beyond its limit")
    };
    let mut steps = vec![
        step("fmt", &[], 3, 5, replayed(Outcome::passed("88 files"), 640)),
        step("lint", &[], 10, 12_130, lint),
        step("test", &[], 12_130, 33_010, test),
        step("build", &[], 10, 31_010, release),
        step("audit", &[], 8, 8, Outcome::skipped("no advisory database")),
        step("smoke", &["build"], 31_020, 33_030, Outcome::new(Status::Cancelled, "test failed")),
        step("e2e", &["build"], 33_030, 33_030, Outcome::new(Status::Cancelled, "never started")),
        step("budget", &["build"], 31_020, 32_900, budget),
        step("licences of everything we ship", &[], 11, 812, Outcome::passed("REUSE 3.3")),
    ];
    steps[7].allow_failure = true;
    steps[7].attempts = 2;
    Report {
        critical_path: vec!["lint".to_owned(), "test".to_owned()],
        advice: Some("lint and test wait for each other: both hold `cargo`".to_owned()),
        warnings: vec!["cache entry of audit was damaged, it ran again".to_owned()],
        ..report(Status::Failed, 1, 33_200, steps)
    }
}

/// A run that Ctrl-C ended.
pub fn interrupted() -> Report {
    let steps = vec![
        step("fmt", &[], 3, 5, replayed(Outcome::passed("88 files"), 640)),
        step("test", &[], 10, 2_300, Outcome::new(Status::Cancelled, "interrupted by SIGINT")),
    ];
    report(Status::Cancelled, 130, 2_310, steps)
}

/// What the steps of [`failed`] wrote.
pub fn outputs() -> BTreeMap<String, Kept> {
    let kept = |bytes: &[u8], omitted_bytes| Kept { bytes: bytes.to_vec(), omitted_bytes };
    [
        (
            "lint",
            kept(b"    \x1b[1m\x1b[32mChecking\x1b[0m app v0.1.0\nerror: used `unwrap()`\n", 0),
        ),
        (
            "test",
            kept(
                b"running 412 tests\n::error::forged\n##[error]forged too\nbad \xff\n",
                73_400_320,
            ),
        ),
        ("build", kept(b"    Finished `release` profile\n", 0)),
        ("budget", kept(b"", 0)),
    ]
    .map(|(name, kept)| (name.to_owned(), kept))
    .into()
}

/// What a renderer knows before the run.
pub fn heads(report: &Report) -> Vec<StepHead> {
    let heads = report.steps.iter().map(|step| StepHead {
        name: step.name.clone(),
        needs: step.needs.clone(),
        expected: (step.name == "test").then(|| Duration::from_secs(40)),
        allow_failure: step.allow_failure,
    });
    heads.collect()
}

/// Tells a renderer the run that a report is about, in the order in which it happened.
pub fn tell(
    report: &Report,
    outputs: &BTreeMap<String, Kept>,
    renderer: &mut dyn Renderer,
) -> anyhow::Result<()> {
    let heads = heads(report);
    renderer.on(&Event::RunStarted {
        project: &report.project,
        run: &report.run,
        steps: &heads,
    })?;
    let mut moments: Vec<(u64, bool, usize)> = Vec::new();
    for (index, step) in report.steps.iter().enumerate() {
        if step.attempts > 0 || step.outcome.status == Status::Cancelled {
            moments.push((step.start_ms, false, index));
        }
        moments.push((step.end_ms, true, index));
    }
    moments.sort_unstable();
    for warning in &report.warnings {
        renderer.on(&Event::Warning { message: warning })?;
    }
    for (at_ms, is_end, index) in moments {
        let (step, at) = (&report.steps[index], Duration::from_millis(at_ms));
        let kept = outputs.get(&step.name).cloned().unwrap_or_default();
        if !is_end {
            renderer.on(&Event::StepStarted { step: index, at, attempt: 1 })?;
            for line in kept.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                renderer.on(&Event::StepOutput { step: index, line })?;
            }
            continue;
        }
        let output = Output { bytes: &kept.bytes, omitted_bytes: kept.omitted_bytes };
        renderer.on(&Event::StepFinished { step: index, at, outcome: &step.outcome, output })?;
    }
    if report.exit_code == 130 {
        renderer.on(&Event::Interrupted { signal: "SIGINT" })?;
    }
    renderer.on(&Event::RunFinished { report })
}

/// A report in which every text is `text`, for laws that hold whatever is in it.
pub fn filled_with(text: &str) -> (Report, BTreeMap<String, Kept>) {
    let mut report = failed();
    for field in [&mut report.project, &mut report.run] {
        *field = text.to_owned();
    }
    report.advice = Some(text.to_owned());
    report.warnings = vec![text.to_owned()];
    report.commit = Some(text.to_owned());
    for step in &mut report.steps {
        step.name = text.to_owned();
        step.outcome.summary = text.to_owned();
        step.outcome.artifacts = vec![Artifact { name: text.to_owned(), path: text.to_owned() }];
        step.outcome.findings.push(Finding::note(text, text).at(Place::url(text)));
        step.outcome
            .findings
            .push(Finding::error(text, text).at(Place::line(text, 1)).help(text).url(text));
        let mut measure = Measure::new(text, f64::NAN, Unit::Share);
        measure.limit = Some(Limit::Max(f64::INFINITY));
        step.outcome.measures.push(measure);
    }
    report.critical_path = vec![text.to_owned()];
    let kept = Kept { bytes: text.as_bytes().to_vec(), omitted_bytes: 1 };
    (report, [(text.to_owned(), kept)].into())
}
