//! Where a build may be killed between two acts on the file system. Nothing happens there but in
//! this crate's own tests, which kill it at each of them in turn.

#[cfg(not(test))]
pub(crate) fn point() {}

/// Aborts the process at the point whose number [`DIES_AT`] gives, counted from 0.
#[cfg(test)]
pub(crate) fn point() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let dies_at = std::env::var(DIES_AT).ok().and_then(|number| number.parse::<usize>().ok());
    if dies_at.is_some_and(|dies_at| PASSED.fetch_add(1, Ordering::Relaxed) == dies_at) {
        std::process::abort();
    }
}

#[cfg(test)]
pub(crate) const DIES_AT: &str = "RELEASE_TEST_DIES_AT";
