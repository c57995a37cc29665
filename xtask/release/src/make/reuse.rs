//! Variants of earlier releases, by the digest of the file that they are variants of: a file that
//! did not change is not compressed again.

use super::variants::COMPRESSION;
use crate::{Release, ReleaseError, Releases, Sha256, Variant};
use std::collections::HashMap;
use std::sync::Arc;

/// Variants of earlier releases.
#[derive(Debug, Default)]
pub struct Earlier {
    found: HashMap<(Sha256, bool), (Arc<Release>, Vec<Variant>)>,
}

impl Earlier {
    /// Indexes the releases that were compressed as this build would; one that cannot be opened
    /// has nothing to offer.
    ///
    /// # Errors
    /// When the folder of releases cannot be listed.
    pub fn index(releases: &Releases) -> Result<Earlier, ReleaseError> {
        let mut found = HashMap::new();
        for dir in releases.list()? {
            let Ok(release) = Release::open(&dir.path).map(Arc::new) else { continue };
            if release.manifest().compression != COMPRESSION {
                continue;
            }
            for file in &release.manifest().files {
                let key = (file.sha256, crate::is_compressible(&file.content_type));
                found.entry(key).or_insert_with(|| (Arc::clone(&release), file.variants.clone()));
            }
        }
        Ok(Earlier { found })
    }

    /// The variants' bytes, in the manifest's order, of a compressible file with this digest; proved
    /// against their digests. `None` when no earlier release has them whole.
    pub fn variants_of(&self, sha256: Sha256) -> Option<Vec<(Variant, Vec<u8>)>> {
        let (release, variants) = self.found.get(&(sha256, true))?;
        variants
            .iter()
            .map(|variant| {
                let bytes = release.read(&variant.path, variant.size_bytes, variant.sha256).ok()?;
                Some((variant.clone(), bytes))
            })
            .collect()
    }
}
