//! Locators, actions and assertions.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod support;

use e2e::{Error, Page};
use std::time::Duration;
use support::page;

const FORM: &str = "<form method=post action=/sent>\
    <label for=n>Name</label><input id=n name=name value=old>\
    <label>Kind <select name=kind><option value=a>Apple<option value=b>Pear</select></label>\
    <label>Day <input type=date name=day></label>\
    <label><input type=checkbox name=agree> Agree</label>\
    <label>More <textarea name=more></textarea></label>\
    <button>Send</button><button type=button disabled>Wait</button></form>\
    <a href=/next>Next</a>";

/// A short deadline, for what is to fail.
const SOON: Duration = Duration::from_millis(300);

fn form() -> Option<Page> {
    let page = page(&[("/", FORM), ("/next", "<h1>Next page</h1>")])?;
    page.goto("/").unwrap();
    Some(page)
}

#[test]
fn a_form_is_filled_and_sent() {
    let Some(page) = form() else { return };
    page.label("Name").fill("Ada & Co").unwrap();
    page.label("Name").expect().to_have_value("Ada & Co").unwrap();
    page.role("combobox", "Kind").select("Pear").unwrap();
    page.label("Day").fill("2026-11-23").unwrap();
    page.role("checkbox", "Agree").check().unwrap();
    page.role("checkbox", "Agree").check().unwrap();
    page.role("checkbox", "Agree").expect().to_be_checked().unwrap();
    page.role("textbox", "More").fill("line").unwrap();
    page.role("button", "Send").click().unwrap();
    // The click has followed the navigation that it started.
    assert!(page.url().ends_with("/sent"));
    page.text("sent")
        .expect()
        .to_have_text("sent name=Ada+%26+Co&kind=b&day=2026-11-23&agree=on&more=line")
        .unwrap();
}

#[test]
fn the_keyboard_works() {
    let Some(page) = form() else { return };
    page.label("Name").focus().unwrap();
    page.press("Tab").unwrap();
    page.role("combobox", "Kind").expect().to_be_focused().unwrap();
    page.press("Shift+Tab").unwrap();
    page.label("Name").expect().to_be_focused().unwrap();
    page.press("Control+a").unwrap();
    page.press("Backspace").unwrap();
    page.press("x").unwrap();
    page.label("Name").expect().to_have_value("x").unwrap();
    page.label("Name").press("Enter").unwrap();
    assert!(page.url().ends_with("/sent"));
}

#[test]
fn a_link_is_followed_also_without_javascript() {
    let Some(page) = form() else { return };
    page.role("link", "Next").click().unwrap();
    assert!(page.url().ends_with("/next"));
    page.set_javascript(false).unwrap();
    page.goto("/").unwrap();
    page.label("Name").fill("still").unwrap();
    page.role("link", "Next").click().unwrap();
    assert!(page.url().ends_with("/next"));
    page.role("heading", "Next page").expect().to_be_visible().unwrap();
}

#[test]
fn two_matches_are_an_error_that_lists_both() {
    let Some(page) = form() else { return };
    page.set_timeout(SOON);
    let error = page.any_role("button").click().unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { count: 2, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("1. <button>Send") && message.contains("2. <button"), "{message}");
    page.any_role("button").first().expect().to_have_text("Send").unwrap();
    page.any_role("button").expect().to_have_count(2).unwrap();
    page.any_role("button").having_text("Wait").expect().to_be_disabled().unwrap();
    page.css("form").role("button", "Send").expect().to_be_enabled().unwrap();
}

#[test]
fn an_action_waits_until_its_element_is_ready() {
    let body = "<div id=cover style='position:fixed;inset:0;background:#fff8'></div>\
        <button id=b disabled style='position:absolute;top:2000px' onclick='this.textContent=\"done\"'>Go</button>\
        <script>setTimeout(() => { b.disabled = false }, 100); setTimeout(() => cover.remove(), 200);\
        setTimeout(() => { b.style.top = '1000px' }, 250)</script>";
    let Some(page) = page(&[("/", body)]) else { return };
    page.goto("/").unwrap();
    page.role("button", "Go").click().unwrap();
    page.css("#b").expect().to_have_text("done").unwrap();
}

#[test]
fn an_action_that_cannot_be_done_says_why() {
    let body = "<button disabled>Off</button><button style='visibility:hidden'>Gone</button>\
        <input aria-label=Fixed readonly><select aria-label=Pick><option>One</select>\
        <button id=under>Under</button><div style='position:fixed;inset:0' id=over></div>";
    let Some(page) = page(&[("/", body)]) else { return };
    page.goto("/").unwrap();
    page.set_timeout(SOON);
    let says = |result: e2e::Result, part: &str| {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    says(page.role("button", "Off").click(), "is disabled");
    says(page.css("button").nth(1).click(), "is not visible");
    says(page.label("Fixed").fill("x"), "cannot be edited");
    says(page.label("Pick").select("Two"), "no option \"Two\" among [\"One\"]");
    says(page.role("button", "Under").click(), "is covered by <div id=\"over\">");
    says(page.role("button", "Undo").click(), "elements with the role button are named \"Off\"");
    says(page.css("#none").click(), "nothing matches");
    says(page.press("Entre"), "unknown key \"Entre\"");
}

#[test]
fn an_assertion_is_given_time_and_says_what_it_saw() {
    let body = "<p id=p>one</p><script>setTimeout(() => { p.textContent = 'two' }, 150)</script>";
    let Some(page) = page(&[("/", body)]) else { return };
    page.goto("/").unwrap();
    page.css("#p").expect().to_have_text("two").unwrap();
    page.css("#none").expect().to_be_hidden().unwrap();
    page.set_timeout(SOON);
    let message = page.css("#p").expect().to_have_text("three").unwrap_err().to_string();
    assert!(message.contains("expected css \"#p\" to have the text \"three\""), "{message}");
    assert!(message.contains("last seen: \"two\""), "{message}");
    assert!(message.contains("waited 0."), "{message}");
    let message = page.expect().to_have_url("/elsewhere").unwrap_err().to_string();
    assert!(message.contains("/elsewhere") && message.contains("last seen: http://"), "{message}");
}
