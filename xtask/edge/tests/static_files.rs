//! A folder of files, served.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufReader, Write};
use support::client::{Answer, connect, get, get_with, raw, read, send};
use support::{Edge, Project, project};

const LARGE_BYTES: usize = 3 * 1024 * 1024;

fn site() -> (Project, Edge) {
    let page = "<p>hello</p>\n".repeat(100);
    let large: Vec<u8> = (0..LARGE_BYTES).map(|n| (n % 251) as u8).collect();
    let project = project(
        &[
            ("index.html", page.as_bytes()),
            ("404.html", b"<h1>lost</h1>"),
            ("about.html", b"about us"),
            ("docs/index.html", b"docs"),
            ("assets/app.4f9c2ab1.css", b"body{}"),
            ("caf\u{e9} 100%.txt", b"strange"),
            ("empty.txt", b""),
            ("large.bin", &large),
        ],
        None,
    );
    let edge = project.serve();
    (project, edge)
}

fn assert_policy(answer: &Answer) {
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("x-request-id").len(), 32);
    assert_eq!(answer.header("strict-transport-security"), "", "never without TLS");
}

#[test]
fn a_page_comes_with_its_headers() {
    let (project, edge) = site();
    assert_eq!(edge.id, project.release.id.as_str());
    let answer = get(edge.address, "/");
    assert_eq!((answer.status, answer.body.len()), (200, 1300));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("vary"), "accept-encoding");
    assert_eq!(answer.header("content-encoding"), "");
    assert_policy(&answer);
    let answer = get(edge.address, "/assets/app.4f9c2ab1.css?v=1");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
}

#[test]
fn the_wanted_coding_is_sent() {
    let (_project, edge) = site();
    let mut tags = Vec::new();
    for (accepted, expected) in [
        ("gzip", "gzip"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("zstd", "zstd"),
        ("deflate", ""),
        ("*;q=0, identity", ""),
    ] {
        let answer = get_with(edge.address, "/", &format!("accept-encoding: {accepted}\r\n"));
        assert_eq!((answer.status, answer.header("content-encoding")), (200, expected));
        tags.push(answer.header("etag").to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 4, "one strong tag for each coding: {tags:?}");
    let answer = get_with(edge.address, "/", "accept-encoding: identity;q=0\r\n");
    assert_eq!(answer.status, 406);
}

#[test]
fn a_client_that_has_it_is_told_so() {
    let (_project, edge) = site();
    let tag = get(edge.address, "/").header("etag").to_owned();
    let answer = get_with(edge.address, "/", &format!("if-none-match: \"x\", W/{tag}\r\n"));
    assert_eq!((answer.status, answer.header("etag")), (304, tag.as_str()));
    assert_eq!(answer.header("content-length"), "");
    assert_policy(&answer);
    let headers = format!("if-none-match: {tag}\r\naccept-encoding: br\r\n");
    assert_eq!(get_with(edge.address, "/", &headers).status, 200, "another representation");
}

#[test]
fn a_client_that_wants_another_representation_gets_none() {
    let (_project, edge) = site();
    let tag = get(edge.address, "/").header("etag").to_owned();
    assert_eq!(get_with(edge.address, "/", &format!("if-match: {tag}\r\n")).status, 200);
    for condition in ["if-match: \"x\"\r\n".to_owned(), format!("if-match: W/{tag}\r\n")] {
        let answer = get_with(edge.address, "/", &condition);
        assert_eq!(answer.status, 412, "{condition}");
        assert_policy(&answer);
    }
    let date = "if-modified-since: Wed, 25 Nov 2099 10:00:00 GMT\r\n";
    let answer = get_with(edge.address, "/", date);
    assert_eq!(
        (answer.status, answer.header("last-modified")),
        (200, ""),
        "dates mean nothing here"
    );
    let range = format!("if-none-match: {tag}\r\nrange: bytes=0-1\r\n");
    assert_eq!(get_with(edge.address, "/", &range).status, 304, "conditions come before ranges");
    let range = "range: bytes=0-1,5-9\r\n";
    assert_eq!(get_with(edge.address, "/", range).status, 200, "several parts get the whole");
}

#[test]
fn a_part_is_sent_from_memory_and_from_disk() {
    let (_project, edge) = site();
    let answer = get_with(edge.address, "/", "range: bytes=3-7\r\n");
    assert_eq!((answer.status, answer.text().as_str()), (206, "hello"));
    assert_eq!(answer.header("content-range"), "bytes 3-7/1300");

    let whole = get(edge.address, "/large.bin");
    assert_eq!(whole.body.len(), LARGE_BYTES);
    assert!(whole.body.iter().enumerate().all(|(n, byte)| *byte == (n % 251) as u8));
    let answer = get_with(edge.address, "/large.bin", "range: bytes=-100000\r\n");
    assert_eq!(answer.status, 206);
    assert_eq!(answer.body, whole.body[LARGE_BYTES - 100_000..]);

    let answer = get_with(edge.address, "/", "range: bytes=1300-\r\n");
    assert_eq!((answer.status, answer.header("content-range")), (416, "bytes */1300"));
    let answer = get_with(edge.address, "/", "range: bytes=0-1\r\naccept-encoding: br\r\n");
    assert_eq!(answer.status, 200, "parts are of the identity");
    let answer = get_with(edge.address, "/", "range: bytes=0-1\r\nif-range: \"old\"\r\n");
    assert_eq!(answer.status, 200);
}

#[test]
fn head_is_get_without_the_body() {
    let (_project, edge) = site();
    for target in ["/", "/large.bin", "/nowhere", "/empty.txt"] {
        let (full, head) = (get(edge.address, target), send(edge.address, "HEAD", target, "", b""));
        assert_eq!(full.status, head.status);
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(full.header(name), head.header(name), "{target} {name}");
        }
    }
}

#[test]
fn folders_and_pages_are_found_by_the_names_that_people_use() {
    let (_project, edge) = site();
    assert_eq!(get(edge.address, "/docs/").text(), "docs");
    assert_eq!(get(edge.address, "/about").text(), "about us");
    let answer = get(edge.address, "/docs?a=1&b=%20");
    assert_eq!((answer.status, answer.header("location")), (308, "/docs/?a=1&b=%20"));
    assert_policy(&answer);
    assert_eq!(get(edge.address, "/caf%C3%A9%20100%25.txt").text(), "strange");
    assert_eq!(get(edge.address, "/empty.txt").status, 200);
}

#[test]
fn a_miss_gets_the_sites_own_page() {
    let (_project, edge) = site();
    let answer = get(edge.address, "/nowhere");
    assert_eq!((answer.status, answer.text().as_str()), (404, "<h1>lost</h1>"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
    assert_policy(&answer);
}

#[test]
fn only_the_manifest_is_served() {
    let (project, edge) = site();
    std::fs::write(project.release.path.join("site/later.txt"), "x").unwrap();
    for target in [
        "/later.txt",
        "/index.html.br",
        "/../manifest.json",
        "/%2e%2e/manifest.json",
        "/..%2fmanifest.json",
        "/docs/../../manifest.json",
        "/docs/%2e%2e/index.html",
        "/%252e%252e/manifest.json",
        "//index.html",
        "/./index.html",
        "/index.html/",
        "/docs//",
        "/%ff",
        "/C:%5cwindows",
    ] {
        let answer = get(edge.address, target);
        assert_eq!(answer.status, 404, "{target}");
        assert_policy(&answer);
    }
    for target in ["/%00", "/index.html%00.png", "/%", "/%zz", "/a%0d%0ax-evil:1"] {
        let answer = get(edge.address, target);
        assert_eq!(answer.status, 400, "{target}");
        assert_policy(&answer);
    }
}

#[test]
fn other_methods_are_refused_and_options_answered() {
    let (_project, edge) = site();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = send(edge.address, method, "/", "", b"x=1");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "GET, HEAD, OPTIONS"),
            "{method}"
        );
        assert_policy(&answer);
    }
    for target in ["/", "*"] {
        let answer = send(edge.address, "OPTIONS", target, "", b"");
        assert_eq!((answer.status, answer.header("allow")), (204, "GET, HEAD, OPTIONS"));
        assert_policy(&answer);
    }
}

#[test]
fn broken_and_huge_requests_are_refused() {
    let (_project, edge) = site();
    let status =
        |bytes: &[u8]| raw(edge.address, bytes).chars().skip(9).take(3).collect::<String>();
    assert_eq!(status(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n"), "400", "no host");
    assert_eq!(
        status(b"GET / HTTP/1.1\r\nconnection: close\r\nhost: a\r\nhost: b\r\n\r\n"),
        "400",
        "two hosts"
    );
    assert_eq!(status(b"GET / HTTP/1.0\r\n\r\n"), "200");
    assert_eq!(status(b"nonsense\r\n\r\n"), "400");
    let large = format!(
        "GET / HTTP/1.1\r\nconnection: close\r\nhost: a\r\nx: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    assert_eq!(status(large.as_bytes()), "431");
    let many =
        format!("GET / HTTP/1.1\r\nconnection: close\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert_eq!(status(many.as_bytes()), "431");
    let long =
        format!("GET /{} HTTP/1.1\r\nconnection: close\r\nhost: a\r\n\r\n", "x".repeat(70_000));
    assert!(["414", "431"].contains(&status(long.as_bytes()).as_str()));
    assert_eq!(get(edge.address, "/").status, 200, "and it still serves");
}

#[test]
fn a_connection_is_kept_and_ids_differ() {
    let (_project, edge) = site();
    let mut stream = connect(edge.address);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut ids = std::collections::HashSet::new();
    for _ in 0..3 {
        stream.write_all(b"GET /docs/ HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let answer = read(&mut reader, false);
        assert_eq!(answer.text(), "docs");
        ids.insert(answer.header("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_damaged_release_is_refused() {
    let (project, edge) = site();
    drop(edge);
    std::fs::write(project.release.path.join("site/about.html"), "about ut").unwrap();
    let (code, stdout, stderr) = project.serve_in_vain();
    assert_eq!((code, stdout.as_str()), (Some(4), ""));
    assert!(stderr.contains("about.html") && stderr.contains("expected SHA-256"), "{stderr}");
}
