//! Tells those who want to know how a rollout goes: at its beginning, when it holds, turns back, ends.
//!
//! Invariants: a rollout never waits for whoever is told, and none of them can stop it; an address is
//! a secret, and stands in no message.

use crate::clock;
use crate::http::Http;
use crate::journal::RolloutId;
use crate::places::Place;
use crate::rollback::RolledBack;
use crate::rollout::Event;
use crate::show::{Follower, Told};
use config::{Notify, NotifyFormat};
use jiff::Timestamp;
use release::ReleaseId;
use serde::Serialize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Version of the document that is sent.
pub const NOTICE_VERSION: u32 = 1;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long the end of a rollout waits for what was not sent yet.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Notices that wait to be sent; more than a rollout has.
const MAX_WAITING: usize = 64;

/// What is sent, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// [`NOTICE_VERSION`].
    pub version: u32,
    /// `began`, `resumed`, `holding`, `turning-back`, `turned-back`, `live`, `stopped`, `rolled-back`.
    pub event: &'static str,
    pub at: String,
    pub project: String,
    pub environment: String,
    pub rollout: Option<RolloutId>,
    pub release: Option<ReleaseId>,
    /// What was live before.
    pub from: Option<ReleaseId>,
    pub reason: Option<String>,
    /// The same in a sentence.
    pub text: String,
}

/// Sends notices of one environment's rollouts.
#[derive(Debug)]
pub struct Notifier {
    project: String,
    environment: String,
    rollout: Option<RolloutId>,
    release: Option<ReleaseId>,
    from: Option<ReleaseId>,
    holding: Option<String>,
    warnings: Vec<String>,
    sender: Option<Sender>,
}

#[derive(Debug)]
struct Sender {
    notices: SyncSender<Notice>,
    failures: Receiver<String>,
    thread: JoinHandle<()>,
}

/// Somebody who is told.
#[derive(Clone)]
struct Recipient {
    /// The variable that holds the address: what is said instead of it.
    name: String,
    url: String,
    format: NotifyFormat,
}

impl Notifier {
    /// For those whom an environment names. One whose address is not set gets a warning.
    pub fn new(project: &str, place: &Place) -> Notifier {
        Notifier::with(project, &place.name, &place.settings.notify, |name| {
            std::env::var(name).ok()
        })
    }

    fn with(
        project: &str,
        environment: &str,
        notify: &[Notify],
        get: impl Fn(&str) -> Option<String>,
    ) -> Notifier {
        let mut warnings = Vec::new();
        let mut recipients = Vec::new();
        for Notify { url_env, format } in notify {
            match get(url_env).filter(|url| !url.is_empty()) {
                Some(url) => {
                    recipients.push(Recipient { name: url_env.clone(), url, format: *format });
                }
                None => warnings.push(format!(
                    "nobody is told by [environments.{environment}] notify: {url_env} is not set"
                )),
            }
        }
        let sender = if recipients.is_empty() { None } else { Sender::start(recipients) };
        Notifier {
            project: project.to_owned(),
            environment: environment.to_owned(),
            rollout: None,
            release: None,
            from: None,
            holding: None,
            warnings,
            sender,
        }
    }

    /// What went wrong since this was asked last.
    pub fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Tells of a rollback by hand.
    pub fn rolled_back(
        &mut self,
        done: &RolledBack,
        rollout: Option<RolloutId>,
        reason: Option<&str>,
    ) {
        self.rollout = rollout;
        self.release.clone_from(&done.to);
        self.from.clone_from(&done.from);
        let to = done.to.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let why = reason.map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("{} was rolled back by hand to {to}{why}", self.environment);
        self.send("rolled-back", Timestamp::now(), reason, &text);
    }

    /// Waits, within bounds, until all was sent; what went wrong.
    pub fn end(mut self) -> Vec<String> {
        if let Some(Sender { notices, failures, thread }) = self.sender.take() {
            drop(notices);
            let deadline = Instant::now() + END_LIMIT;
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                match failures.recv_timeout(left) {
                    Ok(failure) => self.warnings.push(failure),
                    Err(RecvTimeoutError::Disconnected) => {
                        // It has ended: nothing is left to wait for.
                        thread.join().ok();
                        break;
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        let limit = END_LIMIT.as_secs();
                        let warning = format!("not everybody was told within {limit} s");
                        self.warnings.push(warning);
                        break;
                    }
                }
            }
        }
        self.warnings
    }

    fn send(&mut self, event: &'static str, at: Timestamp, reason: Option<&str>, text: &str) {
        let Some(sender) = &self.sender else { return };
        let notice = Notice {
            version: NOTICE_VERSION,
            event,
            at: clock::text(at),
            project: self.project.clone(),
            environment: self.environment.clone(),
            rollout: self.rollout,
            release: self.release.clone(),
            from: self.from.clone(),
            reason: reason.map(str::to_owned),
            text: format!("{}: {text}", self.project),
        };
        if sender.notices.try_send(notice).is_err() {
            self.warnings.push(format!("{event} was told to nobody: too much waits to be sent"));
        }
    }

    fn event(&mut self, at: Timestamp, event: &Event<'_>) {
        let place = self.environment.clone();
        if !matches!(event, Event::Holding { .. } | Event::GateJudged { .. } | Event::GateBegan(_))
        {
            self.holding = None;
        }
        match event {
            Event::Began { rollout, release, from, .. } => {
                self.rollout = Some(*rollout);
                self.release = Some((*release).clone());
                self.from = from.cloned();
                let text = format!("rollout {rollout} of {release} to {place} began");
                self.send("began", at, None, &text);
            }
            Event::Resumed { rollout, release, phase, .. } => {
                self.rollout = Some(*rollout);
                self.release = Some((*release).clone());
                let text = format!("rollout {rollout} of {release} to {place} goes on at {phase}");
                self.send("resumed", at, None, &text);
            }
            Event::Holding { why, left } if self.holding.as_deref() != Some(why) => {
                self.holding = Some((*why).to_owned());
                let limit = match left {
                    Some(left) => format!("for at most {} s", left.as_secs()),
                    None => "until that is over".to_owned(),
                };
                let text = format!("{} holds {limit}: {why}", self.what());
                self.send("holding", at, Some(why), &text);
            }
            Event::TurningBack { reason } => {
                let text = format!("{} turns back: {reason}", self.what());
                self.send("turning-back", at, Some(reason), &text);
            }
            Event::TurnedBack { reason, took } => {
                let live = match &self.from {
                    Some(from) => format!("{from} has all of the traffic again"),
                    None => "what was live before is live again".to_owned(),
                };
                let text = format!("{}: {live}, after {} ms", self.what(), took.as_millis());
                self.send("turned-back", at, Some(reason), &text);
            }
            Event::Completed { took } => {
                let text = format!("{} is live, after {} s", self.what(), took.as_secs());
                self.send("live", at, None, &text);
            }
            _ => {}
        }
    }

    fn what(&self) -> String {
        match &self.release {
            Some(release) => format!("{release} in {}", self.environment),
            None => self.environment.clone(),
        }
    }
}

impl Follower for Notifier {
    fn on(&mut self, at: Timestamp, told: &Told<'_>) {
        match told {
            Told::Rollout { event, .. } => self.event(at, event),
            Told::Stopped { reason, .. } => {
                let text = format!("{} stopped before its end: {reason}", self.what());
                self.send("stopped", at, Some(reason), &text);
            }
            Told::Plan(_) | Told::Warning(_) | Told::Ended(_) => {}
        }
    }
}

impl Sender {
    /// `None` when the system gives no thread: a rollout goes on without.
    fn start(recipients: Vec<Recipient>) -> Option<Sender> {
        let (notices, waiting) = sync_channel::<Notice>(MAX_WAITING);
        let (failed, failures) = sync_channel(MAX_WAITING);
        let send = move || {
            let http = Http::new(TIMEOUT);
            for notice in waiting {
                for recipient in &recipients {
                    if let Err(error) = recipient.tell(&http, &notice) {
                        let name = &recipient.name;
                        let failure = format!("{name} was not told of {}: {error}", notice.event);
                        // Nobody asks any more, or more went wrong than anybody reads.
                        failed.try_send(failure).ok();
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("notify".to_owned()).spawn(send).ok()?;
        Some(Sender { notices, failures, thread })
    }
}

impl Recipient {
    fn tell(&self, http: &Http, notice: &Notice) -> Result<(), String> {
        let body = match self.format {
            NotifyFormat::Json => serde_json::to_vec(notice),
            NotifyFormat::Slack => {
                serde_json::to_vec(&serde_json::json!({ "text": slack(&notice.text) }))
            }
        };
        let body = body.map_err(|error| error.to_string())?;
        http.post_json(&self.url, &body).map(drop).map_err(|error| error.to_string())
    }
}

/// A text in which nothing is a command of Slack's: <https://api.slack.com/reference/surfaces/formatting#escaping>.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
#[path = "notify_tests.rs"]
mod tests;
