//! The database in the user's cache: fetched, kept, refreshed, and what is said without one.

use crate::support::{ADVISORIES, Project, assert_shown};
use flate2::Compression;
use flate2::write::GzEncoder;
use report::Status;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// Serves each answer once, in order, and notes what was asked.
struct Mirror {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    fn start(answers: Vec<Vec<u8>>) -> Mirror {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/main.tar.gz", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).unwrap() > 0
                {
                }
                noted.lock().unwrap().push(request.to_ascii_lowercase());
                // A client that has had enough closes the connection.
                let _ = stream.write_all(&answer);
            }
        });
        Mirror { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn archive_answer(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let comment = b"52 comment=0123456789012345678901234567890123456789\n";
    append(&mut archive, "pax_global_header", comment, tar::EntryType::XGlobalHeader);
    for (path, content) in entries {
        append(&mut archive, path, content, tar::EntryType::Regular);
    }
    let body = archive.into_inner().unwrap().finish().unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\netag: \"one\"\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    path: &str,
    content: &[u8],
    kind: tar::EntryType,
) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    // The commit's time: 2026-11-20.
    header.set_mtime(1_795_132_800);
    // Written as it is: the library would refuse a path that leads outside.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    archive.append(&header, content).unwrap();
}

fn database_answer() -> Vec<u8> {
    let paths: Vec<String> =
        ADVISORIES.iter().map(|(path, _)| format!("advisory-db-main/crates/{path}")).collect();
    let entries =
        paths.iter().zip(ADVISORIES).map(|(path, (_, text))| (path.as_str(), text.as_bytes()));
    let mut entries: Vec<_> = entries.collect();
    entries.push(("top/crates/../../../../escaped.md", b"outside"));
    entries.push(("top/crates/x/RUSTSEC-../../escaped.md", b"outside"));
    archive_answer(&entries)
}

fn status_answer(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

/// Makes the copy in the cache look as old as can be.
fn age(project: &Project) {
    let path = project.path("cache/slipway/advisory-db/state.json");
    let mut state: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state["copy"]["checked_at"] = 0.into();
    state["failed_at"] = serde_json::Value::Null;
    std::fs::write(path, state.to_string()).unwrap();
}

#[test]
fn a_database_is_fetched_once_and_refreshed_by_its_etag() {
    let mirror = Mirror::start(vec![
        database_answer(),
        status_answer("304 Not Modified"),
        status_answer("500 Down"),
    ]);
    let project = Project::with_crates("").variable("XTASK_DB_URL", mirror.url.as_str());
    let first = project.run(&[]);
    assert_eq!((first.code, first.rules()[0]), (1, "RUSTSEC-2021-0003"), "{}", first.shown());
    assert!((first.measure("advisories") - 5.0).abs() < f64::EPSILON);
    assert!(first.outcome.summary.contains("of 2026-11-20"), "{}", first.outcome.summary);
    assert!(!project.path("escaped.md").exists() && !project.path("cache/escaped.md").exists());

    let second = project.run(&[]);
    assert_eq!(
        (second.rules(), mirror.asked().len()),
        (first.rules(), 1),
        "fresh: not asked again"
    );

    age(&project);
    let third = project.run(&[]);
    assert_eq!((third.rules(), mirror.asked().len()), (first.rules(), 2));
    assert!(mirror.asked()[1].contains("if-none-match: \"one\""), "{:?}", mirror.asked());

    age(&project);
    let stale = project.run(&[]);
    assert_eq!(stale.code, 1);
    assert!(stale.rules().contains(&"audit::not-refreshed"), "{}", stale.shown());

    age(&project);
    let offline = project.run(&["--offline"]);
    assert!(offline.rules().contains(&"RUSTSEC-2021-0003"), "{}", offline.shown());
    assert_eq!(mirror.asked().len(), 3);
}

#[test]
fn without_a_database_a_person_is_warned_and_ci_fails() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let project = Project::with_crates("").variable("XTASK_DB_URL", format!("http://{closed}/x"));
    let local = project.run(&[]);
    assert_eq!((local.code, local.outcome.status), (0, Status::Skipped));
    assert!(local.outcome.summary.starts_with("NOT CHECKED: "), "{}", local.outcome.summary);
    assert_eq!(local.rules(), ["audit::no-database"]);

    let again = project.run(&[]);
    assert!(again.outcome.findings[0].message.contains("tried 0 min ago"), "{}", again.shown());

    let ci = project.variable("CI", "true").run(&[]);
    assert_eq!((ci.code, ci.outcome.status), (3, Status::Failed));
    assert!(ci.outcome.summary.starts_with("NOT CHECKED: "), "{}", ci.outcome.summary);
    assert!(!ci.outcome.findings[0].message.contains("min ago"), "CI tries again: {}", ci.shown());
}

#[test]
fn offline_without_a_copy_says_so() {
    let run = Project::with_crates("").run(&["--offline"]);
    assert_shown!(run, "offline");
}

#[test]
fn an_archive_that_is_no_database_is_not_kept() {
    let cut = database_answer();
    let mut cut = cut[..cut.len() - 200].to_vec();
    let head_end = cut.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let body = cut.split_off(head_end + 4);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let cut = [head.into_bytes(), body].concat();
    for (answer, expected) in [
        (archive_answer(&[("top/README.md", b"hello")]), "holds no crates"),
        (cut, "cannot be unpacked"),
        (status_answer("404 Not Found"), "404 Not Found"),
    ] {
        let mirror = Mirror::start(vec![answer]);
        let project = Project::with_crates("").variable("XTASK_DB_URL", mirror.url.as_str());
        let run = project.run(&[]);
        assert_eq!(run.outcome.status, Status::Skipped);
        assert!(run.outcome.findings[0].message.contains(expected), "{}", run.shown());
        let left = project.path("cache/slipway/advisory-db").read_dir().unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["state.json"], "nothing half unpacked is left");
    }
}

#[test]
fn a_mirror_elsewhere_must_be_https() {
    let project =
        Project::with_crates("").variable("XTASK_DB_URL", "http://mirror.example/db.tar.gz");
    let run = project.run(&[]);
    assert!(
        run.outcome.findings[0].message.contains("expected an https:// address"),
        "{}",
        run.shown()
    );
}

#[test]
fn what_else_was_checked_does_not_make_it_a_pass() {
    let project =
        Project::with_crates("[build]\nsite = \"dist\"\n").write("dist/index.html", "<p>");
    let run = project.run(&["--offline"]);
    assert_eq!((run.code, run.outcome.status), (0, Status::Skipped), "{}", run.shown());
    assert!(run.outcome.summary.starts_with("NOT CHECKED: the crates"), "{}", run.outcome.summary);
    assert!(run.outcome.summary.contains("1 page"), "{}", run.outcome.summary);
}
