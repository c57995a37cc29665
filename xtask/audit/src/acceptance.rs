//! `[[audit.ignore]]`: advisories that are known and accepted until a date.

use crate::text::line_of;
use config::{Audit, FILE_NAME, IgnoredAdvisory};
use jiff::civil::Date;
use report::{Finding, Level, Place};
use std::path::Path;

/// The accepted advisories, and which of them were met.
#[derive(Debug)]
pub(crate) struct Acceptances {
    all: Vec<Acceptance>,
    /// Kinds of advisories that were looked at: only then can one be called unused.
    is_complete: bool,
}

#[derive(Debug)]
struct Acceptance {
    ignored: IgnoredAdvisory,
    line: Option<u32>,
    is_expired: bool,
    is_met: bool,
}

impl Acceptances {
    pub(crate) fn new(root: &Path, audit: &Audit, today: Date) -> Acceptances {
        let text = std::fs::read_to_string(root.join(FILE_NAME)).unwrap_or_default();
        let all = audit
            .ignore
            .iter()
            .map(|ignored| Acceptance {
                line: line_of(&text, &format!("\"{}\"", ignored.id)),
                is_expired: ignored.until.0 < today,
                is_met: false,
                ignored: ignored.clone(),
            })
            .collect();
        Acceptances { all, is_complete: true }
    }

    /// Something could not be looked at, so an acceptance that was not met may still be needed.
    pub(crate) fn is_incomplete(&mut self) {
        self.is_complete = false;
    }

    /// Applies the acceptances to a finding with these ids (its own and its aliases): an accepted
    /// one becomes a note, an expired acceptance leaves it as it is and says so.
    pub(crate) fn apply(&mut self, mut finding: Finding, ids: &[&str]) -> Finding {
        let Some(acceptance) =
            self.all.iter_mut().find(|acceptance| ids.contains(&acceptance.ignored.id.as_str()))
        else {
            return finding;
        };
        acceptance.is_met = true;
        let IgnoredAdvisory { reason, until, .. } = &acceptance.ignored;
        if acceptance.is_expired {
            finding
                .message
                .push_str(&format!("\nwas accepted until {until}, which is over: {reason}"));
        } else {
            finding.level = Level::Note;
            finding.message.push_str(&format!("\naccepted until {until}: {reason}"));
        }
        finding
    }

    /// What is to be said of the acceptances themselves.
    pub(crate) fn conclude(self) -> Vec<Finding> {
        let is_complete = self.is_complete;
        self.all
            .into_iter()
            .filter_map(|acceptance| {
                let IgnoredAdvisory { id, until, .. } = &acceptance.ignored;
                let finding = if acceptance.is_expired && acceptance.is_met {
                    Finding::note(
                        "audit::expired",
                        format!("{id} was accepted until {until}, which is over: it counts again"),
                    )
                    .help("update the package, or look at the reason again and set a new `until`")
                } else if !acceptance.is_met && is_complete {
                    Finding::warning(
                        "audit::unused",
                        format!(
                            "{id} is accepted until {until}, but nothing here is affected by it"
                        ),
                    )
                    .help("remove this [[audit.ignore]]")
                } else {
                    return None;
                };
                Some(finding.at(match acceptance.line {
                    Some(line) => Place::line(FILE_NAME, line),
                    None => Place::file(FILE_NAME),
                }))
            })
            .collect()
    }
}
