//! How a package got into the lock file: the shortest way from one of the project's own packages.

use super::lockfile::{Locked, Package};
use std::collections::VecDeque;

/// Shortest ways through the lock file's graph.
#[derive(Debug)]
pub(super) struct Routes<'a> {
    locked: &'a Locked,
    /// For each package, the one before it on its shortest way; `None` for the project's own.
    before: Vec<Option<usize>>,
}

impl<'a> Routes<'a> {
    pub(super) fn new(locked: &'a Locked) -> Routes<'a> {
        let mut before = vec![None; locked.packages.len()];
        let mut is_seen = vec![false; locked.packages.len()];
        // Lock files list packages by name, so that equally short ways are chosen by name.
        let mut queue: VecDeque<usize> = locked
            .packages
            .iter()
            .filter(|package| package.is_own())
            .map(|package| package.index)
            .collect();
        for index in &queue {
            is_seen[*index] = true;
        }
        while let Some(index) = queue.pop_front() {
            for next in &locked.dependencies[index] {
                if !is_seen[*next] {
                    is_seen[*next] = true;
                    before[*next] = Some(index);
                    queue.push_back(*next);
                }
            }
        }
        Routes { locked, before }
    }

    /// From the project's own package to the given one; only that one when nothing leads to it.
    pub(super) fn shortest(&self, package: &'a Package) -> Vec<&'a Package> {
        let mut route = vec![package];
        let mut index = package.index;
        while let Some(before) = self.before[index] {
            route.push(&self.locked.packages[before]);
            index = before;
        }
        route.reverse();
        route
    }
}

/// `app > tower > x`.
pub(super) fn shown(route: &[&Package]) -> String {
    route.iter().map(|package| package.name()).collect::<Vec<_>>().join(" > ")
}
