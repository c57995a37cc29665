//! The plan of a promotion, before anything is done.

use super::brief;
use crate::plan::{EnvironmentPlan, Move, PromotionPlan, Todo};
use release::signing::UNSIGNED;
use screen::look::{Ink, Look};
use screen::text;

/// Columns of what a line is about.
const LABEL: usize = 11;

/// The whole plan, in the columns of the screen.
pub fn plan_text(look: &Look, plan: &PromotionPlan) -> String {
    let mut page = Page { look, text: String::new() };
    page.heading(&format!("Promotion of {}", plan.release), Ink::Strong);
    page.line("project", &plan.project);
    if let Some(commit) = &plan.commit {
        let short: String = commit.chars().take(12).collect();
        let changes = if plan.has_uncommitted_changes { ", with uncommitted changes" } else { "" };
        page.line("commit", &format!("{short}{changes}"));
    }
    page.line("signed by", &plan.signed_by);
    let server = if plan.has_server { ", and a server" } else { "" };
    let (files, bytes) = (brief::count(plan.files, "file"), brief::bytes(plan.site_bytes));
    page.line("holds", &format!("{files}, {bytes}{server}"));
    for id in &plan.passed_over {
        page.line("passed over", &format!("{id} was built later, and has no evidence"));
    }
    if !plan.is_for_production && !plan.signed_by.contains(UNSIGNED) {
        page.line("", UNSIGNED);
    }
    for environment in &plan.environments {
        page.environment(environment);
    }
    page.text += "\nTimes are UTC.\n";
    page.text
}

struct Page<'a> {
    look: &'a Look,
    text: String,
}

impl Page<'_> {
    fn heading(&mut self, heading: &str, ink: Ink) {
        self.text += &format!("{}\n", self.look.paint(ink, heading));
    }

    fn line(&mut self, label: &str, words: &str) {
        let room = self.look.measure().saturating_sub(LABEL + 3);
        let words = text::block(words.as_bytes(), false);
        for (index, line) in text::wrap(&words, room).iter().enumerate() {
            let label = text::pad(if index == 0 { label } else { "" }, LABEL);
            self.text += &format!("  {} {line}\n", self.look.paint(Ink::Quiet, &label));
        }
    }

    fn environment(&mut self, plan: &EnvironmentPlan) {
        let live = match &plan.live {
            Some(live) => format!("live: {live}"),
            None => "nothing is live".to_owned(),
        };
        let name = self.look.paint(Ink::Strong, &plan.name);
        self.text += &format!("\n{name}  {live}\n");
        match &plan.todo {
            Todo::IsLive => return self.line("", "nothing to do: it is live here already"),
            Todo::Resume { rollout, at } => {
                self.line("goes on", &format!("rollout {rollout}, at {at}"));
            }
            Todo::Begin => {}
        }
        for (index, step) in plan.moves.iter().enumerate() {
            self.line(&format!("{}. {}", index + 1, step.name), &self.step(step, plan));
        }
        if plan.moves.iter().any(|step| !step.gates.is_empty()) {
            let hold = plan.rollout.hold;
            self.line(
                "hold",
                &format!("a gate may be inconclusive for {hold}, then it has failed"),
            );
        }
        if let Some(change) = plan.schema {
            let from =
                change.from.map_or_else(|| "none that is stated".to_owned(), |it| it.to_string());
            let (to, keeps) = (change.to, change.keeps);
            let words =
                format!("schema {from} to {to}; releases of schema {keeps} and later can use it");
            self.line("data", &words);
        }
        for (metric, limits) in &plan.limits {
            self.line("limit", &format!("{metric} {limits}"));
        }
        let evidence: Vec<String> = plan
            .evidence
            .iter()
            .map(|proof| {
                let sign = if proof.has_passed { self.good() } else { self.bad() };
                format!("{sign} {}", proof.step)
            })
            .collect();
        if !evidence.is_empty() {
            self.line("evidence", &evidence.join(", "));
        }
    }

    fn good(&self) -> &'static str {
        if self.look.unicode { "✓" } else { "+" }
    }

    fn bad(&self) -> &'static str {
        if self.look.unicode { "✗" } else { "x" }
    }

    fn step(&self, step: &Move, plan: &EnvironmentPlan) -> String {
        let gates = brief::gates(&step.gates);
        let gates = if gates.is_empty() { gates } else { format!("; gates: {gates}") };
        match (step.name, step.share) {
            ("upload", _) => "its files go into the store".to_owned(),
            ("backup", _) => {
                let command = plan.rollout.backup.as_deref().unwrap_or_default();
                format!("a copy of the data is kept by `{command}`")
            }
            ("stage", _) => "loaded and proved where it is served, without traffic".to_owned(),
            ("verify", _) if gates.is_empty() => "no gate is asked".to_owned(),
            ("verify", _) => format!("without traffic{gates}"),
            ("shift", Some(share)) => {
                let watch = step.watch.map_or("not watched".to_owned(), |it| format!("for {it}"));
                format!("{share} of the traffic, {watch}{gates}")
            }
            _ => match &plan.live {
                Some(live) => format!("all of the traffic; {live} is kept to go back to"),
                None => "all of the traffic".to_owned(),
            },
        }
    }
}
