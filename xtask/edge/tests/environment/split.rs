//! The candidate's share of the traffic, and reaching a release on purpose.

use super::support::client::{Answer, connect, read};
use super::support::environment::{Environment, EnvironmentEdge, until};
use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::SocketAddr;

/// One connection that is kept.
struct Connection {
    stream: std::net::TcpStream,
    reader: BufReader<std::net::TcpStream>,
}

impl Connection {
    fn new(address: SocketAddr) -> Connection {
        let stream = connect(address);
        Connection { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn get(&mut self, target: &str, headers: &str) -> Answer {
        let head = format!("GET {target} HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        self.stream.write_all(head.as_bytes()).unwrap();
        let answer = read(&mut self.reader, false);
        if answer.header("connection") == "close" {
            *self = Connection::new(self.stream.peer_addr().unwrap());
        }
        answer
    }
}

fn with_candidate(share: u16) -> (Environment, EnvironmentEdge) {
    let mut environment = Environment::new();
    let live = environment.add(&[("index.html", b"live"), ("assets/a.4f9c2ab1.js", b"1")], None);
    let candidate = environment.add(&[("index.html", b"candidate")], None);
    environment.live(&live);
    environment.candidate(&candidate, share);
    let edge = environment.serve();
    edge.until_state(&candidate, "ready");
    (environment, edge)
}

/// The cookie of an answer as a client sends it back; the edge's, without its attributes.
fn cookie(answer: &Answer) -> &str {
    answer.header("set-cookie").split(';').next().unwrap()
}

#[test]
fn a_share_of_the_clients_gets_the_candidate_and_keeps_it() {
    const CLIENTS: usize = 4_000;
    let (mut environment, edge) = with_candidate(50);
    let mut connection = Connection::new(edge.address);
    let mut clients = HashMap::new();
    for _ in 0..CLIENTS {
        let answer = connection.get("/", "");
        let field = answer.header("set-cookie");
        assert!(field.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"), "{field}");
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        clients.insert(cookie(&answer).to_owned(), answer.text());
    }
    let count = |clients: &HashMap<String, String>| {
        clients.values().filter(|page| *page == "candidate").count() as f64
    };
    // Five standard deviations of the binomial distribution.
    let is_likely = |count: f64, p: f64| {
        let clients = CLIENTS as f64;
        (count - clients * p).abs() < 5.0 * (clients * p * (1.0 - p)).sqrt()
    };
    assert_eq!(clients.len(), CLIENTS, "everyone is somebody else");
    assert!(is_likely(count(&clients), 0.05), "{}", count(&clients));

    for (share, p) in [(250, 0.25), (1000, 1.0)] {
        let id = environment_candidate(&edge);
        environment.candidate(&id.parse().unwrap(), share);
        edge.until("the share is in effect", |status| {
            status["generation"] == environment.generation() && status["candidate_share"] == share
        });
        for (cookie, page) in &mut clients {
            let answer = connection.get("/", &format!("cookie: x=1; {cookie}\r\n"));
            assert_eq!(answer.header("set-cookie"), "", "it has one");
            let now = answer.text();
            assert!(now == "candidate" || *page == "live", "{cookie} went back at {share}");
            *page = now;
        }
        assert!(is_likely(count(&clients), p) || p == 1.0 && count(&clients) == CLIENTS as f64);
    }
}

fn environment_candidate(edge: &EnvironmentEdge) -> String {
    edge.status()["candidate"].as_str().unwrap().to_owned()
}

#[test]
fn a_client_gets_a_page_and_its_files_from_one_release() {
    let mut environment = Environment::new();
    let sites = [b"live", b"next"].map(|text| [("index.html", &text[..]), ("app.css", &text[..])]);
    let ids = sites.map(|files| environment.add(&files, None));
    environment.live(&ids[0]);
    environment.candidate(&ids[1], 500);
    let edge = environment.serve();
    edge.until_state(&ids[1], "ready");
    let mut connection = Connection::new(edge.address);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let page = connection.get("/", "");
        let style = connection.get("/app.css", &format!("cookie: {}\r\n", cookie(&page)));
        assert_eq!(page.text(), style.text());
        assert_eq!(page.header("x-slipway-release"), style.header("x-slipway-release"));
        seen.insert(page.text());
    }
    assert_eq!(seen.len(), 2, "both were seen");
}

#[test]
fn a_cookie_that_the_edge_did_not_make_is_not_believed() {
    let (_environment, edge) = with_candidate(500);
    let sound = cookie(&edge.get("/")).to_owned();
    let kept = |value: &str| {
        edge.get_with("/", &format!("cookie: {value}\r\n")).header("set-cookie").is_empty()
    };
    assert!(kept(&sound));
    let (id, tag) = sound.split_once('.').unwrap();
    for forged in [
        "slipway=".to_owned(),
        "slipway=candidate".to_owned(),
        format!("{id}.{}", "0".repeat(32)),
        format!("slipway={}.{tag}", "0".repeat(32)),
        format!("{sound}0"),
    ] {
        assert!(!kept(&forged), "{forged}");
    }
}

#[test]
fn what_everyone_gets_alike_carries_no_cookie() {
    let (_environment, edge) = with_candidate(500);
    for _ in 0..20 {
        let answer = edge.get("/assets/a.4f9c2ab1.js");
        assert_eq!((answer.status, answer.text().as_str()), (200, "1"));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[test]
fn a_candidate_without_a_share_is_reached_on_purpose_only() {
    let (_environment, edge) = with_candidate(0);
    for _ in 0..50 {
        let answer = edge.get("/");
        assert_eq!((answer.text().as_str(), answer.header("set-cookie")), ("live", ""));
    }
    let candidate = environment_candidate(&edge);
    for wish in ["candidate", &candidate] {
        let answer = edge.page_of(wish);
        assert_eq!(answer.text(), "candidate");
        assert_eq!(answer.header("x-slipway-release"), candidate);
        assert_eq!(answer.header("cache-control"), "private, no-cache", "for no other client");
        assert_eq!(answer.header("set-cookie"), "", "a header says it each time");

        let answer = edge.get(&format!("/?slipway-release={wish}"));
        assert_eq!(answer.text(), "candidate");
        let remembered = cookie(&answer).to_owned();
        let page = |cookie: &str| edge.get_with("/", &format!("cookie: {cookie}\r\n")).text();
        assert_eq!(page(&remembered), "candidate", "a page's parts come from its release");
    }
    let answer = edge.get("/?slipway-release=live");
    assert_eq!(answer.text(), "live");
    assert!(answer.header("set-cookie").contains("slipway-release=; Path=/; Max-Age=0"));
    assert_eq!(edge.page_of("live").text(), "live");

    for wish in ["2020-01-01-000000000000", "nonsense", ""] {
        let answer = edge.page_of(wish);
        assert_eq!((answer.status, answer.header("x-slipway-release")), (503, ""), "{wish}");
        let stale = edge.get_with("/", &format!("cookie: slipway-release={wish}\r\n"));
        assert_eq!(stale.text(), "live", "what is remembered ends with the release");
    }
}

#[test]
fn the_server_sees_nothing_of_it() {
    let mut environment = Environment::new();
    let live = environment.add(&[("x.txt", b"live")], Some(""));
    let candidate = environment.add(&[("x.txt", b"candidate")], Some(""));
    environment.live(&live);
    environment.candidate(&candidate, 1000);
    let edge = environment.serve();
    edge.until_state(&candidate, "ready");
    let wish = "x-slipway-release: candidate\r\ncookie: a=1; slipway=1.2; slipway-release=live\r\n";
    let answer = edge.get_with("/echo?slipway-release=live&b=2", wish);
    let head = answer.text();
    assert!(head.starts_with("GET /echo?b=2 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("cookie: a=1\r\n") && !head.contains("slipway"), "{head}");
    assert_eq!(answer.header("x-slipway-release"), candidate.as_str(), "and it cannot forge it");
    assert_eq!(answer.header("cache-control"), "private, max-age=60");
    let answer = edge.get("/echo");
    assert_eq!(answer.header("cache-control"), "private, max-age=60");
    assert!(answer.header("set-cookie").starts_with("slipway="));
}

#[test]
fn a_release_has_an_address_of_its_own_that_gives_no_other() {
    let (mut environment, edge) = with_candidate(0);
    let status = edge.status();
    let releases = status["releases"].as_object().unwrap();
    let own = |id: &String| -> SocketAddr {
        let url = releases[id]["url"].as_str().unwrap();
        url.strip_prefix("http://").unwrap().parse().unwrap()
    };
    let live = status["live"].as_str().unwrap().to_owned();
    let candidate = status["candidate"].as_str().unwrap().to_owned();
    for (id, page) in [(&live, "live"), (&candidate, "candidate")] {
        // Neither a wish nor a cookie leads elsewhere.
        let headers = "x-slipway-release: live\r\ncookie: slipway-release=live\r\n";
        let mut connection = Connection::new(own(id));
        for target in ["/", "/?slipway-release=live"] {
            let answer = connection.get(target, headers);
            assert_eq!((answer.status, answer.text().as_str()), (200, page), "{target}");
            assert_eq!(answer.header("x-slipway-release"), id.as_str());
            assert_eq!(answer.header("set-cookie"), "");
        }
    }

    let address = own(&candidate);
    environment.route(|routing| routing.candidate = None);
    edge.until("the candidate is gone", |status| status["releases"].get(&candidate).is_none());
    until("its address is gone with it", || (std::net::TcpStream::connect(address).is_err(), ()));
    assert_eq!(edge.get("/").text(), "live");
}
