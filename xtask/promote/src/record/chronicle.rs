//! Collects what the gates measured, and writes the page at the end.

use super::page::{self, Facts};
use crate::clock;
use crate::journal::{Journal, RolloutId, Verdict};
use crate::places::Place;
use crate::plan::PromotionPlan;
use crate::preflight::Proof;
use crate::rollout::Event;
use crate::show::{Follower, Told};
use anyhow::Context;
use config::Gate;
use jiff::Timestamp;
use release::store::Store;
use report::Measure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Folder of the records, relative to the project's root.
const RECORDS: &str = "target/xtask/rollouts";

/// Version of the file beside the page.
const NUMBERS_VERSION: u32 = 1;

/// A record is for everybody.
const MODE: u32 = 0o644;

/// Looks that are kept; when there are more, every other one goes. Enough for a chart as wide as a
/// screen.
const MAX_LOOKS: usize = 720;

/// Between two writes of the file while a rollout goes on: what a killed one may lose.
const WRITE_EVERY: Duration = Duration::from_secs(2);

/// What the gates measured in one rollout, and what was known of its release.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    pub version: u32,
    pub project: String,
    pub environment: String,
    pub signed_by: String,
    pub is_for_production: bool,
    pub evidence: Vec<Proof>,
    pub looks: Vec<Look>,
    /// Why it stopped, while it is stopped.
    pub stopped: Option<Stop>,
}

/// One look of a gate at the candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// RFC 3339, UTC.
    pub at: String,
    pub gate: Gate,
    pub verdict: Verdict,
    pub reason: String,
    pub numbers: Vec<Measure>,
}

/// That a promoter stopped before the rollout's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub at: String,
    pub reason: String,
}

/// Follows one environment's rollout.
#[derive(Debug)]
pub struct Chronicle {
    root: PathBuf,
    environment: String,
    rollout: Option<RolloutId>,
    numbers: Numbers,
    /// How many looks stand for one that is kept.
    stride: usize,
    skipped: usize,
    written_at: Option<Timestamp>,
}

impl Chronicle {
    /// Of a rollout that begins or goes on in an environment of this plan.
    pub fn new(root: &Path, plan: &PromotionPlan, environment: &str) -> Chronicle {
        let evidence = plan.environments.iter().find(|it| it.name == environment);
        let numbers = Numbers {
            version: NUMBERS_VERSION,
            project: plan.project.clone(),
            environment: environment.to_owned(),
            signed_by: plan.signed_by.clone(),
            is_for_production: plan.is_for_production,
            evidence: evidence.map(|it| it.evidence.clone()).unwrap_or_default(),
            looks: Vec::new(),
            stopped: None,
        };
        Chronicle {
            root: root.to_path_buf(),
            environment: environment.to_owned(),
            rollout: None,
            numbers,
            stride: 1,
            skipped: 0,
            written_at: None,
        }
    }

    /// Writes the page; gives its path, relative to the project's root. `None` when no rollout began.
    ///
    /// # Errors
    /// When the journal cannot be read, or the page not be written.
    pub fn write(&mut self, store: &dyn Store) -> anyhow::Result<Option<String>> {
        let Some(rollout) = self.rollout else { return Ok(None) };
        self.save(rollout)?;
        write_page(&self.root, store, rollout, &self.numbers).map(Some)
    }

    fn event(&mut self, at: Timestamp, event: &Event<'_>) {
        match event {
            Event::Began { rollout, .. } => self.rollout = Some(*rollout),
            Event::Resumed { rollout, .. } => {
                self.rollout = Some(*rollout);
                if let Some(before) = read(&self.root, &self.environment, *rollout) {
                    self.numbers.looks = before.looks;
                    if self.numbers.evidence.is_empty() {
                        self.numbers.evidence = before.evidence;
                        self.numbers.signed_by = before.signed_by;
                        self.numbers.is_for_production = before.is_for_production;
                    }
                }
            }
            Event::GateJudged { gate, verdict, reason, numbers } => {
                self.look(at, gate, *verdict, reason, numbers);
            }
            _ => {}
        }
        let is_due = self.written_at.is_none_or(|last| clock::since(last, at) >= WRITE_EVERY);
        if let (Some(rollout), true) = (self.rollout, is_due) {
            self.written_at = Some(at);
            // A disk that is full now may not be at the end, where it becomes a warning.
            self.save(rollout).ok();
        }
    }

    fn look(
        &mut self,
        at: Timestamp,
        gate: &Gate,
        verdict: Verdict,
        reason: &str,
        numbers: &[Measure],
    ) {
        self.skipped += 1;
        if verdict != Verdict::Fail && self.skipped < self.stride {
            return;
        }
        self.skipped = 0;
        self.numbers.looks.push(Look {
            at: clock::text(at),
            gate: gate.clone(),
            verdict,
            reason: reason.to_owned(),
            numbers: numbers.to_vec(),
        });
        if self.numbers.looks.len() > MAX_LOOKS {
            let mut index = 0;
            self.numbers.looks.retain(|look| {
                index += 1;
                index % 2 == 1 || look.verdict == Verdict::Fail
            });
            self.stride *= 2;
        }
    }

    fn save(&self, rollout: RolloutId) -> anyhow::Result<()> {
        let path = place(&self.root, &self.environment, rollout, "json");
        replace(&path, &serde_json::to_vec(&self.numbers)?)
    }
}

impl Follower for Chronicle {
    fn on(&mut self, at: Timestamp, told: &Told<'_>) {
        match told {
            Told::Rollout { event, .. } => self.event(at, event),
            Told::Stopped { reason, .. } => {
                self.numbers.stopped =
                    Some(Stop { at: clock::text(at), reason: (*reason).to_owned() });
            }
            Told::Plan(_) | Told::Warning(_) | Told::Ended(_) => {}
        }
    }
}

/// Writes the page of a rollout anew, after somebody else ended it. `None` when it has none here.
///
/// # Errors
/// When the journal cannot be read, or the page not be written.
pub fn rewrite(root: &Path, place: &Place, rollout: RolloutId) -> anyhow::Result<Option<String>> {
    let Some(numbers) = read(root, &place.name, rollout) else { return Ok(None) };
    let numbers = Numbers { stopped: None, ..numbers };
    write_page(root, &*place.store, rollout, &numbers).map(Some)
}

fn read(root: &Path, environment: &str, rollout: RolloutId) -> Option<Numbers> {
    let bytes = fs::read(place(root, environment, rollout, "json")).ok()?;
    let numbers: Numbers = serde_json::from_slice(&bytes).ok()?;
    (numbers.version == NUMBERS_VERSION).then_some(numbers)
}

fn write_page(
    root: &Path,
    store: &dyn Store,
    rollout: RolloutId,
    numbers: &Numbers,
) -> anyhow::Result<String> {
    let journal = Journal::read(store)?;
    let facts = Facts::of(journal.records(), rollout, numbers)
        .with_context(|| format!("the journal has no rollout {rollout}"))?;
    let path = place(root, &numbers.environment, rollout, "html");
    replace(&path, page::page(&facts).as_bytes())?;
    Ok(path.strip_prefix(root).unwrap_or(&path).display().to_string())
}

/// `target/xtask/rollouts/production-r7.html`
fn place(root: &Path, environment: &str, rollout: RolloutId, extension: &str) -> PathBuf {
    root.join(RECORDS).join(format!("{environment}-{rollout}.{extension}"))
}

/// By a rename, so that a reader never sees half of it.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut partial = tempfile::Builder::new()
            .prefix(".record-")
            .permissions(fs::Permissions::from_mode(MODE))
            .tempfile_in(folder)?;
        partial.write_all(bytes)?;
        partial.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("failed to write {}", path.display()))
}
