//! What people see of whole rollouts, at 80 columns.

use super::{Ended, Follower, JsonLines, Terminal, Told};
use crate::journal::{Phase, RolloutId, RolloutPlan, Verdict};
use crate::plan::{EnvironmentPlan, PromotionPlan, Todo, moves};
use crate::preflight::Proof;
use crate::rollout::Event;
use config::Gate;
use jiff::Timestamp;
use release::ReleaseId;
use release::routing::TrafficShare;
use release::store::Uploaded;
use report::{Exit, Measure, Unit};
use screen::Screen;
use screen::look::Look;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ANALYSIS: &Gate = &Gate::Analysis;

/// A writer whose contents can be looked at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A promotion that is shown, and the time in it.
struct Shown {
    follower: Box<dyn Follower>,
    paper: Paper,
    now: Timestamp,
}

impl Shown {
    fn on_terminal(is_live: bool) -> Shown {
        let paper = Paper::default();
        let look = Look { color: false, unicode: true, columns: 80, lines: 24, live: is_live };
        let terminal = Terminal::new(Screen::new(Box::new(paper.clone())), look);
        Shown::new(Box::new(terminal), paper)
    }

    fn as_json() -> Shown {
        let paper = Paper::default();
        Shown::new(Box::new(JsonLines::new(Screen::new(Box::new(paper.clone())))), paper)
    }

    fn new(follower: Box<dyn Follower>, paper: Paper) -> Shown {
        Shown { follower, paper, now: "2026-11-23T09:15:00Z".parse().unwrap() }
    }

    fn tell(&mut self, told: &Told<'_>) -> &mut Shown {
        self.follower.on(self.now, told);
        self
    }

    fn event(&mut self, event: &Event<'_>) -> &mut Shown {
        self.tell(&Told::Rollout { environment: "production", event })
    }

    fn after(&mut self, seconds: u64) -> &mut Shown {
        self.now += Duration::from_secs(seconds);
        self
    }

    /// From the beginning to the first share.
    fn up_to_share(&mut self) -> &mut Shown {
        let (release, from, plan) = (new(), old(), plan());
        let rollout = RolloutId(7);
        self.event(&Event::Began { rollout, release: &release, from: Some(&from), plan: &plan })
            .after(1)
            .event(&Event::Uploaded(uploaded()))
            .event(&Event::Moved(Phase::Staged))
            .event(&Event::Loading(Duration::from_millis(50)))
            .after(1)
            .event(&Event::Moved(Phase::Verifying))
            .event(&Event::GateBegan(&Gate::Smoke))
            .event(&smoke_passed())
            .event(&Event::Moved(share(0, 50)))
    }

    fn watched(&mut self, seconds: u64, of: u64, last: Option<&str>) -> &mut Shown {
        let (passed, watch) = (Duration::from_secs(seconds), Duration::from_secs(of));
        let share = TrafficShare::try_from(50).unwrap();
        self.event(&Event::Watching { share, passed, watch, last })
    }

    fn ended(&mut self, exit: Exit, turned_back: Option<&str>) -> &mut Shown {
        let went_live = if exit == Exit::Passed { vec!["production".to_owned()] } else { vec![] };
        self.tell(&Told::Ended(&Ended {
            release: new(),
            exit,
            went_live,
            turned_back: turned_back.map(|reason| ("production".to_owned(), reason.to_owned())),
            took: Duration::from_secs(432),
            records: vec!["target/xtask/rollouts/production-r7.html".to_owned()],
        }))
    }
}

fn new() -> ReleaseId {
    "2026-11-23-1f9c2ab04d7e".parse().unwrap()
}

fn old() -> ReleaseId {
    "2026-11-20-77aa01c2e9b4".parse().unwrap()
}

fn plan() -> RolloutPlan {
    RolloutPlan {
        shift: ["5% for 2m", "25% for 5m", "100%"].map(|step| step.parse().unwrap()).to_vec(),
        gates: vec![Gate::Smoke, Gate::Analysis],
        hold: "10m".parse().unwrap(),
        backup: None,
    }
}

fn share(step: usize, per_mille: u16) -> Phase {
    Phase::Shifting { step, share: TrafficShare::try_from(per_mille).unwrap() }
}

fn uploaded() -> Uploaded {
    Uploaded { new_files: 12, new_bytes: 1_240_000, known_files: 34 }
}

fn smoke_passed() -> Event<'static> {
    Event::GateJudged {
        gate: &Gate::Smoke,
        verdict: Verdict::Pass,
        reason: "11 of 11 checks answered as declared",
        numbers: &[],
    }
}

fn numbers() -> Vec<Measure> {
    let count = |name, value| Measure::new(name, value, Unit::Count);
    vec![
        Measure::new("error-share.candidate", 0.0004, Unit::Share).max(0.001),
        count("error-share.candidate.samples", 2_410.0),
        Measure::new("error-share.live", 0.0005, Unit::Share),
        Measure::new("latency-p95.candidate", 84.0, Unit::Ms).max(300.0),
        Measure::new("latency-p95.live", 80.0, Unit::Ms),
    ]
}

fn judged<'a>(verdict: Verdict, reason: &'a str, numbers: &'a [Measure]) -> Event<'a> {
    Event::GateJudged { gate: ANALYSIS, verdict, reason, numbers }
}

fn promotion(live: Option<ReleaseId>) -> PromotionPlan {
    let proof = |step: &str| Proof {
        step: step.to_owned(),
        verdict: "passed".to_owned(),
        has_passed: true,
        signed_by: Some("release-2026".to_owned()),
        is_for_production: true,
        summary: None,
    };
    PromotionPlan {
        project: "beacon".to_owned(),
        release: new(),
        manifest_sha256: release::Sha256::of(b""),
        commit: Some("1f9c2ab04d7e5566778899aabbccddeeff001122".to_owned()),
        created: Some("2026-11-23T09:00:00Z".to_owned()),
        has_uncommitted_changes: false,
        files: 46,
        site_bytes: 1_530_000,
        has_server: true,
        signed_by: "release-2026 (E7620F1842B4E81F)".to_owned(),
        is_for_production: true,
        passed_over: Vec::new(),
        environments: vec![EnvironmentPlan {
            name: "production".to_owned(),
            todo: Todo::Begin,
            needs: vec!["staging".to_owned()],
            moves: moves(&plan(), live.is_none()),
            live,
            rollout: plan(),
            limits: vec![("error-share".to_owned(), "max 0.1%, against live: no worse".to_owned())],
            evidence: ["build", "smoke"].map(proof).to_vec(),
            schema: None,
        }],
        missing: Vec::new(),
    }
}

#[test]
fn success() {
    let numbers = numbers();
    let mut shown = Shown::on_terminal(false);
    shown.tell(&Told::Plan(&promotion(Some(old())))).up_to_share();
    shown.event(&judged(Verdict::Inconclusive, "counting has begun at 5%", &[]));
    for second in 1..=120 {
        shown.after(1).watched(second, 120, Some("error share 0.04%"));
        if second % 12 == 0 {
            shown.event(&judged(Verdict::Pass, "all is well", &numbers));
        }
    }
    shown.event(&Event::GateBegan(&Gate::Smoke)).event(&smoke_passed());
    shown.event(&Event::Moved(share(1, 250))).after(300);
    shown.event(&judged(Verdict::Pass, "all is well", &numbers));
    shown.event(&Event::Moved(Phase::Live)).after(1);
    shown.event(&Event::Completed { took: Duration::from_secs(424) }).ended(Exit::Passed, None);
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn turned_back() {
    let reason = "error share 2.4% (12 of 500): at least 1.4%; limit 0.1%";
    let gate = format!("gate `analysis` failed: {reason}");
    let mut shown = Shown::on_terminal(false);
    shown.up_to_share().after(12);
    shown.event(&judged(Verdict::Fail, reason, &numbers()));
    shown.event(&Event::TurningBack { reason: &gate });
    let took = Duration::from_millis(84);
    shown.event(&Event::TurnedBack { reason: &gate, took }).ended(Exit::Failed, Some(&gate));
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn held() {
    let why = "error share 0% (0 of 13): not certain yet; about 178 requests needed; limit 1%";
    let mut shown = Shown::on_terminal(false);
    shown.up_to_share().after(120);
    for held in 0..70 {
        shown.event(&judged(Verdict::Inconclusive, why, &[])).after(1);
        let left = Some(Duration::from_secs(600 - held));
        shown.event(&Event::Holding { why, left });
    }
    let why = "alice@laptop froze the environment: the database is slow";
    for _ in 0..40 {
        shown.event(&Event::Holding { why, left: None }).after(1);
    }
    shown.tell(&Told::Stopped {
        environment: "production",
        rollout: Some(RolloutId(7)),
        reason: "stopped at shifting(5%) as asked",
    });
    shown.ended(Exit::Interrupted, None);
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn resumed() {
    let (release, phase) = (new(), share(1, 250));
    let mut shown = Shown::on_terminal(false);
    let from = Some("bob@build-1 (process 4711)");
    shown.event(&Event::Resumed { rollout: RolloutId(7), release: &release, phase, from });
    shown.after(300).event(&Event::Moved(Phase::Live)).after(1);
    shown.event(&Event::Completed { took: Duration::from_secs(4_000) }).ended(Exit::Passed, None);
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn first_release_ever() {
    let (release, plan) = (new(), plan());
    let mut shown = Shown::on_terminal(false);
    shown.tell(&Told::Plan(&promotion(None)));
    let rollout = RolloutId(1);
    shown.event(&Event::Began { rollout, release: &release, from: None, plan: &plan }).after(1);
    shown.event(&Event::Uploaded(uploaded())).event(&Event::Moved(Phase::Staged)).after(1);
    shown.event(&Event::Moved(Phase::Verifying));
    shown.event(&Event::GateBegan(&Gate::Smoke)).event(&smoke_passed());
    shown.event(&Event::Moved(Phase::Live)).after(1);
    shown.event(&Event::Completed { took: Duration::from_secs(3) }).ended(Exit::Passed, None);
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn a_line_for_each_event() {
    let reason = "error share 2.4% (12 of 500): at least 1.4%; limit 0.1%";
    let mut shown = Shown::as_json();
    shown.up_to_share();
    for tenth in 0..40_u64 {
        let (passed, watch) = (Duration::from_millis(tenth * 100), Duration::from_secs(120));
        let share = TrafficShare::try_from(50).unwrap();
        shown.event(&Event::Watching { share, passed, watch, last: None });
        shown.now += Duration::from_millis(100);
    }
    shown.event(&judged(Verdict::Fail, reason, &numbers()));
    shown.event(&Event::TurningBack { reason });
    let took = Duration::from_millis(84);
    shown.event(&Event::TurnedBack { reason, took }).ended(Exit::Failed, Some(reason));
    insta::assert_snapshot!(shown.paper.text());
}

#[test]
fn lines_that_change_leave_nothing_behind() {
    let mut shown = Shown::on_terminal(true);
    shown.up_to_share();
    for second in 1..=120 {
        shown.after(1).watched(second, 120, Some("error share 0.04%"));
    }
    shown.event(&Event::Moved(Phase::Live)).after(1);
    shown.event(&Event::Completed { took: Duration::from_secs(124) });
    let mut terminal = vt100::Parser::new(24, 80, 0);
    // As a terminal in cooked mode shows it.
    terminal.process(shown.paper.text().replace('\n', "\r\n").as_bytes());
    let screen = terminal.screen().contents();
    assert!(!screen.contains("left of"), "{screen}");
    assert_eq!(screen.matches("error share").count(), 0, "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn nothing_foreign_reaches_the_terminal() {
    let mut shown = Shown::on_terminal(false);
    shown.up_to_share();
    shown.event(&judged(Verdict::Fail, "\u{1b}[2Jgone\rX \u{202e}evil", &[]));
    shown.event(&Event::TurningBack { reason: "\u{1b}]0;title\u{7}why" });
    let text = shown.paper.text();
    assert!(!text.chars().any(|c| c != '\n' && c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
    for line in text.lines() {
        assert!(screen::text::width(line) <= 80, "{line:?}");
    }
}
