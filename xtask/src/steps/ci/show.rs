//! `ci` as a question: what would be done, and why. Nothing is run.

use crate::context::Context;
use crate::pipeline::cache::Cache;
use crate::pipeline::explain::explain;
use crate::pipeline::plan::Plan;
use crate::pipeline::run::freshness::Freshness;
use crate::pipeline::select::Selection;
use crate::pipeline::{dry_run, github_plan, graph};
use crate::steps::ci::Ci;
use anyhow::Context as _;
use clap::ValueEnum;
use report::Fault;
use std::fs::OpenOptions;
use std::io::Write;

/// File to which a step of a GitHub workflow adds its outputs.
const GITHUB_OUTPUT: &str = "GITHUB_OUTPUT";

/// How the plan is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Graph {
    /// The steps in the order in which they can run.
    Text,
    /// A flowchart for Markdown.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// Whose format the plan is printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// A job matrix of GitHub Actions.
    Github,
}

/// Shows what was asked for; false when nothing was, and the pipeline is to be run.
///
/// # Errors
/// When the checkout cannot be read, or the output not be written.
pub fn show(
    ci: &Ci,
    cx: &Context,
    plan: &Plan,
    selection: &Selection,
    cache: Option<&Cache>,
) -> anyhow::Result<bool> {
    let text = if let Some(drawn) = ci.graph {
        match drawn {
            Graph::Text => graph::text(plan, selection),
            Graph::Mermaid => graph::mermaid(plan, selection),
            Graph::Dot => graph::dot(plan, selection),
        }
    } else if let Some(PlanFormat::Github) = ci.plan {
        let matrix = serde_json::to_string(&github_plan::matrix(plan, selection))?;
        set_github_output(&matrix)?;
        matrix + "\n"
    } else if ci.dry_run {
        dry_run::text(&dry_run::foresee(&cx.root, plan, selection, cache, ci.force)?)
    } else if let Some(step) = &ci.explain {
        explained(cx, plan, selection, cache, step)?
    } else {
        return Ok(false);
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("failed to print")?;
    Ok(true)
}

fn set_github_output(matrix: &str) -> anyhow::Result<()> {
    let Some(path) = std::env::var_os(GITHUB_OUTPUT) else { return Ok(()) };
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| writeln!(file, "matrix={matrix}"))
        .with_context(|| format!("failed to write to {GITHUB_OUTPUT}, {}", path.display()))
}

fn explained(
    cx: &Context,
    plan: &Plan,
    selection: &Selection,
    cache: Option<&Cache>,
    name: &str,
) -> anyhow::Result<String> {
    let at = plan.find("--explain", name).map_err(|error| Fault::usage(error.to_string()))?;
    let Some(cache) = cache else {
        return Ok(format!("{name} runs: --no-cache\n"));
    };
    let freshness = Freshness::take(&cx.root, plan, selection)?;
    let Some(ingredients) = freshness.ingredients(at) else {
        return Ok(format!("{name} is no part of this run\n"));
    };
    Ok(explain(cache, &plan.steps[at], ingredients, &freshness.all()).to_string())
}
