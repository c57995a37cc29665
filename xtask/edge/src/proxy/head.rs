//! Heads on their way to the server and back: without what belongs to one connection only, and with
//! who is asking, for which the edge believes nobody else.

use super::{Introduction, X_REQUEST_ID};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::request;
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, StatusCode, Uri, Version};

/// Headers that speak of who is asking through whom; the edge says it and believes nobody else.
const FORWARDED: [HeaderName; 8] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-real-ip"),
];

/// Headers that belong to one connection, besides those that `connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The head of a request as the server gets it.
pub fn of_server(
    mut head: request::Parts,
    introduction: Introduction<'_>,
    protocol: Option<HeaderValue>,
) -> Result<request::Parts, StatusCode> {
    // What the request line names counts more (RFC 9112, section 3.2.2).
    let host = host_of(&head.uri).or_else(|| head.headers.get(HOST).cloned());
    let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    head.uri = Uri::from(path);
    if head.version == Version::HTTP_2 {
        join_cookies(&mut head.headers);
    }
    head.version = Version::HTTP_11;
    remove_hop_by_hop(&mut head.headers);
    // The edge itself answers `expect: 100-continue` when it reads the body.
    head.headers.remove(EXPECT);
    head.headers.remove("http2-settings");
    if let Some(protocol) = protocol {
        head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        head.headers.insert(UPGRADE, protocol);
    }
    introduce(&mut head.headers, introduction, host);
    Ok(head)
}

/// On HTTP/2 each cookie may come in a field of its own; HTTP/1.1 knows one (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(COOKIE, cookies);
    }
}

fn host_of(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?.as_str();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    HeaderValue::from_str(host).ok()
}

/// Says who is asking, and for which host.
fn introduce(headers: &mut HeaderMap, introduction: Introduction<'_>, host: Option<HeaderValue>) {
    for name in &FORWARDED {
        headers.remove(name);
    }
    let who = introduction.who;
    headers.insert("forwarded", who.forwarded.clone());
    headers.insert("x-forwarded-for", who.forwarded_for.clone());
    headers.insert("x-forwarded-proto", HeaderValue::from_static(who.scheme.as_str()));
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host.clone());
        headers.insert(HOST, host);
    }
    headers.insert(X_REQUEST_ID, introduction.request_id.clone());
}

/// Takes out what belongs to one connection.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // Nobody may have the edge drop what frames or addresses the message.
        .filter(|name| ![HOST, CONTENT_LENGTH].contains(name))
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}
