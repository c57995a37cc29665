//! JUnit XML, in the shapes that its writers agree on: `testcase` elements with a `failure` or
//! `error`, under any nesting of `testsuite`.
//!
//! Documents with a DTD are refused, so no entity can blow up.

use super::{Malformed, relative};
use report::{Finding, Place};
use roxmltree::{Document, Node, ParsingOptions};
use std::path::Path;

/// Elements and texts of one document.
const MAX_NODES: u32 = 2_000_000;

/// How much of a failure's text a finding keeps.
const MAX_TEXT_CHARS: usize = 4_000;

pub(super) fn parse(root: &Path, text: &str) -> Result<Vec<Finding>, Malformed> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| Malformed { message: error.to_string(), line: Some(error.pos().row) })?;
    let top = document.root_element();
    if !matches!(top.tag_name().name(), "testsuites" | "testsuite") {
        let found = top.tag_name().name();
        let message = format!("expected <testsuites> or <testsuite>, found <{found}>");
        return Err(Malformed { message, line: Some(1) });
    }
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    Ok(cases.filter_map(|case| finding(root, case)).collect())
}

fn finding(root: &Path, case: Node<'_, '_>) -> Option<Finding> {
    let failure = case
        .children()
        .find(|node| node.is_element() && matches!(node.tag_name().name(), "failure" | "error"))?;
    let name = case.attribute("name").unwrap_or("a test without a name");
    let class = case.attribute("classname").filter(|class| !class.is_empty() && *class != name);
    let name = class.map_or(name.to_owned(), |class| format!("{class} {name}"));
    let text: String =
        failure.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    let text = text.trim();
    let said = failure.attribute("message").filter(|message| !message.trim().is_empty());
    let first = said.or_else(|| text.lines().next()).unwrap_or("it failed").trim();
    let mut message = format!("{name}: {first}");
    if !text.is_empty() && text != first {
        message.push('\n');
        message.extend(text.chars().take(MAX_TEXT_CHARS));
    }
    let mut finding = Finding::error(format!("junit::{}", failure.tag_name().name()), message);
    finding.place = place(root, case);
    Some(finding)
}

/// `file` and `line` stand on the case, or the file on the suite around it.
fn place(root: &Path, case: Node<'_, '_>) -> Option<Place> {
    let file = case.ancestors().find_map(|node| {
        node.attribute("file").or(node.attribute("filepath")).filter(|file| !file.is_empty())
    })?;
    let line = case.attribute("line").and_then(|line| line.parse().ok());
    Some(Place::File { path: relative(root, file), line, column: None, end_line: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_and_errors_are_findings_and_the_rest_is_not() {
        let text = r#"<?xml version="1.0"?>
            <testsuites><testsuite name="s" file="/p/tests/a.py">
              <testcase classname="tests.a" name="ok"/>
              <testcase classname="tests.a" name="bad" line="7">
                <failure message="expected 1, found 2">line one
line two</failure></testcase>
              <testcase name="worse" file="tests/b.py"><error><![CDATA[boom]]></error></testcase>
              <testcase name="not run"><skipped/></testcase>
            </testsuite></testsuites>"#;
        let found = parse(Path::new("/p"), text).unwrap();
        let shown: Vec<String> = found
            .iter()
            .map(|f| format!("{} {} {}", f.rule, f.place.as_ref().unwrap(), f.message))
            .collect();
        assert_eq!(
            shown,
            [
                "junit::failure tests/a.py:7 tests.a bad: expected 1, found 2\nline one\nline two",
                "junit::error tests/b.py worse: boom",
            ]
        );
    }

    #[test]
    fn an_entity_bomb_is_refused() {
        let bomb = r#"<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
            <testsuite><testcase name="&b;"/></testsuite>"#;
        assert!(parse(Path::new("/p"), bomb).is_err());
    }

    #[test]
    fn another_document_is_no_junit() {
        let error = parse(Path::new("/p"), "<html/>").unwrap_err();
        assert!(error.message.contains("found <html>"), "{error:?}");
    }
}
