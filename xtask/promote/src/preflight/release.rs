//! The release itself: opened, its signature believed, every file proved, its evidence there.

use super::Missing;
use ::release::command::Project;
use ::release::evidence::{self, Checked, EvidenceFolder, Verdict};
use ::release::signing::{Signer, UNSIGNED};
use ::release::{Release, ReleaseDir, ReleaseId, Releases, Sha256};
use anyhow::Context;
use config::{BUILTIN_STEPS, Config, When, has_built_in};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A release that a person wants to promote, and what was found out about it.
#[derive(Debug)]
pub struct Candidate {
    pub release: Release,
    /// Whose signature it bears; `None` when it is not to be believed.
    pub signer: Option<Signer>,
    /// What is wrong with the release, whatever the environment.
    pub missing: Vec<Missing>,
    evidence: Vec<(String, String)>,
    /// Later ones that were passed over for lack of evidence.
    pub passed_over: Vec<ReleaseId>,
}

/// A step, and what its evidence says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub step: String,
    /// `passed`, or what is wrong with it.
    pub verdict: String,
    pub has_passed: bool,
    /// The key's name.
    pub signed_by: Option<String>,
    pub is_for_production: bool,
    /// What the step said.
    pub summary: Option<String>,
}

impl Candidate {
    /// Looks at the release that a person means, or else the one that was built last of those that
    /// have evidence.
    ///
    /// # Errors
    /// When there is no such release (2), it cannot be opened (4), or the disk cannot be read.
    pub fn find(project: &Project, name: Option<&str>) -> anyhow::Result<Candidate> {
        let (release, passed_over) = match name {
            Some(name) => (project.release(Some(name))?, Vec::new()),
            None => last_with_evidence(project)?,
        };
        Candidate::of(project, release, passed_over)
    }

    /// Looks at a release that was built here.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn of(
        project: &Project,
        release: Release,
        passed_over: Vec<ReleaseId>,
    ) -> anyhow::Result<Candidate> {
        let mut missing = Vec::new();
        let signer = match release.signer(&project.trust) {
            Ok(signer) => {
                if !is_enough(project, &signer) {
                    missing.push(Missing::new(
                        format!("its signature is of {signer}, and [signing] trusts other keys"),
                        "run `cargo xtask ci` with XTASK_SIGNING_KEY set to the file of a trusted key",
                    ));
                }
                Some(signer)
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                missing.push(Missing::new(
                    format!("its signature is not to be believed: {error:#}"),
                    "run `cargo xtask ci` with a trusted key, see `cargo xtask key show`",
                ));
                None
            }
        };
        if let Err(error) = release.verify() {
            let error = anyhow::Error::from(error);
            missing.push(Missing::new(
                format!("its files are not what its manifest says: {error:#}"),
                "run `cargo xtask build` to make it again",
            ));
        }
        let id = &release.manifest().id;
        let evidence = EvidenceFolder::of(&project.root, id).read_all();
        let evidence = evidence.context("failed to read the evidence")?;
        Ok(Candidate { release, signer, missing, evidence, passed_over })
    }

    pub fn id(&self) -> &ReleaseId {
        &self.release.manifest().id
    }

    pub fn manifest_sha256(&self) -> Sha256 {
        self.release.manifest_sha256()
    }

    /// What the evidence of these steps says.
    pub fn proofs(&self, project: &Project, required: &[String]) -> Vec<Proof> {
        let names: Vec<&str> = required.iter().map(String::as_str).collect();
        let (id, sha256) = (self.id(), self.manifest_sha256());
        let checked = evidence::check(&self.evidence, &names, &project.trust, id, sha256);
        checked.into_iter().take(names.len()).map(|it| Proof::of(project, it)).collect()
    }

    /// What of the required evidence is missing.
    pub fn missing_evidence(proofs: &[Proof]) -> Option<Missing> {
        let lacking: Vec<String> = proofs
            .iter()
            .filter(|proof| !proof.has_passed)
            .map(|proof| format!("`{}` ({})", proof.step, proof.verdict))
            .collect();
        let what = format!("evidence of {}", lacking.join(", "));
        (!lacking.is_empty()).then(|| Missing::new(what, "run `cargo xtask ci`"))
    }
}

impl Proof {
    fn of(project: &Project, checked: Checked) -> Proof {
        let is_trusted = checked.signer.as_ref().is_some_and(|signer| is_enough(project, signer));
        let verdict = match &checked.verdict {
            Verdict::Passed if !is_trusted => {
                "signed by a key that [signing] does not trust".into()
            }
            verdict => verdict.to_string(),
        };
        Proof {
            step: checked.step,
            has_passed: checked.verdict.has_passed() && is_trusted,
            verdict,
            signed_by: checked.signer.as_ref().map(|signer| signer.name.to_string()),
            is_for_production: checked.signer.is_some_and(|signer| signer.is_for_production),
            summary: checked.evidence.map(|evidence| evidence.summary),
        }
    }
}

/// A development key is enough only where no key is trusted.
fn is_enough(project: &Project, signer: &Signer) -> bool {
    signer.is_for_production || project.config.signing.trusted.is_empty()
}

/// The steps whose evidence an environment asks for: those that it names, else all built-in steps that
/// every run of the project has.
pub fn required_steps(root: &Path, config: &Config, named: Option<&[String]>) -> Vec<String> {
    if let Some(named) = named {
        return named.to_vec();
    }
    let is_in_every_run = |step: &&str| {
        let section = config.steps.get(*step);
        let is_replaced = section.is_some_and(|section| section.run.is_some());
        let is_always =
            section.is_none_or(|section| section.when == When::Always && !section.allow_failure);
        is_always && (is_replaced || has_built_in(root, config, step))
    };
    BUILTIN_STEPS.iter().filter(|step| is_in_every_run(step)).map(|&step| step.to_owned()).collect()
}

fn last_with_evidence(project: &Project) -> anyhow::Result<(Release, Vec<ReleaseId>)> {
    let releases: Releases = project.releases();
    let all = releases.list().map_err(::release::command::release_fault)?;
    let has_evidence = |dir: &&ReleaseDir| {
        let folder = EvidenceFolder::of(&project.root, &dir.id);
        folder.read_all().is_ok_and(|documents| !documents.is_empty())
    };
    match all.iter().find(has_evidence) {
        Some(found) => {
            let later = all.iter().take_while(|dir| dir.id != found.id);
            let release = Release::open(&found.path).map_err(::release::command::release_fault)?;
            Ok((release, later.map(|dir| dir.id.clone()).collect()))
        }
        // The latest then says all that it lacks.
        None => Ok((project.release(None)?, Vec::new())),
    }
}

/// What every surface says of who signed.
pub fn signed(signer: Option<&Signer>) -> String {
    signer.map_or_else(|| format!("nobody that is trusted, {UNSIGNED}"), ToString::to_string)
}
