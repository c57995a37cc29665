//! Findings, grouped by step: those of failed steps first, and in each the most serious first.

use super::{Markup, class};
use crate::render::sarif::{is_address, path_uri};
use crate::render::text;
use report::{Finding, Level, Place, Report, Status, StepReport};

/// Findings of a step that the page holds; all of them stand in `report.json`.
const SHOWN_FINDINGS: usize = 300;

pub fn section(page: &mut Markup, report: &Report, to_root: &str) {
    let mut steps: Vec<&StepReport> =
        report.steps.iter().filter(|step| !step.outcome.findings.is_empty()).collect();
    if steps.is_empty() {
        return;
    }
    steps.sort_by_key(|step| (step.outcome.status != Status::Failed, step.allow_failure));
    page.raw("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
    for step in steps {
        let colour = class(step.outcome.status, step.allow_failure);
        page.raw("<h3><span class=\"").raw(colour).raw("\">").text(&step.name);
        page.raw("</span> <span class=\"needs\">");
        page.text(text::count(step.outcome.findings.len(), "finding"));
        page.raw("</span></h3>\n<ul class=\"card findings\">\n");
        let mut findings: Vec<&Finding> = step.outcome.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        for finding in findings.iter().take(SHOWN_FINDINGS) {
            one(page, finding, to_root);
        }
        page.raw("</ul>\n");
        if let Some(more) = findings.len().checked_sub(SHOWN_FINDINGS).filter(|more| *more > 0) {
            page.raw("<p class=\"needs\">and ").text(text::count(more, "finding"));
            page.raw(" more in <code>report.json</code></p>\n");
        }
    }
    page.raw("</section>\n");
}

fn one(page: &mut Markup, finding: &Finding, to_root: &str) {
    let mut lines = finding.message.lines();
    let colour = match finding.level {
        Level::Error => "bad",
        Level::Warning => "care",
        Level::Note => "calm",
    };
    page.raw("<li><p class=\"message\"><span class=\"level ").raw(colour).raw("\">");
    page.text(finding.level).raw("</span> ").prose(lines.next().unwrap_or_default()).raw("</p>\n");
    let detail: Vec<&str> = lines.collect();
    if !detail.is_empty() {
        page.raw("<pre>").text(detail.join("\n")).raw("</pre>\n");
    }
    if let Some(help) = &finding.help {
        page.raw("<p class=\"help\">").prose(help).raw("</p>\n");
    }
    page.raw("<p class=\"place\">");
    match &finding.place {
        Some(place @ Place::File { path, .. }) => {
            page.raw("<a").attribute("href", format_args!("{to_root}{}", path_uri(path)));
            page.raw("><code>").text(place).raw("</code></a> ");
        }
        Some(Place::Url { url }) => link(page, url, url),
        None => {}
    }
    match &finding.url {
        Some(url) => link(page, url, &finding.rule),
        None => {
            page.raw("<code>").text(&finding.rule).raw("</code>");
        }
    }
    page.raw("</p></li>\n");
}

/// A link, if the address is one that a person may follow.
fn link(page: &mut Markup, url: &str, shown: &str) {
    if is_address(url) {
        page.raw("<a rel=\"noreferrer\"").attribute("href", url).raw("><code>").text(shown);
        page.raw("</code></a> ");
    } else {
        page.raw("<code>").text(shown).raw("</code> ");
    }
}
