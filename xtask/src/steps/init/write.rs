//! The `xtask.toml` and the first budget of a project that was found.

use super::detect::Project;
use std::fmt::Write;

/// Where a release goes. Both are on this machine, so that a promotion can be tried at once.
const ENVIRONMENTS: &str = r#"
[environments.staging]       # `cargo xtask promote` takes a release here …
store  = "target/xtask/env/staging"
listen = "127.0.0.1:8081"
gates  = ["smoke"]

[environments.production]    # … and then here, by shares; both on this machine, to begin with
store  = "target/xtask/env/production"
listen = "127.0.0.1:8080"
needs  = ["staging"]
shift  = ["10% for 1m", "50% for 1m", "100%"]
gates  = ["smoke", "analysis"]

[environments.production.analysis]   # the candidate against the live release, over the same minutes
error-share = { max = "1%", against-live = "no worse" }
latency-p95 = { max = "1s", against-live = "+50%" }
"#;

/// The text of the configuration. Every key stands there with what it means, so that a person
/// changes it without opening the reference.
pub(super) fn configuration(project: &Project) -> String {
    let mut text = format!("# Slipway's pipeline for {}.\n", project.kind);
    text.push_str("# Reference: docs/src/reference/xtask-toml.md in Slipway's repository.\n\n");
    put(&mut text, &format!("[project]\nname = {}\n", quote(&project.name)));
    if let Some(setup) = &project.setup {
        put(
            &mut text,
            &format!(
                "\n[[setup]]                    # `cargo xtask setup` runs this\n\
                 run     = {}\ncreates = {}\nfrom    = {}\n",
                quote(&setup.run),
                quote(setup.creates),
                quote(&setup.from)
            ),
        );
    }
    let Some(site) = &project.site else {
        text.push_str(
            "\n# Once there is a site, this builds it into a release, and smoke, budget and load\n\
             # have something to check:\n\
             # [build]\n# run  = \"…\"\n# site = \"dist\"\n",
        );
        return text;
    };
    text.push_str("\n[build]                      # any command that leaves a folder of files\n");
    if let Some(run) = &site.run {
        put(&mut text, &format!("run  = {}\n", quote(run)));
    }
    put(&mut text, &format!("site = {}\n", quote(&site.folder)));
    if !site.exclude.is_empty() {
        let globs: Vec<String> = site.exclude.iter().map(|glob| quote(glob)).collect();
        put(&mut text, &format!("exclude = [{}]\n", globs.join(", ")));
    }
    if site.run.is_some() {
        text.push_str(
            "\n[steps.audit]\nneeds = [\"build\"]            # so that the built pages are audited too\n",
        );
    }
    for (name, run) in &project.steps {
        put(&mut text, &format!("\n[steps.{name}]\nrun = {}\n", quote(run)));
    }
    text.push_str("\n[[smoke]]                    # asked of the built release\npath   = \"/\"\n");
    let body =
        site.title.as_ref().map_or(String::new(), |title| format!(", body = [{}]", quote(title)));
    put(&mut text, &format!("expect = {{ status = 200{body}, within = \"1s\" }}\n"));
    text.push_str("\n[[smoke]]\npath   = \"/no-such-page\"\nexpect = { status = 404 }\n");
    text.push_str(
        "\n[load]                       # an open loop: requests start on time, whatever is answered\n\
         paths       = [\"/\"]\n\
         rate        = 50\n\
         for         = \"5s\"\n\
         latency-p95 = \"250ms\"\n",
    );
    text.push_str(
        "\n[headers]                    # one policy: what serves the release and smoke both read it\n\
         x-content-type-options = \"nosniff\"\n\
         referrer-policy        = \"strict-origin-when-cross-origin\"\n\
         # content-security-policy = \"default-src 'self'\"   # try it, then keep it\n",
    );
    text.push_str(ENVIRONMENTS);
    text
}

/// The first budget of a project with a site: room to start from, to be tightened.
pub(super) fn budget(project: &Project) -> Option<String> {
    project.site.as_ref()?;
    Some(include_str!("budget.json").to_owned())
}

fn put(text: &mut String, part: &str) {
    let _ = text.write_str(part);
}

/// A TOML basic string: JSON's escapes are a subset of TOML's.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
