//! Environments in `xtask.toml`: what is understood, and what is refused where.

use config::{AgainstLive, Config, Gate, Max, Metric};
use std::path::Path;

const WHOLE: &str = r#"[project]
name = "shop"

[[smoke]]
path = "/"

[environments.staging]
store  = "target/xtask/env/staging"
listen = "127.0.0.1:8081"

[environments.production]
store  = "target/xtask/env/production"
listen = "127.0.0.1:8080"
needs  = ["staging"]
shift  = ["5% for 2m", "25% for 5m", "100%"]
gates  = ["smoke", "analysis", "window", "command:licences"]
window = { days = ["mon", "tue"], from = "09:00", to = "16:00", time-zone = "Europe/Berlin" }

[environments.production.commands]
licences = "./check-licences"

[environments.production.analysis]
error-share = { max = "0.1%", against-live = "no worse" }
latency-p95 = { max = "300ms", against-live = "+20%" }
lcp-p75     = { max = "2.5s", source = "beacon" }

[sources.beacon]
kind = "beacon"
url  = "http://127.0.0.1:9090"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(Path::new("xtask.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn a_whole_promotion_is_understood() {
    let config = parse(WHOLE).unwrap();
    let production = &config.environments["production"];
    assert_eq!(
        production.shift.iter().map(|step| step.per_mille).collect::<Vec<_>>(),
        [50, 250, 1000]
    );
    assert_eq!(production.gates[3], Gate::Command("licences".to_owned()));
    let latency = &production.analysis[&Metric::LatencyP95];
    assert!(matches!(latency.max, Some(Max::Time(_))));
    assert!(matches!(latency.against_live, Some(AgainstLive::Within(_))));
    assert_eq!(config.environments["staging"].hold, None);
}

/// Each slip, and what the error must say of it.
#[test]
fn slips_are_told_with_their_place() {
    let slips: [(&str, &str, &str); 16] = [
        ("needs  = [\"staging\"]", "needs  = [\"stagin\"]", "did you mean `staging`?"),
        ("needs  = [\"staging\"]", "needs  = [\"production\"]", "production → production"),
        ("25% for 5m", "5% for 5m", "growing shares"),
        (", \"100%\"", "", "expected \"100%\" at the end, found \"25% for 5m\""),
        ("5% for 2m", "0.01% for 2m", "steps of 0.1%"),
        ("\"command:licences\"", "\"command:licenses\"", "expected `licenses` in `commands`"),
        ("\"analysis\", ", "", "expected \"analysis\" among the `gates`"),
        ("error-share", "error-rate", "unknown value `error-rate`"),
        ("max = \"300ms\"", "max = \"3%\"", "expected a span of time"),
        ("max = \"0.1%\"", "max = \"1s\"", "expected a share"),
        ("\"+20%\"", "\"20%\"", "expected \"no worse\" or such as \"+20%\""),
        (", source = \"beacon\"", "", "the edge does not see it"),
        ("source = \"beacon\"", "source = \"becon\"", "did you mean `beacon`?"),
        ("127.0.0.1:8080", "127.0.0.1:8081", "expected an address of its own"),
        ("to = \"16:00\"", "to = \"08:00\"", "expected `from` before `to`"),
        ("env/production", "env/staging", "expected a store of its own"),
    ];
    for (from, to, said) in slips {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from}");
        let error = parse(&text).unwrap_err();
        assert!(error.contains(said), "{from} -> {to}: {error}");
        let line = error.strip_prefix("xtask.toml:").and_then(|rest| rest.split(':').next());
        let line: usize = line.unwrap_or_default().parse().unwrap_or_else(|_| panic!("{error}"));
        assert!(line > 5, "{error}");
    }
}

#[test]
fn environments_that_need_each_other_are_shown_as_a_circle() {
    let text = WHOLE.replacen(
        "listen = \"127.0.0.1:8081\"",
        "listen = \"127.0.0.1:8081\"\nneeds = [\"production\"]",
        1,
    );
    let error = parse(&text).unwrap_err();
    assert!(error.contains("production → staging → production"), "{error}");
}

#[test]
fn a_bucket_is_not_taken_for_a_folder() {
    let error =
        parse(&WHOLE.replace("target/xtask/env/staging", "s3://bucket/staging")).unwrap_err();
    assert!(error.contains("expected a folder, found \"s3://bucket/staging\""), "{error}");
}

/// A store for staging, and what the error must say of it; nothing: it is understood.
#[test]
fn a_store_is_one_of_its_own_however_it_is_spelled() {
    let site = "[build]\nsite = \"public\"\n\n[environments.staging]";
    let text = WHOLE.replace("[environments.staging]", site);
    let own = "expected a store of its own";
    for (store, said) in [
        ("./target/xtask/env/production", Some(own)),
        ("target/xtask/env/production/", Some(own)),
        ("target/xtask/../xtask/env//production", Some(own)),
        ("/shop/target/xtask/env/production", Some(own)),
        ("target/xtask/env/production/blobs", Some("it is inside that of `production`")),
        ("target/xtask/env", Some("it is inside that of `staging`")),
        (".", Some("is or holds target/xtask/")),
        ("target/xtask", Some("is or holds target/xtask/")),
        ("public", Some("expected a folder outside the site \"public\"")),
        ("public/store", Some("expected a folder outside the site \"public\"")),
        ("public/.store", None),
        ("public-store", None),
        ("../store", None),
    ] {
        let text = text.replacen("target/xtask/env/staging", store, 1);
        let parsed = Config::parse(Path::new("/shop/xtask.toml"), &text);
        let error = parsed.map(|_| ()).map_err(|error| error.to_string()).err();
        assert_eq!(error.is_some(), said.is_some(), "{store}: {error:?}");
        assert!(error.unwrap_or_default().contains(said.unwrap_or_default()), "{store}");
    }
    // What is below target/xtask is part of no release.
    assert!(parse(&text.replace("site = \"public\"", "site = \".\"")).is_ok());
}
