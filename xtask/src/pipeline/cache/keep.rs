//! Keeping what a step left.

use super::entry::{self, BlobName, Entry, Kept};
use super::restore::Inside;
use super::{CACHE_FOLDER, Cache, STATE_FOLDER};
use crate::pipeline::fingerprint::Fingerprint;
use crate::pipeline::name;
use crate::pipeline::step::Step;
use anyhow::Context;
use inputs::{Globs, Leaving, as_path};
use report::Outcome;

/// Folders that are no step's output.
pub const NEVER: [&[u8]; 3] = [b".git", CACHE_FOLDER.as_bytes(), STATE_FOLDER.as_bytes()];
/// Reports of other runs, and artifacts: these are kept where the outcome names them.
const RUNS: &[u8] = b"target/xtask/runs";

/// Keeps a passed step's result; gives how many bytes the cache has grown by.
pub fn keep(
    cache: &Cache,
    step: &Step,
    fingerprint: Fingerprint,
    outcome: &Outcome,
    output: &[u8],
) -> anyhow::Result<u64> {
    let outputs = Globs::new(&step.outputs).context("failed to find the outputs")?;
    let mut never = NEVER.to_vec();
    never.push(RUNS);
    let mut left = inputs::collect(&cache.root, &outputs, &never)?;
    for artifact in &outcome.artifacts {
        let glob = Globs::new(&[escape(&artifact.path)])
            .with_context(|| format!("failed to find the artifact `{}`", artifact.name))?;
        let found = inputs::collect(&cache.root, &glob, &NEVER)?;
        anyhow::ensure!(
            !found.is_empty(),
            "the artifact `{}` is not there: {}",
            artifact.name,
            artifact.path
        );
        left.extend(found);
    }
    let mut inside = Inside::of(&cache.root)?;
    let mut grown_bytes = 0;
    let mut kept = Vec::with_capacity(left.len());
    for (path, leaving) in left {
        inside.check(&path)?;
        let shown = name::show(&path);
        kept.push(match leaving {
            Leaving::EmptyFolder => Kept::Folder { path: shown },
            Leaving::Symlink { target } => {
                Kept::Symlink { path: shown, target: name::show(&target) }
            }
            Leaving::File { is_executable } => {
                let full = cache.root.join(as_path(&path));
                let put = || {
                    let digest = cache.output_digest(&path)?;
                    Ok((digest, cache.blobs.put_file(&full, &digest)?))
                };
                let (digest, (size_bytes, grown)) = put()
                    .map_err(|error: anyhow::Error| error)
                    .with_context(|| format!("failed to keep {shown}"))?;
                grown_bytes += grown;
                Kept::File { path: shown, blob: BlobName(digest), size_bytes, is_executable }
            }
        });
    }
    let (digest, grown) = cache.blobs.put(output).context("failed to keep what it printed")?;
    let entry = Entry {
        version: entry::VERSION,
        step: step.name.clone(),
        fingerprint,
        outcome: outcome.clone(),
        output: BlobName(digest),
        output_size_bytes: output.len() as u64,
        kept,
    };
    let path = entry::path(&cache.folder, &step.name, &fingerprint);
    let size_bytes = entry::write(&path, &entry)?;
    // Digests that are not remembered are only taken again.
    let _ = cache.record().save();
    Ok(grown_bytes + grown + size_bytes)
}

/// A path as a glob that matches it and what is below it.
fn escape(path: &str) -> String {
    let mut glob = String::with_capacity(path.len());
    for (at, char) in path.char_indices() {
        if "*?[]{}\\,".contains(char) || (char == '!' && at == 0) {
            glob.push('\\');
        }
        glob.push(char);
    }
    glob
}
