//! What was asked, planned, proved and done, in tables.

use super::page::{Facts, moment};
use crate::acts;
use crate::journal::{Act, Verdict};
use crate::plan::{Move, moves};
use config::Gate;
use report::Measure;
use screen::markup::Markup;
use screen::text;

/// Numbers that are shown beside a verdict.
const MAX_NUMBERS: usize = 12;

/// The verdicts: those that counted, and what was last seen of a gate that gave none.
pub fn gates(page: &mut Markup, facts: &Facts<'_>) {
    let judged: Vec<(&str, &Gate, Verdict, &str, Option<u64>)> = facts
        .records
        .iter()
        .filter_map(|record| match &record.act {
            Act::Gate { gate, verdict, reason, took_ms } => {
                Some((record.at.as_str(), gate, *verdict, reason.as_str(), Some(*took_ms)))
            }
            _ => None,
        })
        .collect();
    // The analysis passes without a record of its own: its last look tells.
    let looks = facts.numbers.looks.iter().rev();
    let mut open: Vec<(&str, &Gate, Verdict, &str, Option<u64>)> = Vec::new();
    for look in looks {
        let is_known = judged.iter().any(|(_, gate, ..)| **gate == look.gate)
            || open.iter().any(|(_, gate, ..)| **gate == look.gate);
        if !is_known {
            open.push((&look.at, &look.gate, look.verdict, &look.reason, None));
        }
    }
    if judged.is_empty() && open.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"gates\">\n<h2 id=\"gates\">Gates</h2>\n");
    page.raw("<ul class=\"card findings\">\n");
    for (at, gate, verdict, reason, took_ms) in judged.into_iter().chain(open) {
        let (class, word) = match verdict {
            Verdict::Pass => ("good", "pass"),
            Verdict::Fail => ("bad", "fail"),
            Verdict::Inconclusive => ("care", "inconclusive"),
        };
        page.raw("<li><p class=\"message\"><span class=\"level ").raw(class).raw("\">").raw(word);
        page.raw("</span> ").text(gate).raw("</p>\n<p>").prose(reason).raw("</p>\n");
        page.raw("<p class=\"place\"><time").attribute("datetime", at).raw(">").text(moment(at));
        page.raw("</time>");
        if let Some(took_ms) = took_ms {
            page.raw(" · after ").text(text::duration(took_ms));
        }
        page.raw("</p>\n");
        // The look that the verdict stands on: the last one by then.
        let looks = facts.numbers.looks.iter().rev();
        let mut seen = looks.filter(|look| look.gate == *gate && look.at.as_str() <= at);
        if let Some(look) = seen.next() {
            numbers(page, &look.numbers);
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n</section>\n");
}

fn numbers(page: &mut Markup, numbers: &[Measure]) {
    if numbers.is_empty() {
        return;
    }
    page.raw("<p class=\"measured\">");
    for measure in numbers.iter().take(MAX_NUMBERS) {
        page.raw("<code").raw(if measure.is_within() { ">" } else { " class=\"bad\">" });
        page.text(measure).raw("</code> ");
    }
    if numbers.len() > MAX_NUMBERS {
        page.raw("and ").text(numbers.len() - MAX_NUMBERS).raw(" more");
    }
    page.raw("</p>\n");
}

/// What it was going to do.
pub fn plan(page: &mut Markup, facts: &Facts<'_>) {
    let plan = &facts.rollout.plan;
    page.raw("<section aria-labelledby=\"plan\">\n<h2 id=\"plan\">Plan</h2>\n");
    page.raw("<div class=\"card\"><table class=\"planned\"><thead><tr><th scope=\"col\">Move</th>");
    page.raw("<th scope=\"col\">Traffic</th><th scope=\"col\">Watched</th>");
    page.raw("<th scope=\"col\">Gates</th></tr></thead>\n<tbody>\n");
    for Move { name, share, watch, gates } in moves(plan, facts.rollout.from.is_none()) {
        let gates: Vec<String> = gates.iter().map(ToString::to_string).collect();
        page.raw("<tr><th scope=\"row\">").text(name).raw("</th><td>");
        page.text(share.map_or("none".to_owned(), |share| share.to_string())).raw("</td><td>");
        page.text(watch.map_or("–".to_owned(), |watch| watch.to_string())).raw("</td><td>");
        page.text(if gates.is_empty() { "–".to_owned() } else { gates.join(", ") });
        page.raw("</td></tr>\n");
    }
    page.raw("</tbody></table></div>\n<p class=\"needs\">A gate may be inconclusive for ");
    page.text(plan.hold).raw("; then it has failed.</p>\n</section>\n");
}

/// What was proved about the release before.
pub fn evidence(page: &mut Markup, facts: &Facts<'_>) {
    let evidence = &facts.numbers.evidence;
    if evidence.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"evidence\">\n<h2 id=\"evidence\">Evidence</h2>\n");
    page.raw("<ul class=\"card findings\">\n");
    for proof in evidence {
        let class = if proof.has_passed { "good" } else { "bad" };
        page.raw("<li><p class=\"message\"><span class=\"level ").raw(class).raw("\">");
        page.text(&proof.verdict).raw("</span> ").text(&proof.step).raw("</p>\n");
        if let Some(summary) = proof.summary.as_deref().filter(|it| !it.is_empty()) {
            page.raw("<p>").prose(summary).raw("</p>\n");
        }
        if let Some(key) = &proof.signed_by {
            page.raw("<p class=\"place\">signed by ").text(key).raw("</p>\n");
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n</section>\n");
}

/// Its part of the journal.
pub fn acts(page: &mut Markup, facts: &Facts<'_>) {
    page.raw("<section aria-labelledby=\"journal\">\n<h2 id=\"journal\">Journal</h2>\n");
    page.raw("<ol class=\"card journal\">\n");
    for record in &facts.records {
        page.raw("<li><p class=\"place\">")
            .text(format_args!("#{}", record.number))
            .raw(" · <time");
        page.attribute("datetime", &record.at).raw(">").text(moment(&record.at)).raw("</time> · ");
        page.text(&record.who).raw("</p>\n<p>").prose(&acts::words(&record.act)).raw("</p></li>\n");
    }
    page.raw("</ol>\n</section>\n");
}
