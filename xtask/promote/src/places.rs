//! The environments of a project, in the order in which a release goes through them.

use crate::journal::RolloutPlan;
use config::{Config, Environment, ShiftStep, nearest};
use release::store::{Directory, Store};
use report::Fault;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a gate may be inconclusive when `xtask.toml` does not say.
const HOLD: Duration = Duration::from_secs(10 * 60);

/// An environment with its store.
#[derive(Debug, Clone)]
pub struct Place {
    pub name: String,
    pub settings: Environment,
    pub store: Arc<dyn Store>,
}

/// Every environment of a project, at least one; one that another needs stands before it.
#[derive(Debug, Clone)]
pub struct Places(Vec<Place>);

impl Places {
    /// Those of the project at `root`.
    ///
    /// # Errors
    /// When `xtask.toml` has none: exit code 2.
    pub fn of(root: &Path, config: &Config) -> Result<Places, Fault> {
        let mut places: Vec<Place> = Vec::new();
        let mut names = BTreeSet::new();
        // Each round brings at least one: environments that need each other are refused when the
        // configuration is read.
        while places.len() < config.environments.len() {
            let before = places.len();
            for (name, settings) in &config.environments {
                let is_next =
                    !names.contains(name) && settings.needs.iter().all(|need| names.contains(need));
                if is_next {
                    names.insert(name.clone());
                    let store = Arc::new(Directory::new(root.join(&settings.store)));
                    places.push(Place { name: name.clone(), settings: settings.clone(), store });
                    break;
                }
            }
            if places.len() == before {
                break;
            }
        }
        if places.is_empty() {
            return Err(Fault::usage(
                "xtask.toml has no [environments]: expected at least one, such as \
                 [environments.production] with `store` and `listen`",
            ));
        }
        Ok(Places(places))
    }

    pub fn all(&self) -> &[Place] {
        &self.0
    }

    /// Where the way ends.
    pub fn last(&self) -> &Place {
        &self.0[self.0.len() - 1]
    }

    /// The environment of this name, or all of them.
    ///
    /// # Errors
    /// When there is no such environment: exit code 2.
    pub fn named(&self, name: Option<&str>) -> Result<Vec<&Place>, Fault> {
        match name {
            Some(name) => Ok(vec![self.find(name)?]),
            None => Ok(self.0.iter().collect()),
        }
    }

    /// The environment with this name.
    ///
    /// # Errors
    /// When there is none: exit code 2.
    pub fn find(&self, name: &str) -> Result<&Place, Fault> {
        self.0.iter().find(|place| place.name == name).ok_or_else(|| {
            let names = || self.0.iter().map(|place| place.name.as_str());
            let meant = nearest(name, names());
            let meant = meant.map(|near| format!(", did you mean {near:?}?")).unwrap_or_default();
            let known = names().collect::<Vec<_>>().join(", ");
            Fault::usage(format!(
                "xtask.toml has no environment {name:?}{meant}; expected one of {known}"
            ))
        })
    }

    /// The way to an environment: all that it needs, and itself last. To the end when nothing is
    /// said: every environment.
    ///
    /// # Errors
    /// When there is no such environment: exit code 2.
    pub fn way_to(&self, to: Option<&str>) -> Result<Vec<&Place>, Fault> {
        let Some(to) = to else { return Ok(self.0.iter().collect()) };
        let mut wanted = BTreeSet::from([self.find(to)?.name.as_str()]);
        for place in self.0.iter().rev() {
            if wanted.contains(place.name.as_str()) {
                wanted.extend(place.settings.needs.iter().map(String::as_str));
            }
        }
        Ok(self.0.iter().filter(|place| wanted.contains(place.name.as_str())).collect())
    }
}

impl Place {
    /// What a rollout here does, by `xtask.toml` as it is now; without a backup, which depends on the
    /// release.
    pub fn plan(&self) -> RolloutPlan {
        let Environment { shift, gates, hold, .. } = &self.settings;
        let shift = match shift.as_slice() {
            [] => vec![ShiftStep { per_mille: 1000, watch: None }],
            shift => shift.to_vec(),
        };
        RolloutPlan {
            shift,
            gates: gates.clone(),
            hold: hold.unwrap_or(config::Duration(HOLD)),
            backup: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(needs: &[(&str, &[&str])]) -> Places {
        let mut toml = "[project]\nname = \"demo\"\n".to_owned();
        for (index, (name, needs)) in needs.iter().enumerate() {
            let needs = serde_json::to_string(needs).unwrap();
            toml += &format!(
                "[environments.{name}]\nstore = \"{name}\"\nlisten = \"127.0.0.1:{}\"\nneeds = {needs}\n",
                9000 + index
            );
        }
        let config = Config::parse(Path::new("xtask.toml"), &toml).unwrap();
        Places::of(Path::new("/"), &config).unwrap()
    }

    fn names(way: &[&Place]) -> String {
        way.iter().map(|place| place.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_an_environment_needs_comes_before_it() {
        let places = places(&[("a", &["m", "z"]), ("m", &["z"]), ("z", &[]), ("demo", &[])]);
        assert_eq!(names(&places.way_to(None).unwrap()), "demo z m a");
        assert_eq!(names(&places.way_to(Some("m")).unwrap()), "z m");
        assert_eq!(names(&places.way_to(Some("demo")).unwrap()), "demo");
        let error = places.way_to(Some("demp")).unwrap_err();
        assert!(error.message.contains("did you mean \"demo\"?"), "{error}");
    }

    #[test]
    fn all_of_the_traffic_at_once_is_the_default() {
        let plan = places(&[("a", &[])]).0[0].plan();
        assert_eq!(plan.shift, [ShiftStep { per_mille: 1000, watch: None }]);
        assert_eq!(plan.hold.0, HOLD);
    }
}
