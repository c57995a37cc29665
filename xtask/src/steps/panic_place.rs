//! The place of a panic, read from a test's output.

use crate::context::Context;
use crate::steps::diagnostics::in_project;
use report::Place;
use std::path::Path;

/// The first place in a test's output that is a file of the project: a panic's
/// (`panicked at src/lib.rs:21:9:`), or a `should_panic` test's that did not panic.
pub fn panic_place(cx: &Context, output: &str) -> Option<Place> {
    output.lines().find_map(|line| {
        let at =
            line.split_once("panicked at ").or(line.split_once("did not panic as expected at "));
        place(cx, at?.1)
    })
}

/// The message of the first panic: the lines after its place, up to the backtrace.
pub fn panic_message(output: &str) -> Option<String> {
    let mut lines = output.lines().skip_while(|line| !line.contains("panicked at "));
    let first = lines.next()?;
    let message: Vec<&str> = lines.take_while(|line| !is_end_of_message(line)).collect();
    let message = message.join("\n").trim().to_owned();
    if !message.is_empty() {
        return Some(message);
    }
    // Before Rust 1.73: `panicked at 'message', src/lib.rs:10:5`.
    let (_, old) = first.split_once("panicked at '")?;
    old.rsplit_once("', ").map(|(message, _)| message.to_owned())
}

fn is_end_of_message(line: &str) -> bool {
    line.starts_with("stack backtrace:") || line.starts_with("note: ") || line.trim().is_empty()
}

fn place(cx: &Context, text: &str) -> Option<Place> {
    let text = text.rsplit_once("', ").map_or(text, |(_, place)| place);
    let mut parts = text.trim().trim_end_matches(':').rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let path = in_project(cx, parts.next()?);
    (Path::new(&path).is_relative() && cx.root.join(&path).is_file()).then_some(Place::File {
        path,
        line: Some(line),
        column: Some(column),
        end_line: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_of_the_project_is_found() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("src")).unwrap();
        std::fs::write(temp.path().join("src/lib.rs"), "").unwrap();
        let cx = Context { root: temp.path().to_path_buf() };
        let find = |output| panic_place(&cx, output).map(|place| place.to_string());
        let now = "x\nthread 'a' (7) panicked at src/lib.rs:21:9:\nwrong\nstack backtrace:\n";
        assert_eq!(find(now).as_deref(), Some("src/lib.rs:21:9"));
        assert_eq!(panic_message(now).as_deref(), Some("wrong"));
        let old = "thread 'a' panicked at 'it broke', src/lib.rs:3:5";
        assert_eq!(find(old).as_deref(), Some("src/lib.rs:3:5"));
        assert_eq!(panic_message(old).as_deref(), Some("it broke"));
        let quiet = "note: test did not panic as expected at src/lib.rs:5:4";
        assert_eq!(find(quiet).as_deref(), Some("src/lib.rs:5:4"));
        let foreign = "thread 'a' panicked at /rustc/abc/library/core/src/result.rs:1:2:\nx";
        assert_eq!(find(foreign), None);
    }
}
