//! The table of steps, and the files that they left.

use super::{Markup, class};
use crate::render::closing;
use crate::render::look::Look;
use crate::render::sarif::path_uri;
use crate::render::text;
use report::{Report, Status, StepReport};

pub fn section(page: &mut Markup, look: &Look, report: &Report) {
    page.raw("<section aria-labelledby=\"steps\">\n<h2 id=\"steps\">Steps</h2>\n");
    page.raw(
        "<div class=\"card\"><table role=\"table\" class=\"steps\">\n<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Status</th>",
    );
    page.raw("<th role=\"columnheader\" scope=\"col\">Step</th><th role=\"columnheader\" scope=\"col\" class=\"number\">Time</th>");
    page.raw("<th role=\"columnheader\" scope=\"col\">Summary</th></tr></thead>\n<tbody role=\"rowgroup\">\n");
    for (index, step) in report.steps.iter().enumerate() {
        row(page, look, index, step);
    }
    page.raw("</tbody></table></div>\n</section>\n");
}

fn row(page: &mut Markup, look: &Look, index: usize, step: &StepReport) {
    let status = step.outcome.status;
    let colour = class(status, step.allow_failure);
    page.raw("<tr role=\"row\"><td role=\"cell\" class=\"status ")
        .raw(colour)
        .raw("\"><span aria-hidden=\"true\">");
    page.text(look.sign(status, step.allow_failure)).raw("</span> <span class=\"word\">");
    page.text(status).raw("</span></td><th role=\"rowheader\" scope=\"row\"><a");
    page.attribute("href", format_args!("#output-{index}")).raw(">").text(&step.name);
    page.raw("</a></th><td role=\"cell\" class=\"number\">");
    if step.outcome.replayed {
        page.raw("<span class=\"cached\">cached</span>");
    } else if status != Status::Skipped && step.attempts > 0 {
        page.text(text::duration(step.end_ms.saturating_sub(step.start_ms)));
    } else {
        page.raw("–");
    }
    page.raw("</td><td role=\"cell\">").text(closing::summary(step));
    if !step.needs.is_empty() {
        page.raw(" <span class=\"needs\">after ").text(step.needs.join(", ")).raw("</span>");
    }
    page.raw("</td></tr>\n");
}

pub fn artifacts(page: &mut Markup, report: &Report, to_root: &str) {
    let mut left = report.steps.iter().filter(|step| !step.outcome.artifacts.is_empty()).peekable();
    if left.peek().is_none() {
        return;
    }
    page.raw("<section aria-labelledby=\"artifacts\">\n<h2 id=\"artifacts\">Artifacts</h2>\n");
    page.raw("<ul class=\"card artifacts\">\n");
    for step in left {
        for artifact in &step.outcome.artifacts {
            page.raw("<li><a");
            page.attribute("href", format_args!("{to_root}{}", path_uri(&artifact.path)));
            page.raw(">").text(&artifact.name).raw("</a> <span class=\"needs\">").text(&step.name);
            page.raw("</span><br><code>").text(&artifact.path).raw("</code></li>\n");
        }
    }
    page.raw("</ul>\n</section>\n");
}
