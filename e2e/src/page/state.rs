//! What the browser's events say about a page. Written by the reader's thread alone.

use super::log::{ConsoleEntry, Kept, Request, console_call, exception, log_entry};
use crate::wire::GONE;
use serde_json::Value;
use std::collections::VecDeque;

/// How many documents are remembered: a wait asks for the newest few.
const DOCUMENTS: usize = 16;

pub(super) struct State {
    frame: String,
    pub(super) url: String,
    /// The documents of the main frame, by loader, in the order of their start.
    documents: VecDeque<Document>,
    /// Counts what may have changed the address or the document: commits, same-document moves.
    pub(super) moves: u64,
    /// Counts the navigations that the document asked for, which start a little later.
    pub(super) requested: u64,
    pub(super) console: Kept<ConsoleEntry>,
    pub(super) network: Kept<Request>,
    first_request_s: Option<f64>,
    /// Why the page is no more.
    pub(super) gone: Option<String>,
}

/// A document of the main frame, and how far it has come.
pub(super) struct Document {
    pub(super) loader: String,
    pub(super) is_committed: bool,
    pub(super) is_loaded: bool,
    /// A navigation that ended without a document: a download, 204, or given up for a newer one.
    pub(super) is_abandoned: bool,
}

impl State {
    pub(super) fn new(frame: &str) -> State {
        State {
            frame: frame.to_owned(),
            url: "about:blank".to_owned(),
            documents: VecDeque::new(),
            moves: 0,
            requested: 0,
            console: Kept::new(),
            network: Kept::new(),
            first_request_s: None,
            gone: None,
        }
    }

    pub(super) fn hear(&mut self, method: &str, params: &Value) {
        let text = |key: &str| params[key].as_str().unwrap_or_default();
        let is_main = text("frameId") == self.frame;
        match method {
            "Page.frameRequestedNavigation" if is_main && text("disposition") == "currentTab" => {
                self.requested += 1;
            }
            "Page.frameStartedNavigating"
                if is_main && !is_same_document(text("navigationType")) =>
            {
                let loader = text("loaderId").to_owned();
                self.document(&loader);
            }
            "Page.frameNavigated" => self.commit(&params["frame"]),
            "Page.navigatedWithinDocument" if is_main => {
                self.url = text("url").to_owned();
                self.moves += 1;
            }
            "Page.lifecycleEvent" if is_main && text("name") == "load" => {
                let loader = text("loaderId").to_owned();
                self.document(&loader).is_loaded = true;
            }
            "Runtime.consoleAPICalled" => self.console.push(console_call(params)),
            "Runtime.exceptionThrown" => self.console.push(exception(params)),
            "Log.entryAdded" => self.console.push(log_entry(params)),
            "Network.requestWillBeSent" => self.request(params),
            "Network.responseReceived" => {
                self.respond(text("requestId"), &params["response"]);
            }
            "Network.responseReceivedExtraInfo" => {
                // Has the headers that the renderer is not shown, such as set-cookie.
                let headers = headers(&params["headers"]);
                if let Some(request) = self.newest(text("requestId")) {
                    request.headers = headers;
                }
            }
            "Network.loadingFinished" => {
                let bytes = params["encodedDataLength"].as_f64().unwrap_or_default();
                self.finish(params, Some(bytes), None);
            }
            "Network.loadingFailed" => {
                let failure = text("errorText").to_owned();
                self.finish(params, None, Some(failure));
                // The request of a document has the id of its loader.
                let mut documents = self.documents.iter_mut();
                if let Some(document) = documents.find(|each| each.loader == text("requestId")) {
                    document.is_abandoned = !document.is_committed;
                }
            }
            "Inspector.targetCrashed" => self.gone = Some("the page crashed".to_owned()),
            GONE => self.gone = Some("the browser is gone".to_owned()),
            _ => {}
        }
    }

    /// Loader of the newest document, whatever became of it.
    pub(super) fn newest_loader(&self) -> Option<String> {
        self.newest_document().map(|newest| newest.loader.clone())
    }

    /// The newest document, whatever became of it.
    pub(super) fn newest_document(&self) -> Option<&Document> {
        self.documents.back()
    }

    /// Whether a navigation came to its end: its document has loaded, or one that took its place.
    pub(super) fn is_loaded(&self, loader: &str) -> bool {
        let start = self.documents.iter().position(|each| each.loader == loader).unwrap_or(0);
        self.documents
            .range(start..)
            .rev()
            .find(|each| each.is_committed || each.loader == loader)
            .is_some_and(|each| each.is_loaded)
            && !self.is_navigating()
    }

    /// Whether a navigation has started that has not yet come to a document.
    pub(super) fn is_navigating(&self) -> bool {
        self.newest_document().is_some_and(|each| !each.is_committed && !each.is_abandoned)
    }

    /// Requests that have neither finished nor failed.
    pub(super) fn pending(&self) -> Vec<&Request> {
        self.network.iter().filter(|request| request.is_pending()).collect()
    }

    fn document(&mut self, loader: &str) -> &mut Document {
        let at = self.documents.iter().position(|each| each.loader == loader);
        let at = at.unwrap_or_else(|| {
            if self.documents.len() == DOCUMENTS {
                self.documents.pop_front();
            }
            self.documents.push_back(Document {
                loader: loader.to_owned(),
                is_committed: false,
                is_loaded: false,
                is_abandoned: false,
            });
            self.documents.len() - 1
        });
        &mut self.documents[at]
    }

    fn commit(&mut self, frame: &Value) {
        if frame["id"].as_str() != Some(self.frame.as_str()) {
            return;
        }
        let fragment = frame["urlFragment"].as_str().unwrap_or_default();
        self.url = format!("{}{fragment}", frame["url"].as_str().unwrap_or_default());
        self.moves += 1;
        let loader = frame["loaderId"].as_str().unwrap_or_default().to_owned();
        let document = self.document(&loader);
        document.is_committed = true;
        document.is_abandoned = false;
    }

    fn newest(&mut self, id: &str) -> Option<&mut Request> {
        self.network.newest(|request| request.id == id)
    }

    fn request(&mut self, params: &Value) {
        let id = params["requestId"].as_str().unwrap_or_default().to_owned();
        let now_s = params["timestamp"].as_f64().unwrap_or_default();
        let first_s = *self.first_request_s.get_or_insert(now_s);
        let start_ms = (now_s - first_s) * 1_000.0;
        if !params["redirectResponse"].is_null() {
            self.respond(&id, &params["redirectResponse"]);
            let bytes =
                params["redirectResponse"]["encodedDataLength"].as_f64().unwrap_or_default();
            self.finish(params, Some(bytes), None);
        }
        let request = &params["request"];
        self.network.push(Request {
            id,
            url: request["url"].as_str().unwrap_or_default().to_owned(),
            method: request["method"].as_str().unwrap_or_default().to_owned(),
            kind: params["type"].as_str().unwrap_or("Other").to_owned(),
            loader: params["loaderId"].as_str().unwrap_or_default().to_owned(),
            status: 0,
            mime_type: String::new(),
            headers: Vec::new(),
            transfer_bytes: 0,
            start_ms,
            duration_ms: None,
            failure: None,
        });
    }

    fn respond(&mut self, id: &str, response: &Value) {
        let Some(request) = self.newest(id) else { return };
        request.status = response["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or_default();
        request.mime_type = response["mimeType"].as_str().unwrap_or_default().to_owned();
        if request.headers.is_empty() {
            request.headers = headers(&response["headers"]);
        }
    }

    fn finish(&mut self, params: &Value, bytes: Option<f64>, failure: Option<String>) {
        let now_s = params["timestamp"].as_f64().unwrap_or_default();
        let first_s = self.first_request_s.unwrap_or(now_s);
        let id = params["requestId"].as_str().unwrap_or_default().to_owned();
        let Some(request) = self.newest(&id) else { return };
        request.duration_ms = Some(((now_s - first_s) * 1_000.0 - request.start_ms).max(0.0));
        request.failure = failure;
        if let Some(bytes) = bytes {
            request.transfer_bytes = whole(bytes);
        }
    }
}

fn is_same_document(navigation_type: &str) -> bool {
    matches!(navigation_type, "sameDocument" | "historySameDocument")
}

fn headers(headers: &Value) -> Vec<(String, String)> {
    headers
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// A byte count that the protocol gives as a floating point number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of bytes are whole, not negative, and far below 2^53"
)]
fn whole(bytes: f64) -> u64 {
    bytes.max(0.0) as u64
}
