//! Whether each entry can only be what it was when it was locked.

use super::lockfile::{Entry, Locked};
use report::Finding;
use std::collections::BTreeMap;

/// The public registry, whose addresses name the package.
const REGISTRY: &str = "https://registry.npmjs.org/";

/// Packages with install scripts that are listed by name.
const MAX_LISTED: usize = 10;

const REFETCH: &str = "remove the entry and run `npm install --package-lock-only`";

pub(super) fn check(locked: &Locked) -> Vec<Finding> {
    let mut findings: Vec<Finding> = locked.installed().flat_map(entry).collect();
    findings.extend(other_hosts(locked));
    findings.extend(scripts(locked));
    findings
}

fn entry(entry: &Entry) -> Vec<Finding> {
    let mut findings = Vec::new();
    let what = format!("`{} {}`", entry.name(), entry.version());
    let resolved = entry.resolved.as_deref().unwrap_or_default();
    let is_git = ["git", "github:", "ssh:"].iter().any(|scheme| resolved.starts_with(scheme));
    if is_git {
        findings.push(
            Finding::error(
                "audit::npm-git",
                format!("{what} comes from git ({resolved}), with no digest of its content"),
            )
            .help("depend on a published version, or accept it until a date in [[audit.ignore]]"),
        );
    } else if resolved.starts_with("http://") {
        findings.push(
            Finding::error(
                "audit::npm-http",
                format!("{what} is fetched over plain HTTP: {resolved}"),
            )
            .help(format!("set the registry to an https address, then {REFETCH}")),
        );
    } else if let Some(path) = resolved.strip_prefix(REGISTRY) {
        let expected = entry.name();
        let path = path.replace("%2f", "/").replace("%2F", "/");
        if !path.strip_prefix(expected).is_some_and(|rest| rest.starts_with("/-/")) {
            findings.push(
                Finding::error(
                    "audit::npm-mismatch",
                    format!("{what} is fetched from another package's address: {resolved}"),
                )
                .help(format!("find out who wrote this entry; {REFETCH}")),
            );
        }
    }
    match entry.integrity.as_deref() {
        None if !is_git => findings.push(
            Finding::error(
                "audit::npm-integrity",
                format!("{what} has no `integrity`: nothing pins its content"),
            )
            .help(REFETCH),
        ),
        Some(integrity)
            if !["sha512-", "sha384-", "sha256-"]
                .iter()
                .any(|digest| integrity.contains(digest)) =>
        {
            findings.push(
                Finding::warning(
                    "audit::npm-weak-integrity",
                    format!("{what} is pinned by a weak digest alone: {integrity}"),
                )
                .help(REFETCH),
            );
        }
        _ => {}
    }
    findings.into_iter().map(|finding| finding.at(entry.place())).collect()
}

/// One note for each host but the public registry: known vulnerabilities are of that alone.
fn other_hosts(locked: &Locked) -> Vec<Finding> {
    let mut hosts: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in locked.installed() {
        let resolved = entry.resolved.as_deref().unwrap_or_default();
        if let Some(rest) =
            resolved.strip_prefix("https://").filter(|_| !resolved.starts_with(REGISTRY))
        {
            let host = rest.split('/').next().unwrap_or_default();
            // Without user and password.
            hosts.entry(host.rsplit('@').next().unwrap_or_default()).or_default().push(entry);
        }
    }
    hosts
        .into_iter()
        .map(|(host, entries)| {
            let message =
                format!("{} come from {host}, not from the public registry", listed(&entries));
            Finding::note("audit::npm-host", message).at(entries[0].place())
        })
        .collect()
}

/// Packages that run a program of their own when they are installed.
fn scripts(locked: &Locked) -> Option<Finding> {
    let entries: Vec<&Entry> =
        locked.installed().filter(|entry| entry.has_install_script).collect();
    let first = entries.first()?;
    let message =
        format!("these run a script of their own when they are installed: {}", listed(&entries));
    Some(
        Finding::note("audit::npm-install-script", message)
            .at(first.place())
            .help("install with `npm ci --ignore-scripts` where nothing needs them"),
    )
}

fn listed(entries: &[&Entry]) -> String {
    let names: Vec<_> =
        entries.iter().take(MAX_LISTED).map(|entry| format!("`{}`", entry.name())).collect();
    match entries.len().saturating_sub(MAX_LISTED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
