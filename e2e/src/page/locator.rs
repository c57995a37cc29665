//! Locators: how a journey names an element, the way a person would.
//!
//! A locator finds nothing until it is used, and finds anew each time. It is strict: what is done
//! with one element is an error when two match. Roles and names are asked of the browser's own
//! accessibility tree, so that a locator sees what a screen reader hears.

use super::{Page, agent::Agent};
use crate::{Error, Result};
use serde_json::{Value, json};
use std::fmt;

/// How an element is named.
#[derive(Debug, Clone, PartialEq)]
enum Query {
    Css(String),
    Role { role: String, name: Option<String> },
    Label(String),
    Text(String),
    Having(String),
    Nth(usize),
}

/// Names elements of a page. See [`Page::role`], [`Page::label`], [`Page::text`], [`Page::css`].
#[derive(Clone)]
pub struct Locator {
    pub(super) page: Page,
    queries: Vec<Query>,
}

/// What the elements that match look like.
#[derive(Debug, Clone, serde::Deserialize)]
pub(super) struct Matches {
    pub(super) count: usize,
    pub(super) texts: Vec<String>,
    pub(super) seen: Vec<String>,
}

/// What became of an operation on the only match.
pub(super) enum Found {
    /// It was done: its answer, and the element.
    Done(Value),
    /// Nothing matches; what would have come near.
    Nothing(String),
}

impl Page {
    /// The elements with an ARIA role (`"button"`, `"link"`, `"heading"`) and an accessible name,
    /// which must be equal but for white space.
    pub fn role(&self, role: &str, name: &str) -> Locator {
        self.locator(Query::Role { role: role.to_owned(), name: Some(name.to_owned()) })
    }

    /// The elements with an ARIA role, whatever their names.
    pub fn any_role(&self, role: &str) -> Locator {
        self.locator(Query::Role { role: role.to_owned(), name: None })
    }

    /// The form controls with a label, which must be equal but for white space.
    pub fn label(&self, label: &str) -> Locator {
        self.locator(Query::Label(label.to_owned()))
    }

    /// The smallest elements that contain a text.
    pub fn text(&self, text: &str) -> Locator {
        self.locator(Query::Text(text.to_owned()))
    }

    /// The elements that match a CSS selector.
    pub fn css(&self, selector: &str) -> Locator {
        self.locator(Query::Css(selector.to_owned()))
    }

    fn locator(&self, query: Query) -> Locator {
        Locator { page: self.clone(), queries: vec![query] }
    }
}

impl Locator {
    /// Elements with a role and name, inside.
    #[must_use]
    pub fn role(self, role: &str, name: &str) -> Locator {
        self.then(Query::Role { role: role.to_owned(), name: Some(name.to_owned()) })
    }

    /// Elements with a role, whatever their names, inside.
    #[must_use]
    pub fn any_role(self, role: &str) -> Locator {
        self.then(Query::Role { role: role.to_owned(), name: None })
    }

    /// Form controls with a label, inside.
    #[must_use]
    pub fn label(self, label: &str) -> Locator {
        self.then(Query::Label(label.to_owned()))
    }

    /// The smallest elements that contain a text, inside.
    #[must_use]
    pub fn text(self, text: &str) -> Locator {
        self.then(Query::Text(text.to_owned()))
    }

    /// Elements that match a CSS selector, inside.
    #[must_use]
    pub fn css(self, selector: &str) -> Locator {
        self.then(Query::Css(selector.to_owned()))
    }

    /// Only those of the elements that contain a text.
    #[must_use]
    pub fn having_text(self, text: &str) -> Locator {
        self.then(Query::Having(text.to_owned()))
    }

    /// Only the element at an index, from 0, in the order of the document.
    #[must_use]
    pub fn nth(self, index: usize) -> Locator {
        self.then(Query::Nth(index))
    }

    /// Only the first element, in the order of the document.
    #[must_use]
    pub fn first(self) -> Locator {
        self.nth(0)
    }

    fn then(mut self, query: Query) -> Locator {
        self.queries.push(query);
        self
    }

    /// All matches as they are now.
    pub(super) fn matches(&self) -> Result<Matches> {
        let (elements, rest, _) = self.resolve_roles()?;
        let options =
            json!({ "queries": scripted(rest), "isResolved": rest.len() < self.queries.len() });
        let value = self.page.ask("matches", &elements, &options)?;
        serde_json::from_value(value).map_err(|error| Error::Unexpected {
            method: "matches".to_owned(),
            expected: "a list of elements",
            found: error.to_string(),
        })
    }

    /// Does one operation of the agent's on the only match.
    pub(super) fn only(&self, operation: &str, options: &Value) -> Result<Found> {
        let (elements, rest, near) = self.resolve_roles()?;
        let options = json!({
            "queries": scripted(rest), "isResolved": rest.len() < self.queries.len(),
            "operation": operation, "options": options,
        });
        let mut answer = self.page.ask_once("only", &elements, &options, true)?;
        match answer["count"].as_u64().unwrap_or_default() {
            0 => Ok(Found::Nothing(near)),
            1 => Ok(Found::Done(answer["result"].take())),
            count => Err(Error::Ambiguous {
                locator: self.to_string(),
                count: usize::try_from(count).unwrap_or(usize::MAX),
                matches: serde_json::from_value(answer["seen"].take()).unwrap_or_default(),
            }),
        }
    }

    /// Resolves the queries up to the last one by role, which only the browser can answer. Gives
    /// the elements, the queries that are left for the agent, and what came near if none matched.
    fn resolve_roles(&self) -> Result<(Vec<String>, &[Query], String)> {
        let mut elements = Vec::new();
        let mut near = String::new();
        let mut done = 0;
        for (index, query) in self.queries.iter().enumerate() {
            let Query::Role { role, name } = query else { continue };
            let between = &self.queries[done..index];
            let roots = if between.is_empty() && index > 0 {
                elements
            } else {
                self.page.elements(&elements, between)?
            };
            (elements, near) = self.page.by_role(&roots, role, name.as_deref())?;
            done = index + 1;
            if elements.is_empty() {
                break;
            }
        }
        Ok((elements, &self.queries[done..], near))
    }
}

impl Page {
    /// Remote object ids of what queries without roles match.
    fn elements(&self, roots: &[String], queries: &[Query]) -> Result<Vec<String>> {
        let options = json!({ "queries": scripted(queries) });
        let array = self.ask_once("roots", roots, &options, false)?;
        let properties = self.call(
            "Runtime.getProperties",
            json!({ "objectId": array["objectId"], "ownProperties": true }),
        )?;
        let properties = properties["result"].as_array().cloned().unwrap_or_default();
        Ok(properties
            .iter()
            .filter(|property| {
                property["name"].as_str().is_some_and(|name| name.parse::<u32>().is_ok())
            })
            .filter_map(|property| property["value"]["objectId"].as_str().map(str::to_owned))
            .collect())
    }

    /// Remote object ids of the elements with a role, and a name if one is given; and, when there
    /// is none, the names that elements of that role have.
    fn by_role(
        &self,
        roots: &[String],
        role: &str,
        name: Option<&str>,
    ) -> Result<(Vec<String>, String)> {
        const NAMES_SHOWN: usize = 10;
        let Agent { world, .. } = self.agent()?;
        let mut found: Vec<u64> = Vec::new();
        let mut others: Vec<String> = Vec::new();
        for root in roots {
            let tree = self.call(
                "Accessibility.queryAXTree",
                json!({ "objectId": root, "role": browser_role(role) }),
            )?;
            for node in tree["nodes"].as_array().into_iter().flatten() {
                let is_ignored = node["ignored"].as_bool().unwrap_or_default();
                let Some(id) = node["backendDOMNodeId"].as_u64().filter(|_| !is_ignored) else {
                    continue;
                };
                let its_name = normal(node["name"]["value"].as_str().unwrap_or_default());
                if name.is_some_and(|name| normal(name) != its_name) {
                    others.push(format!("{its_name:?}"));
                } else if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        let near = match (found.is_empty(), others.as_slice()) {
            (false, _) => String::new(),
            (true, []) => format!("no element with the role {role}"),
            (true, others) => {
                let shown = others.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
                format!("elements with the role {role} are named {shown}")
            }
        };
        let elements = found
            .into_iter()
            .map(|id| {
                let node = self.call(
                    "DOM.resolveNode",
                    json!({ "backendNodeId": id, "executionContextId": world }),
                )?;
                Ok(node["object"]["objectId"].as_str().unwrap_or_default().to_owned())
            })
            .collect::<Result<_>>()?;
        Ok((elements, near))
    }
}

/// The queries as the agent reads them.
fn scripted(queries: &[Query]) -> Vec<Value> {
    queries
        .iter()
        .map(|query| match query {
            Query::Css(css) => json!({ "css": css }),
            Query::Label(label) => json!({ "label": label }),
            Query::Text(text) => json!({ "text": text }),
            Query::Having(having) => json!({ "having": having }),
            Query::Nth(nth) => json!({ "nth": nth }),
            // Never left: queries by role are resolved before.
            Query::Role { .. } => Value::Null,
        })
        .collect()
}

/// Chromium's name of a role, where it is not ARIA's.
fn browser_role(role: &str) -> &str {
    match role {
        "img" => "image",
        "presentation" => "none",
        other => other,
    }
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::Css(css) => write!(f, "css {css:?}"),
            Query::Role { role, name: None } => f.write_str(role),
            Query::Role { role, name: Some(name) } => write!(f, "{role} {name:?}"),
            Query::Label(label) => write!(f, "control labelled {label:?}"),
            Query::Text(text) => write!(f, "text {text:?}"),
            Query::Having(text) => write!(f, "having the text {text:?}"),
            Query::Nth(index) => write!(f, "number {index}"),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, query) in self.queries.iter().enumerate() {
            if index > 0 {
                f.write_str(" > ")?;
            }
            write!(f, "{query}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locator({self})")
    }
}
