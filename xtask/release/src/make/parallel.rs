//! Work on many items on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Most threads: beyond it, the disk and not the processor is what is waited for.
const MAX_THREADS: usize = 16;

/// Gives what `work` makes of each item, in the items' order; or the first error, in that order,
/// of those that occurred. Nothing new is started after an error.
pub fn in_parallel<I: Sync, O: Send, E: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<O, E> + Sync,
) -> Result<Vec<O>, E> {
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let worker = || {
        while !has_failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let result = work(item);
            if result.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..cores.min(MAX_THREADS).min(items.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_items_order() {
        let items: Vec<u32> = (0..1_000).collect();
        let doubled = in_parallel(&items, |item| Ok::<_, ()>(item * 2)).unwrap();
        assert!(doubled.into_iter().eq((0..1_000).map(|item| item * 2)));
    }

    #[test]
    fn an_error_ends_it() {
        let items: Vec<u32> = (0..1_000).collect();
        let result = in_parallel(&items, |item| if *item == 7 { Err(*item) } else { Ok(()) });
        assert_eq!(result, Err(7));
    }
}
