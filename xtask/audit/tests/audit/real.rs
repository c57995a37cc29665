//! Against real data, where a machine has it: the databases that `XTASK_DB` and `XTASK_JS_DB` name.

use crate::support::{LOCK, Project};

#[test]
fn the_real_database_knows_what_the_small_one_says() {
    let Some(database) = std::env::var_os("XTASK_DB") else {
        println!("skipped: XTASK_DB names no advisory database");
        return;
    };
    let run = Project::with_crates("")
        .write("Cargo.lock", LOCK)
        .run(&["--db", database.to_str().unwrap()]);
    for rule in ["RUSTSEC-2021-0003", "RUSTSEC-2020-0071", "RUSTSEC-2020-0159"] {
        assert!(run.rules().contains(&rule), "{}", run.shown());
    }
    assert!(!run.rules().contains(&"audit::unreadable-advisory"), "{}", run.shown());
    assert!(run.measure("advisories") > 1_000.0);
}

#[test]
fn every_real_advisory_can_be_read() {
    let Some(database) = std::env::var_os("XTASK_DB") else {
        println!("skipped: XTASK_DB names no advisory database");
        return;
    };
    // A lock file that names every crate of the database.
    let crates = std::path::Path::new(&database).join("crates").read_dir().unwrap();
    let mut names: Vec<String> =
        crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let mut lock = "version = 4\n".to_owned();
    for name in &names {
        lock.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"999.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            "0".repeat(64)
        ));
    }
    let run = Project::with_crates("")
        .write("Cargo.lock", &lock)
        .run(&["--db", database.to_str().unwrap()]);
    assert!(!run.rules().contains(&"audit::unreadable-advisory"), "{}", run.shown());
    assert!((run.measure("crates") - names.len() as f64).abs() < f64::EPSILON);
}

#[test]
fn the_real_javascript_database_is_read() {
    let Some(database) = std::env::var_os("XTASK_JS_DB") else {
        println!("skipped: XTASK_JS_DB names no retire.js repository");
        return;
    };
    let lock = r#"{ "lockfileVersion": 3, "packages": { "": { "dependencies": { "jquery": "3.4.0" } },
        "node_modules/jquery": { "version": "3.4.0", "integrity": "sha512-A",
            "resolved": "https://registry.npmjs.org/jquery/-/jquery-3.4.0.tgz" } } }"#;
    let project = Project::new("")
        .write("package.json", r#"{ "dependencies": { "jquery": "3.4.0" } }"#)
        .write("package-lock.json", lock);
    let run = project.run(&["--js-db", database.to_str().unwrap()]);
    assert!(run.rules().contains(&"GHSA-gxr4-xjj5-5px2"), "{}", run.shown());
    assert!(run.measure("npm.advisories") > 500.0);
}
