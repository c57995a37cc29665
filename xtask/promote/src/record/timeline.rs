//! When each phase was: one bar a phase on a shared axis.

use super::page::{End, Facts, millis, word};
use crate::journal::{Act, Phase};
use jiff::Timestamp;
use screen::axis::{interval, label, share};
use screen::markup::Markup;
use screen::text;

/// A phase's time, in milliseconds since the rollout began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub phase: Phase,
    pub start_ms: u64,
    pub end_ms: u64,
}

/// Every phase that the rollout was in, in order.
pub fn spans(facts: &Facts<'_>) -> Vec<Span> {
    let Some(began) = facts.began_at() else { return Vec::new() };
    let mut spans: Vec<Span> = Vec::new();
    for record in &facts.records {
        let Ok(at) = record.at.parse::<Timestamp>() else { continue };
        let at = millis(began, at);
        let phase = match &record.act {
            Act::Begin { .. } => Phase::Uploading,
            Act::Move { to } => *to,
            Act::TurnBack { .. } | Act::Rollback { .. } => Phase::RollingBack,
            _ => {
                // Until something else is told, the last phase goes on.
                if let Some(last) = spans.last_mut() {
                    last.end_ms = last.end_ms.max(at);
                }
                continue;
            }
        };
        if let Some(last) = spans.last_mut() {
            last.end_ms = at;
        }
        spans.push(Span { phase, start_ms: at, end_ms: at });
    }
    if let (Some(last), End::Stopped { .. } | End::UnderWay) = (spans.last_mut(), &facts.end) {
        last.end_ms = last.end_ms.max(facts.took_ms());
    }
    spans
}

/// When each share began, in milliseconds since the rollout began, and which it was.
pub fn shares(facts: &Facts<'_>) -> Vec<(u64, String)> {
    let is_share = |span: &Span| matches!(span.phase, Phase::Shifting { .. });
    spans(facts).into_iter().filter(is_share).map(|it| (it.start_ms, word(it.phase))).collect()
}

pub fn section(page: &mut Markup, facts: &Facts<'_>) {
    let spans = spans(facts);
    let total_ms = spans.iter().map(|span| span.end_ms).max().unwrap_or(0).max(1);
    let tick_ms = interval(total_ms);
    page.raw("<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline</h2>\n");
    page.raw("<figure class=\"card timeline\"");
    page.attribute("style", format_args!("--tick:{}%", share(tick_ms, total_ms)));
    page.raw(">\n<ol class=\"plot\">\n");
    let last = spans.len().saturating_sub(1);
    for (index, span) in spans.iter().enumerate() {
        row(page, span, colour(span.phase, index == last, &facts.end), total_ms);
    }
    page.raw("</ol>\n");
    axis(page, total_ms);
    page.raw("</figure>\n</section>\n");
}

/// The labels below a plot.
pub fn axis(page: &mut Markup, total_ms: u64) {
    let tick_ms = interval(total_ms);
    page.raw("<div class=\"axis\" aria-hidden=\"true\"><div>");
    for tick in (0..=total_ms / tick_ms).map(|number| number * tick_ms) {
        page.raw("<span").attribute("style", format_args!("left:{}%", share(tick, total_ms)));
        page.raw(">").text(label(tick)).raw("</span>");
    }
    page.raw("</div></div>\n");
}

fn row(page: &mut Markup, span: &Span, colour: &'static str, total_ms: u64) {
    let took = span.end_ms.saturating_sub(span.start_ms);
    page.raw("<li><span class=\"name\">").text(word(span.phase));
    page.raw("</span><span class=\"track\" aria-hidden=\"true\"><i class=\"").raw(colour).raw("\"");
    let (left, width) = (share(span.start_ms, total_ms), share(took, total_ms));
    page.attribute("style", format_args!("--left:{left}%;--width:{width}%"));
    page.raw("></i></span><span class=\"time\">").text(text::duration(took)).raw("</span></li>\n");
}

fn colour(phase: Phase, is_last: bool, end: &End) -> &'static str {
    match (phase, end) {
        (Phase::RollingBack | Phase::RolledBack, _) => "bad",
        (_, End::Stopped { .. } | End::UnderWay) if is_last => "care",
        (Phase::Live, _) => "good",
        _ => "passed",
    }
}
