//! Pages that are still open while releases come and go.

use super::support::environment::{Environment, until};

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
