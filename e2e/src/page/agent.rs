//! The library's own script in a page: see `agent.js` for what it can be asked.

use super::{Page, thrown};
use crate::wire::lock;
use crate::{Error, Result};
use serde_json::{Value, json};

/// Name of the isolated world, as developer tools show it.
const WORLD: &str = "slipway";
const SOURCE: &str = include_str!("agent.js");

/// The script, at home in one document.
#[derive(Clone)]
pub(super) struct Agent {
    /// Remote object id of the agent.
    object: String,
    /// The isolated world that it lives in.
    pub(super) world: u64,
    /// Counts moves of the page; another count, and the agent may be of a document that is gone.
    moves: u64,
}

impl Page {
    /// Asks the agent a question, with elements that were found outside. Reading only: a document
    /// that goes away meanwhile is no error, the next one is asked.
    pub(super) fn ask(
        &self,
        question: &str,
        elements: &[String],
        options: &Value,
    ) -> Result<Value> {
        const TRIES: u32 = 5;
        let mut tries = 1;
        loop {
            match self.ask_once(question, elements, options, true) {
                Err(error) if error.is_stale() && elements.is_empty() && tries < TRIES => {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// Asks the agent once; with `by_value` false the answer is a remote object's description.
    pub(super) fn ask_once(
        &self,
        question: &str,
        elements: &[String],
        options: &Value,
        by_value: bool,
    ) -> Result<Value> {
        let agent = self.agent()?;
        let mut arguments = vec![json!({ "value": question }), json!({ "value": options })];
        arguments.extend(elements.iter().map(|element| json!({ "objectId": element })));
        let answer = self.call(
            "Runtime.callFunctionOn",
            json!({
                "objectId": agent.object,
                "functionDeclaration":
                    "function (question, options, ...elements) { return this[question](elements, options); }",
                "arguments": arguments,
                "returnByValue": by_value,
            }),
        );
        let result = match answer {
            Ok(answer) => thrown(question, answer),
            Err(error) => Err(error),
        };
        if result.as_ref().is_err_and(Error::is_stale) {
            lock(&self.inner.agent).take();
        }
        let mut result = result?;
        Ok(if by_value { result["value"].take() } else { result })
    }

    /// The agent of the document that the page shows now.
    pub(super) fn agent(&self) -> Result<Agent> {
        let moves = lock(&self.inner.events.state).moves;
        if let Some(agent) = lock(&self.inner.agent).as_ref().filter(|agent| agent.moves == moves) {
            return Ok(agent.clone());
        }
        let world = self.call(
            "Page.createIsolatedWorld",
            json!({ "frameId": self.inner.target, "worldName": WORLD }),
        )?;
        let world = world["executionContextId"].as_u64().unwrap_or_default();
        let evaluated =
            self.call("Runtime.evaluate", json!({ "expression": SOURCE, "contextId": world }))?;
        let object = thrown("the library's agent", evaluated)?["objectId"].take();
        let agent = Agent { object: object.as_str().unwrap_or_default().to_owned(), world, moves };
        *lock(&self.inner.agent) = Some(agent.clone());
        Ok(agent)
    }
}
