//! One browser, shared by all journeys of a process; each page lives in a context of its own.

use crate::launch::Chromium;
use crate::page::Page;
use crate::wire::{Wire, lock};
use crate::{Error, Result};
use headless_chrome::protocol::cdp::Target;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The browser that this process shares. Statics are never dropped: see [`Browser::end_shared`].
static SHARED: Mutex<Option<Browser>> = Mutex::new(None);

/// A running browser. Cloning shares it; the last one dropped ends the process and removes its
/// profile folder, also while a panic unwinds.
#[derive(Clone)]
pub struct Browser {
    inner: Arc<Inner>,
}

struct Inner {
    wire: Arc<Wire>,
    _process: Chromium,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// [`Error::NoBrowser`] and [`Error::Launch`].
    pub fn launch() -> Result<Browser> {
        let process = Chromium::launch()?;
        let wire = Arc::new(process.connect()?);
        Ok(Browser { inner: Arc::new(Inner { wire, _process: process }) })
    }

    /// The browser that all of this process share: started by whoever asks first, and again when it
    /// crashed since.
    ///
    /// # Errors
    /// As [`Browser::launch`].
    pub fn shared() -> Result<Browser> {
        let mut shared = lock(&SHARED);
        match shared.as_ref().filter(|browser| !browser.inner.wire.is_gone()) {
            Some(browser) => Ok(browser.clone()),
            None => Ok(shared.insert(Browser::launch()?).clone()),
        }
    }

    /// Ends the shared browser, if there is one. Call it before the process exits.
    pub fn end_shared() {
        lock(&SHARED).take();
    }

    /// Opens an empty page in a context of its own: no cookie, cache or storage is shared with
    /// another page. Dropping the page discards the context.
    ///
    /// # Errors
    /// When the browser is gone or refuses.
    pub fn new_page(&self) -> Result<Page> {
        let wire = &self.inner.wire;
        let context = wire.typed(
            None,
            &Target::CreateBrowserContext {
                dispose_on_detach: Some(true),
                proxy_server: None,
                proxy_bypass_list: None,
                origins_with_universal_network_access: None,
            },
        )?;
        let context = context.browser_context_id;
        let target = wire.call(
            None,
            "Target.createTarget",
            json!({ "url": "about:blank", "browserContextId": context }),
        )?;
        let target = target["targetId"].as_str().unwrap_or_default().to_owned();
        let session = wire
            .typed(
                None,
                &Target::AttachToTarget { target_id: target.clone(), flatten: Some(true) },
            )?
            .session_id;
        Page::open(self.clone(), Arc::clone(wire), context, target, session)
    }

    /// Name and version, such as `Chrome/156.0.8078.79`.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn version(&self) -> Result<String> {
        let version = self.inner.wire.call(None, "Browser.getVersion", json!({}))?;
        version["product"].as_str().map(str::to_owned).ok_or_else(|| Error::Unexpected {
            method: "Browser.getVersion".to_owned(),
            expected: "a product",
            found: version.to_string(),
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Asked first so that its helpers end in order; the process is killed after it anyway.
        if let Ok(closing) = self.wire.send(None, "Browser.close", json!({})) {
            let _ = closing.wait();
        }
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}
