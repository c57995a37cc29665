//! The server of the fixtures' releases: says who it is and what reached it, and fails when asked to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// In the working folder: the server answers 503 as long as it is there.
pub const SICK: &str = "sick";

/// Serves until it is killed, when a release's environment says so; else does nothing.
pub fn run() {
    let Ok(address) = std::env::var("LISTEN") else { return };
    match std::env::var("MODE").as_deref() {
        Ok("dies") => {
            eprintln!("no database");
            std::process::exit(7);
        }
        Ok("waits") => {
            std::fs::write("waiting", "").unwrap();
            while !Path::new("open").exists() {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        // Never listens.
        Ok("hangs") => {
            std::fs::write("helper", start_helper()).unwrap();
            loop {
                std::thread::park();
            }
        }
        _ => {}
    }
    let listener = TcpListener::bind(address).unwrap();
    for stream in listener.incoming() {
        std::thread::spawn(move || serve(stream.unwrap()));
    }
}

/// Starts a process that does not end with the server; gives its number.
fn start_helper() -> String {
    std::process::Command::new("sleep").arg("60").spawn().unwrap().id().to_string()
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let target = head.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let mut kind = "text/plain";
        let body = match path {
            "/die" => std::process::exit(7),
            "/wait" => {
                while !Path::new("go").exists() {
                    std::thread::sleep(Duration::from_millis(2));
                }
                variable("XTASK_RELEASE")
            }
            "/release" => variable("XTASK_RELEASE"),
            "/helper" => start_helper(),
            "/process" => std::process::id().to_string(),
            "/environment" => {
                let folder = std::env::current_dir().unwrap();
                let names = ["GREETING", "PASSWORD", "LEAKED", "XTASK_DATA"];
                let values: Vec<String> = names.into_iter().map(variable).collect();
                format!("{}\n{}", values.join("\n"), folder.display())
            }
            path if path.starts_with("/assets/") => {
                kind = "text/html; charset=utf-8";
                "the front page, for every path".to_owned()
            }
            _ => head.clone(),
        };
        let status = if Path::new(SICK).exists() { "503 Sick" } else { "200 OK" };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nx-slipway-release: forged\r\n\
             cache-control: public, max-age=60\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
