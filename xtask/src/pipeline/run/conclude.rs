//! What a process came to, as an outcome, and what the outcomes come to, as an exit code. Pure.
//!
//! A step that speaks Slipway's language hands over an outcome; of any other the exit code is all
//! there is, and every failure of it is a failed check: that `make` ends with 4 says nothing about
//! safety.

use crate::pipeline::exec::End;
use crate::pipeline::step::Step;
use report::{Exit, Finding, Level, Outcome, Status, StepReport};
use std::time::Duration;

/// The outcome of one attempt. `delivered`: what the step handed over, if anything. `imported`: the
/// findings of the JUnit and SARIF files that it wrote.
pub fn outcome(
    step: &Step,
    end: &End,
    delivered: anyhow::Result<Option<Outcome>>,
    imported: anyhow::Result<Vec<Finding>>,
    took: Duration,
) -> Outcome {
    let duration_ms = millis(took);
    if *end == End::Stopped {
        return Outcome { duration_ms, ..Outcome::new(Status::Cancelled, "") };
    }
    let (delivered, complaint) = match delivered {
        Ok(delivered) => (delivered, None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let has_delivered = delivered.is_some();
    let mut outcome = delivered.unwrap_or_else(|| Outcome::passed(""));
    outcome.replayed = false;
    outcome.duration_ms = duration_ms;
    let said = outcome.status;
    match end {
        End::Exited(_) if said == Status::Cancelled => {
            let summary = format!("cancelled itself: {}", outcome.summary);
            fail(&mut outcome, summary);
        }
        End::Exited(0) => {}
        End::Exited(_) if said == Status::Failed => {}
        End::Exited(code) if has_delivered => {
            fail(&mut outcome, format!("exit code {code}, though it reported `{said}`"));
        }
        End::Exited(code) => fail(&mut outcome, format!("exit code {code}")),
        End::Signalled(signal) => fail(&mut outcome, format!("killed by signal {signal}")),
        End::TimedOut => {
            let limit = config::Duration(step.timeout);
            fail(&mut outcome, format!("timed out after {limit}"));
        }
        End::NotStarted(message) => {
            fail(&mut outcome, message.clone());
            outcome.exit_code = i32::from(Exit::Unreachable.code());
        }
        End::Stopped => {}
    }
    if let Some(complaint) = complaint
        && outcome.status != Status::Failed
    {
        fail(&mut outcome, complaint);
    }
    import(&mut outcome, imported);
    if outcome.status == Status::Failed {
        outcome.exit_code = outcome.exit_code.max(1);
    } else {
        outcome.exit_code = 0;
    }
    outcome
}

fn fail(outcome: &mut Outcome, summary: String) {
    outcome.status = Status::Failed;
    outcome.summary = summary;
    outcome.exit_code = i32::from(Exit::Failed.code());
}

fn import(outcome: &mut Outcome, imported: anyhow::Result<Vec<Finding>>) {
    match imported {
        Ok(findings) => {
            let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
            outcome.findings.extend(findings);
            if errors > 0 && outcome.status == Status::Passed {
                let noun = if errors == 1 { "error" } else { "errors" };
                fail(outcome, format!("{errors} {noun} in what it wrote"));
            }
        }
        // A step that failed may have died before it wrote its report: that is told already.
        Err(error) if outcome.status == Status::Passed => fail(outcome, format!("{error:#}")),
        Err(_) => {}
    }
}

/// The exit code of a run that was not interrupted: 1 when any check failed, else the class of the
/// first failure (2 configuration, 3 the world, 4 safety), else 0.
pub fn exit_code(steps: &[StepReport]) -> i32 {
    let mut failures: Vec<&StepReport> = steps
        .iter()
        .filter(|step| step.outcome.status == Status::Failed && !step.allow_failure)
        .collect();
    failures.sort_by_key(|step| step.end_ms);
    let codes: Vec<i32> = failures
        .iter()
        .map(|step| match Exit::from_code(step.outcome.exit_code) {
            Some(exit @ (Exit::Usage | Exit::Unreachable | Exit::Refused)) => {
                i32::from(exit.code())
            }
            _ => i32::from(Exit::Failed.code()),
        })
        .collect();
    if codes.contains(&1) { 1 } else { codes.first().copied().unwrap_or(0) }
}

/// In milliseconds, as reports count.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::tests::step;

    fn concluded(end: &End, delivered: Option<Outcome>, findings: Vec<Finding>) -> Outcome {
        outcome(&step("a", &[]), end, Ok(delivered), Ok(findings), Duration::from_millis(7))
    }

    #[test]
    fn a_process_without_an_outcome_is_judged_by_its_end() {
        let summary = |end: &End| {
            let outcome = concluded(end, None, Vec::new());
            (outcome.status, outcome.exit_code, outcome.summary)
        };
        assert_eq!(summary(&End::Exited(0)), (Status::Passed, 0, String::new()));
        assert_eq!(summary(&End::Exited(3)), (Status::Failed, 1, "exit code 3".into()));
        assert_eq!(summary(&End::Signalled(9)), (Status::Failed, 1, "killed by signal 9".into()));
        assert_eq!(summary(&End::TimedOut), (Status::Failed, 1, "timed out after 10m".into()));
        assert_eq!(summary(&End::Stopped).0, Status::Cancelled);
        assert_eq!(summary(&End::NotStarted("no sh".into())).1, 3);
    }

    #[test]
    fn an_outcome_is_believed_unless_the_end_says_otherwise() {
        let unreachable = Outcome { exit_code: 3, ..Outcome::failed("no browser") };
        let outcome = concluded(&End::Exited(3), Some(unreachable.clone()), Vec::new());
        assert_eq!((outcome.exit_code, outcome.summary.as_str()), (3, "no browser"));
        assert_eq!(
            concluded(&End::Exited(0), Some(unreachable), Vec::new()).status,
            Status::Failed
        );
        let outcome = concluded(&End::Exited(9), Some(Outcome::passed("fine")), Vec::new());
        assert_eq!(outcome.summary, "exit code 9, though it reported `passed`");
        let outcome = concluded(&End::Signalled(11), Some(Outcome::passed("fine")), Vec::new());
        assert_eq!(outcome.status, Status::Failed);
    }

    #[test]
    fn an_error_read_in_fails_a_step_that_ended_well() {
        let errors = vec![Finding::error("a::b", "wrong"), Finding::warning("a::c", "careful")];
        let outcome = concluded(&End::Exited(0), None, errors);
        assert_eq!(outcome.summary, "1 error in what it wrote");
        assert_eq!((outcome.findings.len(), outcome.exit_code), (2, 1));
    }

    #[test]
    fn a_broken_outcome_fails_the_step() {
        let broken = Err(anyhow::anyhow!("x.json is not an outcome"));
        let took = Duration::ZERO;
        let outcome = outcome(&step("a", &[]), &End::Exited(0), broken, Ok(Vec::new()), took);
        assert_eq!(outcome.summary, "x.json is not an outcome");
    }

    #[test]
    fn one_failed_check_outweighs_all_other_failures() {
        let ended = |end_ms, exit_code, allow_failure| StepReport {
            name: String::new(),
            outcome: Outcome { exit_code, ..Outcome::failed("") },
            needs: Vec::new(),
            start_ms: 0,
            end_ms,
            allow_failure,
            attempts: 1,
            fingerprint: None,
            output: None,
        };
        assert_eq!(exit_code(&[]), 0);
        assert_eq!(exit_code(&[ended(2, 3, false), ended(1, 4, false)]), 4);
        assert_eq!(exit_code(&[ended(2, 1, false), ended(1, 4, false)]), 1);
        assert_eq!(exit_code(&[ended(2, 1, true), ended(1, 3, false)]), 3);
        assert_eq!(exit_code(&[ended(1, 101, false)]), 1);
    }
}
