//! Releases that change what the data looks like.

use crate::server::Manner;
use crate::shop::Shop;
use release::ReleaseId;
use std::fs;

const MARK: &str = "[build.server.schema]";

/// A copy of the data, or no copy while the file `full` is there.
const BACKUP: &str = "backup = \"test ! -e full || { echo the disk is full; exit 1; }; mkdir -p copies && \
                      cp -r $XTASK_DATA copies/$XTASK_RELEASE && echo copied\"";

/// A release whose server migrates the data to this schema.
fn release(shop: &Shop, number: u32, (version, keeps): (u32, u32)) -> ReleaseId {
    let toml = shop.project.read("xtask.toml");
    let toml = toml.split(MARK).next().unwrap();
    let schema = format!("{MARK}\nversion = {version}\nkeeps = {keeps}\n");
    shop.project.write("xtask.toml", &format!("{toml}{schema}"));
    shop.release(number, Manner::Sound)
}

fn acts(shop: &Shop) -> Vec<serde_json::Value> {
    let history = shop.project.run("history", &["--json", "--env", "production"]);
    let lines = history.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.map(|line: serde_json::Value| line["record"]["act"].clone()).collect()
}

#[test]
fn a_copy_of_the_data_is_kept_before_its_schema_changes() {
    let shop = Shop::new(true, BACKUP);
    release(&shop, 1, (1, 1));
    shop.project.promote(&[]).expect(0);
    assert!(!shop.project.has("copies"), "there was nothing to copy");
    shop.project.write("target/xtask/edge/production/data/orders", "42");

    let same = release(&shop, 2, (1, 1));
    shop.project.promote(&[]).expect(0);
    assert!(!shop.project.has("copies"), "{same} changes no schema");

    let second = release(&shop, 3, (2, 1));
    let plan = shop.project.promote(&["--dry-run"]);
    assert!(plan.expect(0).stdout.contains("2. backup"), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("schema 1 to 2; releases of schema 1 and later"),
        "{}",
        plan.stdout
    );
    let ran = shop.project.promote(&["--reason", "orders get a currency"]);
    assert!(ran.expect(0).stdout.contains("backed up"), "{}", ran.stdout);
    assert_eq!(shop.project.read(&format!("copies/{second}/orders")), "42");
    let acts = acts(&shop);
    let kinds: Vec<&str> = acts.iter().rev().map_while(|act| act["kind"].as_str()).collect();
    let last = kinds.iter().position(|kind| *kind == "begin").unwrap();
    assert_eq!(kinds[last - 1], "backed-up", "before it is loaded: {kinds:?}");
    let begin = acts.iter().rfind(|act| act["kind"] == "begin").unwrap();
    assert_eq!(begin["reason"], "orders get a currency");
    shop.project.run("history", &["verify"]).expect(0);

    // One that goes back is of the older schema, which may use the data still.
    let back = shop.project.run("rollback", &[]);
    assert_eq!(back.expect(0).stderr, "");
}

#[test]
fn no_copy_no_migration() {
    let shop = Shop::new(true, BACKUP);
    let first = release(&shop, 1, (1, 1));
    shop.project.promote(&[]).expect(0);
    release(&shop, 2, (2, 1));
    shop.project.write("full", "");
    let ran = shop.project.promote(&[]);
    shop.tells_why(ran.expect(1), &["no copy of the data was kept: exit code 1: the disk is full"]);
    let status = shop.project.status("production");
    assert_eq!(status["live"], first.as_str());
    let kinds: Vec<String> =
        acts(&shop).iter().map(|act| format!("{}{}", act["kind"], act["to"]["phase"])).collect();
    assert_eq!(kinds.iter().filter(|kind| kind.contains("staged")).count(), 1, "{kinds:?}");

    fs::remove_file(shop.project.root().join("full")).unwrap();
    shop.project.promote(&[]).expect(0);
}

#[test]
fn what_the_live_release_could_not_use_is_refused_unless_a_person_allows_it() {
    let shop = Shop::new(true, "");
    let first = release(&shop, 1, (1, 1));
    shop.project.promote(&[]).expect(0);
    release(&shop, 2, (3, 2));
    let ran = shop.project.promote(&[]);
    let said = &ran.expect(4).stderr;
    assert!(said.contains(&format!("{first} is of schema 1")), "{said}");
    assert!(said.contains("--allow-schema-break"), "{said}");
    assert!(said.contains("there is no `backup` command"), "{said}");
    shop.project.promote(&["--allow-schema-break"]).expect(4);
    shop.project.promote(&["--allow-schema-break", "--without-backup"]).expect(0);
    let begin = acts(&shop).into_iter().rfind(|act| act["kind"] == "begin").unwrap();
    assert_eq!(begin["overrides"], serde_json::json!(["schema-break", "no-backup"]));
    let history = shop.project.run("history", &["--env", "production"]).stdout;
    assert!(history.contains("allowing a break of the schema"), "{history}");

    let back = shop.project.run("rollback", &[]);
    let warned = &back.expect(0).stderr;
    assert!(warned.contains("the data is at schema 3"), "{warned}");
}
