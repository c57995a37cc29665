//! Whether evidence is to be believed, step by step.

use crate::evidence::{Document, Evidence};
use crate::signing::{SignatureError, Signer, Trust};
use crate::{ReleaseId, Sha256};
use report::Status;
use std::fmt;

/// A step, and what its evidence is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub step: String,
    pub verdict: Verdict,
    /// What was recorded, even if it is not to be believed; `None` when there is nothing, or nothing
    /// that can be read.
    pub evidence: Option<Evidence>,
    /// Who signed it; `None` unless the signature is sound.
    pub signer: Option<Signer>,
}

/// What the evidence of a step is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The step passed, and a trusted key says so of this very release.
    Passed,
    /// A trusted key says that the step failed.
    Failed { summary: String },
    /// There is none.
    Missing,
    /// There is some that nobody signed.
    Unsigned,
    /// A key signed it that the project does not trust.
    WrongKey { reason: String },
    /// It is of another release, or of another step.
    WrongDigest { reason: String },
    /// It was changed after it was signed, or is no evidence at all.
    Tampered { reason: String },
}

impl Verdict {
    pub fn has_passed(&self) -> bool {
        *self == Verdict::Passed
    }
}

impl fmt::Display for Verdict {
    /// `passed`, or what is wrong in a phrase fit to follow the step's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Passed => f.write_str("passed"),
            Verdict::Failed { summary } if summary.is_empty() => f.write_str("failed"),
            Verdict::Failed { summary } => write!(f, "failed: {summary}"),
            Verdict::Missing => f.write_str("missing"),
            Verdict::Unsigned => f.write_str("unsigned"),
            Verdict::WrongKey { reason } => write!(f, "wrong key: {reason}"),
            Verdict::WrongDigest { reason } => write!(f, "wrong digest: {reason}"),
            Verdict::Tampered { reason } => write!(f, "tampered: {reason}"),
        }
    }
}

/// Checks the evidence of a release: that of each of the `required` steps, in their order, then that
/// of all others. `documents`: steps and the texts recorded for them, as
/// [`EvidenceFolder::read_all`](crate::evidence::EvidenceFolder::read_all) gives them, or a store's
/// `releases/<id>/evidence/<step>.json`.
pub fn check(
    documents: &[(String, String)],
    required: &[&str],
    trust: &Trust,
    release: &ReleaseId,
    manifest_sha256: Sha256,
) -> Vec<Checked> {
    let of = |step: &str| documents.iter().find(|(name, _)| name == step);
    let one = |step: &str| match of(step) {
        Some((_, text)) => judge(step, text, trust, release, manifest_sha256),
        None => Checked {
            step: step.to_owned(),
            verdict: Verdict::Missing,
            evidence: None,
            signer: None,
        },
    };
    let others = documents.iter().map(|(step, _)| step.as_str());
    let others = others.filter(|step| !required.contains(step));
    required.iter().copied().chain(others).map(one).collect()
}

fn judge(
    step: &str,
    text: &str,
    trust: &Trust,
    release: &ReleaseId,
    manifest_sha256: Sha256,
) -> Checked {
    let checked =
        |verdict, evidence, signer| Checked { step: step.to_owned(), verdict, evidence, signer };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(reason) => return checked(Verdict::Tampered { reason }, None, None),
    };
    let Document { evidence, signed, signature } = document;
    let Some(signature) = signature else {
        return checked(Verdict::Unsigned, Some(evidence), None);
    };
    // First whether it is what was signed, whatever that is.
    let signer = match trust.verify(&signature, signed.as_bytes(), &evidence.statement()) {
        Ok(signer) => signer,
        Err(error) => {
            let reason = error.to_string();
            let verdict = match error {
                SignatureError::UnknownKey { .. } => Verdict::WrongKey { reason },
                _ => Verdict::Tampered { reason },
            };
            return checked(verdict, Some(evidence), None);
        }
    };
    let verdict = match other_subject(&evidence, step, release, manifest_sha256) {
        Some(reason) => Verdict::WrongDigest { reason },
        None if evidence.status == Status::Passed => Verdict::Passed,
        None => Verdict::Failed { summary: evidence.summary.clone() },
    };
    checked(verdict, Some(evidence), Some(signer))
}

/// What the evidence is of, where that is not what was asked about.
fn other_subject(
    evidence: &Evidence,
    step: &str,
    release: &ReleaseId,
    manifest_sha256: Sha256,
) -> Option<String> {
    if evidence.step != step {
        Some(format!("it is of the step {}", evidence.step))
    } else if evidence.release != *release {
        Some(format!("it is of release {}", evidence.release))
    } else if evidence.manifest_sha256 != manifest_sha256 {
        Some(format!("it is of a manifest with SHA-256 {}", evidence.manifest_sha256))
    } else {
        None
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
