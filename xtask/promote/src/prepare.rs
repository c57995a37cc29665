//! Looks at everything before anything is changed: the release, every environment on its way, and
//! what is missing.

use crate::fault;
use crate::journal::{Override, Verdict};
use crate::places::{Place, Places};
use crate::plan::{EnvironmentPlan, PromotionPlan, Todo, moves};
use crate::preflight::schema;
use crate::preflight::{Candidate, Missing, Standing, required_steps, signed, stand};
use crate::walk::Equipment;
use config::{Gate, Limit};
use jiff::Timestamp;
use release::command::Project;
use release::store::{manifest as manifest_key, stored_manifest};
use release::{Manifest, ReleaseId, Sha256};
use report::Fault;

/// What a person asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub release: Option<&'a str>,
    pub to: Option<&'a str>,
    pub is_resume: bool,
    pub overrides: &'a [Override],
}

/// A promotion that was looked at.
#[derive(Debug)]
pub struct Prepared {
    pub manifest: Manifest,
    pub plan: PromotionPlan,
    /// In the order of the plan's environments.
    pub places: Vec<Place>,
}

/// Looks at what is asked for.
///
/// # Errors
/// When there is no such release or environment (2), or something cannot be read.
pub fn prepare(project: &Project, asked: Asked<'_>) -> anyhow::Result<Prepared> {
    let all = Places::of(&project.root, &project.config)?;
    let way = all.way_to(asked.to)?;
    let standings = way.iter().map(|place| stand(place)).collect::<anyhow::Result<Vec<_>>>()?;
    let way: Vec<(&Place, &Standing)> = way.into_iter().zip(&standings).collect();
    let candidate = if asked.is_resume {
        match resumed(project, &way, asked.release)? {
            Resumed::Here(candidate) => *candidate,
            Resumed::InStore { place, standing, id } => return only(place, standing, &id),
        }
    } else {
        Candidate::find(project, asked.release)?
    };
    let mut missing = candidate.missing.clone();
    let mut environments = Vec::new();
    for (index, (place, standing)) in way.iter().enumerate() {
        let before: Vec<&Place> = way[..index].iter().map(|(place, _)| *place).collect();
        let overrides = asked.overrides;
        let look = Look { project, candidate: &candidate, all: &all, place, standing, overrides };
        let (plan, lacking) = look.plan(&before, asked.is_resume)?;
        missing.extend(lacking);
        environments.push(plan);
    }
    if environments.iter().all(|it| it.todo == Todo::IsLive) {
        // Nothing is going to be done that anything could be missing for.
        missing.clear();
    }
    let manifest = candidate.release.manifest().clone();
    let signer = candidate.signer.as_ref();
    let plan = PromotionPlan {
        signed_by: signed(signer),
        is_for_production: signer.is_some_and(|signer| signer.is_for_production),
        passed_over: candidate.passed_over.clone(),
        environments,
        missing,
        ..of_manifest(&manifest, candidate.manifest_sha256())
    };
    let places = way.into_iter().map(|(place, _)| place.clone()).collect();
    Ok(Prepared { manifest, plan, places })
}

/// Where the release of a rollout that is to be resumed is.
enum Resumed<'a> {
    Here(Box<Candidate>),
    InStore { place: &'a Place, standing: &'a Standing, id: ReleaseId },
}

fn resumed<'a>(
    project: &Project,
    way: &[(&'a Place, &'a Standing)],
    named: Option<&str>,
) -> anyhow::Result<Resumed<'a>> {
    let running = way.iter().find_map(|(place, standing)| {
        standing.state.running().map(|rollout| (*place, *standing, rollout.release.clone()))
    });
    let Some((place, standing, id)) = running else {
        let names: Vec<&str> = way.iter().map(|(place, _)| place.name.as_str()).collect();
        let names = names.join(", ");
        let message = format!("no rollout is under way in {names}: nothing to resume");
        return Err(Fault::usage(message).into());
    };
    let is_meant = named.is_none_or(|name| {
        name == id.as_str() || project.releases().find(Some(name)).is_ok_and(|it| it.id == id)
    });
    if !is_meant {
        let message = format!(
            "the rollout that is under way in {} is of {id}: leave the release away to resume it",
            place.name
        );
        return Err(Fault::usage(message).into());
    }
    if project.releases().path_of(&id).is_dir() {
        let release = project.release(Some(id.as_str()))?;
        let candidate = Candidate::of(project, release, Vec::new())?;
        return Ok(Resumed::Here(Box::new(candidate)));
    }
    Ok(Resumed::InStore { place, standing, id })
}

/// A rollout whose release is in the store alone goes on in its own environment: that is all that can
/// be proved here.
fn only(place: &Place, standing: &Standing, id: &ReleaseId) -> anyhow::Result<Prepared> {
    let store = &*place.store;
    let in_store = |error| fault::of_store_of(error, &place.name);
    let manifest = stored_manifest(store, id).map_err(in_store)?;
    let bytes = store.read(&manifest_key(id)).map_err(in_store)?.map(|stored| stored.bytes);
    let plan = PromotionPlan {
        signed_by: "a key that was proved when the rollout began".to_owned(),
        environments: vec![plan_of(place, standing, id, true)],
        ..of_manifest(&manifest, Sha256::of(&bytes.unwrap_or_default()))
    };
    Ok(Prepared { manifest, plan, places: vec![place.clone()] })
}

fn of_manifest(manifest: &Manifest, manifest_sha256: Sha256) -> PromotionPlan {
    PromotionPlan {
        project: manifest.project.clone(),
        release: manifest.id.clone(),
        manifest_sha256,
        commit: manifest.commit.clone(),
        created: manifest.created.clone(),
        has_uncommitted_changes: manifest.has_uncommitted_changes,
        files: manifest.files.len(),
        site_bytes: manifest.transfer_bytes(None),
        has_server: manifest.server.is_some(),
        signed_by: String::new(),
        is_for_production: false,
        passed_over: Vec::new(),
        environments: Vec::new(),
        missing: Vec::new(),
    }
}

fn plan_of(place: &Place, standing: &Standing, id: &ReleaseId, is_resume: bool) -> EnvironmentPlan {
    let live = standing.routing.live.clone();
    let running = standing.state.running().filter(|rollout| is_resume && rollout.release == *id);
    let (todo, rollout) = match running {
        Some(running) => {
            let (rollout, at) = (running.id, running.phase.to_string());
            (Todo::Resume { rollout, at }, running.plan.clone())
        }
        None if standing.is_live(id) => (Todo::IsLive, place.plan()),
        None => (Todo::Begin, place.plan()),
    };
    let limits = place.settings.analysis.iter();
    let is_analysed = rollout.gates.contains(&Gate::Analysis);
    EnvironmentPlan {
        name: place.name.clone(),
        moves: moves(&rollout, live.is_none()),
        todo,
        live,
        needs: place.settings.needs.clone(),
        limits: limits
            .filter(|_| is_analysed)
            .map(|(metric, limit)| (metric.name().to_owned(), shown(limit)))
            .collect(),
        rollout,
        evidence: Vec::new(),
        schema: None,
    }
}

fn shown(limit: &Limit) -> String {
    let max = limit.max.map(|max| format!("max {max}"));
    let against = limit.against_live.map(|against| format!("against live: {against}"));
    let source = limit.source.as_ref().map(|source| format!("from {source}"));
    max.into_iter().chain(against).chain(source).collect::<Vec<_>>().join(", ")
}

/// One environment, looked at for one release.
struct Look<'a> {
    project: &'a Project,
    candidate: &'a Candidate,
    all: &'a Places,
    place: &'a Place,
    standing: &'a Standing,
    overrides: &'a [Override],
}

impl Look<'_> {
    fn plan(
        &self,
        before: &[&Place],
        is_resume: bool,
    ) -> anyhow::Result<(EnvironmentPlan, Vec<Missing>)> {
        let Look { project, place, standing, .. } = self;
        let mut plan = plan_of(place, standing, self.candidate.id(), is_resume);
        let named = place.settings.evidence.as_deref();
        let required = required_steps(&project.root, &project.config, named);
        plan.evidence = self.candidate.proofs(project, &required);
        if plan.todo != Todo::Begin {
            return Ok((plan, Vec::new()));
        }
        let mut missing: Vec<Missing> = Vec::new();
        missing.extend(Candidate::missing_evidence(&plan.evidence));
        missing.extend(self.uncommitted());
        missing.extend(self.other_project());
        missing.extend(self.needs(before)?);
        missing.extend(self.window()?);
        missing.extend(self.data(&mut plan));
        let mut missing: Vec<Missing> = missing.into_iter().map(|it| it.of(&place.name)).collect();
        missing.extend(standing.missing(place));
        Ok((plan, missing))
    }

    /// What it does to the data: a copy is kept first, where a command for that is given.
    fn data(&self, plan: &mut EnvironmentPlan) -> Vec<Missing> {
        let server = self.candidate.release.manifest().server.as_ref();
        let candidate = server.and_then(|server| server.schema);
        let (state, live) = (&self.standing.state, plan.live.as_ref());
        let backup = self.place.settings.backup.as_ref();
        let missing = schema::missing(state, live, candidate, backup.is_some(), self.overrides);
        plan.schema = schema::change(state, live, candidate);
        if plan.schema.is_some() && !self.overrides.contains(&Override::NoBackup) {
            plan.rollout.backup = backup.cloned();
            plan.moves = moves(&plan.rollout, live.is_none());
        }
        missing
    }

    fn uncommitted(&self) -> Option<Missing> {
        let is_wrong = self.candidate.release.manifest().has_uncommitted_changes
            && !self.place.settings.allow_uncommitted;
        is_wrong.then(|| {
            Missing::new(
                "it was built from uncommitted changes",
                "commit them and run `cargo xtask ci`, or set `allow-uncommitted = true`",
            )
        })
    }

    /// A store that two projects have by mistake: each would take the other's site from its visitors.
    fn other_project(&self) -> Option<Missing> {
        let live = self.standing.routing.live.as_ref()?;
        // What cannot be read is found elsewhere.
        let theirs = stored_manifest(&*self.place.store, live).ok()?.project;
        let ours = &self.candidate.release.manifest().project;
        (theirs != *ours && !self.overrides.contains(&Override::OtherProject)).then(|| {
            Missing::new(
                format!("{live} is live in its store, of the project {theirs:?}; this is {ours:?}"),
                "give it a `store` of its own; where the project was renamed, \
                 `--allow-other-project`",
            )
        })
    }

    /// A release comes here from where it was live.
    fn needs(&self, before: &[&Place]) -> anyhow::Result<Vec<Missing>> {
        let id = self.candidate.id();
        let mut missing = Vec::new();
        for need in &self.place.settings.needs {
            if before.iter().any(|place| place.name == *need) {
                continue;
            }
            if !stand(self.all.find(need)?)?.state.was_live.contains(id) {
                missing.push(Missing::new(
                    format!("it was never live in {need}"),
                    format!("run `cargo xtask promote {id} --to {need}`"),
                ));
            }
        }
        Ok(missing)
    }

    fn window(&self) -> anyhow::Result<Option<Missing>> {
        // Also proves that the gates can be set up at all.
        let equipment = Equipment::of(self.project, self.place, false)?;
        if !self.place.plan().gates.contains(&Gate::Window) {
            return Ok(None);
        }
        let judgement = equipment.gates.window(Timestamp::now());
        Ok((judgement.verdict != Verdict::Pass).then(|| {
            let needs = &self.place.settings.needs;
            let mend = match needs.last() {
                Some(need) => format!("wait, or go as far as `--to {need}`"),
                None => "wait".to_owned(),
            };
            Missing::new(format!("its window is not open: {}", judgement.reason), mend)
        }))
    }
}
