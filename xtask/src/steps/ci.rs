//! The whole pipeline, or a part of it: selected, shown or run.

mod blame;
mod evidence;
mod show;
mod world;

use crate::context::Context;
use crate::pipeline::cache::{Cache, DEFAULT_MAX_SIZE_BYTES};
use crate::pipeline::git;
use crate::pipeline::plan::Plan;
use crate::pipeline::run;
use crate::pipeline::run::folder::Folder;
use crate::pipeline::select::{Selection, select};
use crate::render;
use crate::steps::catalog::catalog;
use crate::steps::{imports, setup};
use anyhow::Context as _;
use config::Config;
use report::{Exit, Fault};
use show::{Graph, PlanFormat};
use std::num::NonZeroUsize;

/// Run every check that a commit must pass, in parallel and cached.
///
/// Steps run as soon as what they need has passed, the longest path first. A step whose files,
/// command, variables and needs are what they were when it passed is replayed from the cache. The
/// first failure ends the run, unless --keep-going is given.
///
/// Exit codes: 0 passed; 1 a check failed; 2 wrong usage or configuration; 3 the world was not
/// reachable; 4 refused on safety grounds; 130 and 143 interrupted. When several steps failed and
/// any of them is a failed check, 1; else the code of the first.
#[derive(Debug, Default, clap::Args)]
pub struct Ci {
    /// Only these steps and what they need, whatever their `when` says.
    #[arg(long, value_name = "STEP", value_delimiter = ',', help_heading = "Selection")]
    pub only: Vec<String>,
    /// Without these steps; what needs them runs on what they left last, uncached.
    #[arg(long, value_name = "STEP", value_delimiter = ',', help_heading = "Selection")]
    pub skip: Vec<String>,
    /// Only these steps and all that depend on them; what those need is replayed or run.
    #[arg(long, value_name = "STEP", value_delimiter = ',', help_heading = "Selection")]
    pub from: Vec<String>,
    /// Only steps whose inputs changed since the merge base with BASE (the default branch when none
    /// is given), committed or not, and what depends on them.
    #[arg(
        long,
        value_name = "BASE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        help_heading = "Selection"
    )]
    pub affected: Option<String>,

    /// Say what would be run or replayed, in which order and why, and do nothing.
    #[arg(long, group = "shown", help_heading = "Show, and run nothing")]
    pub dry_run: bool,
    /// Draw the plan.
    #[arg(
        long,
        value_enum,
        value_name = "AS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        group = "shown",
        help_heading = "Show, and run nothing"
    )]
    pub graph: Option<Graph>,
    /// Print the plan as a job matrix for a workflow's `fromJSON`, one line; under GitHub Actions
    /// also as the output `matrix`.
    #[arg(
        long,
        value_enum,
        value_name = "FOR",
        group = "shown",
        help_heading = "Show, and run nothing"
    )]
    pub plan: Option<PlanFormat>,
    /// Say which input, variable or need makes this step run again, or that it would be replayed.
    #[arg(long, value_name = "STEP", group = "shown", help_heading = "Show, and run nothing")]
    pub explain: Option<String>,

    /// How many steps run at once; as many as there are cores when not given.
    #[arg(long, short, value_name = "N", help_heading = "Run")]
    pub jobs: Option<NonZeroUsize>,
    /// After a failure, go on with what does not depend on it.
    #[arg(long, help_heading = "Run")]
    pub keep_going: bool,
    /// Run every step even if the cache has its result; the new result is kept.
    #[arg(long, help_heading = "Run")]
    pub force: bool,
    /// Neither read nor write the cache.
    #[arg(long, conflicts_with = "force", help_heading = "Run")]
    pub no_cache: bool,
    /// First install what the steps need.
    #[arg(long, help_heading = "Run")]
    pub setup: bool,

    #[command(flatten)]
    pub render: render::Options,
}

impl Ci {
    /// Runs or shows the pipeline and gives the exit code of the run.
    ///
    /// # Errors
    /// When the configuration or a name given is wrong, or the checkout cannot be read.
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        if self.setup {
            setup::install(cx)?;
        }
        let config = cx.config()?;
        let steps = catalog(cx, &config)?;
        let names: Vec<String> = steps.iter().map(|step| step.name.clone()).collect();
        let plan = Plan::new(steps).map_err(|error| blame::blame(cx, &config, &names, &error))?;
        let request = world::request(&self, cx, &plan)?;
        let selection = select(&plan, &request).map_err(|error| Fault::usage(error.to_string()))?;
        let cache = self.cache(cx, &config);
        if show::show(&self, cx, &plan, &selection, cache.as_ref().ok())? {
            return Ok(Exit::Passed);
        }
        self.execute(cx, &config, &plan, &selection, cache.as_ref())
    }

    fn execute(
        &self,
        cx: &Context,
        config: &Config,
        plan: &Plan,
        selection: &Selection,
        cache: Result<&Cache, &Option<String>>,
    ) -> anyhow::Result<Exit> {
        let started_at = jiff::Timestamp::now();
        let folder = Folder::create(&cx.root, started_at)?;
        let mut renderers = render::renderers(&self.render, &cx.root, &folder.path);
        let options = run::Options {
            root: &cx.root,
            project: &config.project.name,
            commit: git::commit(&cx.root),
            jobs: self.jobs.map_or_else(world::cores, NonZeroUsize::get),
            keep_going: self.keep_going,
            force: self.force,
            cache: cache.ok(),
            warnings: cache.err().cloned().flatten().into_iter().collect(),
            program: std::env::current_exe().context("failed to find this program's own file")?,
            import: imports::read,
            closing: evidence::record,
        };
        let report = run::run(plan, selection, &options, &folder, &mut renderers, started_at);
        Ok(Exit::from_code(report.exit_code).unwrap_or(Exit::Failed))
    }

    /// The cache, or why there is none, if that is worth a warning.
    fn cache(&self, cx: &Context, config: &Config) -> Result<Cache, Option<String>> {
        if self.no_cache {
            return Err(None);
        }
        let max_size_bytes = config.cache.max_size.map_or(DEFAULT_MAX_SIZE_BYTES, |size| size.0);
        Cache::open(&cx.root, max_size_bytes)
            .map_err(|error| Some(format!("the cache is not used: {error:#}")))
    }
}
