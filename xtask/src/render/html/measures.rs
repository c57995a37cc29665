//! Measures, each with a bar against its limit.

use super::Markup;
use report::{Limit, Measure, Report};

/// Measures of a step that the page holds; all of them stand in `report.json`.
const SHOWN_MEASURES: usize = 300;
/// A bar ends at this multiple of the limit; the limit's mark stands at `1 / BAR_END`.
const BAR_END: f64 = 1.25;

pub fn section(page: &mut Markup, report: &Report) {
    let mut steps = report.steps.iter().filter(|step| !step.outcome.measures.is_empty()).peekable();
    if steps.peek().is_none() {
        return;
    }
    page.raw("<section aria-labelledby=\"measures\">\n<h2 id=\"measures\">Measures</h2>\n");
    for step in steps {
        let is_limited = step.outcome.measures.iter().any(|measure| measure.limit.is_some());
        page.raw("<div class=\"card\"><table role=\"table\" class=\"measures");
        page.raw(if is_limited { "" } else { " plain" }).raw("\">\n<caption>").text(&step.name);
        page.raw("</caption>\n<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">Measure</th>");
        page.raw("<th role=\"columnheader\" scope=\"col\" class=\"number\">Value</th>");
        if is_limited {
            page.raw("<th role=\"columnheader\" scope=\"col\" class=\"number\">Limit</th>");
            page.raw(
                "<th role=\"columnheader\" scope=\"col\" class=\"gauge\">Against its limit</th>",
            );
        }
        page.raw("</tr></thead>\n<tbody role=\"rowgroup\">\n");
        let mut measures: Vec<&Measure> = step.outcome.measures.iter().collect();
        measures.sort_by_key(|measure| measure.is_within());
        for measure in measures.iter().take(SHOWN_MEASURES) {
            row(page, measure, is_limited);
        }
        page.raw("</tbody></table></div>\n");
        if let Some(more) = measures.len().checked_sub(SHOWN_MEASURES).filter(|more| *more > 0) {
            page.raw("<p class=\"needs\">and ").text(more);
            page.raw(" more in <code>report.json</code></p>\n");
        }
    }
    page.raw("</section>\n");
}

/// `is_limited`: whether the table has columns for a limit.
fn row(page: &mut Markup, measure: &Measure, is_limited: bool) {
    let is_within = measure.is_within();
    let colour = if is_within { "good" } else { "bad" };
    page.raw("<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">")
        .text(&measure.name)
        .raw("</th><td role=\"cell\" class=\"number");
    page.raw(if is_within { "" } else { " bad" }).raw("\">").text(measure.unit.show(measure.value));
    page.raw("</td>");
    let Some(limit) = measure.limit else {
        if is_limited {
            page.raw("<td role=\"cell\" class=\"number none\">–</td>");
            page.raw("<td role=\"cell\" class=\"gauge\"></td>");
        }
        page.raw("</tr>\n");
        return;
    };
    page.raw("<td role=\"cell\" class=\"number limit\">");
    let (word, bound) = match limit {
        Limit::Max(max) => ("≤ ", max),
        Limit::Min(min) => ("≥ ", min),
    };
    page.raw(word).text(measure.unit.show(bound)).raw("</td><td role=\"cell\" class=\"gauge\">");
    let share = share(measure.value, bound);
    page.raw("<span class=\"bar\" aria-hidden=\"true\"><i class=\"").raw(colour).raw("\"");
    let width = (share.clamp(0.0, BAR_END) / BAR_END * 1_000.0).round() / 10.0;
    page.attribute("style", format_args!("--width:{width}%")).raw("></i></span> ");
    page.raw("<span class=\"share ").raw(if is_within { "" } else { "bad" }).raw("\">");
    page.text(verdict(share, is_within)).raw("</span></td></tr>\n");
}

/// The value as a multiple of its bound.
fn share(value: f64, bound: f64) -> f64 {
    if bound != 0.0 && value.is_finite() && bound.is_finite() {
        value / bound
    } else if value > bound {
        f64::INFINITY
    } else {
        0.0
    }
}

fn verdict(share: f64, is_within: bool) -> String {
    let percent = if share.is_finite() { format!("{:.0}%", share * 100.0) } else { String::new() };
    match (is_within, percent.is_empty()) {
        (true, _) => percent,
        (false, true) => "✗ beyond".to_owned(),
        (false, false) => format!("✗ {percent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_odd_limits_are_numbers() {
        assert_eq!(share(5.0, 10.0), 0.5);
        assert_eq!(share(0.0, 0.0), 0.0);
        assert_eq!(share(2.0, 0.0), f64::INFINITY);
        assert_eq!(share(f64::NAN, 1.0), 0.0);
        assert_eq!(verdict(1.248, false), "✗ 125%");
        assert_eq!(verdict(f64::INFINITY, false), "✗ beyond");
    }
}
