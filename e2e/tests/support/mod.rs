//! Small pages on a port of their own, and a browser to see them with.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// An answer: status, content type, body.
pub type Answer = (u16, &'static str, String);
type Routes = HashMap<String, Answer>;

/// A page to test with, at the address of a server for these documents; `None`, and the reason
/// printed, when this machine has no browser. Under CI that fails instead.
pub fn page(documents: &[(&str, &str)]) -> Option<e2e::Page> {
    let browser = browser()?;
    let page = browser.new_page().unwrap().with_base_url(serve(documents));
    Some(page)
}

/// A browser of the test's own, ended with it.
pub fn browser() -> Option<e2e::Browser> {
    match e2e::Browser::launch() {
        Ok(browser) => Some(browser),
        Err(error) if error.is_unreachable() && std::env::var_os("CI").is_none() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Serves HTML documents by path on a free port, until the process ends; gives the address.
pub fn serve(documents: &[(&str, &str)]) -> String {
    let routes = documents
        .iter()
        .map(|(path, body)| {
            let body = format!("<!doctype html><html lang=en><title>{path}</title>{body}");
            ((*path).to_owned(), (200, "text/html; charset=utf-8", body))
        })
        .collect();
    serve_routes(routes)
}

/// As [`serve`], for any answers. A POST to a path is answered with what was sent.
pub fn serve_routes(routes: Routes) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Arc::new(routes);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let routes = Arc::clone(&routes);
            std::thread::spawn(move || answer(stream, &routes));
        }
    });
    address
}

fn answer(stream: TcpStream, routes: &Routes) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut sent = vec![0; length];
    reader.read_exact(&mut sent).ok()?;
    let (status, kind, body) = if method == "POST" {
        let sent = String::from_utf8_lossy(&sent);
        (200, "text/html", format!("<!doctype html><title>sent</title><p>sent {sent}</p>"))
    } else {
        let path = path.split('?').next()?;
        routes.get(path).cloned().unwrap_or((404, "text/html", "<h1>not here</h1>".to_owned()))
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()
}
