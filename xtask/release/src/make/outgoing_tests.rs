use super::*;
use crate::KEPT_RELEASES;
use config::Config;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;
use tempfile::TempDir;

/// A project with a site, and as many releases of it as are kept.
struct Project {
    _folder: TempDir,
    root: PathBuf,
}

const TOML: &str = "[project]\nname = \"plain\"\n[build]\nsite = \"public\"\n";
const UNCHANGED: &str = "site/assets/never.css";

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("xtask.toml"), TOML).unwrap();
        Project { _folder: folder, root }
    }

    fn full() -> Project {
        let project = Project::new();
        for number in 0..KEPT_RELEASES {
            project.write(number);
            project.make();
        }
        assert_eq!(project.releases().list().unwrap().len(), KEPT_RELEASES);
        project.settle();
        project
    }

    fn releases(&self) -> Releases {
        Releases::of(&self.root)
    }

    fn latest(&self) -> Release {
        Release::open(&self.releases().latest().unwrap().unwrap().path).unwrap()
    }

    fn oldest(&self) -> Release {
        Release::open(&self.releases().list().unwrap().pop().unwrap().path).unwrap()
    }

    fn put(&self, path: &str, contents: &str) {
        let path = self.root.join("public").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// A site in one of three shapes, so that no release is shaped like the one it takes the place
    /// of: names that are files in one and folders in another, that come, go and change places.
    fn write(&self, number: usize) {
        let public = self.root.join("public");
        for name in ["page", "a", "b", "moved", "index.html"] {
            let path = public.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        self.put("assets/never.css", &"body { color: teal }\n".repeat(50));
        self.put("index.html", &format!("<p>version {number}</p>\n").repeat(50));
        self.put("assets/seldom.css", &format!("/* {} */\n", number / 4).repeat(50));
        match number % 3 {
            0 => {
                self.put("page", "a file");
                self.put("a/deep/er/file.txt", &"moves\n".repeat(50));
            }
            1 => {
                self.put("page/index.html", "a folder");
                self.put("a", "was a folder");
            }
            _ => self.put("moved/file.txt", &"moves\n".repeat(50)),
        }
    }

    fn make(&self) -> Made {
        let config = Config::load(&self.root).unwrap();
        make(&self.root, &config, config.build.as_ref().unwrap(), None).unwrap()
    }

    /// Builds until the file that never changes is known by its looks.
    fn settle(&self) {
        loop {
            self.make();
            let path = self.latest().dir().join(UNCHANGED);
            let stamp = Stamp::of(&fs::metadata(&path).unwrap());
            if Known::load(&self.root, &self.releases()).recall(&path, &stamp).is_some() {
                return;
            }
        }
    }

    /// The latest release is sound, and the same as one that was made of the same site elsewhere.
    fn assert_as_made_anew(&self) {
        let elsewhere = Project::new();
        copy_all(&self.root.join("public"), &elsewhere.root.join("public"));
        let fresh = elsewhere.make();
        let latest = self.latest();
        latest.verify().unwrap();
        assert_eq!(latest.manifest().id, fresh.dir.id);
        let [found, expected] = [latest.dir(), &*fresh.dir.path].map(contents);
        assert!(found == expected, "{:?}", (found.keys(), expected.keys()));
    }

    /// Every release that is listed is whole.
    fn assert_all_whole(&self) {
        for dir in self.releases().list().unwrap() {
            let release = Release::open(&dir.path).unwrap();
            assert_eq!(release.manifest().id, dir.id);
            release.verify().unwrap();
        }
    }
}

fn copy_all(from: &Path, to: &Path) {
    for (path, bytes) in contents(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// All files of a folder with their contents, and its empty folders.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let listing = crate::folder::Listing::of(folder).unwrap();
    let relative = |path: &Path| path.strip_prefix(folder).unwrap().to_path_buf();
    let empty = listing.folders.iter().filter(|it| fs::read_dir(it).unwrap().next().is_none());
    let empty = empty.map(|path| (relative(path), Vec::new()));
    let files = listing.files.iter().map(|(path, _)| (relative(path), fs::read(path).unwrap()));
    files.chain(empty).collect()
}

#[test]
fn the_oldest_release_becomes_the_new_one() {
    let project = Project::full();
    for number in KEPT_RELEASES..KEPT_RELEASES + 4 {
        let [oldest, newest] = [project.oldest(), project.latest()];
        let look = |release: &Release| {
            let metadata = fs::metadata(release.dir().join(UNCHANGED)).unwrap();
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec(), metadata.nlink())
        };
        let before = look(&newest);
        project.write(number);
        let made = project.make();
        assert_eq!(made.outgoing.as_ref(), Some(&oldest.manifest().id));
        assert!(!oldest.dir().exists());
        assert_eq!(look(&project.latest()), before, "the file that never changes was not touched");
        project.assert_as_made_anew();
        project.assert_all_whole();
        assert_eq!(project.releases().list().unwrap().len(), KEPT_RELEASES);
    }
}

#[test]
fn a_build_that_is_killed_leaves_whole_releases() {
    if std::env::var_os(crash::DIES_AT).is_some() {
        let root = std::env::current_dir().unwrap();
        let config = Config::load(&root).unwrap();
        make(&root, &config, config.build.as_ref().unwrap(), None).unwrap();
        return;
    }
    let name = "make::tests::a_build_that_is_killed_leaves_whole_releases";
    let project = Project::full();
    let mut died_without_the_oldest = 0;
    for point in 0.. {
        let before = project.latest();
        let oldest = project.oldest();
        project.write(100 + point);
        let killed = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(crash::DIES_AT, point.to_string())
            .current_dir(&project.root)
            .output()
            .unwrap();
        project.assert_all_whole();
        let left = project.releases().list().unwrap().len();
        assert!(left == KEPT_RELEASES || left == KEPT_RELEASES - 1, "{left} at {point}");
        if killed.status.success() {
            assert!(point > 20, "only {point} points were met");
            assert!(died_without_the_oldest > 10, "{died_without_the_oldest}");
            project.assert_as_made_anew();
            return;
        }
        let latest = project.latest();
        if !oldest.dir().exists() && latest.dir() == before.dir() {
            died_without_the_oldest += 1;
        }
        project.make();
        project.assert_as_made_anew();
        // As many as are kept, for the next one to take the oldest.
        if project.releases().list().unwrap().len() < KEPT_RELEASES {
            project.write(1_000 + point);
            project.make();
        }
        project.settle();
    }
}

#[test]
fn what_was_changed_in_the_oldest_release_does_not_come_along() {
    let project = Project::full();

    // Another file in a file's place, and one more.
    let page = project.oldest().dir().join(UNCHANGED);
    fs::remove_file(&page).unwrap();
    fs::write(&page, "body { color: pink }\n".repeat(50)).unwrap();
    fs::write(project.oldest().dir().join("site/more.html"), "smuggled in").unwrap();
    fs::create_dir(project.oldest().dir().join("site/empty")).unwrap();
    project.write(50);
    assert!(project.make().outgoing.is_some());
    project.assert_as_made_anew();

    // The very file, which other releases have, too.
    project.settle();
    let page = project.oldest().dir().join(UNCHANGED);
    fs::write(&page, "body { color: pink }\n".repeat(50)).unwrap();
    project.write(51);
    assert!(project.make().outgoing.is_some());
    project.assert_as_made_anew();

    // What no release has: its folder is not used.
    project.settle();
    symlink("/etc/passwd", project.oldest().dir().join("site/link")).unwrap();
    project.write(52);
    assert!(project.make().outgoing.is_none());
    project.assert_as_made_anew();
}

#[test]
fn a_release_that_is_there_already_takes_no_other_ones_place() {
    let project = Project::full();
    let oldest = project.oldest().manifest().id.clone();
    project.write(0);
    let made = project.make();
    assert_eq!((made.dir.id, made.is_new, made.outgoing), (oldest, false, None));
    assert_eq!(project.releases().list().unwrap().len(), KEPT_RELEASES);
    project.assert_as_made_anew();
    project.assert_all_whole();
}

#[test]
fn builds_at_the_same_time_leave_one_release() {
    let project = Project::full();
    project.write(60);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| project.make());
        }
    });
    project.assert_as_made_anew();
    project.assert_all_whole();
    project.write(61);
    project.make();
    project.assert_as_made_anew();
}

#[test]
fn fewer_releases_than_are_kept_all_stay() {
    let project = Project::new();
    for number in 0..KEPT_RELEASES {
        project.write(number);
        assert_eq!(project.make().outgoing, None);
    }
}
