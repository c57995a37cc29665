use super::*;
use crate::evidence::{EVIDENCE_VERSION, FindingCounts, Origin};
use crate::signing::{KeyName, SigningKey};
use proptest::prelude::*;
use report::{Measure, Unit};
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate("release".parse().unwrap()).unwrap());
static ID: LazyLock<ReleaseId> = LazyLock::new(|| "2026-11-23-1f9c2ab04d7e".parse().unwrap());

fn evidence(step: &str, status: Status) -> Evidence {
    Evidence {
        version: EVIDENCE_VERSION,
        release: ID.clone(),
        manifest_sha256: Sha256::of(b"manifest"),
        step: step.to_owned(),
        status,
        summary: "412 passed,\n  \"signature\": \"x".to_owned(),
        findings: FindingCounts { errors: 0, warnings: 2, notes: 1 },
        measures: vec![
            Measure::new("home.lcp", 1240.123456789, Unit::Ms).max(2500.0),
            Measure::new("tests.passed", 412.0, Unit::Count),
        ],
        started_at: "2026-11-23T08:43:12Z".to_owned(),
        duration_ms: 1200,
        replayed: false,
        fingerprint: Some("abc".to_owned()),
        run: "20261123-084312-4711".to_owned(),
        commit: None,
        origin: Origin { tool: "slipway 0.1.0".to_owned(), who: None },
    }
}

fn signed(evidence: Evidence, key: &SigningKey) -> String {
    Document::sign(evidence, key).unwrap().text()
}

fn trust() -> Trust {
    Trust::new(&[KEY.public().to_string()]).unwrap()
}

fn one(step: &str, text: String) -> Checked {
    let documents = [(step.to_owned(), text)];
    let checked = check(&documents, &[step], &trust(), &ID, Sha256::of(b"manifest"));
    assert_eq!(checked.len(), 1);
    checked.into_iter().next().unwrap()
}

#[test]
fn what_a_trusted_key_signed_is_believed() {
    let passed = one("test", signed(evidence("test", Status::Passed), &KEY));
    assert_eq!(passed.verdict, Verdict::Passed);
    assert!(passed.signer.unwrap().is_for_production);
    assert_eq!(passed.evidence, Some(evidence("test", Status::Passed)));
    let failed = one("test", signed(evidence("test", Status::Failed), &KEY));
    assert!(matches!(failed.verdict, Verdict::Failed { .. }));
}

#[test]
fn required_steps_come_first_and_a_missing_one_is_said() {
    let documents = ["test", "audit"]
        .map(|step| (step.to_owned(), signed(evidence(step, Status::Passed), &KEY)));
    let required = ["smoke", "audit"];
    let checked = check(&documents, &required, &trust(), &ID, Sha256::of(b"manifest"));
    let verdicts: Vec<_> =
        checked.iter().map(|it| (it.step.as_str(), it.verdict.clone())).collect();
    assert_eq!(
        verdicts,
        [("smoke", Verdict::Missing), ("audit", Verdict::Passed), ("test", Verdict::Passed)]
    );
}

#[test]
fn evidence_is_good_for_its_own_step_and_release() {
    let of = |change: fn(&mut Evidence)| {
        let mut other = evidence("test", Status::Passed);
        change(&mut other);
        one("test", signed(other, &KEY)).verdict
    };
    let is_of_another = |verdict: &Verdict| matches!(verdict, Verdict::WrongDigest { .. });
    assert!(is_of_another(&of(|it| it.step = "lint".to_owned())));
    assert!(is_of_another(&of(|it| it.release = "2026-11-24-1f9c2ab04d7e".parse().unwrap())));
    assert!(is_of_another(&of(|it| it.manifest_sha256 = Sha256::of(b"other"))));
}

#[test]
fn what_nobody_or_a_stranger_signed_is_not_believed() {
    let mut document = Document::sign(evidence("test", Status::Passed), &KEY).unwrap();
    document.signature = None;
    assert_eq!(one("test", document.text()).verdict, Verdict::Unsigned);
    let stranger = SigningKey::generate(KeyName::development()).unwrap();
    let checked = one("test", signed(evidence("test", Status::Passed), &stranger));
    assert!(matches!(checked.verdict, Verdict::WrongKey { .. }), "{}", checked.verdict);
    assert!(checked.signer.is_none());
}

#[test]
fn a_later_version_says_so() {
    let text = signed(evidence("test", Status::Passed), &KEY);
    let later = text.replace("\"version\": 1", "\"version\": 2");
    let said = one("test", later).verdict.to_string();
    assert_eq!(said, "tampered: expected evidence version 1, found 2");
}

#[test]
fn a_measure_that_is_no_number_is_kept() {
    let mut odd = evidence("test", Status::Passed);
    odd.measures = vec![Measure::new("score", f64::NAN, Unit::Score)];
    assert_eq!(one("test", signed(odd, &KEY)).verdict, Verdict::Passed);
}

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| signed(evidence("test", Status::Failed), &KEY));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn no_byte_of_evidence_can_be_changed(at in 0..DOCUMENT.len(), to in any::<u8>()) {
        let mut changed = DOCUMENT.clone().into_bytes();
        prop_assume!(changed[at] != to);
        changed[at] = to;
        if let Ok(changed) = String::from_utf8(changed) {
            let verdict = one("test", changed).verdict;
            let is_refused = matches!(verdict, Verdict::Tampered { .. } | Verdict::WrongKey { .. });
            prop_assert!(is_refused, "{}", verdict);
        }
    }

    #[test]
    fn nothing_can_be_added_or_taken_away(at in 0..DOCUMENT.len(), byte in 0u8..128) {
        let mut longer = DOCUMENT.clone();
        longer.insert(at, char::from(byte));
        for changed in [longer, DOCUMENT[..at].to_owned()] {
            let verdict = one("test", changed).verdict;
            let is_refused = matches!(verdict, Verdict::Tampered { .. } | Verdict::WrongKey { .. });
            prop_assert!(is_refused, "{}", verdict);
        }
    }
}
