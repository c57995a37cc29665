//! Opening pages, and what they tell.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod support;

use e2e::{ColorScheme, Error};
use serde_json::Value;
use support::page;

#[test]
fn a_page_opens_and_is_asked() {
    let Some(page) = page(&[("/", "<h1>Hello</h1><script>var answer = 6 * 7</script>")]) else {
        return;
    };
    page.goto("/").unwrap();
    assert_eq!(page.evaluate::<u32>("answer").unwrap(), 42);
    assert_eq!(page.evaluate::<String>("Promise.resolve('later')").unwrap(), "later");
    assert_eq!(page.title().unwrap(), "/");
    assert!(page.html().unwrap().contains("<h1>Hello</h1>"));
    assert!(page.screenshot().unwrap().starts_with(b"\x89PNG"));
    page.evaluate::<u32>("answer = 1").unwrap();
    page.reload().unwrap();
    assert_eq!(page.evaluate::<u32>("answer").unwrap(), 42);
}

#[test]
fn what_goes_wrong_is_said() {
    let Some(page) = page(&[("/", "")]) else { return };
    page.goto("/").unwrap();
    let thrown = page.evaluate::<Value>("null.nothing").unwrap_err();
    assert!(matches!(&thrown, Error::Script { .. }), "{thrown}");
    assert!(thrown.to_string().contains("TypeError"), "{thrown}");
    let refused = page.goto("http://127.0.0.1:1/").unwrap_err();
    assert!(matches!(&refused, Error::Navigation { .. }), "{refused}");
    // No name resolves but loopback's: a test cannot depend on the network.
    let outside = page.goto("http://example.com/").unwrap_err();
    assert!(outside.to_string().contains("ERR_NAME_NOT_RESOLVED"), "{outside}");
    page.goto("/missing").unwrap();
    let network = page.network();
    let missing = network.iter().find(|request| request.url.ends_with("/missing")).unwrap();
    assert_eq!(missing.status, 404);
}

#[test]
fn console_and_network_are_kept() {
    let body = "<script>console.warn('careful', 3); throw new Error('broken')</script>\
                <img src=/none.png>";
    let Some(page) = page(&[("/", body)]) else { return };
    page.goto("/").unwrap();
    let console = page.console();
    assert!(console.iter().any(|entry| entry.level == "warning" && entry.text == "careful 3"));
    assert!(console.iter().any(|entry| entry.level == "error" && entry.text.contains("broken")));
    let network = page.network();
    let document = network.iter().find(|request| request.kind == "Document").unwrap();
    assert_eq!(document.status, 200);
    assert!(document.transfer_bytes > 0);
    assert_eq!(document.header("content-type"), Some("text/html; charset=utf-8"));
    let image = network.iter().find(|request| request.url.ends_with("/none.png")).unwrap();
    assert_eq!((image.kind.as_str(), image.status), ("Image", 404));
}

#[test]
fn a_document_that_replaces_itself_is_followed() {
    let Some(page) = page(&[
        ("/", "<script>location.replace('/there')</script>"),
        ("/there", "<h1>There</h1>"),
        ("/same", "<h1 id=here>Same</h1>"),
    ]) else {
        return;
    };
    page.goto("/").unwrap();
    page.role("heading", "There").expect().to_be_visible().unwrap();
    page.expect().to_have_url("/there").unwrap();
    page.goto("/same").unwrap();
    page.goto("/same#here").unwrap();
    page.expect().to_have_url("/same#here").unwrap();
    page.go_back().unwrap();
    page.expect().to_have_url("/same").unwrap();
}

#[test]
fn device_and_preferences_are_emulated() {
    let body = "<meta name=viewport content='width=device-width'>\
                <noscript>no script here</noscript><p id=p>static</p>\
                <script>document.getElementById('p').textContent = 'scripted'</script>";
    let Some(page) = page(&[("/", body)]) else { return };
    page.set_viewport(360, 800, 2.0, true).unwrap();
    page.set_color_scheme(ColorScheme::Dark).unwrap();
    page.goto("/").unwrap();
    assert_eq!(page.evaluate::<(u32, u32)>("[innerWidth, innerHeight]").unwrap(), (360, 800));
    assert!(page.evaluate::<bool>("matchMedia('(prefers-color-scheme: dark)').matches").unwrap());
    page.css("#p").expect().to_have_text("scripted").unwrap();

    page.set_javascript(false).unwrap();
    page.goto("/").unwrap();
    page.css("#p").expect().to_have_text("static").unwrap();
    page.text("no script here").expect().to_be_visible().unwrap();
}

#[test]
fn pages_share_nothing() {
    let Some(browser) = support::browser() else { return };
    let address = support::serve(&[("/", "")]);
    let one = browser.new_page().unwrap().with_base_url(&address);
    let other = browser.new_page().unwrap().with_base_url(&address);
    one.goto("/").unwrap();
    one.evaluate::<Value>("document.cookie = 'a=1'; localStorage.a = 1").unwrap();
    other.goto("/").unwrap();
    assert_eq!(other.evaluate::<String>("document.cookie").unwrap(), "");
    assert_eq!(other.evaluate::<u32>("localStorage.length").unwrap(), 0);
}
