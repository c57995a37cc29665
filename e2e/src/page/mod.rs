//! A page: one tab in a browser context of its own.

mod action;
mod agent;
mod emulate;
mod expect;
mod key;
mod locator;
mod log;
mod navigate;
mod state;

pub use emulate::{ColorScheme, Throttling};
pub use expect::{Expect, ExpectPage};
pub use locator::Locator;
pub use log::{ConsoleEntry, Request};

use crate::browser::Browser;
use crate::wire::{Wire, lock};
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use state::State;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How long an action waits for its element, and an assertion to come true.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a navigation may take until the page has loaded.
pub const NAVIGATION_TIMEOUT: Duration = Duration::from_secs(30);
/// The viewport of a new page, in CSS pixels.
pub const DEFAULT_VIEWPORT: (u32, u32) = (1280, 720);

/// A page. Cloning shares it; dropping the last one closes it and discards its context.
#[derive(Clone)]
pub struct Page {
    inner: Arc<Inner>,
}

struct Inner {
    wire: Arc<Wire>,
    session: String,
    target: String,
    context: String,
    events: Arc<Events>,
    agent: Mutex<Option<agent::Agent>>,
    settings: Mutex<Settings>,
    // Last: the browser may end with it.
    _browser: Browser,
}

/// What the reader's thread has heard of the page, and the bell it rings at each change.
struct Events {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone)]
struct Settings {
    base_url: Option<String>,
    timeout: Duration,
}

impl Page {
    pub(crate) fn open(
        browser: Browser,
        wire: Arc<Wire>,
        context: String,
        target: String,
        session: String,
    ) -> Result<Page> {
        // A page's main frame has the id of its target.
        let events =
            Arc::new(Events { state: Mutex::new(State::new(&target)), changed: Condvar::new() });
        let heard = Arc::clone(&events);
        wire.listen(
            &session,
            Arc::new(move |method, params| {
                lock(&heard.state).hear(method, params);
                heard.changed.notify_all();
            }),
        );
        let page = Page {
            inner: Arc::new(Inner {
                wire,
                session,
                target,
                context,
                events,
                agent: Mutex::new(None),
                settings: Mutex::new(Settings { base_url: None, timeout: DEFAULT_TIMEOUT }),
                _browser: browser,
            }),
        };
        let (width, height) = DEFAULT_VIEWPORT;
        let setup = [
            ("Page.enable", json!({})),
            ("Page.setLifecycleEventsEnabled", json!({ "enabled": true })),
            ("Runtime.enable", json!({})),
            ("Network.enable", json!({})),
            ("Log.enable", json!({})),
            ("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })),
            ("Emulation.setDeviceMetricsOverride", emulate::metrics(width, height, 1.0, false)),
        ];
        let sent: Vec<_> = setup
            .into_iter()
            .map(|(method, params)| page.send(method, params))
            .collect::<Result<_>>()?;
        for pending in sent {
            pending.wait()?;
        }
        Ok(page)
    }

    /// Paths given to [`Page::goto`] and to assertions are relative to this address from now on.
    #[must_use]
    pub fn with_base_url(self, base_url: impl Into<String>) -> Page {
        lock(&self.inner.settings).base_url =
            Some(base_url.into().trim_end_matches('/').to_owned());
        self
    }

    /// How long actions wait for their element, and assertions to come true, from now on.
    pub fn set_timeout(&self, timeout: Duration) {
        lock(&self.inner.settings).timeout = timeout;
    }

    /// The whole address for a path, or for an address that is whole already.
    pub fn resolve(&self, path: &str) -> String {
        match &lock(&self.inner.settings).base_url {
            Some(base) if path.starts_with('/') => format!("{base}{path}"),
            _ => path.to_owned(),
        }
    }

    /// The address of the document that the page shows.
    pub fn url(&self) -> String {
        lock(&self.inner.events.state).url.clone()
    }

    /// The document's title.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn title(&self) -> Result<String> {
        self.ask("title", &[], &json!({}))?
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| unexpected("title", "text", &Value::Null))
    }

    /// Evaluates an expression in the page and gives its value; a promise is waited for.
    ///
    /// # Errors
    /// [`Error::Script`] when it throws, [`Error::Unexpected`] when its value is of another type.
    pub fn evaluate<T: DeserializeOwned>(&self, expression: &str) -> Result<T> {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let value = thrown(expression, self.call("Runtime.evaluate", params)?)?["value"].take();
        serde_json::from_value(value.clone())
            .map_err(|_| unexpected("Runtime.evaluate", std::any::type_name::<T>(), &value))
    }

    /// Runs a script in every document of this page from now on, before the document's own.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn add_init_script(&self, source: &str) -> Result {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).map(drop)
    }

    /// A picture of the viewport, as PNG.
    ///
    /// # Errors
    /// When the browser is gone or cannot paint.
    pub fn screenshot(&self) -> Result<Vec<u8>> {
        const METHOD: &str = "Page.captureScreenshot";
        let answer = self.call(METHOD, json!({ "format": "png" }))?;
        answer["data"]
            .as_str()
            .and_then(crate::base64::decode)
            .ok_or_else(|| unexpected(METHOD, "an image in base64", &answer["data"]))
    }

    /// The document as it is now, as HTML.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn html(&self) -> Result<String> {
        self.ask("html", &[], &json!({}))?
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| unexpected("html", "text", &Value::Null))
    }

    /// What was written to the console, and what the browser logged of its own, oldest first.
    pub fn console(&self) -> Vec<ConsoleEntry> {
        lock(&self.inner.events.state).console.to_vec()
    }

    /// The requests that the page made, oldest first.
    pub fn network(&self) -> Vec<Request> {
        lock(&self.inner.events.state).network.to_vec()
    }

    /// Calls a method of the DevTools protocol on this page, for what the library does not offer.
    ///
    /// # Errors
    /// When the browser refuses, does not answer or is gone.
    pub fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.send(method, params)?.wait()
    }

    fn send(&self, method: &str, params: Value) -> Result<crate::wire::Pending> {
        self.inner.wire.send(Some(&self.inner.session), method, params)
    }

    fn timeout(&self) -> Duration {
        lock(&self.inner.settings).timeout
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wire.unlisten(&self.session);
        // The page goes with its context; a browser that is gone has neither.
        let _ = self.wire.send(
            None,
            "Target.disposeBrowserContext",
            json!({ "browserContextId": self.context }),
        );
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("target", &self.inner.target).finish_non_exhaustive()
    }
}

/// The result of a call of the `Runtime` domain, or what was thrown.
fn thrown(script: &str, mut answer: Value) -> Result<Value> {
    let details = &answer["exceptionDetails"];
    if details.is_null() {
        return Ok(answer["result"].take());
    }
    let message = details["exception"]["description"]
        .as_str()
        .or_else(|| details["text"].as_str())
        .unwrap_or("unknown exception");
    Err(Error::Script { script: script.to_owned(), message: message.to_owned() })
}

fn unexpected(method: &str, expected: &'static str, found: &Value) -> Error {
    Error::Unexpected { method: method.to_owned(), expected, found: found.to_string() }
}
