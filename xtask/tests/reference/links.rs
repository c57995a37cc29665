//! Every link between the repository's pages leads somewhere, and every page of the book is listed.

use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
}

/// The targets of `[text](target)` outside of code, without addresses and anchors.
fn links(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<String>();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
    targets
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let root = repository();
    let mut all = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    pages(&root.join("docs/src"), &mut all);
    let mut broken = Vec::new();
    for page in &all {
        for link in links(&fs::read_to_string(page).unwrap()) {
            if !page.parent().unwrap().join(&link).exists() {
                broken.push(format!("{} -> {link}", page.display()));
            }
        }
    }
    assert!(all.len() > 10 && broken.is_empty(), "broken links: {broken:#?}");
}

#[test]
fn every_page_of_the_book_is_listed() {
    let book = repository().join("docs/src");
    let mut all = Vec::new();
    pages(&book, &mut all);
    let listed = links(&fs::read_to_string(book.join("SUMMARY.md")).unwrap());
    for page in all.iter().filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.strip_prefix(&book).unwrap().to_str().unwrap();
        assert!(listed.iter().any(|link| link == name), "{name} is missing from SUMMARY.md");
    }
}
