//! The reference of `xtask.toml` in `docs/`, made from the types and their comments.
//!
//! The page is checked by the test below; `UPDATE_DOCS=1 cargo test -p config` writes it anew.

use crate::Config;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::Path;

const INTRODUCTION: &str = "\
<!-- Made from xtask/config/src/model.rs; UPDATE_DOCS=1 cargo test -p config writes it anew. -->

# `xtask.toml`

The file stands at the root of the project. Unknown keys are errors; an error names the line and
the column, what was expected and what was found. Spans of time are written `\"300ms\"`, `\"2.5s\"`,
`\"10m\"`, `\"1h\"`; shares `\"0.1%\"`; sizes `\"512 MiB\"`; dates `\"2027-01-31\"`. `cargo xtask init`
writes a first one for the project that it finds.
";

/// The sections in the order of the page: heading, name of the type.
const SECTIONS: [(&str, &str); 27] = [
    ("`[project]`", "Project"),
    ("`[build]`", "Build"),
    ("`[build.server]`", "Server"),
    ("`[build.server.schema]`", "Schema"),
    ("`[steps.NAME]`", "StepConfig"),
    ("`when` of a step", "When"),
    ("`[[smoke]]`", "SmokeCheck"),
    ("`expect` of a smoke check", "Expect"),
    ("`[load]`", "Load"),
    ("`[e2e]`", "E2e"),
    ("`[audit]`", "Audit"),
    ("`[[audit.ignore]]`", "IgnoredAdvisory"),
    ("`[[setup]]`", "SetupCommand"),
    ("`[cache]`", "Cache"),
    ("`[headers]`", ""),
    ("`[environments.NAME]`", "Environment"),
    ("`target`", "Target"),
    ("`tls`", "Tls"),
    ("`[environments.NAME.analysis]`", "Metric"),
    ("Limits of a number", "Limit"),
    ("`window`", "Window"),
    ("`days`", "Weekday"),
    ("`[[environments.NAME.notify]]`", "Notify"),
    ("`format`", "NotifyFormat"),
    ("`[sources.NAME]`", "Source"),
    ("`kind`", "SourceKind"),
    ("`[signing]`", "Signing"),
];

fn page() -> String {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let types = schema["$defs"].as_object().unwrap();
    let mut page = INTRODUCTION.to_owned();
    write!(page, "\n## Sections\n\n{}", keys(&schema)).unwrap();
    let mut described = 0;
    for (heading, name) in SECTIONS {
        write!(page, "\n## {heading}\n\n").unwrap();
        if name.is_empty() {
            page.push_str(&text(&schema["properties"]["headers"]));
            page.push('\n');
            continue;
        }
        // The keys of a table are no type of the schema.
        let schema = if name == "Metric" {
            &serde_json::to_value(schemars::schema_for!(crate::Metric)).unwrap()
        } else {
            described += 1;
            &types[name]
        };
        if let Some(about) = schema["description"].as_str() {
            write!(page, "{}\n\n", about.replace('\n', " ")).unwrap();
        }
        page.push_str(&if schema["oneOf"].is_array() { values(schema) } else { keys(schema) });
    }
    let plain = types.values().filter(|schema| schema["type"] == "string").count();
    assert_eq!(described + plain, types.len(), "a type is missing from SECTIONS");
    page
}

fn keys(schema: &Value) -> String {
    let none = Map::new();
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    let mut table = "| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for (key, property) in schema["properties"].as_object().unwrap_or(&none) {
        let default = match &property["default"] {
            _ if required.contains(&&Value::from(key.as_str())) => "required".to_owned(),
            Value::Null => String::new(),
            Value::Array(list) if list.is_empty() => String::new(),
            Value::Object(_) => String::new(),
            default => format!("`{default}`"),
        };
        writeln!(table, "| `{key}` | {} | {default} | {} |", kind(property), text(property))
            .unwrap();
    }
    table
}

fn values(schema: &Value) -> String {
    let mut table = "| value | meaning |\n|---|---|\n".to_owned();
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        let names = one["enum"].as_array().cloned().unwrap_or_default();
        let names = names.into_iter().chain([one["const"].clone()]).filter(Value::is_string);
        for name in names {
            writeln!(table, "| `{name}` | {} |", text(one)).unwrap();
        }
        for key in one["properties"].as_object().into_iter().flat_map(Map::keys) {
            writeln!(table, "| `{{ {key} = [\"…\"] }}` | {} |", text(one)).unwrap();
        }
    }
    table
}

fn text(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_else(|| panic!("no comment on {schema}"))
        .replace('\n', " ")
        .replace('|', "\\|")
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return named(name);
    }
    let alternatives = schema["anyOf"].as_array().or(schema["allOf"].as_array());
    if let Some(one) = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        return kind(one);
    }
    let plain = match &schema["type"] {
        Value::Array(types) => types.iter().find(|one| *one != "null").cloned().unwrap_or_default(),
        one => one.clone(),
    };
    match plain.as_str() {
        Some("array") => match kind(&schema["items"]).as_str() {
            "table" => "tables".to_owned(),
            one => format!("array of {one}s"),
        },
        Some("object") => match &schema["additionalProperties"] {
            Value::Object(values) if values.contains_key("type") => {
                format!("table of {}s", kind(&schema["additionalProperties"]))
            }
            _ => "table".to_owned(),
        },
        Some(one) => one.to_owned(),
        None => "any value".to_owned(),
    }
}

fn named(reference: &str) -> String {
    match reference.rsplit('/').next().unwrap_or_default() {
        "Duration" => "span of time".to_owned(),
        "Share" => "share".to_owned(),
        "ByteSize" => "size".to_owned(),
        "Date" => "date".to_owned(),
        "When" => "string or table".to_owned(),
        "ListenAddress" => "address".to_owned(),
        "TimeOfDay" => "time".to_owned(),
        "ShiftStep" | "Gate" | "Max" | "AgainstLive" | "Target" | "NotifyFormat" | "SourceKind"
        | "Weekday" => "string".to_owned(),
        _ => "table".to_owned(),
    }
}

#[test]
fn the_reference_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/reference/xtask-toml.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run `UPDATE_DOCS=1 cargo test -p config`");
}
