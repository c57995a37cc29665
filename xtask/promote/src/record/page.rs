//! The page.

use super::chronicle::Numbers;
use super::{chart, series, tables, timeline};
use crate::journal::{Act, Phase, Record, RolloutId};
use crate::state::{Rollout, State};
use jiff::Timestamp;
use release::signing::UNSIGNED;
use screen::markup::{Markup, STYLE};
use screen::text;

/// What the page has beside the style of all pages.
const OWN_STYLE: &str = include_str!("style.css");

/// All that a page tells.
#[derive(Debug)]
pub struct Facts<'a> {
    pub rollout: Rollout,
    /// From the rollout's beginning to its end, or to the present.
    pub records: Vec<&'a Record>,
    pub numbers: &'a Numbers,
    pub end: End,
}

/// What a rollout came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Live {
        took_ms: u64,
    },
    TurnedBack {
        reason: String,
        took_ms: u64,
    },
    /// A person went back.
    ByHand {
        who: String,
        reason: Option<String>,
        took_ms: u64,
    },
    Stopped {
        reason: String,
    },
    UnderWay,
}

impl<'a> Facts<'a> {
    /// Of a rollout in a journal; `None` when there is no such.
    pub fn of(records: &'a [Record], id: RolloutId, numbers: &'a Numbers) -> Option<Facts<'a>> {
        let begin = usize::try_from(id.0).ok()?.checked_sub(1)?;
        let is_end = |record: &Record| {
            matches!(
                record.act,
                Act::Complete { .. } | Act::TurnedBack { .. } | Act::RolledBack { .. }
            )
        };
        let after = records.get(begin..)?;
        let end = after.iter().position(is_end);
        let own = &after[..end.map_or(after.len(), |end| end + 1)];
        let rollout = State::of(&records[..begin + own.len()]).rollout.filter(|it| it.id == id)?;
        let end = match own.last().filter(|_| end.is_some()).map(|last| &last.act) {
            Some(Act::Complete { took_ms }) => End::Live { took_ms: *took_ms },
            Some(Act::TurnedBack { took_ms }) => {
                let reason = rollout.reason.clone().unwrap_or_default();
                End::TurnedBack { reason, took_ms: *took_ms }
            }
            Some(Act::RolledBack { took_ms }) => {
                let back = own.iter().rev().find_map(|record| match &record.act {
                    Act::Rollback { reason, .. } => Some((record.who.clone(), reason.clone())),
                    _ => None,
                });
                let (who, reason) = back.unwrap_or_default();
                End::ByHand { who, reason, took_ms: *took_ms }
            }
            _ => match &numbers.stopped {
                Some(stop) => End::Stopped { reason: stop.reason.clone() },
                None => End::UnderWay,
            },
        };
        Some(Facts { rollout, records: own.iter().collect(), numbers, end })
    }

    pub fn began_at(&self) -> Option<Timestamp> {
        self.rollout.began_at.parse().ok()
    }

    /// From the beginning to the end, in milliseconds.
    pub fn took_ms(&self) -> u64 {
        let last = self.records.last().and_then(|record| record.at.parse::<Timestamp>().ok());
        let stopped = self.numbers.stopped.as_ref().and_then(|stop| stop.at.parse().ok());
        match (self.began_at(), stopped.or(last)) {
            (Some(began), Some(last)) => millis(began, last),
            _ => 0,
        }
    }
}

/// From one time to another; 0 when it would be negative.
pub fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(crate::clock::since(from, to).as_millis()).unwrap_or(u64::MAX)
}

/// The whole page.
pub fn page(facts: &Facts<'_>) -> String {
    let mut page = Markup::default();
    head(&mut page, facts);
    page.raw("<body>\n");
    header(&mut page, facts);
    page.raw("<main>\n");
    cause(&mut page, facts);
    timeline::section(&mut page, facts);
    let series = series::all(facts);
    chart::section(&mut page, &series, &timeline::shares(facts));
    tables::gates(&mut page, facts);
    tables::plan(&mut page, facts);
    tables::evidence(&mut page, facts);
    tables::acts(&mut page, facts);
    page.raw("</main>\n<footer>Written by Slipway, <code>cargo xtask promote</code>. ");
    page.raw("All times are UTC.</footer>\n</body>\n</html>\n");
    page.into_string()
}

fn head(page: &mut Markup, facts: &Facts<'_>) {
    let Rollout { id, .. } = &facts.rollout;
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    page.raw("style-src 'unsafe-inline'; img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n");
    page.raw("<title>").text(sign(&facts.end)).raw(" ").text(&facts.numbers.environment);
    page.raw(" ").text(id).raw(" · ").text(verdict(facts)).raw("</title>\n");
    page.raw("<style>\n").raw(STYLE).raw(OWN_STYLE).raw("</style>\n</head>\n");
}

fn header(page: &mut Markup, facts: &Facts<'_>) {
    let Facts { rollout, numbers, .. } = facts;
    page.raw("<header class=\"").raw(class(&facts.end)).raw("\">\n<div class=\"wide\">\n");
    page.raw("<p class=\"project\">").text(&numbers.project).raw(" · ");
    page.text(&numbers.environment).raw(" · rollout ").text(rollout.id);
    page.raw("</p>\n<h1><span class=\"sign\" aria-hidden=\"true\">").text(sign(&facts.end));
    page.raw("</span> ").text(verdict(facts)).raw("</h1>\n<dl class=\"facts releases\">\n");
    let from = rollout.from.as_ref().map_or("nothing", |from| from.as_str());
    for (name, value) in [("Release", rollout.release.as_str()), ("In place of", from)] {
        page.raw("<div><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>\n");
    }
    page.raw("</dl>\n<p class=\"when\"><time").attribute("datetime", &rollout.began_at).raw(">");
    page.text(moment(&rollout.began_at)).raw(" UTC</time>");
    if let Some(first) = facts.records.first() {
        page.raw(" · begun by ").text(&first.who);
    }
    if let Some(commit) = &rollout.commit {
        let short: String = commit.chars().take(12).collect();
        page.raw(" · commit <code").attribute("title", commit).raw(">").text(short).raw("</code>");
    }
    page.raw("</p>\n<p class=\"when\">Signed by ").text(&numbers.signed_by).raw("</p>\n");
    if !numbers.is_for_production && !numbers.signed_by.contains(UNSIGNED) {
        page.raw("<p class=\"note\">").text(UNSIGNED).raw("</p>\n");
    }
    page.raw("</div>\n</header>\n");
}

fn cause(page: &mut Markup, facts: &Facts<'_>) {
    let took = |ms: u64| text::duration(ms);
    let live = facts.rollout.from.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    let (heading, reason, then) = match &facts.end {
        End::TurnedBack { reason, took_ms } => (
            "Why it turned back",
            reason.clone(),
            format!("{live} had all of the traffic again after {}.", took(*took_ms)),
        ),
        End::ByHand { who, reason, took_ms } => (
            "Why it was rolled back",
            match reason {
                Some(reason) => format!("{who}: {reason}"),
                None => format!("{who} gave no reason"),
            },
            format!("Done within {}.", took(*took_ms)),
        ),
        End::Stopped { reason } => (
            "Why it stopped",
            reason.clone(),
            "It stays where it is until `cargo xtask promote --resume` or `cargo xtask rollback`."
                .to_owned(),
        ),
        End::Live { .. } | End::UnderWay => return,
    };
    page.raw("<section class=\"cause ").raw(class(&facts.end));
    page.raw("\" aria-labelledby=\"cause\">\n<h2 id=\"cause\">").raw(heading).raw("</h2>\n<p>");
    page.prose(&reason)
        .raw("</p>\n<p class=\"first needs\">")
        .prose(&then)
        .raw("</p>\n</section>\n");
}

fn verdict(facts: &Facts<'_>) -> String {
    let took = text::duration(facts.took_ms());
    match &facts.end {
        End::Live { .. } => format!("Live after {took}"),
        End::TurnedBack { .. } => format!("Turned back after {took}"),
        End::ByHand { .. } => format!("Rolled back by hand after {took}"),
        End::Stopped { .. } => format!("Stopped at {}", word(facts.rollout.phase)),
        End::UnderWay => format!("Under way at {}", word(facts.rollout.phase)),
    }
}

fn sign(end: &End) -> &'static str {
    match end {
        End::Live { .. } => "✓",
        End::TurnedBack { .. } | End::ByHand { .. } => "✗",
        End::Stopped { .. } => "‖",
        End::UnderWay => "▸",
    }
}

/// The class that gives an end its colour.
fn class(end: &End) -> &'static str {
    match end {
        End::Live { .. } => "good",
        End::TurnedBack { .. } | End::ByHand { .. } => "bad",
        End::Stopped { .. } | End::UnderWay => "calm",
    }
}

/// A phase in a word or two.
pub fn word(phase: Phase) -> String {
    match phase {
        Phase::Shifting { share, .. } => share.to_string(),
        Phase::RollingBack => "rolling back".to_owned(),
        Phase::RolledBack => "rolled back".to_owned(),
        phase => phase.to_string(),
    }
}

/// `2026-11-23 09:15:02` of a time in RFC 3339.
pub fn moment(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}
