use super::*;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime};

struct Project {
    _temp: tempfile::TempDir,
    root: PathBuf,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let project = Project { _temp: temp, root };
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn take(&self) -> Checkout {
        let matcher = Matcher::new(&[&["src/**"][..], &["**/*.css"]]).unwrap();
        Checkout::take(&self.root, matcher, &self.root.join("target/xtask/state/files.stat"))
            .unwrap()
    }

    fn digest(&self) -> Digest {
        self.take().files(0).digest()
    }

    /// Waits until what is written now no longer counts as young, so that records are kept.
    fn settle(&self) {
        let newest = |root: &Path| {
            walk(root, &Matcher::new(&[&["**"]]).unwrap())
                .unwrap()
                .files
                .iter()
                .map(|file| file.stamp)
                .max_by_key(Stamp::last_ns)
                .unwrap()
        };
        let newest = newest(&self.root);
        while !newest.is_settled(clock::now_ns(&self.root.join("target/xtask/state")).unwrap()) {
            std::thread::yield_now();
        }
    }
}

fn names(list: &FileList) -> Vec<String> {
    list.iter().map(|file| file.path.escape_ascii().to_string()).collect()
}

#[test]
fn contents_count_and_times_do_not() {
    let project = Project::new(&[("src/a", "1"), ("src/b", "2"), ("x.css", "3")]);
    let before = project.digest();
    let file = fs::File::options().write(true).open(project.root.join("src/a")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(5)).unwrap();
    assert_eq!(project.digest(), before);
    project.write("x.css", "not in the list");
    assert_eq!(project.digest(), before);
    project.write("src/a", "2");
    project.write("src/b", "1");
    assert_ne!(project.digest(), before);
}

#[test]
fn names_kinds_and_link_texts_count() {
    let project = Project::new(&[("src/a", "1")]);
    let first = project.digest();
    let set_mode = |mode| {
        fs::set_permissions(project.root.join("src/a"), PermissionsExt::from_mode(mode)).unwrap();
    };
    set_mode(0o755);
    let executable = project.digest();
    assert_ne!(executable, first);
    set_mode(0o600);
    assert_eq!(project.digest(), first);
    fs::rename(project.root.join("src/a"), project.root.join("src/b")).unwrap();
    assert_ne!(project.digest(), first);
    fs::rename(project.root.join("src/b"), project.root.join("src/a")).unwrap();

    let link = project.root.join("src/link");
    symlink("a", &link).unwrap();
    let linked = project.digest();
    fs::remove_file(&link).unwrap();
    symlink("./a", &link).unwrap();
    assert_ne!(project.digest(), linked);
}

#[test]
fn what_a_link_leads_to_counts_inside_the_root() {
    let project = Project::new(&[("shared/a", "1"), ("shared/f/b", "1"), ("src/x", "x")]);
    symlink("../shared/a", project.root.join("src/file")).unwrap();
    symlink("../shared/f", project.root.join("src/folder")).unwrap();
    project.settle();
    project.take().save().unwrap();
    let before = project.digest();
    project.write("shared/a", "2");
    let file = project.digest();
    assert_ne!(file, before);
    project.write("shared/f/b", "2");
    assert_ne!(project.digest(), file);
}

#[test]
fn a_record_spares_the_hashing_and_is_never_trusted_too_early() {
    let project = Project::new(&[("src/a", "old"), ("src/b", "2"), ("x.css", "3")]);
    project.take().save().unwrap();
    let old = project.digest();
    // An edit of the same size in the same tick, its time set back: only its youth tells.
    let path = project.root.join("src/a");
    for text in ["new", "old", "new"] {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        project.write("src/a", text);
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let taken = project.take();
        assert_eq!(taken.files(0).digest() == old, text == "old");
        taken.save().unwrap();
    }
    project.settle();
    project.take().save().unwrap();
    let taken = project.take();
    assert!(!taken.has_news, "all is known by now");
    assert_eq!(names(taken.files(1)), ["x.css"]);
    project.write("src/a", "old");
    assert_eq!(project.digest(), old);
}

#[test]
fn a_record_outlives_another_selection() {
    let project = Project::new(&[("src/a", "1"), ("x.css", "3")]);
    project.settle();
    project.take().save().unwrap();
    let record = project.root.join("target/xtask/state/files.stat");
    let other = Matcher::new(&[&["x.css"]]).unwrap();
    project.write("x.css", "4");
    Checkout::take(&project.root, other, &record).unwrap().save().unwrap();
    project.settle();
    project.take().save().unwrap();
    assert_eq!(Records::load(&record).iter().count(), 2);
}

#[test]
fn a_damaged_record_is_built_anew() {
    let project = Project::new(&[("src/a", "1"), ("x.css", "3")]);
    project.settle();
    project.take().save().unwrap();
    let record = project.root.join("target/xtask/state/files.stat");
    let digest = project.digest();
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let taken = project.take();
    assert_eq!(taken.files(0).digest(), digest);
    taken.save().unwrap();
    assert_eq!(fs::read(&record).unwrap(), whole);
}

#[test]
fn a_change_since_is_named() {
    let project = Project::new(&[("src/a", "1"), ("src/b", "2")]);
    let mut taken = project.take();
    assert_eq!(taken.first_change(0).unwrap(), None);
    fs::rename(project.root.join("src/b"), project.root.join("src/c")).unwrap();
    assert_eq!(taken.first_change(0).unwrap(), Some(Change::Removed(b"src/b"[..].into())));
    project.write("src/a", "3");
    assert_eq!(taken.first_change(0).unwrap(), Some(Change::Changed(b"src/a"[..].into())));
    assert_eq!(taken.first_change(1).unwrap(), None);
    taken.refresh(0).unwrap();
    assert_eq!(taken.first_change(0).unwrap(), None);
    assert_eq!(names(taken.files(0)), ["src/a", "src/c"]);
    project.write("src/0", "new");
    assert_eq!(taken.first_change(0).unwrap(), Some(Change::Added(b"src/0"[..].into())));
}

#[test]
fn what_cannot_be_read_has_a_digest_of_its_own() {
    let project = Project::new(&[("src/a", "1"), ("src/shut/b", "2")]);
    let readable = project.digest();
    let (a, shut) = (project.root.join("src/a"), project.root.join("src/shut"));
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    set_mode(&a, 0o000);
    if fs::read(&a).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let taken = project.take();
    assert_eq!(taken.files(0).iter().next().unwrap().kind, Kind::Unreadable);
    let unreadable = project.digest();
    assert_ne!(unreadable, readable);
    set_mode(&shut, 0o000);
    assert_ne!(project.digest(), unreadable);
    assert_eq!(names(project.take().files(0)), ["src/a", "src/shut"]);
    set_mode(&shut, 0o755);
    set_mode(&a, 0o644);
    assert_eq!(project.digest(), readable);
}

#[test]
fn a_file_larger_than_the_buffer_is_read_to_its_end() {
    let project = Project::new(&[]);
    let mut text = "x".repeat(3 * BUFFER_BYTES + 1);
    project.write("src/large", &text);
    let before = project.digest();
    text.pop();
    text.push('y');
    project.write("src/large", &text);
    assert_ne!(project.digest(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is remembered from before, the digests are those of a look at everything.
    #[test]
    fn a_record_never_changes_the_result(
        edits in prop::collection::vec(
            (0..4_usize, prop::option::of("[ab]{1,2}"), any::<bool>()), 1..12,
        ),
    ) {
        let project = Project::new(&[("src/keep", "")]);
        let record = project.root.join("target/xtask/state/files.stat");
        for (file, text, is_executable) in edits {
            let path = project.root.join(format!("src/{file}"));
            match text {
                Some(text) => {
                    fs::write(&path, text).unwrap();
                    let mode = if is_executable { 0o755 } else { 0o644 };
                    fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
                }
                None => drop(fs::remove_file(&path)),
            }
            let taken = project.take();
            let matcher = Matcher::new(&[&["src/**"]]).unwrap();
            let fresh = Checkout::take(&project.root, matcher, &record.with_extension("none"));
            let fresh = fresh.unwrap();
            prop_assert_eq!(taken.files(0), fresh.files(0));
            taken.save().unwrap();
        }
    }
}

#[test]
fn a_file_that_was_written_and_put_back_is_a_change() {
    let project = Project::new(&[("src/a", "1"), ("src/b", "2")]);
    for is_settled in [false, true] {
        if is_settled {
            project.settle();
        }
        let taken = project.take();
        let link = project.root.join(format!("{is_settled}"));
        fs::hard_link(project.root.join("src/a"), link).unwrap();
        assert_eq!(taken.first_change(0).unwrap(), None, "a second name is no change");
        project.settle();
        project.write("src/b", "3");
        project.write("src/b", "2");
        assert_eq!(taken.first_change(0).unwrap(), Some(Change::Written(b"src/b"[..].into())));
        assert_eq!(project.take().files(0).digest(), taken.files(0).digest());
    }
}
