use super::*;
use report::Exit;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fn run(root: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn commit_all(root: &Path) {
    run(root, &["add", "-A"]);
    run(root, &["commit", "-q", "-m", "x"]);
}

/// A checkout whose branch `work` left `main` one commit ago.
fn checkout() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path();
    run(root, &["init", "-q", "-b", "main"]);
    fs::create_dir_all(root.join("web")).unwrap();
    for name in ["web/a", "b", "gone", "same"] {
        fs::write(root.join(name), name).unwrap();
    }
    commit_all(root);
    run(root, &["checkout", "-q", "-b", "work"]);
    fs::write(root.join("web/a"), "changed").unwrap();
    fs::remove_file(root.join("gone")).unwrap();
    commit_all(root);
    temp
}

fn changed(root: &Path, base: Option<&str>) -> Vec<PathBuf> {
    changed_files(root, base).unwrap()
}

#[test]
fn changed_since_the_merge_base_committed_or_not() {
    let temp = checkout();
    let root = temp.path();
    assert_eq!(changed(root, Some("main")), [Path::new("gone"), Path::new("web/a")]);
    // What main did since is not ours.
    run(root, &["checkout", "-q", "main"]);
    fs::write(root.join("same"), "main's").unwrap();
    commit_all(root);
    run(root, &["checkout", "-q", "work"]);
    fs::write(root.join("b"), "not staged").unwrap();
    let odd = Path::new(OsStr::from_bytes(b"odd\n \xff\"name"));
    fs::write(root.join(odd), "untracked").unwrap();
    let expected = [Path::new("b"), Path::new("gone"), odd, Path::new("web/a")];
    assert_eq!(changed(root, None), expected);
    // Seen from a project in a folder: only what is in it, relative to it.
    assert_eq!(changed(&root.join("web"), Some("main")), [Path::new("a")]);
}

#[test]
fn a_base_that_is_not_there_is_named() {
    let temp = checkout();
    let error = changed_files(temp.path(), Some("--no-such")).unwrap_err();
    assert_eq!(Fault::exit_of(&error), Exit::Usage);
    assert!(error.to_string().starts_with("git knows no `--no-such`"), "{error}");
    run(temp.path(), &["checkout", "-q", "--orphan", "alone"]);
    commit_all(temp.path());
    let error = changed_files(temp.path(), Some("main")).unwrap_err();
    assert!(error.to_string().contains("no common commit"), "{error}");
}

#[test]
fn no_checkout_is_an_error_for_who_asks_only() {
    let temp = tempfile::tempdir().unwrap();
    let error = changed_files(temp.path(), None).unwrap_err();
    assert_eq!(Fault::exit_of(&error), Exit::Usage);
    assert!(error.to_string().contains("no checkout that git can read"), "{error}");
    assert_eq!(commit(temp.path()), None);
}

#[test]
fn the_commit_is_what_git_says() {
    let temp = checkout();
    let root = temp.path();
    let head = run(root, &["rev-parse", "HEAD"]);
    assert_eq!(commit(root), Some(head.clone()));
    assert_eq!(commit(&root.join("web")), Some(head.clone()));
    run(root, &["pack-refs", "--all"]);
    assert_eq!(commit(root), Some(head.clone()));
    let linked = tempfile::tempdir().unwrap();
    let linked = linked.path().join("linked");
    run(root, &["worktree", "add", "-q", linked.to_str().unwrap(), "main"]);
    assert_eq!(commit(&linked), Some(run(root, &["rev-parse", "main"])));
    run(root, &["checkout", "-q", "--detach"]);
    assert_eq!(commit(root), Some(head));
    let empty = tempfile::tempdir().unwrap();
    run(empty.path(), &["init", "-q"]);
    assert_eq!(commit(empty.path()), None);
}
