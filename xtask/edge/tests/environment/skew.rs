//! Pages that are still open while releases come and go.

use super::support::environment::{Environment, until};
use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

const JS: &str = "/assets/app.4f9c2ab1.js";

#[test]
fn a_page_finds_its_files_after_its_release_is_gone() {
    let mut environment = Environment::new();
    let old =
        environment.add(&[("index.html", b"old"), ("assets/app.4f9c2ab1.js", b"old()")], None);
    let newer: Vec<_> = [b"1", b"2", b"3"]
        .into_iter()
        .map(|text| environment.add(&[("index.html", text), ("only.css", text)], None))
        .collect();
    environment.live(&old);
    let edge = environment.serve();
    for id in &newer {
        environment.live(id);
        until("it is live", || {
            let release = edge.get("/").header("x-slipway-release").to_owned();
            (release == id.as_str(), release)
        });
        assert_eq!(edge.get(JS).text(), "old()");
    }
    edge.until("the old one is gone", |status| status["releases"][old.as_str()].is_null());
    let answer = edge.get(JS);
    assert_eq!((answer.status, answer.text().as_str()), (200, "old()"));
    assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");

    drop(edge);
    let edge = environment.serve();
    until("another edge knows it, too", || {
        let answer = edge.get(JS);
        (answer.status == 200 && answer.text() == "old()", answer)
    });
}

#[test]
fn a_missing_hashed_file_is_a_404_and_never_a_page() {
    let mut environment = Environment::new();
    let site = environment.add(&[("index.html", b"x"), ("404.html", b"<h1>lost</h1>")], None);
    let server = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&site);
    environment.candidate(&server, 0);
    let edge = environment.serve();
    edge.until_state(&server, "ready");
    for wish in ["live", "candidate"] {
        let wish = format!("x-slipway-release: {wish}\r\n");
        let answer = edge.get_with("/assets/gone.12ab34cd.js", &wish);
        assert_eq!((answer.status, answer.text().as_str()), (404, "there is no such file\n"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(edge.get("/gone").text(), "<h1>lost</h1>");
}

#[test]
fn the_oldest_release_is_still_whole_when_it_comes_back() {
    let mut environment = Environment::new();
    let oldest = environment.add(&[("x.txt", b"x")], Some("env = { MODE = \"waits\" }"));
    let newer: Vec<_> =
        (b'1'..=b'7').map(|text| environment.add(&[("index.html", &[text])], None)).collect();
    let open = environment.folder().join("data/open");
    fs::create_dir_all(open.parent().unwrap()).unwrap();
    fs::write(&open, "").unwrap();
    environment.live(&oldest);
    let edge = environment.serve();
    for id in &newer[..6] {
        environment.live(id);
        edge.until("it is live, and all but two are gone", |status| {
            let releases = status["releases"].as_object().unwrap().len();
            status["serving"] == id.as_str() && releases == 2
        });
    }
    let before = newer[4].as_str();
    // While its server starts, another release goes: the sixth, and it is the oldest of them.
    let data = environment.folder().join("data");
    fs::remove_file(&open).unwrap();
    fs::remove_file(data.join("waiting")).unwrap();
    environment.candidate(&oldest, 0);
    until("its server has begun", || (data.join("waiting").exists(), edge.status()));
    environment.route(|routing| {
        routing.previous = routing.live.replace(newer[6].clone());
    });
    edge.until("another went", |status| status["releases"][before].is_null());
    fs::write(&open, "").unwrap();
    edge.until_state(&oldest, "ready");
    let ask = |path| edge.get_with(path, "x-slipway-release: candidate\r\n");
    let process = ask("/process").text();
    ask("/die");
    until("its server is started again", || {
        let answer = ask("/process");
        (answer.status == 200 && answer.text() != process, edge.status())
    });
}

#[test]
fn what_is_live_is_not_among_what_an_edge_deletes_when_it_starts() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"x")], Some(""));
    environment.live(&live);
    drop(environment.serve());
    let releases = environment.folder().join("releases");
    let folder = releases.join(live.as_str());
    for number in 0..8 {
        let other = releases.join(format!("2026-01-01-0123456789a{number}"));
        assert!(Command::new("cp").arg("-r").args([&folder, &other]).status().unwrap().success());
    }
    let long_ago = SystemTime::now() - Duration::from_secs(30 * 24 * 60 * 60);
    File::open(&folder).unwrap().set_modified(long_ago).unwrap();
    let edge = environment.serve();
    let answer = edge.get("/process");
    assert_eq!((answer.status, answer.header("x-slipway-release")), (200, live.as_str()));
    let process = answer.text();
    edge.get("/die");
    until("its server is started again", || {
        let answer = edge.get("/process");
        (answer.status == 200 && answer.text() != process, edge.status())
    });
}

#[test]
fn nothing_is_kept_of_a_candidate_that_never_was_ready() {
    let mut environment = Environment::new();
    let live = environment.add(&[("index.html", b"live")], None);
    let candidate = environment.add(&[("x.txt", b"x")], Some("env = { MODE = \"dies\" }"));
    environment.live(&live);
    let edge = environment.serve();
    environment.candidate(&candidate, 0);
    edge.until_state(&candidate, "failed");
    let folder = environment.folder().join("releases").join(candidate.as_str());
    assert!(folder.is_dir());
    environment.route(|routing| routing.candidate = None);
    until("its files are gone", || (!folder.exists(), ()));
    assert_eq!(edge.get("/").text(), "live");
}
