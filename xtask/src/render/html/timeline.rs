//! When each step ran: one bar a step on a shared axis, the critical path marked.

use super::{Markup, class};
use crate::render::closing;
use crate::render::look::Look;
use crate::render::text;
use report::{Report, Status, StepReport};
use screen::axis::{interval, label, share};

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
