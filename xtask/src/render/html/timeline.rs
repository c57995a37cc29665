//! When each step ran: one bar a step on a shared axis, the critical path marked.

use super::{Markup, class};
use crate::render::closing;
use crate::render::look::Look;
use crate::render::text;
use report::{Report, Status, StepReport};

/// The axis has at most so many intervals, so that its labels fit a phone.
const MOST_TICKS: u64 = 5;
/// Intervals that read well, in milliseconds.
const INTERVALS_MS: [u64; 22] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
    120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
];

pub fn section(page: &mut Markup, look: &Look, report: &Report) {
    if report.steps.is_empty() {
        return;
    }
    let ends = report.steps.iter().map(|step| step.end_ms);
    let total_ms = ends.chain([report.duration_ms, 1]).max().unwrap_or(1);
    let tick_ms = interval(total_ms);
    page.raw("<section aria-labelledby=\"timeline\">\n<h2 id=\"timeline\">Timeline</h2>\n");
    page.raw("<figure class=\"card timeline\"");
    page.attribute("style", format_args!("--tick:{}%", share(tick_ms, total_ms)));
    page.raw(">\n<ol class=\"plot\">\n");
    for step in &report.steps {
        let is_critical = report.critical_path.contains(&step.name);
        row(page, look, step, is_critical, total_ms);
    }
    page.raw("</ol>\n<div class=\"axis\" aria-hidden=\"true\"><div>");
    for tick in (0..=total_ms / tick_ms).map(|number| number * tick_ms) {
        page.raw("<span").attribute("style", format_args!("left:{}%", share(tick, total_ms)));
        page.raw(">").text(label(tick)).raw("</span>");
    }
    page.raw("</div></div>\n");
    caption(page, look, report);
    page.raw("</figure>\n</section>\n");
}

fn row(page: &mut Markup, look: &Look, step: &StepReport, is_critical: bool, total_ms: u64) {
    let status = step.outcome.status;
    let took = step.end_ms.saturating_sub(step.start_ms);
    let word = if step.outcome.replayed { "cached".to_owned() } else { status.to_string() };
    page.raw("<li").raw(if is_critical { " class=\"critical\"" } else { "" });
    page.raw("><span class=\"name\">");
    page.raw(if is_critical { "<b title=\"on the critical path\">◆</b> " } else { "" });
    page.text(&step.name).raw("</span><span class=\"track\" aria-hidden=\"true\">");
    if status != Status::Skipped {
        page.raw("<i class=\"").raw(class(status, step.allow_failure));
        page.raw(if step.outcome.replayed { " cached" } else { "" }).raw("\"");
        let (left, width) = (share(step.start_ms, total_ms), share(took, total_ms));
        page.attribute("style", format_args!("--left:{left}%;--width:{width}%"));
        page.raw("></i>");
    }
    page.raw("</span><span class=\"time\"><span class=\"");
    page.raw(class(status, step.allow_failure)).raw("\">");
    page.text(look.sign(status, step.allow_failure)).raw("</span> ");
    let is_run = !step.outcome.replayed && step.attempts > 0;
    page.text(if is_run { text::duration(took) } else { word }).raw("</span></li>\n");
}

fn caption(page: &mut Markup, look: &Look, report: &Report) {
    if report.critical_path.is_empty() {
        return;
    }
    page.raw("<figcaption><p><b>◆ Critical path</b> ");
    page.text(closing::critical_path(look, report)).raw("</p>\n");
    if let Some(advice) = &report.advice {
        page.raw("<p>").prose(advice).raw("</p>\n");
    }
    page.raw("</figcaption>\n");
}

fn interval(total_ms: u64) -> u64 {
    let fits = |interval: &u64| total_ms / interval <= MOST_TICKS;
    INTERVALS_MS.into_iter().find(fits).unwrap_or_else(|| total_ms.div_ceil(MOST_TICKS))
}

fn label(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        1..1_000 => format!("{ms}ms"),
        1_000..60_000 => format!("{}s", ms as f64 / 1_000.0),
        _ => format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60),
    }
}

/// Percent with two places.
fn share(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reads_well() {
        let axis = |total: u64| {
            let tick = interval(total);
            (0..=total / tick).map(|number| label(number * tick)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(axis(44_100), "0 10s 20s 30s 40s");
        assert_eq!(axis(380), "0 100ms 200ms 300ms");
        assert_eq!(axis(7_400), "0 2s 4s 6s");
        assert_eq!(axis(245_000), "0 1:00 2:00 3:00 4:00");
        assert_eq!(axis(1), "0 1ms");
        assert!(axis(90_000_000).split(' ').count() <= 6);
    }
}
