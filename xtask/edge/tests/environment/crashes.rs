//! What is damaged, missing or killed.

use super::servers::is_running;
use super::support::client::get;
use super::support::environment::{Environment, until};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;

/// The files with the contents of all releases.
fn blobs(environment: &Environment) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(environment.store.root().join("blobs")).unwrap();
    let folders = folders.map(|it| it.unwrap().path());
    folders.flat_map(|it| fs::read_dir(it).unwrap()).map(|it| it.unwrap().path()).collect()
}

#[test]
fn a_damaged_release_is_never_routed_to_and_live_goes_on() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    let sound = blobs(&environment);
    environment.live(&first);
    let edge = environment.serve();
    let second = environment.add(&[("index.html", b"second")], None);
    let damaged: Vec<_> =
        blobs(&environment).into_iter().filter(|it| !sound.contains(it)).collect();
    let [blob] = &damaged[..] else { panic!("{damaged:?}") };
    fs::set_permissions(blob, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(blob, b"cut").unwrap();
    environment.live(&second);
    let reason = |status: &serde_json::Value| {
        status["releases"][second.as_str()]["reason"].as_str().unwrap_or_default().to_owned()
    };
    let damaged = format!("release {second} in the store is damaged: ");
    let cut = reason(&edge.until_state(&second, "failed"));
    assert!(cut.starts_with(&damaged) && cut.ends_with("expected 6 bytes, found 3"), "{cut}");
    fs::write(blob, b"seCond").unwrap();
    environment.live(&second);
    let status = edge.until("it was tried again", |status| {
        let reason = reason(status);
        reason.starts_with(&damaged) && reason.contains("expected SHA-256")
    });
    assert_eq!(status["serving"], first.as_str());
    assert_eq!(edge.get("/").text(), "first");
    assert_eq!(edge.page_of(second.as_str()).status, 503);

    fs::write(blob, b"second").unwrap();
    environment.live(&second);
    until("it is mended", || {
        let text = edge.get("/").text();
        (text == "second", text)
    });
}

#[test]
fn a_release_that_is_not_in_the_store_has_failed() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    let edge = environment.serve();
    let nowhere = "2026-01-01-0123456789ab".parse().unwrap();
    environment.candidate(&nowhere, 1000);
    let status = edge.until_state(&nowhere, "failed");
    let reason = &status["releases"][nowhere.as_str()]["reason"];
    assert_eq!(reason, "the store holds no release 2026-01-01-0123456789ab");
    assert_eq!(edge.get("/").text(), "first");
}

#[test]
fn an_edge_whose_live_release_is_damaged_serves_the_one_before() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    let nowhere = "2026-01-01-0123456789ab".parse().unwrap();
    environment.live(&nowhere);
    let edge = environment.serve();
    assert_eq!(edge.get("/").text(), "first");
    let status = edge.status();
    assert_eq!(
        (&status["live"], &status["serving"]),
        (&nowhere.as_str().into(), &first.as_str().into())
    );
}

#[test]
fn an_edge_that_is_killed_takes_its_server_along_and_leaves_nothing_in_the_way() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&live);
    let edge = environment.serve();
    let server = edge.get("/process").text();
    let address = edge.address.to_string();
    edge.kill();
    until("the server has ended", || {
        let stat = fs::read_to_string(format!("/proc/{server}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z "), stat)
    });
    let left = release::EdgePresence::all(&environment.store).unwrap();
    assert_eq!(left.len(), 1, "nobody was there to take it back");

    let edge = environment.serve_with(&["--listen", &address]);
    assert_eq!(edge.address.to_string(), address);
    assert_eq!(get(edge.address, "/release").text(), live.as_str());
    let present = release::EdgePresence::all(&environment.store).unwrap();
    assert_eq!(present.len(), 1);
    assert_eq!(present[0].pid, edge.pid());
}

#[test]
fn a_server_that_outlived_its_edge_is_ended_by_the_next() {
    let environment = Environment::new();
    drop(environment.serve());
    let mut orphan = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let pid = orphan.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    // Of an edge that is no more, as its start shows.
    let record = format!("{pid} {start}\n{} 1\n", std::process::id());
    fs::write(environment.folder().join("servers").join(pid.to_string()), record).unwrap();
    let edge = environment.serve();
    assert!(!orphan.wait().unwrap().success(), "it was killed");
    let (_, said) = edge.close();
    assert!(said.contains("ended 1 servers that an edge had left behind"), "{said}");
}

#[test]
fn what_a_server_had_started_is_ended_by_the_next_edge() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&live);
    let edge = environment.serve();
    let (server, helper) = (edge.get("/process").text(), edge.get("/helper").text());
    edge.kill();
    until("the server has ended", || (!is_running(&server), ()));
    assert!(is_running(&helper), "it is not the edge's child");
    let edge = environment.serve();
    until("what it had started, too", || (!is_running(&helper), ()));
    let (_, said) = edge.close();
    assert!(said.contains("ended 1 servers that an edge had left behind"), "{said}");
}

#[test]
fn an_edge_whose_log_is_full_follows_the_routing_all_the_same() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    let second = environment.add(&[("index.html", b"second")], None);
    environment.live(&first);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut edge = environment.command(&["--with-parent"]).stderr(full).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(edge.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address =
        |name: &str| line[name].as_str().unwrap().split_once("//").unwrap().1.parse().unwrap();
    // Something to complain about.
    let path = environment.store.root().join("routing.json");
    let sound = fs::read(&path).unwrap();
    fs::write(&path, "{").unwrap();
    until("it is refused", || {
        let status = get(address("admin"), "/status").text();
        (status.contains("not a routing document"), status)
    });
    fs::write(&path, sound).unwrap();
    environment.live(&second);
    until("the second is live", || {
        let text = get(address("listening"), "/").text();
        (text == "second", text)
    });
    drop(edge.stdin.take());
    assert!(edge.wait().unwrap().success());
}

#[test]
fn an_edge_whose_routing_is_gone_goes_on_serving() {
    let mut environment = Environment::new();
    let first = environment.add(&[("index.html", b"first")], None);
    environment.live(&first);
    let edge = environment.serve();
    let path = environment.store.root().join("routing.json");
    let sound = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    edge.until("it is missed", |status| status["routing_error"] == "routing.json is gone");
    assert_eq!(edge.get("/").text(), "first");
    assert_eq!(edge.status()["generation"], 1);
    fs::write(&path, sound).unwrap();
    edge.until("it is back", |status| status["routing_error"].is_null());
    assert_eq!(edge.get("/").text(), "first");
}
