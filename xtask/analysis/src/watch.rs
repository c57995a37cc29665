//! Several edges, looked at again and again.

use crate::{Snapshot, SnapshotError, Window};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Adds up what the edges of an environment count, from the first look on. An edge that restarts loses
/// only what it counted after the last look; one that joins later counts from its start.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    began_at: Option<Timestamp>,
    last: BTreeMap<String, Snapshot>,
    window: Window,
}

impl Watch {
    /// Takes in a look at an edge. The first one at an edge that was there already counts nothing.
    /// After an error the window is as it was, and the look stands for the next one to start from.
    pub fn observe(&mut self, edge: &str, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let began_at = *self.began_at.get_or_insert(snapshot.at);
        let more = match self.last.get(edge) {
            Some(earlier) => snapshot.since(earlier),
            None if snapshot.started_at() >= began_at => Ok(snapshot.since_start()),
            None => Ok(Window::default()),
        };
        self.last.insert(edge.to_owned(), snapshot);
        self.window.merge(&more?)
    }

    /// When the first look was taken.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.began_at
    }

    /// All that was counted since the first look.
    pub fn window(&self) -> &Window {
        &self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::tests::{requests, snapshot};

    #[test]
    fn edges_add_up_through_restarts_and_arrivals() {
        let mut watch = Watch::default();
        watch.observe("one", snapshot(0, 600, &[("a", 1_000)])).unwrap();
        watch.observe("two", snapshot(0, 600, &[("a", 2_000)])).unwrap();
        assert_eq!(requests(watch.window(), "a"), 0);
        watch.observe("one", snapshot(10, 610, &[("a", 1_010), ("b", 1)])).unwrap();
        watch.observe("two", snapshot(10, 2, &[("a", 5)])).unwrap();
        // A third one, started after the first look.
        watch.observe("three", snapshot(10, 4, &[("a", 7), ("b", 2)])).unwrap();
        watch.observe("three", snapshot(20, 14, &[("a", 8), ("b", 2)])).unwrap();
        assert_eq!(requests(watch.window(), "a"), 10 + 5 + 8);
        assert_eq!(requests(watch.window(), "b"), 1 + 2);
        assert_eq!(watch.began_at(), Some(snapshot(0, 1, &[]).at));
    }

    #[test]
    fn a_look_that_does_not_fit_leaves_the_window() {
        let mut watch = Watch::default();
        watch.observe("one", snapshot(30, 600, &[("a", 1)])).unwrap();
        watch.observe("one", snapshot(40, 610, &[("a", 9)])).unwrap();
        watch.observe("one", snapshot(35, 20, &[("a", 1)])).unwrap_err();
        assert_eq!(requests(watch.window(), "a"), 8);
    }
}
