//! The report of a run as one HTML page: no other file, no script, readable on a phone and in the
//! dark. See [`page`].

mod findings;
mod measures;
mod output;
mod steps;
mod timeline;

use super::closing::{self, Kept};
use super::look::{COLUMNS, Look};
use super::{Renderer, sarif, text, written};
use crate::pipeline::event::{Event, StepHead};
pub use output::excerpt;
use report::{Level, Report, Status};
use screen::markup::{Markup, STYLE};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Writes the page at the end of a run.
pub struct Html {
    root: PathBuf,
    paths: Vec<PathBuf>,
    heads: Vec<StepHead>,
    outputs: BTreeMap<String, Kept>,
}

impl Html {
    /// `paths` are where the page is written; its links are relative, and lead to files under `root`.
    pub fn new(root: &Path, paths: Vec<PathBuf>) -> Html {
        Html { root: root.to_owned(), paths, heads: Vec::new(), outputs: BTreeMap::new() }
    }
}

impl Renderer for Html {
    fn on(&mut self, event: &Event<'_>) -> anyhow::Result<()> {
        match event {
            Event::RunStarted { steps, .. } => self.heads = steps.to_vec(),
            Event::StepFinished { step, outcome, output, .. } => {
                if let Some(head) = self.heads.get(*step) {
                    let kept = output::excerpt(output.bytes, output.omitted_bytes, outcome.status);
                    self.outputs.insert(head.name.clone(), kept);
                }
            }
            Event::RunFinished { report } => {
                for path in &self.paths {
                    let page = page(report, &self.outputs, &way_to_root(path, &self.root)?);
                    written::write(path, &page)?;
                }
            }
            Event::StepStarted { .. }
            | Event::StepOutput { .. }
            | Event::Warning { .. }
            | Event::Interrupted { .. } => {}
        }
        Ok(())
    }
}

/// The page. `outputs` is what the steps wrote, by name; `to_root` leads from the page's folder to
/// the project's root, as a relative address that is empty or ends with `/`.
pub fn page(report: &Report, outputs: &BTreeMap<String, Kept>, to_root: &str) -> String {
    let look = Look { color: false, unicode: true, columns: COLUMNS, lines: 0, live: false };
    let mut page = Markup::default();
    head(&mut page, &look, report);
    page.raw("<body>\n");
    header(&mut page, &look, report);
    page.raw("<main>\n");
    first_cause(&mut page, report, outputs);
    timeline::section(&mut page, &look, report);
    steps::section(&mut page, &look, report);
    findings::section(&mut page, report, to_root);
    measures::section(&mut page, report);
    steps::artifacts(&mut page, report, to_root);
    output::section(&mut page, &look, report, outputs, to_root);
    page.raw("</main>\n<footer>Written by Slipway, <code>cargo xtask ci</code></footer>\n");
    page.raw("</body>\n</html>\n");
    page.into_string()
}

fn head(page: &mut Markup, look: &Look, report: &Report) {
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    page.raw("style-src 'unsafe-inline'; img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n");
    page.raw("<title>").text(look.sign(report.status, false)).raw(" ").text(&report.project);
    page.raw(" ").text(report.status).raw(" · ").text(&report.run).raw("</title>\n");
    page.raw("<style>\n").raw(STYLE).raw("</style>\n</head>\n");
}

fn header(page: &mut Markup, look: &Look, report: &Report) {
    page.raw("<header class=\"")
        .raw(class(report.status, false))
        .raw("\">\n<div class=\"wide\">\n");
    page.raw("<p class=\"project\">").text(&report.project).raw("</p>\n<h1><span class=\"sign\" ");
    page.raw("aria-hidden=\"true\">").text(look.sign(report.status, false)).raw("</span> ");
    page.text(verdict(report)).raw("</h1>\n<dl class=\"facts\">\n");
    for (name, value) in facts(report) {
        page.raw("<div><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>\n");
    }
    page.raw("</dl>\n<p class=\"when\"><time").attribute("datetime", &report.started_at).raw(">");
    page.text(report.started_at.replace('T', " ").trim_end_matches('Z')).raw(" UTC</time>");
    page.raw(" · run <code>").text(&report.run).raw("</code>");
    if let Some(commit) = &report.commit {
        let short: String = commit.chars().take(12).collect();
        page.raw(" · commit <code").attribute("title", commit).raw(">").text(short).raw("</code>");
    }
    page.raw("</p>\n");
    for warning in &report.warnings {
        page.raw("<p class=\"note\">").prose(warning).raw("</p>\n");
    }
    page.raw("</div>\n</header>\n");
}

fn verdict(report: &Report) -> String {
    let time = text::duration(report.duration_ms);
    match report.status {
        Status::Passed => format!("Passed in {time}"),
        Status::Failed => format!("Failed after {time}"),
        Status::Cancelled => format!("Interrupted after {time}"),
        Status::Skipped => "Nothing to run".to_owned(),
    }
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let findings = |level| report.steps.iter().map(|step| step.outcome.count(level)).sum::<usize>();
    let mut facts = vec![
        ("Steps", report.steps.len().to_string()),
        ("Failed", report.count(Status::Failed).to_string()),
        ("Cached", report.replayed().to_string()),
        ("Errors", findings(Level::Error).to_string()),
        ("Warnings", findings(Level::Warning).to_string()),
    ];
    let cancelled = report.count(Status::Cancelled);
    if cancelled > 0 {
        facts.insert(2, ("Cancelled", cancelled.to_string()));
    }
    facts
}

fn first_cause(page: &mut Markup, report: &Report, outputs: &BTreeMap<String, Kept>) {
    let Some(index) = report
        .first_failure()
        .and_then(|first| report.steps.iter().position(|step| std::ptr::eq(step, first)))
    else {
        return;
    };
    let step = &report.steps[index];
    page.raw("<section class=\"cause\" aria-labelledby=\"cause\">\n<h2 id=\"cause\">First cause: ");
    page.raw("<a").attribute("href", format_args!("#output-{index}")).raw(">").text(&step.name);
    page.raw("</a></h2>\n<p>").text(closing::summary(step)).raw("</p>\n");
    let mut errors = step.outcome.findings.iter().filter(|finding| finding.level == Level::Error);
    if let Some(finding) = errors.next() {
        page.raw("<p class=\"first\">");
        if let Some(place) = &finding.place {
            page.raw("<code>").text(place).raw("</code> ");
        }
        page.prose(finding.message.lines().next().unwrap_or_default()).raw("</p>\n");
    } else if let Some(kept) = outputs.get(&step.name) {
        output::last_lines(page, kept);
    }
    page.raw("</section>\n");
}

/// The class that gives a status its colour.
fn class(status: Status, is_allowed: bool) -> &'static str {
    match status {
        Status::Passed => "good",
        Status::Failed if is_allowed => "care",
        Status::Failed => "bad",
        Status::Skipped | Status::Cancelled => "calm",
    }
}

/// The relative address that leads from a page's folder to the root, empty or ending with `/`.
pub fn way_to_root(page: &Path, root: &Path) -> anyhow::Result<String> {
    let page = std::path::absolute(page)?;
    let folder: Vec<Component<'_>> = page.parent().unwrap_or(&page).components().collect();
    let root = std::path::absolute(root)?;
    let root: Vec<Component<'_>> = root.components().collect();
    let shared = folder.iter().zip(&root).take_while(|(one, other)| one == other).count();
    let mut way = "../".repeat(folder.len() - shared);
    for part in &root[shared..] {
        way.push_str(&sarif::path_uri(&part.as_os_str().to_string_lossy()));
        way.push('/');
    }
    Ok(way)
}

#[cfg(test)]
mod tests;
