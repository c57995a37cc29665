//! What a page logged and what it requested, within bounds.

use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;

/// The newest entries that are kept of each log; a page in a loop must not eat the memory.
const KEPT: usize = 2_000;
/// The longest text kept of one entry.
const TEXT_CHARS: usize = 4_000;

/// A line of the console, or of the browser's own log about the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsoleEntry {
    /// `error`, `warning`, `info`, `log`, `debug`; an uncaught exception is an `error`.
    pub level: String,
    pub text: String,
    /// Where it came from: an address with line, or empty.
    pub place: String,
}

/// A request that the page made. A redirect is a request of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    pub id: String,
    pub url: String,
    pub method: String,
    /// `Document`, `Stylesheet`, `Script`, `Image`, `Font`, `Fetch`, `XHR`, `Ping` and others.
    pub kind: String,
    /// The loader of the document that it belongs to.
    #[serde(skip)]
    pub loader: String,
    /// 0 until there is an answer.
    pub status: u16,
    pub mime_type: String,
    /// Response headers, names in lowercase.
    pub headers: Vec<(String, String)>,
    /// Bytes that came over the network, headers included; 0 from a cache.
    pub transfer_bytes: u64,
    /// Milliseconds since the page's first request.
    pub start_ms: f64,
    /// How long it took; `None` while it is under way.
    pub duration_ms: Option<f64>,
    /// Why it failed; `None` when it did not.
    pub failure: Option<String>,
}

impl Request {
    /// A response header by its lowercase name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// Whether it has neither finished nor failed.
    pub fn is_pending(&self) -> bool {
        self.duration_ms.is_none()
    }
}

/// The newest entries of a log.
pub(super) struct Kept<T>(VecDeque<T>);

impl<T: Clone> Kept<T> {
    pub(super) fn new() -> Kept<T> {
        Kept(VecDeque::new())
    }

    pub(super) fn push(&mut self, entry: T) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    pub(super) fn to_vec(&self) -> Vec<T> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// The newest entry for which a question is true.
    pub(super) fn newest(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.0.iter_mut().rev().find(|entry| is_it(entry))
    }
}

/// An entry from `Runtime.consoleAPICalled`.
pub(super) fn console_call(params: &Value) -> ConsoleEntry {
    let arguments = params["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text: Vec<String> = arguments
        .iter()
        .map(|argument| match &argument["value"] {
            Value::Null => argument["description"].as_str().unwrap_or("null").to_owned(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        })
        .collect();
    let frame = &params["stackTrace"]["callFrames"][0];
    ConsoleEntry {
        level: params["type"].as_str().unwrap_or("log").to_owned(),
        text: cut(&text.join(" ")),
        place: place(frame["url"].as_str(), &frame["lineNumber"]),
    }
}

/// An entry from `Runtime.exceptionThrown`.
pub(super) fn exception(params: &Value) -> ConsoleEntry {
    let details = &params["exceptionDetails"];
    let text = details["exception"]["description"].as_str().or_else(|| details["text"].as_str());
    ConsoleEntry {
        level: "error".to_owned(),
        text: cut(text.unwrap_or("uncaught exception")),
        place: place(details["url"].as_str(), &details["lineNumber"]),
    }
}

/// An entry from `Log.entryAdded`.
pub(super) fn log_entry(params: &Value) -> ConsoleEntry {
    let entry = &params["entry"];
    ConsoleEntry {
        level: entry["level"].as_str().unwrap_or("log").to_owned(),
        text: cut(entry["text"].as_str().unwrap_or_default()),
        place: place(entry["url"].as_str(), &entry["lineNumber"]),
    }
}

fn place(url: Option<&str>, line: &Value) -> String {
    match (url.unwrap_or_default(), line.as_u64()) {
        ("", _) => String::new(),
        (url, None) => url.to_owned(),
        (url, Some(line)) => format!("{url}:{}", line + 1),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
