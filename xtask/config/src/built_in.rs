//! Which of the built-in steps a project has.

use crate::Config;
use std::path::Path;

/// Whether the project at `root` has what a built-in step works on. A step that `xtask.toml` replaces
/// by a command of its own is there all the same.
pub fn has_built_in(root: &Path, config: &Config, step: &str) -> bool {
    let is_there = |path: &str| root.join(path).exists();
    match step {
        "fmt" | "lint" | "test" => is_there("Cargo.toml"),
        "build" => config.build.is_some(),
        "smoke" => config.build.is_some() && !config.smoke.is_empty(),
        "e2e" => config.e2e.is_some(),
        "budget" => config.build.is_some() && has_json(&root.join("budgets")),
        "load" => config.build.is_some() && config.load.is_some(),
        _ => true,
    }
}

fn has_json(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.path().extension().is_some_and(|e| e == "json"))
}
