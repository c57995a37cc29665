//! A measure against its limit, and the finding when it is beyond.

use crate::Found;
use report::{Finding, Measure, Place, Unit};

/// How many contributors a finding names.
const CONTRIBUTORS: usize = 5;

/// A number that a budget limits.
pub struct Limited<'a> {
    /// Of the measure: `home.lcp`.
    pub name: String,
    /// Of the finding's rule: `budget::lcp`.
    pub rule: &'a str,
    pub value: f64,
    pub max: f64,
    pub unit: Unit,
    pub place: Place,
    /// The budget file that limits it.
    pub file: &'a str,
    /// What makes the number as large as it is, the largest first; asked for when it is beyond.
    pub contributors: Vec<String>,
}

impl Found {
    /// Adds a measure and, when it is beyond its limit, a finding that says by how much and why.
    pub fn add(&mut self, limited: Limited<'_>) {
        let Limited { name, rule, value, max, unit, place, file, contributors } = limited;
        let measure = Measure::new(&name, value, unit).max(max);
        if !measure.is_within() {
            let over = value - max;
            let share =
                if max > 0.0 { format!(", {:.0}%", over / max * 100.0) } else { String::new() };
            let mut message = format!(
                "{name} is {}, over its limit of {} by {}{share}",
                unit.show(value),
                unit.show(max),
                unit.show(over),
            );
            for contributor in contributors.iter().take(CONTRIBUTORS) {
                message.push_str("\n  ");
                message.push_str(contributor);
            }
            if contributors.len() > CONTRIBUTORS {
                message.push_str(&format!("\n  and {} more", contributors.len() - CONTRIBUTORS));
            }
            let help = format!("make it smaller, or raise the limit in {file} and say why");
            self.findings.push(Finding::error(rule, message).at(place).help(help));
        }
        self.measures.push(measure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(value: f64) -> Limited<'static> {
        Limited {
            name: "home.transfer".to_owned(),
            rule: "budget::transfer",
            value,
            max: 40_000.0,
            unit: Unit::Bytes,
            place: Place::url("http://127.0.0.1/"),
            file: "budgets/a.json",
            contributors: (1..=7).map(|n| format!("/{n}.js 10.0 KB")).collect(),
        }
    }

    #[test]
    fn only_what_is_beyond_its_limit_is_a_finding() {
        let mut found = Found::default();
        found.add(limited(40_000.0));
        assert!(found.findings.is_empty());
        found.add(limited(70_000.0));
        assert_eq!(found.measures.len(), 2);
        insta::assert_snapshot!(found.findings[0].message);
    }
}
