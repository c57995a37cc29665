//! Rules of environments, sources and signing that the types alone cannot say.

use crate::locate::Part;
use crate::validate::{Check, Checked};
use crate::{
    BUILTIN_STEPS, Config, Environment, Gate, Limit, Max, Metric, ShiftStep, SourceKind, nearest,
};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// The source that every environment has.
const EDGE_SOURCE: &str = "edge";

/// Folder of what Slipway itself keeps in a project: a store inside may be, but none around it.
const OWN_FOLDER: &str = "target/xtask";

/// Checks what a configuration says of promotion.
pub(crate) fn validate(config: &Config, check: &Check<'_>) -> Checked {
    for (name, source) in &config.sources {
        let way = ["sources".into(), name.as_str().into(), "url".into()];
        if name == EDGE_SOURCE {
            return check.fail(&way[..2], "expected another name: `edge` is the edge itself");
        }
        if !source.url.starts_with("http://") && !source.url.starts_with("https://") {
            let message = format!("expected an address with http or https, found {:?}", source.url);
            return check.fail(&way, message);
        }
    }
    let named = config.environments.iter();
    let of = |name, environment| Environments { config, check, name, environment };
    let all: Vec<_> = named.map(|(name, environment)| of(name, environment)).collect();
    // First what is wrong with one alone: others would be told that they are inside it.
    all.iter().try_for_each(Environments::store_apart)?;
    all.iter().try_for_each(Environments::validate)
}

struct Environments<'a> {
    config: &'a Config,
    check: &'a Check<'a>,
    name: &'a str,
    environment: &'a Environment,
}

impl<'a> Environments<'a> {
    fn at(&self, key: &'a str) -> [Part<'a>; 3] {
        ["environments".into(), self.name.into(), key.into()]
    }

    fn fail(&self, key: &str, message: impl Into<String>) -> Checked {
        self.check.fail(&["environments".into(), self.name.into(), key.into()], message)
    }

    fn validate(&self) -> Checked {
        self.name_and_place()?;
        self.needs()?;
        self.evidence()?;
        self.shift()?;
        self.gates()?;
        for (metric, limit) in &self.environment.analysis {
            self.limit(*metric, limit)?;
        }
        match &self.environment.window {
            Some(window) if window.days.is_empty() => {
                self.fail("window", "expected days, found none")
            }
            Some(window) if window.from >= window.to => self.fail(
                "window",
                format!("expected `from` before `to`, found {} and {}", window.from, window.to),
            ),
            _ => Ok(()),
        }
    }

    fn name_and_place(&self) -> Checked {
        let Environment { store, listen, .. } = self.environment;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(is_plain) {
            let way = self.at("");
            return self.check.fail(
                &way[..2],
                format!("expected a name of letters, digits, `-` and `_`, found {:?}", self.name),
            );
        }
        for (other, environment) in
            self.config.environments.iter().filter(|(it, _)| *it != self.name)
        {
            let (here, there) = (self.folder(store), self.folder(&environment.store));
            if here == there {
                return self
                    .fail("store", format!("expected a store of its own: `{other}` has it"));
            }
            if here.starts_with(&there) {
                let message =
                    format!("expected a store of its own: it is inside that of `{other}`");
                return self.fail("store", message);
            }
            if environment.listen == *listen && listen.0.port() != 0 {
                let message = format!("expected an address of its own: `{other}` has {listen}");
                return self.fail("listen", message);
            }
        }
        Ok(())
    }

    /// A store that is part of the site would be published, journal and evidence too, and grow with
    /// each release; one around what Slipway keeps would be mixed up with it. What `exclude` leaves out
    /// is not looked into.
    fn store_apart(&self) -> Checked {
        let store = self.environment.store.as_str();
        if store.is_empty() || store.contains("://") {
            return self.fail("store", format!("expected a folder, found {store:?}"));
        }
        let (here, own) = (self.folder(store), self.folder(OWN_FOLDER));
        if own.starts_with(&here) {
            let message =
                format!("expected a folder of its own: {store:?} is or holds {OWN_FOLDER}/");
            return self.fail("store", message);
        }
        let Some(build) = &self.config.build else { return Ok(()) };
        let site = &build.site;
        let inside = here.strip_prefix(self.folder(site)).ok().filter(|_| !here.starts_with(own));
        let is_left_out = |inside: &Path| {
            let is_hidden = |part: &OsStr| part.as_encoded_bytes().starts_with(b".");
            inside.iter().any(is_hidden) || !build.exclude.is_empty()
        };
        match inside {
            Some(inside) if !is_left_out(inside) => self.fail(
                "store",
                format!(
                    "expected a folder outside the site {site:?}, found {store:?}: the next release \
                     would hold it, and publish it"
                ),
            ),
            _ => Ok(()),
        }
    }

    /// A folder, however it is spelled.
    fn folder(&self, spelled: &str) -> PathBuf {
        let root = self.check.path.parent().unwrap_or(Path::new(""));
        let mut folder = PathBuf::new();
        for part in root.join(spelled).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if folder.file_name().is_some() => {
                    folder.pop();
                }
                part => folder.push(part),
            }
        }
        folder
    }

    fn needs(&self) -> Checked {
        for (index, need) in self.environment.needs.iter().enumerate() {
            let [environments, name, key] = self.at("needs");
            let way = [environments, name, key, index.into()];
            let known: Vec<&str> = self.config.environments.keys().map(String::as_str).collect();
            if !known.contains(&need.as_str()) {
                let miss = nearest(need, known.into_iter().filter(|other| *other != self.name));
                let miss = miss.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                return self.check.fail(&way, format!("unknown environment `{need}`{miss}"));
            }
            if let Some(circle) = self.circle(need) {
                let circle = circle.join(" → ");
                return self.check.fail(&way, format!("environments need each other: {circle}"));
            }
        }
        Ok(())
    }

    /// The way from this environment through `need` back to it, if there is one.
    fn circle(&self, need: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways = vec![vec![self.name.to_owned(), need.to_owned()]];
        while let Some(way) = ways.pop() {
            let last = way.last()?;
            if *last == self.name {
                return Some(way);
            }
            if !seen.insert(last.clone()) {
                continue;
            }
            let needs = self.config.environments.get(last).map(|environment| &environment.needs);
            for next in needs.into_iter().flatten() {
                ways.push(way.iter().chain([next]).cloned().collect());
            }
        }
        None
    }

    fn evidence(&self) -> Checked {
        for step in self.environment.evidence.iter().flatten() {
            if !BUILTIN_STEPS.contains(&step.as_str()) && !self.config.steps.contains_key(step) {
                let known =
                    BUILTIN_STEPS.into_iter().chain(self.config.steps.keys().map(String::as_str));
                let miss = nearest(step, known);
                let miss = miss.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                return self.fail("evidence", format!("unknown step `{step}`{miss}"));
            }
        }
        Ok(())
    }

    fn shift(&self) -> Checked {
        let shift = &self.environment.shift;
        if let Some(pair) = shift.windows(2).find(|pair| pair[0].per_mille >= pair[1].per_mille) {
            return self.fail(
                "shift",
                format!("expected growing shares, found \"{}\" before \"{}\"", pair[0], pair[1]),
            );
        }
        match shift.last() {
            Some(ShiftStep { per_mille: 1000, .. }) | None => Ok(()),
            Some(last) => {
                self.fail("shift", format!("expected \"100%\" at the end, found \"{last}\""))
            }
        }
    }

    fn gates(&self) -> Checked {
        let Environment { gates, commands, analysis, window, .. } = self.environment;
        for gate in gates {
            let missing = match gate {
                Gate::Command(name) if !commands.contains_key(name) => {
                    Some(format!("expected `{name}` in `commands`, found none"))
                }
                Gate::Analysis if analysis.is_empty() => {
                    Some("expected limits in `analysis`, found none".to_owned())
                }
                Gate::Window if window.is_none() => {
                    Some("expected a `window`, found none".to_owned())
                }
                Gate::Smoke if self.config.smoke.is_empty() => {
                    Some("expected checks in `[[smoke]]`, found none".to_owned())
                }
                Gate::E2e(_) if self.config.e2e.is_none() => {
                    Some("expected a command in `[e2e]`, found none".to_owned())
                }
                Gate::Load if self.config.load.is_none() => {
                    Some("expected `[load]`, found none".to_owned())
                }
                _ => None,
            };
            if let Some(missing) = missing {
                return self.fail("gates", format!("gate `{gate}`: {missing}"));
            }
        }
        // Limits that nothing looks at would be believed to guard.
        if !analysis.is_empty() && !gates.contains(&Gate::Analysis) {
            return self.fail("analysis", "expected \"analysis\" among the `gates`, found none");
        }
        Ok(())
    }

    fn limit(&self, metric: Metric, limit: &Limit) -> Checked {
        let name = metric.name();
        let [environments, environment, key] = self.at("analysis");
        let fail = |message: String| {
            self.check.fail(&[environments, environment, key, name.into()], message)
        };
        if limit.max.is_none() && limit.against_live.is_none() {
            return fail("expected `max`, `against-live` or both, found none".to_owned());
        }
        let (fits, expected) = match (metric, limit.max) {
            (_, None) => (true, ""),
            (Metric::ErrorShare, Some(max)) => {
                (matches!(max, Max::Share(_)), "a share such as \"0.1%\"")
            }
            (Metric::ClsP75, Some(max)) => {
                (matches!(max, Max::Number(_)), "a number such as \"0.1\"")
            }
            (_, Some(max)) => (matches!(max, Max::Time(_)), "a span of time such as \"300ms\""),
        };
        if let (false, Some(max)) = (fits, limit.max) {
            return fail(format!("expected {expected} in `max`, found \"{max}\""));
        }
        let source = limit.source.as_deref().unwrap_or(EDGE_SOURCE);
        if source == EDGE_SOURCE {
            return match metric.is_of_the_edge() {
                true => Ok(()),
                false => {
                    fail("expected a `source` in `[sources]`: the edge does not see it".to_owned())
                }
            };
        }
        match self.config.sources.get(source).map(|source| source.kind) {
            None => {
                let miss = nearest(source, self.config.sources.keys().map(String::as_str));
                let miss = miss.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                fail(format!("unknown source `{source}`{miss}"))
            }
            Some(SourceKind::Prometheus) if limit.query.is_none() => {
                fail("expected a `query` for a Prometheus source, found none".to_owned())
            }
            Some(_) => Ok(()),
        }
    }
}
