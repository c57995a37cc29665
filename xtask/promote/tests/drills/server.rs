//! The server of the drills' releases: sound, or faulty in one way.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a sound server takes for an answer, and a slow one.
const SOUND: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(100);

/// After so many answers a server that leaks has no memory left.
const LEAK: u32 = 20;

/// As a process ends that the system killed for want of memory.
const KILLED: i32 = 137;

/// What a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Sound,
    /// Answers 500 to all but those who ask after its health.
    Fails,
    /// Takes ten times as long as a sound one.
    Slow,
    /// Dies again and again.
    Leaks,
    /// Listens, and says that it is not ready.
    NeverReady,
}

const MANNERS: [(&str, Manner); 5] = [
    ("sound", Manner::Sound),
    ("fails", Manner::Fails),
    ("slow", Manner::Slow),
    ("leaks", Manner::Leaks),
    ("never-ready", Manner::NeverReady),
];

/// The program of such a server: this very binary reads it, as a shell reads a script.
pub fn program(manner: Manner) -> String {
    let this = std::env::current_exe().unwrap();
    let (name, _) = MANNERS.into_iter().find(|(_, known)| *known == manner).unwrap();
    format!("#!{}\n{name}\n", this.display())
}

/// Serves until it is killed, when it was started by an edge; else does nothing.
pub fn run() {
    let Ok(address) = std::env::var("LISTEN") else { return };
    let program = std::env::args().nth(1).unwrap();
    let program = std::fs::read_to_string(program).unwrap();
    let name = program.lines().nth(1).unwrap();
    let (_, manner) = MANNERS.into_iter().find(|(known, _)| *known == name).unwrap();
    let answered = AtomicU32::new(0);
    let listener = TcpListener::bind(address).unwrap();
    std::thread::scope(|scope| {
        for stream in listener.incoming() {
            let answered = &answered;
            // A client that goes away in the middle is none of the server's business.
            scope.spawn(move || serve(stream.unwrap(), manner, answered).ok());
        }
    });
}

fn serve(mut stream: TcpStream, manner: Manner, answered: &AtomicU32) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let is_asked_how_it_is = head.starts_with("GET /health ");
        let status = match manner {
            Manner::NeverReady => "503 Service Unavailable",
            Manner::Fails if !is_asked_how_it_is => "500 Internal Server Error",
            _ => "200 OK",
        };
        if !is_asked_how_it_is {
            std::thread::sleep(if manner == Manner::Slow { SLOW } else { SOUND });
            if manner == Manner::Leaks && answered.fetch_add(1, Ordering::Relaxed) == LEAK {
                eprintln!("out of memory");
                std::process::exit(KILLED);
            }
        }
        let body = std::env::var("XTASK_RELEASE").unwrap_or_default();
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes())?;
    }
}
