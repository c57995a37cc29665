//! Assertions that are given time: looked at again until they hold, or their deadline passes.
//!
//! A failure says what was expected, what was seen last, and for how long it was waited.

use super::Page;
use super::locator::{Found, Locator};
use crate::{Error, Result};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long to wait between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Assertions about a locator's element. Strict, but for those about how many there are.
#[derive(Debug)]
pub struct Expect<'a> {
    locator: &'a Locator,
}

/// Assertions about a page.
#[derive(Debug)]
pub struct ExpectPage<'a> {
    page: &'a Page,
}

/// What one look came to.
enum Seen {
    AsExpected,
    Otherwise(String),
}

impl Locator {
    /// Assertions about the element.
    pub fn expect(&self) -> Expect<'_> {
        Expect { locator: self }
    }

    /// How many elements match now.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn count(&self) -> Result<usize> {
        Ok(self.matches()?.count)
    }

    /// The texts of all elements that match now, in the order of the document.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn texts(&self) -> Result<Vec<String>> {
        Ok(self.matches()?.texts)
    }
}

impl Page {
    /// Assertions about the page.
    pub fn expect(&self) -> ExpectPage<'_> {
        ExpectPage { page: self }
    }

    fn until(
        &self,
        subject: &str,
        expected: &str,
        mut look: impl FnMut() -> Result<Seen>,
    ) -> Result {
        let start = Instant::now();
        let timeout = self.timeout();
        let mut looks = 0;
        loop {
            looks += 1;
            let seen = match look() {
                Ok(Seen::AsExpected) => return Ok(()),
                Ok(Seen::Otherwise(seen)) => seen,
                Err(error) if error.is_stale() => "a page that was changing".to_owned(),
                Err(error @ Error::Ambiguous { .. }) => error.to_string(),
                Err(error) => return Err(error),
            };
            let waited = start.elapsed();
            if waited >= timeout {
                return Err(Error::Expectation {
                    subject: subject.to_owned(),
                    expected: expected.to_owned(),
                    seen,
                    waited,
                    looks,
                    url: self.url(),
                });
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Expect<'_> {
    /// The element is there and can be seen.
    ///
    /// # Errors
    /// [`Error::Expectation`], as every assertion.
    pub fn to_be_visible(&self) -> Result {
        self.flag("to be visible", "visible", true, "not visible")
    }

    /// There is no such element, or it cannot be seen.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_be_hidden(&self) -> Result {
        self.until("to be hidden", || {
            Ok(match self.locator.only("looks", &Value::Null)? {
                Found::Nothing(_) => Seen::AsExpected,
                Found::Done(look) if look["visible"].as_bool() == Some(false) => Seen::AsExpected,
                Found::Done(look) => Seen::Otherwise(format!("visible: {}", what(&look))),
            })
        })
    }

    /// The control can be used.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_be_enabled(&self) -> Result {
        self.flag("to be enabled", "enabled", true, "disabled")
    }

    /// The control cannot be used.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_be_disabled(&self) -> Result {
        self.flag("to be disabled", "enabled", false, "enabled")
    }

    /// The checkbox or radio button is checked.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_be_checked(&self) -> Result {
        self.flag("to be checked", "checked", true, "not checked")
    }

    /// The element has the keyboard's focus.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_be_focused(&self) -> Result {
        self.flag("to be focused", "focused", true, "not focused")
    }

    /// The element's text is this, but for white space.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_text(&self, text: &str) -> Result {
        let wanted = normal(text);
        self.value(&format!("to have the text {wanted:?}"), "text", |seen| normal(seen) == wanted)
    }

    /// The element's text contains this, but for white space.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_contain_text(&self, text: &str) -> Result {
        let wanted = normal(text);
        self.value(&format!("to contain the text {wanted:?}"), "text", |seen| {
            normal(seen).contains(&wanted)
        })
    }

    /// The control's value is this.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_value(&self, value: &str) -> Result {
        self.value(&format!("to have the value {value:?}"), "value", |seen| seen == value)
    }

    /// The element has an attribute with this value.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_attribute(&self, name: &str, value: &str) -> Result {
        self.one(&format!("to have {name}={value:?}"), |look| {
            let seen = look["attributes"][name].as_str();
            match seen == Some(value) {
                true => Seen::AsExpected,
                false => Seen::Otherwise(match seen {
                    Some(seen) => format!("{name}={seen:?}"),
                    None => format!("no {name} on {}", what(look)),
                }),
            }
        })
    }

    /// So many elements match.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_count(&self, count: usize) -> Result {
        self.until(&format!("to match {count} elements"), || {
            let matches = self.locator.matches()?;
            Ok(match matches.count == count {
                true => Seen::AsExpected,
                false => Seen::Otherwise(format!(
                    "{} elements: {}",
                    matches.count,
                    matches.seen.join(" ")
                )),
            })
        })
    }

    fn flag(&self, expected: &str, key: &str, wanted: bool, otherwise: &str) -> Result {
        self.one(expected, |look| match look[key].as_bool() == Some(wanted) {
            true => Seen::AsExpected,
            false => Seen::Otherwise(format!("{otherwise}: {}", what(look))),
        })
    }

    fn value(&self, expected: &str, key: &str, is_it: impl Fn(&str) -> bool) -> Result {
        self.one(expected, |look| match look[key].as_str() {
            Some(seen) if is_it(seen) => Seen::AsExpected,
            Some(seen) => Seen::Otherwise(format!("{seen:?}")),
            None => Seen::Otherwise(format!("no {key} on {}", what(look))),
        })
    }

    fn one(&self, expected: &str, judge: impl Fn(&Value) -> Seen) -> Result {
        self.until(expected, || {
            Ok(match self.locator.only("looks", &Value::Null)? {
                Found::Done(look) => judge(&look),
                Found::Nothing(near) if near.is_empty() => {
                    Seen::Otherwise("nothing matches".to_owned())
                }
                Found::Nothing(near) => Seen::Otherwise(format!("nothing matches; {near}")),
            })
        })
    }

    fn until(&self, expected: &str, look: impl FnMut() -> Result<Seen>) -> Result {
        self.locator.page.until(&self.locator.to_string(), expected, look)
    }
}

impl ExpectPage<'_> {
    /// The page is at an address, or at a path below the base address.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_url(&self, path: &str) -> Result {
        let wanted = self.page.resolve(path);
        self.page.until("the page", &format!("to be at {wanted}"), || {
            let url = self.page.url();
            Ok(if url == wanted { Seen::AsExpected } else { Seen::Otherwise(url) })
        })
    }

    /// The page's title is this.
    ///
    /// # Errors
    /// [`Error::Expectation`].
    pub fn to_have_title(&self, title: &str) -> Result {
        self.page.until("the page", &format!("to have the title {title:?}"), || {
            let seen = self.page.title()?;
            Ok(if seen == title { Seen::AsExpected } else { Seen::Otherwise(format!("{seen:?}")) })
        })
    }
}

fn what(look: &Value) -> &str {
    look["what"].as_str().unwrap_or("the element")
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
