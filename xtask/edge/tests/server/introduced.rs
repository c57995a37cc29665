//! What the server is told of who is asking, and what it is not.

use super::support::client::{get, get_with, raw};
use super::support::project;
use super::{SERVER, site};

/// What clients send to be taken for others, and what the server gets instead; empty: nothing.
const FORGED: [(&str, &str, &str); 10] = [
    ("forwarded", "for=6.6.6.6;proto=https;host=evil.test", "for=127.0.0.1;proto=http"),
    ("x-forwarded-for", "6.6.6.6", "127.0.0.1"),
    ("x-forwarded-host", "evil.test", "example.test"),
    ("x-forwarded-proto", "https", "http"),
    ("x-forwarded-port", "6", ""),
    ("x-forwarded-prefix", "/evil", ""),
    ("x-forwarded-server", "evil.test", ""),
    ("x-real-ip", "6.6.6.6", ""),
    ("x-request-id", "forged", "*"),
    ("proxy-connection", "keep-alive", ""),
];

/// The values of a field in a head.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[test]
fn the_server_is_told_who_asks_and_believes_nobody_else() {
    let (_project, edge) = site(SERVER);
    let foreign = "x-forwarded-for: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nx-forwarded-host: evil\r\n\
                   x-forwarded-port: 1\r\nforwarded: for=6.6.6.6\r\nx-real-ip: 6.6.6.6\r\n\
                   x-request-id: forged\r\nproxy-authorization: x\r\nte: trailers\r\n\
                   keep-alive: 1\r\nupgrade: websocket\r\nx-kept: 1\r\n";
    let answer = get_with(edge.address, "/api", foreign);
    let head = answer.text().to_ascii_lowercase();
    for line in [
        "\nhost: example.test\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "\nforwarded: for=127.0.0.1;proto=http\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-host: example.test\r\n",
        "x-kept: 1\r\n",
        &format!("x-request-id: {}\r\n", answer.header("x-request-id")),
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} in {head}");
    }
    for gone in [
        "6.6.6.6",
        "https",
        "evil",
        "forged",
        "proxy-auth",
        "te:",
        "keep-alive",
        "upgrade",
        "forwarded-port",
        "connection",
    ] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    let named =
        "GET /api HTTP/1.1\r\nhost: a\r\nconnection: close, x-secret, host\r\nx-secret: 1\r\n\r\n";
    let answer = raw(edge.address, named.as_bytes());
    assert!(answer.contains("host: a\r\n") && !answer.contains("x-secret"), "{answer}");
}

#[test]
fn whatever_the_client_says_of_itself_is_replaced() {
    let (_project, edge) = site(SERVER);
    for (name, forged, expected) in FORGED {
        // Once, twice, in capitals, and named as the connection's own.
        let upper = name.to_ascii_uppercase();
        for fields in [
            format!("{name}: {forged}\r\n"),
            format!("{name}: {forged}\r\n{name}: {forged}\r\n"),
            format!("{upper}: {forged}\r\n"),
            format!("connection: {name}\r\n{name}: {forged}\r\n"),
        ] {
            let answer = get_with(edge.address, "/api", &fields);
            let head = answer.text();
            let found = values(&head, name);
            match expected {
                "" => assert_eq!(found, [""; 0], "{fields}"),
                "*" => assert_eq!(found, [answer.header(name)], "{fields}"),
                expected => assert_eq!(found, [expected], "{fields}"),
            }
        }
    }
}

#[test]
fn a_proxy_that_was_named_is_believed() {
    let project = project(&[("index.html", b"static")], Some(SERVER));
    let edge = project.serve_with(&["--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.1.1.1"]);
    let fields = "x-forwarded-for: 6.6.6.6, 192.0.2.7\r\nx-forwarded-for: 10.1.1.1\r\n\
                  x-forwarded-proto: https\r\nforwarded: for=6.6.6.6\r\n";
    let answer = get_with(edge.address, "/api", fields);
    let head = answer.text();
    for line in [
        "x-forwarded-for: 192.0.2.7\r\n",
        "forwarded: for=192.0.2.7;proto=https\r\n",
        "x-forwarded-proto: https\r\n",
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} in {head}");
    }
    assert!(!head.contains("6.6.6.6") && !head.contains("10.1.1.1"), "{head}");
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "TLS ends there");
}

#[test]
fn a_proxy_that_was_named_is_believed_about_the_client_alone() {
    let project = project(&[("index.html", b"static")], Some(SERVER));
    let edge = project.serve_with(&["--trust-proxy", "127.0.0.1"]);
    for (name, forged, _) in FORGED {
        if ["x-forwarded-for", "x-forwarded-proto"].contains(&name) {
            continue;
        }
        let head = get_with(edge.address, "/api", &format!("{name}: {forged}\r\n")).text();
        assert!(!values(&head, name).contains(&forged), "{name} in {head}");
    }
    for nonsense in ["ftp", "HTTPS", "https, http", ""] {
        let head = get_with(edge.address, "/api", &format!("x-forwarded-proto: {nonsense}\r\n"));
        assert_eq!(values(&head.text(), "x-forwarded-proto"), ["http"], "{nonsense}");
    }
    let head = get_with(edge.address, "/api", "x-forwarded-for: nonsense\r\n").text();
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"]);
}

#[test]
fn what_connection_names_is_not_passed_on_and_the_frame_is() {
    let (_project, edge) = site(SERVER);
    let request = "POST /api HTTP/1.1\r\nhost: a\r\nconnection: X-One,x-two ,close\r\n\
                   Connection: \"x-odd\", x-three, content-length, host\r\nx-one: 1\r\nX-Two: 2\r\n\
                   x-three: 3\r\nx-four: 4\r\ncontent-length: 0\r\n\r\n";
    let answer = raw(edge.address, request.as_bytes());
    let (_, head) = answer.split_once("\r\n\r\n").unwrap();
    for gone in ["x-one", "x-two", "x-three", "connection"] {
        assert_eq!(values(head, gone), [""; 0], "{gone} in {head}");
    }
    for (name, value) in [("x-four", "4"), ("host", "a"), ("content-length", "0")] {
        assert_eq!(values(head, name), [value], "{name} in {head}");
    }
}

#[test]
fn each_request_has_an_id_of_its_own() {
    let (_project, edge) = site(SERVER);
    let ids: std::collections::BTreeSet<String> = ["/", "/api", "/missing", "/hang-up", "/%zz"]
        .map(|path| get(edge.address, path).header("x-request-id").to_owned())
        .into();
    assert_eq!(ids.len(), 5, "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 32), "{ids:?}");
}
