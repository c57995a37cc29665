//! The cache subcommand: stats and prune.

use crate::context::Context;
use crate::pipeline::cache::{CACHE_FOLDER, Cache, DEFAULT_MAX_SIZE_BYTES};
use clap::Subcommand;
use config::{ByteSize, FILE_NAME};
use report::{Exit, Unit};
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// Show or prune the cache.
#[derive(Debug, clap::Args)]
pub struct CacheCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say how much the cache holds, and for which steps.
    Stats,
    /// Remove the least recently used results until the rest fits.
    Prune {
        /// Bound to prune to, as "512 MiB" or "5 GB"; "0 B" empties the cache. Default:
        /// `max-size` under `[cache]` in xtask.toml, else 5 GiB.
        #[arg(long, value_name = "SIZE")]
        max_size: Option<ByteSize>,
    },
}

impl CacheCommand {
    pub fn run(self, cx: &Context) -> anyhow::Result<Exit> {
        let configured = if cx.root.join(FILE_NAME).exists() {
            cx.config()?.cache.max_size.map(|size| size.0)
        } else {
            None
        };
        let configured = configured.unwrap_or(DEFAULT_MAX_SIZE_BYTES);
        match self.action {
            Action::Stats => {
                let stats = Cache::open(&cx.root, configured)?.stats()?;
                print!("{}", show(&stats, SystemTime::now()));
            }
            Action::Prune { max_size } => {
                let bound = max_size.map_or(configured, |size| size.0);
                let pruned = Cache::open(&cx.root, bound)?.prune()?;
                println!(
                    "removed {} {}, freed {}; {} left",
                    pruned.entries,
                    if pruned.entries == 1 { "result" } else { "results" },
                    bytes(pruned.freed_bytes),
                    bytes(pruned.left_bytes),
                );
            }
        }
        Ok(Exit::Passed)
    }
}

fn bytes(bytes: u64) -> String {
    Unit::Bytes.show(bytes as f64)
}

fn show(stats: &crate::pipeline::cache::Stats, now: SystemTime) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |line: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{line}");
    };
    line(format_args!("folder   {CACHE_FOLDER}"));
    line(format_args!(
        "size     {} of {}",
        bytes(stats.size_bytes),
        ByteSize(stats.max_size_bytes)
    ));
    line(format_args!("results  {}, in {} files", stats.entries, stats.blobs));
    if stats.unusable > 0 {
        line(format_args!("unusable {}, gone with the next `cache prune`", stats.unusable));
    }
    let width = stats.steps.keys().map(String::len).max().unwrap_or_default().max(8);
    for (step, (count, last_used)) in &stats.steps {
        let ago = ago(now.duration_since(*last_used).unwrap_or_default());
        line(format_args!("  {step:width$} {count:>4}, last used {ago}"));
    }
    text
}

fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::cache::Stats;

    #[test]
    fn what_the_cache_holds_reads_well() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let used = |seconds| now - Duration::from_secs(seconds);
        let stats = Stats {
            entries: 4,
            blobs: 9,
            size_bytes: 18_240_000,
            max_size_bytes: DEFAULT_MAX_SIZE_BYTES,
            steps: [("build".to_owned(), (3, used(7_300))), ("fmt".to_owned(), (1, used(3)))]
                .into(),
            unusable: 1,
        };
        let shown = show(&stats, now);
        assert!(shown.contains("  build       3, last used 2 hours ago\n"), "{shown}");
        assert!(shown.contains("size     18.24 MB of 5 GiB\n"), "{shown}");
    }
}
