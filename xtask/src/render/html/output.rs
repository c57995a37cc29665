//! What each step wrote, folded away but for the first cause, and bounded.

use super::{Markup, class};
use crate::render::closing::{self, Kept};
use crate::render::look::Look;
use crate::render::text;
use report::{Report, Status, StepReport, Unit};
use std::collections::BTreeMap;

/// Bytes of a failed step's output that the page holds: its end, where the failure usually is.
const FAILED_BYTES: usize = 256 * 1024;
/// Bytes of any other step's output that the page holds.
const PASSED_BYTES: usize = 16 * 1024;

/// Lines of a first cause's output beside its name; the whole of it is a click away.
const CAUSE_LINES: usize = 12;

/// The end of an output, cut at a line, for the page to hold.
pub fn excerpt(bytes: &[u8], omitted_bytes: u64, status: Status) -> Kept {
    let most = if status == Status::Failed { FAILED_BYTES } else { PASSED_BYTES };
    let Some(over) = bytes.len().checked_sub(most).filter(|over| *over > 0) else {
        return Kept { bytes: bytes.to_vec(), omitted_bytes };
    };
    let line = bytes[over..].iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let start = over + line;
    Kept { bytes: bytes[start..].to_vec(), omitted_bytes: omitted_bytes + start as u64 }
}

/// The last lines of an output, for where nothing else says what went wrong.
pub fn last_lines(page: &mut Markup, kept: &Kept) {
    let shown = text::block(&kept.bytes, false);
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(CAUSE_LINES)..];
    if !last.is_empty() {
        page.raw("<pre tabindex=\"0\">\n").escaped(&last.join("\n")).raw("</pre>\n");
    }
}

pub fn section(
    page: &mut Markup,
    look: &Look,
    report: &Report,
    outputs: &BTreeMap<String, Kept>,
    to_root: &str,
) {
    page.raw("<section aria-labelledby=\"output\">\n<h2 id=\"output\">Output</h2>\n");
    let first = report.first_failure().map(|step| step.name.as_str());
    for (index, step) in report.steps.iter().enumerate() {
        let is_open = Some(step.name.as_str()) == first;
        let kept = outputs.get(&step.name);
        page.raw("<details class=\"card\"").attribute("id", format_args!("output-{index}"));
        page.raw(if is_open { " open" } else { "" }).raw(">");
        one(page, look, step, kept, to_root);
        page.raw("</details>\n");
    }
    page.raw("</section>\n");
}

fn one(page: &mut Markup, look: &Look, step: &StepReport, kept: Option<&Kept>, to_root: &str) {
    let status = step.outcome.status;
    page.raw("<summary><span class=\"").raw(class(status, step.allow_failure)).raw("\">");
    page.text(look.sign(status, step.allow_failure)).raw("</span> <b>").text(&step.name);
    page.raw("</b> <span class=\"needs\">").text(closing::summary(step)).raw("</span></summary>\n");
    let shown = kept.map(|kept| text::block(&kept.bytes, false)).unwrap_or_default();
    let omitted = kept.map_or(0, |kept| kept.omitted_bytes);
    if omitted > 0 {
        page.raw("<p class=\"needs\">").text(Unit::Bytes.show(omitted as f64));
        page.raw(" more were left out here.</p>\n");
    }
    if shown.trim().is_empty() {
        page.raw("<p class=\"needs\">It wrote nothing.</p>\n");
    } else {
        // The line end after the tag is the one that HTML drops.
        page.raw("<pre tabindex=\"0\">\n").escaped(&shown).raw("</pre>\n");
    }
    if let Some(path) = &step.output {
        let path = crate::render::sarif::path_uri(path);
        page.raw("<p class=\"place\"><a").attribute("href", format_args!("{to_root}{path}"));
        page.raw(">Whole output</a>");
        if let Some(fingerprint) = &step.fingerprint {
            let short: String = fingerprint.chars().take(16).collect();
            page.raw(" · fingerprint <code").attribute("title", fingerprint).raw(">").text(short);
            page.raw("</code>");
        }
        page.raw("</p>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_without_findings_shows_its_last_lines() {
        let shown = |bytes: &[u8]| {
            let mut page = Markup::default();
            last_lines(&mut page, &Kept { bytes: bytes.to_vec(), omitted_bytes: 0 });
            page.into_string()
        };
        assert_eq!(shown(b" \n\n"), "");
        assert_eq!(shown(b"one\n<two>\n\n"), "<pre tabindex=\"0\">\none\n&lt;two&gt;</pre>\n");
        let long = shown("line\n".repeat(CAUSE_LINES + 9).as_bytes());
        assert_eq!(long.matches("line").count(), CAUSE_LINES);
    }

    #[test]
    fn an_excerpt_is_the_end_from_a_line_on() {
        let output = b"0123456789\n".repeat(PASSED_BYTES);
        let kept = excerpt(&output, 7, Status::Passed);
        assert!(kept.bytes.len() <= PASSED_BYTES && kept.bytes.starts_with(b"0123456789\n"));
        assert_eq!(kept.bytes.len() as u64 + kept.omitted_bytes, output.len() as u64 + 7);
        let short = excerpt(b"all", 0, Status::Failed);
        assert_eq!((short.bytes.as_slice(), short.omitted_bytes), (&b"all"[..], 0));
    }
}
