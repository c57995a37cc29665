//! From this machine into the store.

use config::Config;
use promote::rollout::Upload;
use promote::upload::LocalReleases;
use release::evidence::{Document, Evidence, EvidenceFolder, FindingCounts, Origin};
use release::signing::{SigningKey, Trust};
use release::store::{self, Directory, Store, StoreError, Uploaded};
use release::{Release, ReleaseId};
use report::Status;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

struct Project {
    root: TempDir,
    key: SigningKey,
    release: Release,
    store: Directory,
}

impl Project {
    fn new() -> Project {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("public")).unwrap();
        fs::write(root.path().join("public/index.html"), "page").unwrap();
        let toml = "[project]\nname = \"fixture\"\n[build]\nsite = \"public\"\n";
        fs::write(root.path().join("xtask.toml"), toml).unwrap();
        let config = Config::load(root.path()).unwrap();
        let build = config.build.clone().unwrap();
        let key = SigningKey::generate("release".parse().unwrap()).unwrap();
        let made = release::make::make_signed(root.path(), &config, &build, None, &key).unwrap();
        let release = Release::open(&made.dir.path).unwrap();
        let store = Directory::new(root.path().join("store"));
        Project { root, key, release, store }
    }

    fn root(&self) -> &Path {
        self.root.path()
    }

    fn id(&self) -> &ReleaseId {
        &self.release.manifest().id
    }

    fn trust(&self) -> Trust {
        Trust::new(&[self.key.public().to_string()]).unwrap()
    }

    fn upload(&self) -> Result<Uploaded, StoreError> {
        LocalReleases::new(self.root(), self.trust()).upload(&self.store, self.id())
    }

    /// Records that a step passed, signed by a key.
    fn record(&self, summary: &str, key: &SigningKey) -> String {
        let evidence = Evidence {
            version: release::evidence::EVIDENCE_VERSION,
            release: self.id().clone(),
            manifest_sha256: self.release.manifest_sha256(),
            step: "test".to_owned(),
            status: Status::Passed,
            summary: summary.to_owned(),
            findings: FindingCounts::default(),
            measures: Vec::new(),
            started_at: "2026-11-24T10:00:00Z".to_owned(),
            duration_ms: 1,
            replayed: false,
            fingerprint: None,
            run: "run".to_owned(),
            commit: None,
            origin: Origin { tool: "slipway".to_owned(), who: None },
        };
        let document = Document::sign(evidence, key).unwrap();
        EvidenceFolder::of(self.root(), self.id()).write(&document).unwrap();
        document.text()
    }

    fn stored_evidence(&self) -> Option<String> {
        let stored = self.store.read(&store::evidence(self.id(), "test")).unwrap();
        stored.map(|stored| String::from_utf8(stored.bytes).unwrap())
    }
}

#[test]
fn a_release_comes_into_the_store_with_its_evidence() {
    let project = Project::new();
    let first = project.record("1 passed", &project.key);
    let uploaded = project.upload().unwrap();
    assert_eq!((uploaded.new_files, uploaded.known_files), (1, 0));
    assert_eq!(project.stored_evidence(), Some(first));
    let second = project.record("2 passed", &project.key);
    let again = project.upload().unwrap();
    assert_eq!((again.new_files, again.known_files), (0, 1));
    assert_eq!(project.stored_evidence(), Some(second.clone()));
    // What cannot be believed does not take the place of what can.
    project.record("3 passed", &SigningKey::generate("other".parse().unwrap()).unwrap());
    project.upload().unwrap();
    assert_eq!(project.stored_evidence(), Some(second));
}

#[test]
fn a_damaged_release_does_not_come_into_the_store() {
    let project = Project::new();
    let page = project.release.site_path("index.html");
    let mut permissions = fs::metadata(&page).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of a temporary folder")]
    permissions.set_readonly(false);
    fs::set_permissions(&page, permissions).unwrap();
    fs::write(&page, "evil").unwrap();
    let error = project.upload().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("index.html: expected SHA-256"), "{error}");
    assert_eq!(store::stored_releases(&project.store).unwrap(), []);
}

#[test]
fn a_release_that_nobody_trusted_signed_does_not_come_into_the_store() {
    let project = Project::new();
    let nobody = LocalReleases::new(project.root(), Trust::default());
    let error = nobody.upload(&project.store, project.id()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(store::stored_releases(&project.store).unwrap(), []);
}

#[test]
fn what_is_whole_in_the_store_is_not_needed_here() {
    let project = Project::new();
    let missing = project.id().clone();
    let elsewhere = LocalReleases::new(&project.root().join("elsewhere"), project.trust());
    let error = elsewhere.upload(&project.store, &missing).unwrap_err();
    assert!(matches!(error, StoreError::NoRelease { .. }), "{error}");

    project.upload().unwrap();
    let known = elsewhere.upload(&project.store, project.id()).unwrap();
    assert_eq!((known.new_files, known.known_files), (0, 1));
    let stranger = LocalReleases::new(&project.root().join("elsewhere"), Trust::default());
    let error = stranger.upload(&project.store, project.id()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");

    let page = &project.release.manifest().files[0];
    project.store.delete(&store::blob(&page.sha256)).unwrap();
    let error = elsewhere.upload(&project.store, project.id()).unwrap_err();
    assert!(
        error.to_string().contains("index.html is missing: expected 4 bytes in blobs/"),
        "{error}"
    );
}
