//! The plan drawn: as text for people, as Mermaid for Markdown, as DOT for Graphviz. Pure.

use crate::pipeline::plan::Plan;
use crate::pipeline::select::{Part, Selection};
use std::fmt::Write;

/// The steps in the order in which they can run, each with what it waits for.
pub fn text(plan: &Plan, selection: &Selection) -> String {
    let drawn = drawn(plan, selection);
    let width = drawn.iter().map(|step| plan.name(*step).len()).max().unwrap_or(0);
    let mut text = String::new();
    for step in drawn {
        let mut notes = Vec::new();
        if !plan.needs[step].is_empty() {
            let needs: Vec<&str> = plan.needs[step].iter().map(|need| plan.name(*need)).collect();
            notes.push(format!("after {}", needs.join(", ")));
        }
        if let Some(preparation) = plan.prepares_with[step] {
            notes.push(format!("prepared by {}", plan.name(preparation)));
        }
        if let Some(resource) = &plan.steps[step].exclusive {
            notes.push(format!("holds {resource}"));
        }
        if plan.steps[step].alone {
            notes.push("alone".to_owned());
        }
        match selection.part(step) {
            Part::LeftOut(reason) => notes.push(format!("skipped: {reason}")),
            Part::Preparation => notes.push("only when needed".to_owned()),
            Part::Member | Part::Absent => {}
        }
        let line = format!("{:width$}  {}", plan.name(step), notes.join("; "));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A Mermaid flowchart: GitHub and mdBook show it.
pub fn mermaid(plan: &Plan, selection: &Selection) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for step in drawn(plan, selection) {
        let _ = writeln!(text, "    s{step}[\"{}\"]", plan.name(step));
    }
    for (from, to, is_preparation) in edges(plan, selection) {
        let arrow = if is_preparation { "-.->" } else { "-->" };
        let _ = writeln!(text, "    s{from} {arrow} s{to}");
    }
    text
}

/// A DOT digraph.
pub fn dot(plan: &Plan, selection: &Selection) -> String {
    let mut text = "digraph steps {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
    for step in drawn(plan, selection) {
        let _ = writeln!(text, "    \"{}\";", plan.name(step));
    }
    for (from, to, is_preparation) in edges(plan, selection) {
        let style = if is_preparation { " [style=dashed]" } else { "" };
        let _ = writeln!(text, "    \"{}\" -> \"{}\"{style};", plan.name(from), plan.name(to));
    }
    text + "}\n"
}

fn drawn(plan: &Plan, selection: &Selection) -> Vec<usize> {
    plan.order.iter().copied().filter(|step| *selection.part(*step) != Part::Absent).collect()
}

/// From what comes first to what waits for it, and whether it is only a preparation.
fn edges(plan: &Plan, selection: &Selection) -> Vec<(usize, usize, bool)> {
    let drawn = drawn(plan, selection);
    drawn
        .iter()
        .flat_map(|&to| {
            let needs = plan.needs[to].iter().map(move |from| (*from, to, false));
            needs.chain(plan.prepares_with[to].map(|from| (from, to, true)))
        })
        .filter(|(from, _, _)| drawn.contains(from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::tests::step;
    use crate::pipeline::select::{Request, select};
    use crate::pipeline::step::Step;
    use config::When;

    fn drawn_by(draw: fn(&Plan, &Selection) -> String) -> String {
        let held = |name: &str| Step { exclusive: Some("cargo".to_owned()), ..step(name, &[]) };
        let plan = Plan::new(vec![
            held("lint"),
            step("smoke", &["build"]),
            step("build", &[]),
            Step {
                prepares_with: Some("tools".to_owned()),
                alone: true,
                ..step("budget", &["build", "lint"])
            },
            Step { when: When::Ci, ..step("publish", &["build"]) },
            step("tools", &[]),
        ])
        .unwrap();
        let selection = select(&plan, &Request::default()).unwrap();
        draw(&plan, &selection)
    }

    #[test]
    fn as_text() {
        insta::assert_snapshot!(drawn_by(text), @r"
        lint     holds cargo
        build
        smoke    after build
        publish  after build; skipped: only under CI
        tools    only when needed
        budget   after build, lint; prepared by tools; alone
        ");
    }

    #[test]
    fn as_mermaid() {
        insta::assert_snapshot!(drawn_by(mermaid), @r#"
        flowchart LR
            s0["lint"]
            s2["build"]
            s1["smoke"]
            s4["publish"]
            s5["tools"]
            s3["budget"]
            s2 --> s1
            s2 --> s4
            s2 --> s3
            s0 --> s3
            s5 -.-> s3
        "#);
    }

    #[test]
    fn as_dot() {
        insta::assert_snapshot!(drawn_by(dot), @r#"
        digraph steps {
            rankdir=LR;
            node [shape=box];
            "lint";
            "build";
            "smoke";
            "publish";
            "tools";
            "budget";
            "build" -> "smoke";
            "build" -> "publish";
            "build" -> "budget";
            "lint" -> "budget";
            "tools" -> "budget" [style=dashed];
        }
        "#);
    }
}
