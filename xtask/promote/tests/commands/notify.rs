//! Those who are told how a rollout goes.

use crate::project::Project;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// Takes what is sent, until so many messages came.
fn hook(count: usize) -> (String, JoinHandle<Vec<serde_json::Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/T0/secret-part", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let mut taken = Vec::new();
        for stream in listener.incoming().take(count) {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                let (name, value) = line.split_once(':').unwrap_or_default();
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            taken.push(serde_json::from_slice(&body).unwrap());
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(answer).unwrap();
        }
        taken
    });
    (url, taken)
}

#[test]
fn a_webhook_hears_of_each_turn_and_of_a_rollback() {
    let project = Project::new(
        "notify = [{ url-env = \"HOOK\" }]\ngates = [\"command:check\"]\n\
         commands = { check = \"! test -f broken\" }",
    );
    let told = |command: &str, count: usize| {
        let (url, hook) = hook(count);
        let ran = project.command(command, &[]).env("HOOK", &url).output().unwrap();
        let messages = hook.join().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(!said.contains("secret-part"), "the address is a secret: {said}");
        let events: Vec<String> = messages
            .iter()
            .map(|message| {
                assert_eq!(message["environment"], "production", "{message}");
                assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()), "{message}");
                message["event"].as_str().unwrap().to_owned()
            })
            .collect();
        events.join(" ")
    };
    let first = project.release("one");
    assert_eq!(told("promote", 2), "began live");
    project.write("broken", "");
    project.release("two");
    assert_eq!(told("promote", 3), "began turning-back turned-back");
    std::fs::remove_file(project.root().join("broken")).unwrap();
    assert_eq!(told("promote", 2), "began live");
    assert_eq!(told("rollback", 1), "rolled-back");
    assert_eq!(project.status("production")["live"], first.as_str());
}

#[test]
fn nobody_who_listens_stops_nothing_and_is_told() {
    let project = Project::new("notify = [{ url-env = \"HOOK\", format = \"slack\" }]");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    project.release("one");
    let mut command = project.command("promote", &[]);
    let ran = command.env("HOOK", format!("http://{closed}/T0/secret-part")).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert!(said.contains("warning") && said.contains("HOOK"), "{said}");
    assert!(!said.contains("secret-part"), "{said}");
    assert_eq!(project.page(), "one");
}
