//! Writes an xtask.toml for the project found here.

mod detect;
mod write;

use crate::context::Context;
use anyhow::Context as _;
use config::{Config, FILE_NAME};
use report::{Exit, Fault};
use std::path::Path;

/// Write an `xtask.toml` for the project found here: cargo, npm (Next.js, Vite, …), mdBook, or a
/// folder of HTML.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// Print what would be written, and write nothing.
    #[arg(long)]
    print: bool,
    /// Replace an `xtask.toml` that is there already.
    #[arg(long)]
    force: bool,
}

impl Init {
    /// # Errors
    /// When no kind of project is recognised, when a file is there already, or cannot be written.
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        let project = detect::detect(&cx.root)?;
        let text = write::configuration(&project);
        let path = cx.root.join(FILE_NAME);
        Config::parse(&path, &text).context("failed to describe this project")?;
        if self.print {
            print!("{text}");
            return Ok(Exit::Passed);
        }
        if path.exists() && !self.force {
            return Err(Fault::usage(format!(
                "{} is there already; `cargo xtask init --force` replaces it, \
                 `cargo xtask init --print` shows what would be written",
                path.display()
            ))
            .into());
        }
        println!("found {}", project.kind);
        keep(&path, &text)?;
        if let Some(budget) = write::budget(&project) {
            let path = cx.root.join("budgets").join("site.json");
            if path.exists() {
                println!("kept  {}", path.display());
            } else {
                keep(&path, &budget)?;
            }
        }
        ignore_outputs(&cx.root)?;
        println!("\nnext:  cargo xtask ci --dry-run    the steps, in order");
        println!("       cargo xtask ci --setup      install what they need, and run them");
        Ok(Exit::Passed)
    }
}

fn keep(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// What Slipway leaves under `target/xtask` is no source: git should not offer to commit it.
fn ignore_outputs(root: &Path) -> anyhow::Result<()> {
    if !root.join(".git").exists() {
        return Ok(());
    }
    let path = root.join(".gitignore");
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", path.display()));
        }
    };
    let covers = |line: &str| {
        let line = line.trim().trim_start_matches('/').trim_end_matches('/');
        line == "target" || line == "target/xtask"
    };
    if text.lines().any(covers) {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("/target/xtask/\n");
    std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    println!("added /target/xtask/ to {}", path.display());
    Ok(())
}
