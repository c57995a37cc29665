//! What is written, the schema and the page about it must say the same.

use super::*;
use crate::render::fixture::{self, Paper};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../../../docs/src/reference/report.schema.json");
const PAGE: &str = include_str!("../../../../docs/src/reference/report.md");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn lines(report: &report::Report) -> Vec<Value> {
    let paper = Paper::default();
    let mut json = Json::new(paper.screen());
    fixture::tell(report, &fixture::outputs(), &mut json).unwrap();
    paper.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is wrong with a value, by the keywords of JSON Schema that ours uses. Stricter than JSON
/// Schema in one thing: a field that the schema does not name is wrong.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return faults(root, target, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut each = choices.iter().map(|choice| faults(root, choice, value, at));
        let fitting = each.by_ref().filter(Vec::is_empty).count();
        return if fitting == 1 { vec![] } else { vec![format!("{at}: {fitting} choices fit")] };
    }
    if let Some(constant) = schema.get("const") {
        return if constant == value { vec![] } else { vec![format!("{at}: not {constant}")] };
    }
    if let Some(allowed) = schema["enum"].as_array() {
        let is_allowed = allowed.contains(value);
        return if is_allowed { vec![] } else { vec![format!("{at}: {value} is no choice")] };
    }
    let is_type = |name: &str| match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: unknown type {other}"),
    };
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    if !types.iter().any(|name| is_type(name.as_str().unwrap())) {
        return vec![format!("{at}: {value} is no {}", schema["type"])];
    }
    let mut found = Vec::new();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(root, &schema["items"], item, &format!("{at}[{index}]")));
    }
    if let Some(object) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(required.as_str().unwrap()) {
                found.push(format!("{at}: {required} is missing"));
            }
        }
        for (name, field) in object {
            match schema["properties"].get(name) {
                Some(schema) => found.extend(faults(root, schema, field, &format!("{at}.{name}"))),
                None => found.push(format!("{at}: {name} is not described")),
            }
        }
    }
    found
}

#[test]
fn what_is_written_is_described() {
    let schema = schema();
    let nothing = Vec::<String>::new();
    for report in [fixture::passed(), fixture::failed(), fixture::interrupted()] {
        for line in lines(&report) {
            assert_eq!(faults(&schema, &schema["$defs"]["event"], &line, ""), nothing, "{line}");
        }
        let stored = serde_json::to_value(&report).unwrap();
        assert_eq!(faults(&schema, &schema, &stored, ""), nothing);
    }
}

#[test]
fn what_is_not_described_is_found() {
    let schema = schema();
    let mut report = serde_json::to_value(fixture::failed()).unwrap();
    report["steps"][1]["outcome"]["status"] = json!("odd");
    report["steps"][2]["more"] = json!(1);
    report.as_object_mut().unwrap().remove("run");
    assert_eq!(
        faults(&schema, &schema, &report, ""),
        [
            ": \"run\" is missing",
            ".steps[1].outcome.status: \"odd\" is no choice",
            ".steps[2]: more is not described",
        ]
    );
}

#[test]
fn what_is_described_is_written() {
    let mut written = BTreeSet::new();
    for report in [fixture::passed(), fixture::failed(), fixture::interrupted()] {
        lines(&report).iter().for_each(|line| names(line, &mut written));
    }
    let described = schema();
    for definition in described["$defs"].as_object().unwrap().values() {
        for name in definition["properties"].as_object().into_iter().flatten().map(|(n, _)| n) {
            assert!(written.contains(name), "{name} is described, and no run wrote it");
        }
    }
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        found.insert(name.clone());
        names(field, found);
    }
    value.as_array().into_iter().flatten().for_each(|item| names(item, found));
}

#[test]
fn the_page_names_every_field_and_its_examples_are_right() {
    let schema = schema();
    let mut kinds = BTreeSet::new();
    for example in PAGE.split("```json\n").skip(1) {
        let example: Value = serde_json::from_str(example.split("```").next().unwrap()).unwrap();
        let found = faults(&schema, &schema["$defs"]["event"], &example, "");
        assert_eq!(found, Vec::<String>::new(), "{example}");
        kinds.insert(example["event"].as_str().unwrap().to_owned());
    }
    let described = schema["$defs"]["event"]["oneOf"].as_array().unwrap();
    assert_eq!(kinds.len(), described.len());
    for definition in schema["$defs"].as_object().unwrap().values() {
        for (name, field) in definition["properties"].as_object().into_iter().flatten() {
            assert!(PAGE.contains(&format!("| `{name}` |")), "{name} is not on the page");
            let meaning = field["description"].as_str().unwrap_or_default();
            assert!(PAGE.contains(meaning), "the page says something else about {name}");
        }
    }
}

proptest! {
    #[test]
    fn every_line_is_one_json_object(bytes: Vec<u8>, text in any::<String>()) {
        let (report, _) = fixture::filled_with(&text);
        let paper = Paper::default();
        let mut json = Json::new(paper.screen());
        let heads = fixture::heads(&report);
        json.on(&Event::RunStarted { project: &text, run: &text, steps: &heads }).unwrap();
        json.on(&Event::StepOutput { step: 0, line: &bytes }).unwrap();
        json.on(&Event::Warning { message: &text }).unwrap();
        json.on(&Event::RunFinished { report: &report }).unwrap();
        let text = paper.text();
        prop_assert_eq!(text.lines().count(), 4);
        for line in text.lines() {
            prop_assert!(serde_json::from_str::<Value>(line).unwrap().is_object());
        }
    }
}
