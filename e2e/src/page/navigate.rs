//! Going somewhere, and knowing when one has arrived.
//!
//! A navigation is followed by its loader id: the `load` of the document before it must not count,
//! and a document that replaces itself while it loads is followed to the one that stays.

use super::state::State;
use super::{NAVIGATION_TIMEOUT, Page};
use crate::error::seconds;
use crate::wire::lock;
use crate::{Error, Result};
use headless_chrome::protocol::cdp::Page as PageDomain;
use serde_json::json;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long a navigation that a document asked for may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(5);
/// How many requests in flight an error names.
const NAMED_REQUESTS: usize = 5;

impl Page {
    /// Opens an address, or a path below the base address, and waits until it has loaded.
    ///
    /// # Errors
    /// [`Error::Navigation`] when it cannot be opened or does not load in time; what the server
    /// answers, 404 or 500 too, is no error.
    pub fn goto(&self, path: &str) -> Result {
        let url = self.resolve(path);
        let navigated = self.inner.wire.typed(
            Some(&self.inner.session),
            &PageDomain::Navigate {
                url: url.clone(),
                referrer: None,
                transition_Type: None,
                frame_id: None,
                referrer_policy: None,
            },
        )?;
        if let Some(reason) = navigated.error_text {
            return Err(Error::Navigation { url, reason });
        }
        match navigated.loader_id {
            Some(loader) => self.wait_until_loaded(&url, &loader),
            // Same document: there is nothing to load.
            None => Ok(()),
        }
    }

    /// Loads the document again and waits until it has loaded.
    ///
    /// # Errors
    /// As [`Page::goto`].
    pub fn reload(&self) -> Result {
        self.follow(|| self.call("Page.reload", json!({})).map(drop))?;
        Ok(())
    }

    /// Goes back in the page's history and waits until that document has loaded.
    ///
    /// # Errors
    /// As [`Page::goto`]; also when there is nothing to go back to.
    pub fn go_back(&self) -> Result {
        const METHOD: &str = "Page.getNavigationHistory";
        let history = self.call(METHOD, json!({}))?;
        let index = history["currentIndex"].as_u64().and_then(|index| index.checked_sub(1));
        let entry = index
            .and_then(|index| usize::try_from(index).ok())
            .map(|index| history["entries"][index]["id"].clone())
            .ok_or_else(|| Error::Navigation {
                url: self.url(),
                reason: "expected a page to go back to, found none in the history".to_owned(),
            })?;
        self.follow(|| {
            self.call("Page.navigateToHistoryEntry", json!({ "entryId": entry })).map(drop)
        })
    }

    /// Waits until no request has been under way for a while, at most until a limit; gives whether
    /// it became quiet.
    pub fn wait_until_quiet(&self, quiet: Duration, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut quiet_since = Instant::now();
        let mut seen = usize::MAX;
        self.wait_for(deadline, |state| {
            let (now, requests) = (Instant::now(), state.network.iter().count());
            if !state.pending().is_empty() || requests != seen {
                seen = requests;
                quiet_since = now;
            }
            (now - quiet_since >= quiet).then_some(())
        })
        .is_ok_and(|quiet| quiet.is_some())
    }

    /// Does something that may start a navigation; if it did, waits until its end.
    pub(super) fn follow(&self, act: impl FnOnce() -> Result) -> Result {
        let (before, requested, moves) = {
            let state = lock(&self.inner.events.state);
            (state.newest_loader(), state.requested, state.moves)
        };
        act()?;
        // The renderer answers in order: after this, what the action asked for is known.
        match self.call("Runtime.evaluate", json!({ "expression": "0" })) {
            Ok(_) => {}
            Err(error) if error.is_stale() => {}
            Err(error) => return Err(error),
        }
        // Asked for is not yet started, and may come to nothing: a download, a dialog's no.
        let deadline = Instant::now() + START_TIMEOUT;
        let started = self.wait_for(deadline, |state| {
            let newest = state.newest_loader().filter(|newest| Some(newest) != before.as_ref());
            let is_settled =
                newest.is_some() || state.requested == requested || state.moves > moves;
            is_settled.then_some(newest)
        })?;
        match started.flatten() {
            None => Ok(()),
            Some(loader) => self.wait_until_loaded("the next page", &loader),
        }
    }

    fn wait_until_loaded(&self, url: &str, loader: &str) -> Result {
        let deadline = Instant::now() + NAVIGATION_TIMEOUT;
        let arrived = self.wait_for(deadline, |state| {
            let is_over = state.is_loaded(loader)
                || state.newest_document().is_some_and(|newest| newest.is_abandoned);
            is_over.then_some(())
        })?;
        if arrived.is_some() {
            return Ok(());
        }
        let state = lock(&self.inner.events.state);
        let pending: Vec<String> = state
            .pending()
            .iter()
            .take(NAMED_REQUESTS)
            .map(|request| format!("{} {}", request.method, request.url))
            .collect();
        let waiting_for = match pending.as_slice() {
            [] => "no request is under way".to_owned(),
            pending => format!("still under way: {}", pending.join(", ")),
        };
        Err(Error::Navigation {
            url: url.to_owned(),
            reason: format!("not loaded within {}; {waiting_for}", seconds(NAVIGATION_TIMEOUT)),
        })
    }

    /// Asks the page's state after each event until there is an answer; `None` at the deadline.
    fn wait_for<T>(
        &self,
        deadline: Instant,
        mut ask: impl FnMut(&State) -> Option<T>,
    ) -> Result<Option<T>> {
        // Some questions are about time itself, so they are asked without an event too.
        const LOOK_EVERY: Duration = Duration::from_millis(50);
        let events = &self.inner.events;
        let mut state = lock(&events.state);
        loop {
            if let Some(answer) = ask(&state) {
                return Ok(Some(answer));
            }
            if let Some(reason) = &state.gone {
                return Err(Error::Gone(reason.clone()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            state = events
                .changed
                .wait_timeout(state, left.min(LOOK_EVERY))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
