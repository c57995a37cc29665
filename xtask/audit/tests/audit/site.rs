//! Third-party scripts and style sheets in the site's pages.

use crate::support::{Project, assert_shown};

#[test]
fn third_party_files_without_a_digest_are_warned_about_once() {
    let page = "<!doctype html>\n<script src=\"https://cdn.example/a.js\"></script>\n\
                <link rel=stylesheet href=\"http://cdn.example/a.css\">\n";
    let project = Project::new("[build]\nsite = \"dist\"\n")
        .write("dist/index.html", page)
        .write("dist/deep/other.html", page)
        .write("dist/node_modules/x/demo.html", "<script src=https://other.example/></script>");
    assert_shown!(project.run(&[]), "site");
}

#[test]
fn a_site_that_is_not_built_is_nothing_to_audit() {
    let run = Project::new("[build]\nsite = \"dist\"\n").run(&[]);
    assert_eq!(run.outcome.status, report::Status::Skipped);
}

#[test]
fn the_pages_of_a_build_count_only_where_the_audit_waits_for_it() {
    let build = "[build]\nrun = \"make\"\nsite = \"dist\"\n";
    let page = "<script src=\"https://cdn.example/a.js\"></script>";
    let stale = Project::new(build).write("dist/index.html", page).run(&[]);
    assert_eq!(stale.outcome.status, report::Status::Skipped);
    let after_build = format!("{build}[steps.audit]\nneeds = [\"build\"]\n");
    let fresh = Project::new(&after_build).write("dist/index.html", page).run(&[]);
    assert_eq!(fresh.outcome.findings.len(), 1);
}
