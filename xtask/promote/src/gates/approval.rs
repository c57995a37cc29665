//! `approval`: a person says yes.

use super::Gates;
use crate::journal::Verdict;
use crate::rollout::{Judgement, Situation};
use std::fmt;
use std::time::Duration;

/// How long a person is waited for before the rollout looks whether another approved meanwhile.
const ASK_FOR: Duration = Duration::from_secs(2);

/// Asks a person at a terminal.
pub trait Prompt: fmt::Debug + Send + Sync {
    /// Asks a question, the same one again until there is an answer: to be shown once. Waits at most so
    /// long; `None` when there is no answer yet, or none can be given.
    fn ask(&self, question: &str, wait: Duration, is_stopped: &dyn Fn() -> bool) -> Option<bool>;
}

impl Gates {
    pub(super) fn approval(
        &self,
        situation: &Situation<'_>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Judgement {
        let rollout = situation.rollout;
        if let Some(who) = &rollout.approved_by {
            return Judgement::new(Verdict::Pass, format!("approved by {who}"));
        }
        let environment = &self.name;
        if let Some(prompt) = &self.prompt {
            let (id, release) = (rollout.id, &rollout.release);
            let question = format!("approve rollout {id} of {release} to {environment}? [y/N]");
            match prompt.ask(&question, ASK_FOR, is_stopped) {
                Some(true) => return Judgement::new(Verdict::Pass, "approved at the terminal"),
                Some(false) => return Judgement::new(Verdict::Fail, "refused at the terminal"),
                None => {}
            }
        }
        let reason = format!(
            "nobody has approved yet; `cargo xtask promote --approve --to {environment}` does"
        );
        Judgement::new(Verdict::Inconclusive, reason)
    }
}
