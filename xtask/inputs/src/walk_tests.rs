use super::*;
use crate::as_path;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::process::Command;

fn write(root: &Path, path: &[u8]) {
    let path = root.join(as_path(path));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "content").unwrap();
}

fn tree(paths: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().canonicalize().unwrap();
    paths.iter().for_each(|path| write(&root, path.as_bytes()));
    (temp, root)
}

fn found(root: &Path, globs: &[&str]) -> Vec<String> {
    let walked = walk(root, &Matcher::new(&[globs]).unwrap()).unwrap();
    walked.files.iter().map(|file| file.path.escape_ascii().to_string()).collect()
}

fn git<S: AsRef<OsStr>>(root: &Path, arguments: &[S]) -> Vec<u8> {
    let done = Command::new("git").args(arguments).current_dir(root).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[test]
fn each_list_gets_its_files_from_one_walk() {
    let (_temp, root) = tree(&["a.rs", "src/b.rs", "src/c.css", "README.md"]);
    let matcher =
        Matcher::new(&[&["**/*.rs"][..], &["src/**", "!**/*.css"], &["none/**"]]).unwrap();
    let walked = walk(&root, &matcher).unwrap();
    let lists = |path: &str| {
        let file = walked.files.iter().find(|file| *file.path == *path.as_bytes());
        file.map(|file| walked.sets[file.set as usize].clone())
    };
    assert_eq!(lists("a.rs"), Some(vec![0]));
    assert_eq!(lists("src/b.rs"), Some(vec![0, 1]));
    assert_eq!(lists("src/c.css"), None);
    assert_eq!(lists("README.md"), None);
}

#[test]
fn rules_hold_without_git() {
    let (_temp, root) = tree(&["a.log", "keep.log", "sub/a.log", "sub/own", "out/x", ".env"]);
    fs::write(root.join(".gitignore"), "*.log\n!keep.log\nout/\n").unwrap();
    fs::write(root.join("sub/.gitignore"), "own\n!a.log\n").unwrap();
    let expected = [".env", ".gitignore", "keep.log", "sub/.gitignore", "sub/a.log"];
    assert_eq!(found(&root, &["**"]), expected);
}

#[test]
fn some_folders_are_never_walked_but_for_what_is_named() {
    let (_temp, root) = tree(&[
        ".git/HEAD",
        "a/.git",
        "node_modules/x.js",
        "web/node_modules/.package-lock.json",
        "target/xtask/cache/x",
        "target/doc/x",
    ]);
    assert_eq!(found(&root, &["**"]), ["target/doc/x"]);
    let named = ["web/node_modules/.package-lock.json", "target/doc"];
    assert_eq!(found(&root, &named), ["target/doc/x", "web/node_modules/.package-lock.json"]);
}

#[test]
fn a_tracked_file_is_an_input_though_a_rule_matches_it() {
    let (_temp, root) = tree(&["vendor/a.min.js", "vendor/b.min.js", "data/1.bin", "data/2.bin"]);
    fs::write(root.join(".gitignore"), "*.min.js\ndata/\n").unwrap();
    git(&root, &["init", "-q"]);
    git(&root, &["add", "-f", "vendor/a.min.js", "data/1.bin"]);
    assert_eq!(found(&root, &["**"]), [".gitignore", "data/1.bin", "vendor/a.min.js"]);
    assert_eq!(found(&root, &["data/**"]), ["data/1.bin"]);
    assert_eq!(found(&root, &["data", "!data/1.bin"]), ["data/2.bin"]);
    // The same seen from projects in folders of the checkout, an ignored one too.
    assert_eq!(found(&root.join("data"), &["**"]), ["1.bin", "2.bin"]);
    assert_eq!(found(&root.join("vendor"), &["**"]), ["a.min.js"]);
}

#[test]
fn any_name_is_a_name() {
    let (_temp, root) = tree(&["a b/c d", "line\nbreak/x", "-dash", "*star"]);
    write(&root, b"bad\xff/\xfe.rs");
    assert_eq!(
        found(&root, &["**"]),
        ["*star", "-dash", "a b/c d", r"bad\xff/\xfe.rs", r"line\nbreak/x"]
    );
    assert_eq!(found(&root, &["**/*.rs", "\\*star"]), ["*star", r"bad\xff/\xfe.rs"]);
}

#[test]
fn links_are_followed_inside_the_root_only() {
    let (_temp, root) = tree(&["shared/a.css", "shared/deep/b.css", "web/c.css", ".git/x"]);
    let outside = tree(&["secret"]);
    symlink("../shared", root.join("web/shared")).unwrap();
    symlink(&outside.1, root.join("web/outside")).unwrap();
    symlink("..", root.join("web/up")).unwrap();
    symlink("../web", root.join("shared/back")).unwrap();
    symlink("nowhere", root.join("web/broken")).unwrap();
    symlink("../.git", root.join("web/git")).unwrap();
    symlink("itself", root.join("web/itself")).unwrap();
    assert_eq!(
        found(&root, &["web/**"]),
        [
            "web/broken",
            "web/c.css",
            "web/git",
            "web/itself",
            "web/outside",
            "web/shared",
            "web/shared/a.css",
            "web/shared/back",
            "web/shared/deep/b.css",
            "web/up",
        ]
    );
}

#[test]
fn a_pipe_is_no_file_to_wait_for() {
    let (_temp, root) = tree(&["a"]);
    let made = Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
    assert!(made.success());
    let walked = walk(&root, &Matcher::new(&[&["**"]]).unwrap()).unwrap();
    assert_eq!(walked.files[1].stamp.kind, Kind::Special);
}

#[test]
fn a_missing_root_is_named() {
    let error = walk(Path::new("/no/such/root"), &Matcher::new(&[&["**"]]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "failed to read the folder /no/such/root");
}

fn rule() -> impl Strategy<Value = String> {
    let part =
        prop_oneof!["[ab]", "[ab]\\*", Just("*".to_owned()), Just("**".to_owned()), "\\[a\\]?b?"];
    let parts = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    ("!?", "/?", parts, "/?", " ?")
        .prop_map(|(not, lead, parts, tail, space)| format!("{not}{lead}{parts}{tail}{space}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Git is the reference: what it lists as tracked or untracked and not ignored is what we find.
    #[test]
    fn agrees_with_git(
        rules in prop::collection::vec(rule(), 0..5),
        below in prop::collection::vec(rule(), 0..3),
        files in prop::collection::btree_set("[ab]{1,2}(/[ab]{1,2}){0,3}", 1..12),
        forced in any::<prop::sample::Index>(),
    ) {
        let (_temp, root) = tree(&[]);
        git(&root, &["init", "-q"]);
        let files = files.iter().filter(|file| {
            // A file cannot be where a folder is.
            let path = root.join(file.as_str());
            fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(path, "").is_ok()
        }).collect::<Vec<_>>();
        fs::write(root.join(".gitignore"), rules.join("\n")).unwrap();
        if fs::create_dir_all(root.join("a")).is_ok() {
            fs::write(root.join("a/.gitignore"), below.join("\n")).unwrap();
        }
        git(&root, &["add", "-f", files[forced.index(files.len())]]);
        let listed = git(&root, &["ls-files", "-z", "-c", "-o", "--exclude-standard"]);
        let mut listed = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty())
            .map(|name| name.escape_ascii().to_string()).collect::<Vec<_>>();
        listed.sort();
        listed.dedup();
        prop_assert_eq!(found(&root, &["**"]), listed, "rules {:?}, below {:?}", rules, below);
    }
}
