//! The releases' servers: their setting, their health, their end.

use super::backend::SICK;
use super::support::environment::{Environment, EnvironmentEdge, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const SERVER: &str = "env = { GREETING = \"hello\" }";

fn served() -> (Environment, EnvironmentEdge) {
    let mut environment = Environment::new();
    let live = environment.add(&[("maintenance.html", b"<h1>back soon</h1>")], Some(SERVER));
    environment.live(&live);
    let edge = environment.serve();
    (environment, edge)
}

pub fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

fn write_secrets(environment: &Environment, mode: u32) -> String {
    let path = environment.root().join("secrets.env");
    fs::write(&path, "# for the servers\nPASSWORD='hunter2'\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[test]
fn a_server_gets_what_it_needs_and_nothing_else_of_the_edge() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(SERVER));
    environment.live(&live);
    let secrets = write_secrets(&environment, 0o600);
    let edge = environment.serve_with(&["--secrets", &secrets]);
    let data = environment.folder().join("data");
    let text = edge.get("/environment").text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["hello", "hunter2", ""], "{text}");
    assert_eq!(fs::canonicalize(lines[3]).unwrap(), fs::canonicalize(&data).unwrap());
    assert_eq!(fs::canonicalize(lines[4]).unwrap(), fs::canonicalize(&data).unwrap());
    assert_eq!(edge.get("/release").text(), live.as_str());
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let (status, said) = edge.close();
    assert!(status.success() && !said.contains("hunter2"), "{said}");
    assert!(data.is_dir(), "what servers keep outlives them");
}

#[test]
fn secrets_that_others_may_read_are_refused() {
    let environment = Environment::new();
    let (code, _, said) = environment.run(&["--secrets", "nowhere", "--with-parent"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("failed to read nowhere: No such file"), "{said}");
    let secrets = write_secrets(&environment, 0o640);
    let (code, _, said) = environment.run(&["--secrets", &secrets, "--with-parent"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("expected mode 0600, found 0640; run `chmod 600 "), "{said}");
}

#[test]
fn a_server_that_dies_is_started_again() {
    let (_environment, edge) = served();
    let before = edge.get("/process").text();
    assert!(matches!(edge.get("/die").status, 502 | 503));
    let after = until("another process answers", || {
        let answer = edge.get("/process");
        if answer.status != 200 {
            assert!(matches!(answer.status, 502 | 503), "{answer:?}");
            assert_eq!(answer.text(), "<h1>back soon</h1>");
        }
        (answer.status == 200, answer.text())
    });
    assert!(before != after && !is_running(&before));
    let status = edge.status();
    let (_, release) = status["releases"].as_object().unwrap().iter().next().unwrap();
    assert_eq!((&release["state"], &release["restarts"]), (&"ready".into(), &1.into()));
    let metrics = edge.json("/metrics.json");
    let (_, counts) = metrics["releases"].as_object().unwrap().iter().next().unwrap();
    assert!(counts["errors"].as_u64().unwrap() >= 1, "{counts}");
}

#[test]
fn a_server_that_keeps_dying_has_failed() {
    let (mut environment, edge) = served();
    let candidate = environment.add(&[("x.txt", b"x")], Some(SERVER));
    environment.candidate(&candidate, 1000);
    edge.until_state(&candidate, "ready");
    let die = || edge.get_with("/die", "x-slipway-release: candidate\r\n").status;
    let status = edge.until("it has failed", |status| {
        if status["releases"][candidate.as_str()]["state"] == "ready" {
            die();
        }
        status["releases"][candidate.as_str()]["state"] == "failed"
    });
    let release = &status["releases"][candidate.as_str()];
    assert!(release["restarts"].as_u64().unwrap() >= 5, "{status}");
    let reason = release["reason"].as_str().unwrap();
    assert!(reason.contains("the server died: exit status: 7"), "{reason}");
    until("nobody is sent to it", || {
        let text = edge.get("/release").text();
        (text == status["live"].as_str().unwrap(), text)
    });
}

#[test]
fn a_server_that_does_not_get_well_is_started_again() {
    let (environment, edge) = served();
    let before = edge.get("/process").text();
    let sick = environment.folder().join("data").join(SICK);
    fs::write(&sick, "").unwrap();
    until("it is ended", || (!is_running(&before), ()));
    edge.until("the reason is shown", |status| {
        let (_, release) = status["releases"].as_object().unwrap().iter().next().unwrap();
        release["reason"]
            .as_str()
            .is_some_and(|it| it.contains("expected 2xx at /ready, found 503"))
    });
    fs::remove_file(&sick).unwrap();
    until("it is well", || {
        let answer = edge.get("/process");
        (answer.status == 200, answer.text())
    });
}

#[test]
fn a_candidate_that_never_becomes_ready_has_failed_and_live_goes_on() {
    let (mut environment, edge) = served();
    drop(edge);
    let edge = environment.serve_with(&["--ready-within", "1"]);
    for (mode, expected) in [
        (
            "hangs",
            "the server was not ready within 1s: expected 2xx at /ready, it took no connection",
        ),
        ("dies", "the server died before it was ready: exit status: 7; its last output:"),
    ] {
        let lines = format!("env = {{ MODE = \"{mode}\" }}");
        let candidate = environment.add(&[("x.txt", b"x")], Some(&lines));
        environment.candidate(&candidate, 500);
        let status = edge.until_state(&candidate, "failed");
        let reason = status["releases"][candidate.as_str()]["reason"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
        for _ in 0..20 {
            assert_eq!(edge.get("/release").text(), status["live"].as_str().unwrap());
        }
        environment.live(&candidate);
        edge.until("it is to be live", |status| status["live"] == candidate.as_str());
        let status = edge.until_state(&candidate, "failed");
        assert_eq!(edge.get("/release").text(), status["serving"].as_str().unwrap());
        let before = status["previous"].as_str().unwrap().parse().unwrap();
        environment.live(&before);
        edge.until("it is live again", |status| status["live"] == before.as_str());
    }
}

#[test]
fn nothing_is_left_of_a_server_that_was_given_up_while_it_started() {
    let (mut environment, edge) = served();
    let candidate = environment.add(&[("x.txt", b"x")], Some("env = { MODE = \"hangs\" }"));
    environment.candidate(&candidate, 500);
    let helper = environment.folder().join("data/helper");
    let helper = until("it has started another process", || {
        let helper = fs::read_to_string(&helper).unwrap_or_default();
        (!helper.is_empty(), helper)
    });
    environment.route(|routing| routing.candidate = None);
    until("that has ended", || (!is_running(&helper), helper.clone()));
    drop(edge);
}

#[test]
fn a_release_that_is_gone_is_drained_and_its_server_ended() {
    let (mut environment, edge) = served();
    let first = edge.get("/process").text();
    let ids: Vec<_> = ["1", "2"]
        .iter()
        .map(|text| environment.add(&[("x.txt", text.as_bytes())], Some(SERVER)))
        .collect();
    environment.live(&ids[0]);
    until("the second is live", || {
        let text = edge.get("/release").text();
        (text == ids[0].as_str(), text)
    });
    assert!(is_running(&first), "it is kept warm for a rollback");
    environment.live(&ids[1]);
    until("the third is live", || {
        let text = edge.get("/release").text();
        (text == ids[1].as_str(), text)
    });
    until("the first server has ended", || (!is_running(&first), ()));
    let status = edge.status();
    assert_eq!(status["releases"].as_object().unwrap().len(), 2, "{status}");
}

#[test]
fn a_request_under_way_is_not_cut_off_by_a_switch() {
    let (mut environment, edge) = served();
    let first = edge.get("/process").text();
    let address = edge.address;
    let waiting = std::thread::spawn(move || super::support::client::get(address, "/wait"));
    let id = edge.status()["live"].as_str().unwrap().to_owned();
    until("the request is in the server", || {
        let metrics = edge.json("/metrics.json");
        (metrics["releases"][&id]["in_flight"] == 1, metrics["releases"][&id].clone())
    });
    for text in ["1", "2"] {
        let next = environment.add(&[("x.txt", text.as_bytes())], Some(SERVER));
        environment.live(&next);
        edge.until("it is live", |status| status["serving"] == next.as_str());
    }
    edge.until_state(&id.parse().unwrap(), "draining");
    assert!(is_running(&first));
    fs::write(environment.folder().join("data/go"), "").unwrap();
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.text()), (200, id.clone()));
    until("then its server ends", || (!is_running(&first), ()));
}
