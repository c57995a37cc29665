//! `xtask key`, `evidence` and `release` on small projects, seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod evidence;
mod key;
mod release;
mod support;
