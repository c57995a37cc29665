//! Charts: the candidate's line, that of the live release, the limit; a table behind each.
//!
//! The lines are SVG that is stretched to whatever room there is, so that the labels, which are text
//! of the page, stay as large as all other text.

use super::series::{Point, Series};
use super::timeline::axis;
use report::Unit;
use screen::axis::share;
use screen::markup::Markup;
use screen::text;

/// Units of the drawing, stretched over the plot.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;

/// Lines across the plot.
const GRID: [f64; 3] = [0.0, 0.5, 1.0];

/// Rows of the table behind a chart.
const MAX_ROWS: usize = 60;

/// One line's value at a look.
type Value = fn(&Point) -> Option<f64>;

/// All charts. `shares`: when each share began, in milliseconds, and which it was.
pub fn section(page: &mut Markup, series: &[Series], shares: &[(u64, String)]) {
    if series.is_empty() {
        return;
    }
    page.raw(
        "<section aria-labelledby=\"numbers\">\n<h2 id=\"numbers\">Candidate against live</h2>\n",
    );
    page.raw("<p class=\"needs legend\"><span class=\"key candidate\"></span> candidate ");
    page.raw("<span class=\"key live\"></span> live <span class=\"key limit\"></span> limit. ");
    page.raw("Numbers are counted anew at each share.</p>\n<div class=\"charts\">\n");
    for one in series {
        chart(page, one, shares);
    }
    page.raw("</div>\n</section>\n");
}

fn chart(page: &mut Markup, series: &Series, shares: &[(u64, String)]) {
    let total_ms = series.points.iter().map(|point| point.at_ms).max().unwrap_or(0).max(1);
    let top = series.top();
    page.raw("<figure class=\"card chart\">\n<h3>").text(&series.metric).raw("</h3>\n");
    page.raw("<p class=\"last\">").text(last(series)).raw("</p>\n<div class=\"frame\">");
    page.raw("<div class=\"scale\" aria-hidden=\"true\">");
    for part in GRID {
        page.raw("<span").attribute("style", format_args!("bottom:{}%", part * 100.0)).raw(">");
        page.text(tick(series.unit, top * part)).raw("</span>");
    }
    page.raw("</div><div class=\"area\">");
    for (at_ms, name) in shares.iter().filter(|(at_ms, _)| *at_ms <= total_ms) {
        page.raw("<span class=\"share-mark\" aria-hidden=\"true\"");
        page.attribute("style", format_args!("left:{}%", share(*at_ms, total_ms))).raw(">");
        page.text(name).raw("</span>");
    }
    page.raw("<svg preserveAspectRatio=\"none\" role=\"img\"");
    page.attribute("viewBox", format_args!("0 0 {WIDTH} {HEIGHT}"));
    page.attribute("aria-label", format_args!("{} over time: {}", series.metric, last(series)));
    page.raw(">");
    for part in GRID {
        line(page, "grid", &[(0.0, y(top * part, top)), (WIDTH, y(top * part, top))]);
    }
    if let Some(max) = series.max.filter(|max| *max <= top) {
        line(page, "limit", &[(0.0, y(max, top)), (WIDTH, y(max, top))]);
    }
    let live: Value = |point| point.live;
    let candidate: Value = |point| point.candidate;
    for (class, value) in [("live", live), ("candidate", candidate)] {
        for run in runs(&series.points, shares, value) {
            let points: Vec<(f64, f64)> = run
                .iter()
                .map(|(at_ms, value)| (*at_ms as f64 / total_ms as f64 * WIDTH, y(*value, top)))
                .collect();
            line(page, class, &points);
        }
    }
    page.raw("</svg></div></div>\n");
    axis(page, total_ms);
    table(page, series);
    page.raw("</figure>\n");
}

/// A line, or a dot where there is one point.
fn line(page: &mut Markup, class: &'static str, points: &[(f64, f64)]) {
    page.raw("<polyline class=\"").raw(class).raw("\"");
    let again = if points.len() == 1 { points } else { &[] };
    let text: Vec<String> =
        points.iter().chain(again).map(|(x, y)| format!("{x:.1},{y:.2}")).collect();
    page.attribute("points", text.join(" ")).raw("/>");
}

/// Where a value stands from above.
fn y(value: f64, top: f64) -> f64 {
    HEIGHT - (value / top).clamp(0.0, 1.0) * HEIGHT
}

/// The points of one line in runs: a new share counts anew, and where nothing is known there is none.
fn runs(points: &[Point], shares: &[(u64, String)], value: Value) -> Vec<Vec<(u64, f64)>> {
    let share_at = |at_ms: u64| shares.iter().filter(|(began_ms, _)| *began_ms <= at_ms).count();
    let mut runs: Vec<Vec<(u64, f64)>> = Vec::new();
    let mut last = None;
    for point in points {
        let now = value(point).map(|value| (share_at(point.at_ms), value));
        match (now, last, runs.last_mut()) {
            (Some((share, value)), Some(before), Some(run)) if share == before => {
                run.push((point.at_ms, value));
            }
            (Some((_, value)), ..) => runs.push(vec![(point.at_ms, value)]),
            (None, ..) => {}
        }
        last = now.map(|(share, _)| share);
    }
    runs
}

/// `84 ms, live 80 ms, at most 300 ms`.
fn last(series: &Series) -> String {
    let Some(point) = series.points.last() else { return "nothing measured".to_owned() };
    let show = |value: f64| series.unit.show(value);
    let mut parts = vec![point.candidate.map_or_else(|| "no data".to_owned(), show)];
    parts.extend(point.live.map(|live| format!("live {}", show(live))));
    parts.extend(series.max.map(|max| format!("at most {}", show(max))));
    parts.join(", ")
}

fn tick(unit: Unit, value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { unit.show(value) }
}

fn table(page: &mut Markup, series: &Series) {
    page.raw("<details><summary>All numbers</summary>\n<table class=\"numbers\"><thead><tr>");
    for heading in ["Time", "Candidate", "Samples", "Live", "Samples"] {
        page.raw("<th scope=\"col\"").raw(if heading == "Time" {
            ">"
        } else {
            " class=\"number\">"
        });
        page.raw(heading).raw("</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    let skipped = series.points.len().saturating_sub(MAX_ROWS);
    for point in series.points.iter().skip(skipped) {
        page.raw("<tr><th scope=\"row\">").text(text::duration(point.at_ms)).raw("</th>");
        let value = |value: Option<f64>| value.map_or("–".to_owned(), |it| series.unit.show(it));
        let count = |value: Option<f64>| value.map_or("–".to_owned(), |it| format!("{it:.0}"));
        for cell in [
            value(point.candidate),
            count(point.candidate_samples),
            value(point.live),
            count(point.live_samples),
        ] {
            page.raw("<td class=\"number\">").text(cell).raw("</td>");
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody></table></details>\n");
}
