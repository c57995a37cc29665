//! The same sources give the same release, byte for byte.

use super::*;
use release::Releases;
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn the_same_sources_give_the_same_id() {
    let (first, _) = built(plain().path());
    let root = plain();
    // Another folder, another order, other modes.
    let elsewhere = project(PLAIN, &[]);
    put(elsewhere.path(), "public/photo.png", "not really");
    put(elsewhere.path(), "public/index.html", &"<p>hello</p>\n".repeat(100));
    put(elsewhere.path(), "public/assets/app.4f9c2ab1.css", "body { color: teal }");
    let page = elsewhere.path().join("public/index.html");
    fs::set_permissions(page, fs::Permissions::from_mode(0o600)).unwrap();

    let (second, _) = built(elsewhere.path());
    let (third, _) = built(root.path());
    let (fourth, outcome) = built(root.path());
    let ids = [&second, &third, &fourth].map(|release| &release.manifest().id);
    assert_eq!(ids, [&first.manifest().id; 3]);
    assert_eq!(Releases::of(root.path()).list().unwrap().len(), 1);
    assert_eq!(measure(&outcome, "site.files.reused"), 3.0);
    let json = |release: &Release| fs::read(release.dir().join("manifest.json")).unwrap();
    assert_eq!(json(&second), json(&fourth));
}

#[test]
fn a_release_is_dated_by_its_commit() {
    // Nobody told git to ignore the runner's folder.
    let root = plain();
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(root.path())
            .env("GIT_COMMITTER_DATE", "2026-11-23T23:30:00-05:00")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "Begin"]);
    let (clean, _) = built(root.path());
    let manifest = clean.manifest();
    assert!(manifest.id.as_str().starts_with("2026-11-24-"), "{}", manifest.id);
    assert_eq!(manifest.created.as_deref(), Some("2026-11-24T04:30:00Z"));
    assert_eq!(manifest.commit.as_ref().unwrap().len(), 40);
    assert!(!manifest.has_uncommitted_changes);
    assert_eq!(built(root.path()).0.manifest().id, manifest.id);

    put(root.path(), "public/new.html", "x");
    assert!(built(root.path()).0.manifest().has_uncommitted_changes);
}

#[test]
fn nothing_of_the_machine_is_in_a_release() {
    let here = Someone {
        is_reversed: false,
        modified_at: 1_000_000_000,
        umask: "022",
        zone: "UTC",
        language: "C",
    };
    let there = Someone {
        is_reversed: true,
        modified_at: 1_700_000_001,
        umask: "077",
        zone: "Asia/Tokyo",
        language: "tr_TR.UTF-8",
    };
    let roots = [here.build(), there.build()];
    let [one, other] = roots.each_ref().map(|root| {
        let release = Release::open(&release::latest(root.path()).unwrap().unwrap().path).unwrap();
        release.verify().unwrap();
        let mode = fs::metadata(release.server_path().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        let mut files = files_in(release.dir());
        files.retain(|path| *path != release.signature_path());
        let inside = |path: &Path| path.strip_prefix(release.dir()).unwrap().to_path_buf();
        let files = files.iter().map(|path| (inside(path), fs::read(path).unwrap()));
        (release.manifest().clone(), files.collect::<Vec<_>>())
    });
    assert_eq!(one.0, other.0);
    assert!(one.0.id.as_str().starts_with("2026-11-24-") && !one.0.has_uncommitted_changes);
    assert!(one.1 == other.1, "byte for byte");
}

/// Whoever writes the very same sources, in an order, at a time, with a umask, a clock and a language
/// of their own.
struct Someone {
    is_reversed: bool,
    /// Seconds since 1970.
    modified_at: u64,
    umask: &'static str,
    zone: &'static str,
    language: &'static str,
}

const SERVED: &str = "[project]\nname = \"x\"\n[build]\nrun = \"cp source server.sh; chmod u+x server.sh\"\n\
                      site = \"public\"\n[build.server]\npath = \"server.sh\"\nready = \"/ready\"\n\
                      env = { B = \"2\", A = \"1\" }\n[headers]\nx-b = \"2\"\nx-a = \"1\"\n";

/// What shells and locales may sort, fold or write differently.
const SOURCES: [(&str, &str); 10] = [
    ("source", "#!/bin/sh\n"),
    (".gitignore", "/server.sh\n/target\n"),
    ("Cargo.lock", "version = 4\n"),
    (
        "public/index.html",
        "<p>hello, wörld, hello, wörld, hello, wörld, hello, wörld, hello, wörld, hello, wörld, hello, wörld</p>\n",
    ),
    ("public/I/i.html", "a capital folder"),
    ("public/\u{131}/\u{130}.txt", "dotted and not"),
    ("public/a/b.css", "body { color: teal }"),
    ("public/a.b/c.css", "body { color: navy }"),
    ("public/Z.js", "let z = 1;"),
    ("public/z.js", "let z = 2;"),
];

impl Someone {
    fn build(&self) -> TempDir {
        let mut files = SOURCES;
        if self.is_reversed {
            files.reverse();
        }
        let root = project(SERVED, &files);
        for (path, _) in files {
            let file = fs::File::options().append(true).open(root.path().join(path)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(self.modified_at)).unwrap();
        }
        let commit = "git init -q && git add . && git commit -q -m Begin";
        let build = env!("CARGO_BIN_EXE_xtask-build");
        let committed_at = "2026-11-23T23:30:00-05:00";
        let output = Command::new("sh")
            .args(["-c", &format!("umask {}; {commit} && exec {build}", self.umask)])
            .current_dir(root.path())
            .env_remove(report::OUTCOME_ENV)
            .env_remove(release::signing::KEY_DATA_ENV)
            .env_remove(release::signing::KEY_FILE_ENV)
            .env_remove("XDG_CONFIG_HOME")
            .envs([("TZ", self.zone), ("LANG", self.language), ("LC_ALL", self.language)])
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
            .envs([("GIT_COMMITTER_NAME", "A"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
            .envs([("GIT_AUTHOR_DATE", committed_at), ("GIT_COMMITTER_DATE", committed_at)])
            // A key of their own.
            .env("HOME", root.path().join(".git"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        root
    }
}
