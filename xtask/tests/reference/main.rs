//! What `docs/` says of the code. The reference of the command line is made from what `--help`
//! says; the page is checked here; `UPDATE_DOCS=1 cargo test -p xtask --test reference` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod links;

use std::path::Path;
use std::process::Command;

const INTRODUCTION: &str = "\
<!-- Made from --help; UPDATE_DOCS=1 cargo test -p xtask --test reference writes it anew. -->

# Command line

Every subcommand is found by `cargo xtask --help`. `build`, `audit`, `smoke`, `budget`, `load`,
`edge`, `promote`, `rollback`, `status`, `history`, `freeze`, `unfreeze`, `release`, `evidence` and
`key` are binaries of their own, `xtask-<subcommand>`; they are built when they are first used.
An `xtask-<name>` on `PATH` becomes `cargo xtask <name>`. What the exit codes mean is on [a page of
its own](exit-codes.md).
";

const COMMANDS: &[&[&str]] = &[
    &[],
    &["ci"],
    &["fmt"],
    &["lint"],
    &["test"],
    &["build"],
    &["audit"],
    &["smoke"],
    &["e2e"],
    &["budget"],
    &["load"],
    &["edge"],
    &["promote"],
    &["rollback"],
    &["status"],
    &["history"],
    &["history", "verify"],
    &["freeze"],
    &["unfreeze"],
    &["release"],
    &["release", "list"],
    &["release", "show"],
    &["release", "diff"],
    &["release", "verify"],
    &["release", "gc"],
    &["evidence"],
    &["evidence", "show"],
    &["key"],
    &["key", "new"],
    &["key", "show"],
    &["setup"],
    &["doctor"],
    &["report"],
    &["cache"],
    &["cache", "stats"],
    &["cache", "prune"],
    &["init"],
    &["completions"],
];

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(command)
        .arg("--help")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        // Help is as wide as the terminal, and a page has none.
        .env("COLUMNS", "100")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "xtask {command:?} --help: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_reference_is_what_help_says() {
    let mut page = INTRODUCTION.to_owned();
    for &command in COMMANDS {
        let name = [&["cargo", "xtask"], command].concat().join(" ");
        page += &format!("\n## `{name}`\n\n```text\n{}\n```\n", help(command).trim());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run `UPDATE_DOCS=1 cargo test -p xtask --test reference`");
}

#[test]
fn every_subcommand_stands_in_the_reference() {
    let listed = help(&[]);
    let names = listed
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help");
    for name in names {
        assert!(COMMANDS.contains(&[name].as_slice()), "`{name}` is missing from the reference");
    }
}
