//! What holds on every page, whoever asks.

use crate::operator::sign_in;
use e2e::{Page, Result};

/// Pages that anyone can open.
pub const PUBLIC: [&str; 5] = ["/", "/history", "/report", "/sign-in", "/no-such-page"];
/// Pages for the operator.
pub const OPERATORS: [&str; 4] =
    ["/operator", "/operator/incidents/new", "/operator/reports", "/operator/components"];

pub fn is_protected_by_headers_on_every_page(page: &Page) -> Result {
    for path in PUBLIC {
        page.goto(path)?;
        let url = page.resolve(path);
        let requests = page.network();
        let document = requests.iter().rfind(|request| request.url == url);
        let header = |name: &str| {
            document.and_then(|document| document.header(name)).unwrap_or_default().to_owned()
        };
        let policy = header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(directive), "{path}: expected {directive} in {policy:?}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy:?}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(!header("referrer-policy").is_empty(), "{path}: no referrer-policy");
        assert!(!header("permissions-policy").is_empty(), "{path}: no permissions-policy");
    }
    Ok(())
}

pub fn reaches_all_by_keyboard(page: &Page) -> Result {
    // Interactive elements that can be seen; a closed group of radio buttons would count once.
    const REACHABLE: &str = "[...document.querySelectorAll('a[href],button,input,select,textarea')]\
        .filter((e) => !e.disabled && e.type !== 'hidden' && e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true}))";
    // Every element with the focus shows it by an outline or a shadow that it has not otherwise.
    const FOCUSED: &str = "(() => { const e = document.activeElement; const s = getComputedStyle(e); \
        const box = e.getBoundingClientRect(); return { \
        index: REACHABLE.indexOf(e), what: e.outerHTML.slice(0, 80), \
        shown: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && \
        ((s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== 'none') }; })()";
    #[derive(serde::Deserialize)]
    struct Focused {
        index: i64,
        what: String,
        shown: bool,
    }
    sign_in(page)?;
    for path in ["/", "/history", "/report", "/operator", "/operator/incidents/new"] {
        page.goto(path)?;
        let count: i64 = page.evaluate(&format!("{REACHABLE}.length"))?;
        let mut reached = Vec::new();
        for _ in 0..count {
            page.press("Tab")?;
            let focused: Focused = page.evaluate(&FOCUSED.replace("REACHABLE", REACHABLE))?;
            assert!(focused.shown, "{path}: no visible focus on {}", focused.what);
            reached.push(focused.index);
        }
        reached.sort_unstable();
        let all: Vec<i64> = (0..count).collect();
        assert_eq!(reached, all, "{path}: the keyboard does not reach every element once");
    }
    // And does something: the first stop leads past the navigation.
    page.goto("/")?;
    page.press("Tab")?;
    page.press("Enter")?;
    page.css("#main").expect().to_be_focused()
}

pub fn loads_nothing_from_elsewhere_and_meets_no_error(page: &Page) -> Result {
    sign_in(page)?;
    for path in PUBLIC.iter().filter(|path| **path != "/no-such-page").chain(&OPERATORS) {
        page.goto(path)?;
    }
    let base = page.resolve("/");
    for request in page.network() {
        assert!(request.url.starts_with(&base), "{} is asked for", request.url);
        assert!(request.status < 400, "{} answers {}", request.url, request.status);
        assert_eq!(request.failure, None, "{}", request.url);
    }
    let console = page.console();
    assert!(console.is_empty(), "the console is not empty: {console:?}");
    Ok(())
}
