//! What a webhook is told, and what becomes of a failure.

#[path = "../../probe/tests/probes/server.rs"]
#[expect(dead_code, reason = "the tests of smoke and load use the rest")]
mod server;

#[path = "../tests/commands/hook.rs"]
mod hook;

use super::*;
use hook::Hook;

fn notify(format: NotifyFormat) -> [Notify; 1] {
    [Notify { url_env: "HOOK".to_owned(), format }]
}

fn notifier(format: NotifyFormat, url: &str) -> Notifier {
    Notifier::with("demo", "production", &notify(format), |_| Some(url.to_owned()))
}

fn tell(notifier: &mut Notifier, event: &Event<'_>) {
    let at = "2026-11-23T09:15:00Z".parse().unwrap();
    notifier.on(at, &Told::Rollout { environment: "production", event });
}

#[test]
fn what_matters_is_told_once() {
    let hook = Hook::start(200);
    let mut notifier = notifier(NotifyFormat::Json, &hook.url());
    let release: ReleaseId = "2026-11-23-1f9c2ab04d7e".parse().unwrap();
    let plan = crate::journal::RolloutPlan {
        shift: Vec::new(),
        gates: Vec::new(),
        hold: "10m".parse().unwrap(),
        backup: None,
    };
    let rollout = RolloutId(7);
    tell(&mut notifier, &Event::Began { rollout, release: &release, from: None, plan: &plan });
    for left in [9, 8, 7] {
        let left = Some(Duration::from_secs(left));
        tell(&mut notifier, &Event::Holding { why: "too few requests", left });
    }
    tell(&mut notifier, &Event::Completed { took: Duration::from_secs(70) });
    assert_eq!(notifier.end(), Vec::<String>::new());
    let bodies = hook.bodies();
    let events: Vec<&str> = bodies.iter().map(|body| body["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["began", "holding", "live"]);
    assert_eq!(bodies[1]["reason"], "too few requests");
    assert_eq!(bodies[2]["rollout"], "r7");
    let text = "demo: 2026-11-23-1f9c2ab04d7e in production is live, after 70 s";
    assert_eq!(bodies[2]["text"], text);
}

#[test]
fn slack_gets_a_text_in_which_nothing_is_a_command() {
    let hook = Hook::start(200);
    let mut notifier = notifier(NotifyFormat::Slack, &hook.url());
    tell(&mut notifier, &Event::TurningBack { reason: "<!channel> & more" });
    assert_eq!(notifier.end(), Vec::<String>::new());
    let body = &hook.bodies()[0];
    let expected = "demo: production turns back: &lt;!channel&gt; &amp; more";
    assert_eq!(*body, serde_json::json!({ "text": expected }));
}

#[test]
fn a_failure_is_a_warning_that_keeps_the_address_to_itself() {
    let hook = Hook::start(500);
    let mut notifier = notifier(NotifyFormat::Json, &hook.url());
    tell(&mut notifier, &Event::TurningBack { reason: "it is slow" });
    let warnings = notifier.end();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("HOOK was not told of turning-back: "), "{warnings:?}");
    assert!(!warnings[0].contains("secret"), "{warnings:?}");
}

#[test]
fn an_address_that_is_not_set_is_a_warning() {
    let mut notifier = Notifier::with("demo", "production", &notify(NotifyFormat::Json), |_| None);
    assert_eq!(notifier.warnings().len(), 1);
    tell(&mut notifier, &Event::TurningBack { reason: "it is slow" });
    assert_eq!(notifier.end(), Vec::<String>::new());
}
