//! Actions: click, fill, press, select. Each waits for its one element to be ready, then acts with
//! the browser's native input, and follows the navigation that it may have started.
//!
//! Waiting is repeated as often as needed; the act itself happens once.

use super::Page;
use super::key::{Key, modifier_bits};
use super::locator::{Found, Locator};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long to wait between two looks at an element: longer than a frame at 60 Hz, so that an
/// element that moves has moved.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks before a deadline counts: on a machine that stalls, one look may outlast it, and the reason
/// would be that of the first, when nothing is known to stand still.
const LEAST_LOOKS: u32 = 4;

/// Kinds of `<input>` whose value is set rather than typed: they have pickers, not text.
const PICKED: [&str; 7] = ["date", "time", "datetime-local", "month", "week", "color", "range"];

impl Locator {
    /// Clicks the middle of the element: scrolls to it, waits until it is visible, enabled, still,
    /// and nothing covers it.
    ///
    /// # Errors
    /// [`Error::NotReady`] with the last reason, [`Error::Ambiguous`] when two match.
    pub fn click(&self) -> Result {
        let point = self.until_ready("click", |look| {
            look.require_visible()?;
            look.require_enabled()?;
            look.point()
        })?;
        let mouse = |kind: &str, button: &str, buttons: u32| {
            self.page.send(
                "Input.dispatchMouseEvent",
                json!({
                    "type": kind, "x": point.0, "y": point.1,
                    "button": button, "buttons": buttons, "clickCount": buttons.max(1),
                }),
            )
        };
        self.page.follow(|| {
            // Sent at once and handled in order: each would otherwise wait for a frame.
            let moved = mouse("mouseMoved", "none", 0)?;
            let pressed = mouse("mousePressed", "left", 1)?;
            let released = mouse("mouseReleased", "left", 0)?;
            moved.wait()?;
            left_with_document(pressed.wait())?;
            left_with_document(released.wait())
        })
    }

    /// Replaces the text of a field, as if typed.
    ///
    /// # Errors
    /// As [`Locator::click`]; also when the field is read only.
    pub fn fill(&self, text: &str) -> Result {
        let look = self.until_ready("fill", |look| {
            look.require_visible()?;
            look.require_enabled()?;
            look.require_editable()?;
            Ok(look.value.clone())
        })?;
        let kind = look["attributes"]["type"].as_str().unwrap_or_default();
        if PICKED.contains(&kind) {
            let set = self.done("fill", "setValue", &json!({ "value": text }))?;
            return match set.as_bool() {
                Some(true) => Ok(()),
                _ => Err(self.not_ready(
                    "fill",
                    format!("{text:?} is no value of this field"),
                    Duration::ZERO,
                )),
            };
        }
        self.done("fill", "selectAll", &Value::Null)?;
        if text.is_empty() { self.page.press("Delete") } else { self.page.type_text(text) }
    }

    /// Focuses the element and presses a key, such as `"Enter"` or `"Shift+Tab"`.
    ///
    /// # Errors
    /// As [`Locator::click`]; [`Error::UnknownKey`].
    pub fn press(&self, key: &str) -> Result {
        self.until_ready("press a key on", |look| {
            look.require_visible()?;
            look.require_enabled()
        })?;
        self.done("press a key on", "focus", &Value::Null)?;
        self.page.press(key)
    }

    /// Chooses an option of a `<select>` by its label or value.
    ///
    /// # Errors
    /// As [`Locator::click`]; also when there is no such option, with the ones there are.
    pub fn select(&self, option: &str) -> Result {
        self.until_ready("select in", |look| {
            look.require_visible()?;
            look.require_enabled()
        })?;
        let answer = self.done("select in", "select", &json!({ "option": option }))?;
        match answer["options"].as_array() {
            None => Ok(()),
            Some(options) => Err(self.not_ready(
                "select in",
                format!("no option {option:?} among {}", json!(options)),
                Duration::ZERO,
            )),
        }
    }

    /// Checks a checkbox or radio button, or leaves it checked.
    ///
    /// # Errors
    /// As [`Locator::click`].
    pub fn check(&self) -> Result {
        let look = self.until_ready("check", |look| Ok(look.value.clone()))?;
        if look["checked"].as_bool() == Some(true) { Ok(()) } else { self.click() }
    }

    /// Gives the keyboard's focus to the element.
    ///
    /// # Errors
    /// As [`Locator::click`].
    pub fn focus(&self) -> Result {
        self.until_ready("focus", |look| {
            look.require_visible()?;
            look.require_enabled()
        })?;
        self.done("focus", "focus", &Value::Null).map(drop)
    }

    /// Looks at the element until it is ready, and gives what was made of that look.
    fn until_ready<T>(
        &self,
        action: &str,
        mut ready: impl FnMut(&Look<'_>) -> std::result::Result<T, Reason>,
    ) -> Result<T> {
        let start = Instant::now();
        let timeout = self.page.timeout();
        let mut box_before = Value::Null;
        let mut looks = 0;
        loop {
            looks += 1;
            let reason = match self.only("looks", &Value::Null) {
                Ok(Found::Nothing(near)) => nothing(&near),
                Ok(Found::Done(value)) if value["box"] != box_before => {
                    box_before = value["box"].clone();
                    "it moves, or has only just appeared".to_owned()
                }
                Ok(Found::Done(value)) => match ready(&Look { locator: self, value }) {
                    Ok(made) => return Ok(made),
                    Err(Reason::Wait(reason)) => reason,
                    Err(Reason::Fail(error)) if error.is_stale() => {
                        "the page was changing".to_owned()
                    }
                    Err(Reason::Fail(error)) => return Err(error),
                },
                Err(error) if error.is_stale() => "the page was changing".to_owned(),
                // Two matches may become one while the page settles, but not later.
                Err(error @ Error::Ambiguous { .. }) if start.elapsed() >= timeout => {
                    return Err(error);
                }
                Err(Error::Ambiguous { .. }) => "several elements match".to_owned(),
                Err(error) => return Err(error),
            };
            if start.elapsed() >= timeout && looks >= LEAST_LOOKS {
                return Err(self.not_ready(action, reason, start.elapsed()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Does an operation on an element that was found ready a moment ago.
    fn done(&self, action: &str, operation: &str, options: &Value) -> Result<Value> {
        match self.only(operation, options)? {
            Found::Done(answer) => Ok(answer),
            Found::Nothing(near) => Err(self.not_ready(action, nothing(&near), Duration::ZERO)),
        }
    }

    fn not_ready(&self, action: &str, reason: String, waited: Duration) -> Error {
        Error::NotReady { action: action.to_owned(), locator: self.to_string(), reason, waited }
    }
}

impl Page {
    /// Presses a key, such as `"Enter"` or `"Shift+Tab"`, on what has the focus.
    ///
    /// # Errors
    /// [`Error::UnknownKey`]; when the browser is gone.
    pub fn press(&self, key: &str) -> Result {
        let (modifiers, key) = Key::parse(key)?;
        let bits = modifier_bits(&modifiers);
        self.follow(|| {
            self.call("Input.dispatchKeyEvent", key.event("keyDown", bits))?;
            left_with_document(self.call("Input.dispatchKeyEvent", key.event("keyUp", bits)))
        })
    }

    /// Types text into what has the focus.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn type_text(&self, text: &str) -> Result {
        self.call("Input.insertText", json!({ "text": text })).map(drop)
    }
}

/// The end of an input that may take its document away: then nobody is left to acknowledge it.
fn left_with_document(answer: Result<Value>) -> Result {
    match answer {
        Err(error) if !error.is_stale() => Err(error),
        _ => Ok(()),
    }
}

fn nothing(near: &str) -> String {
    match near {
        "" => "nothing matches".to_owned(),
        near => format!("nothing matches; {near}"),
    }
}

/// Why an element is not ready.
enum Reason {
    /// It may yet be.
    Wait(String),
    Fail(Error),
}

/// One look at an element.
struct Look<'a> {
    locator: &'a Locator,
    value: Value,
}

impl Look<'_> {
    fn require(&self, key: &str, otherwise: &str) -> std::result::Result<(), Reason> {
        match self.value[key].as_bool() {
            Some(true) => Ok(()),
            _ => Err(Reason::Wait(format!("{} {otherwise}", self.what()))),
        }
    }

    fn require_visible(&self) -> std::result::Result<(), Reason> {
        self.require("visible", "is not visible")
    }

    fn require_enabled(&self) -> std::result::Result<(), Reason> {
        self.require("enabled", "is disabled")
    }

    fn require_editable(&self) -> std::result::Result<(), Reason> {
        self.require("editable", "cannot be edited")
    }

    /// Where to click, if a click there reaches the element and it stays where it was.
    fn point(&self) -> std::result::Result<(f64, f64), Reason> {
        let answer = match self.locator.only("point", &Value::Null).map_err(Reason::Fail)? {
            Found::Done(answer) => answer,
            Found::Nothing(near) => return Err(Reason::Wait(nothing(&near))),
        };
        if answer["box"] != self.value["box"] {
            return Err(Reason::Wait("it had to be scrolled to".to_owned()));
        }
        if let Some(cover) = answer["covered"].as_str() {
            return Err(Reason::Wait(format!("{} is covered by {cover}", self.what())));
        }
        Ok((answer["x"].as_f64().unwrap_or_default(), answer["y"].as_f64().unwrap_or_default()))
    }

    fn what(&self) -> &str {
        self.value["what"].as_str().unwrap_or("it")
    }
}
