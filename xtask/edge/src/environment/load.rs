//! Brings a release from the store to the point where it can answer: fetched, every file proved, its
//! server running and ready.

use super::pinned::Pinned;
use super::supervise::{Launch, Supervisor};
use crate::answer::Answers;
use crate::edge::Edge;
use crate::policy::Policy;
use crate::site::Site;
use crate::slot::{Backend, Slot};
use crate::status::Health;
use release::store::{Store, StoreError, damaged_blob, fetch};
use release::{Release, ReleaseError, ReleaseId};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Notify;

/// A release that can answer.
#[derive(Debug)]
pub struct Loaded {
    pub slot: Arc<Slot>,
    pub release: Release,
    pub server: Option<Supervisor>,
    pub pinned: Pinned,
}

/// Loads a release. `news` is told when its server's health changes.
///
/// # Errors
/// When it is not in the store, damaged, or its server never becomes ready.
pub async fn load(
    store: Arc<dyn Store>,
    id: ReleaseId,
    launch: Launch,
    edge: Arc<Edge>,
    health: Arc<Health>,
    news: Arc<Notify>,
) -> anyhow::Result<Loaded> {
    let folder = launch.folder.join(id.as_str());
    let metrics = edge.metrics.of(&id);
    let (release, answers) = {
        let id = id.clone();
        // It reads, hashes and waits for the disk.
        tokio::task::spawn_blocking(move || prepare(&*store, &id, &folder)).await??
    };
    let pinned = Pinned::start(edge, id.clone()).await?;
    let Some(server) = release.manifest().server.clone() else {
        let slot = Arc::new(Slot::new(id, answers, Backend::None, metrics));
        return Ok(Loaded { slot, release, server: None, pinned });
    };
    let (process, proxy) = launch.start(&release, &server).await?;
    let slot = Arc::new(Slot::new(id, answers, Backend::new(Some(proxy)), metrics));
    let backend = Arc::clone(&slot.server);
    let server = Supervisor::start(launch, release.clone(), server, process, backend, health, news);
    Ok(Loaded { slot, release, server: Some(server), pinned })
}

/// Fetches a release and proves its files.
fn prepare(store: &dyn Store, id: &ReleaseId, folder: &Path) -> anyhow::Result<(Release, Answers)> {
    prove(store, id, folder).or_else(|_| {
        // What was fetched before may have been damaged here; the store's own may be sound.
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        prove(store, id, folder).map_err(|error| match error.downcast_ref() {
            Some(digest @ ReleaseError::Digest { expected, .. }) => {
                damaged_blob(id, expected, digest).into()
            }
            // It was fetched just now.
            Some(damage) if damage.is_damage() => {
                StoreError::Damaged { id: id.clone(), reason: damage.to_string() }.into()
            }
            _ => error,
        })
    })
}

fn prove(store: &dyn Store, id: &ReleaseId, folder: &Path) -> anyhow::Result<(Release, Answers)> {
    let release = fetch(store, id, folder)?;
    if release.manifest().id != *id {
        anyhow::bail!("expected release {id} in {}, found another", folder.display());
    }
    let policy = Policy::new(&release.manifest().headers)?;
    let site = Site::load(&release, &policy)?;
    if let (Some(path), Some(server)) = (release.server_path(), &release.manifest().server) {
        Release::check(&path, server.size_bytes, server.sha256)?;
    }
    // The folders' times tell which releases were used last.
    let renewed = File::open(folder).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = renewed {
        say!("warning: failed to renew the time of {}: {error}", folder.display());
    }
    Ok((release, Answers { site: Arc::new(site), policy }))
}
