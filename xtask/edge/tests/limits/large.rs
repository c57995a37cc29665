//! Requests that are too large, over both protocols.

use super::site;
use super::support::client::{get, get_with, raw};
use super::support::tls::{self, http2, request};
use http_body_util::Empty;
use hyper::Method;
use hyper::body::{Body, Bytes, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// More than the edge passes on.
const MEGABYTES: usize = 17;

/// A body of so many megabytes, with no length announced.
struct Endless(usize);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.checked_sub(1).map(|left| {
            self.0 = left;
            Ok(Frame::data(vec![b'x'; 1024 * 1024].into()))
        }))
    }
}

#[test]
fn a_head_too_large_is_a_431() {
    let (_project, edge) = site();
    let large = "x".repeat(70_000);
    for head in [
        format!("GET /{large} HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {large}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{large}: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: 1\r\n".repeat(100)),
    ] {
        let answer = raw(edge.address, head.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 431 "), "{}: {answer}", &head[..60]);
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    let fits = "x".repeat(60_000);
    assert_eq!(get(edge.address, &format!("/?{fits}")).text(), "static");
    assert_eq!(get_with(edge.address, "/", &format!("x: {fits}\r\n")).text(), "static");
    assert_eq!(get_with(edge.address, "/", &"x: 1\r\n".repeat(98)).text(), "static");
}

#[test]
fn a_head_that_grows_without_end_is_a_431() {
    let (_project, edge) = site();
    let endless = ["GET / HTTP/1.1\r\nhost: a\r\n", &"x: yyyyyyyyy\r\n".repeat(15_000)].concat();
    // What is still on its way when the edge answers may cost the answer.
    let answer = raw(edge.address, endless.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(get(edge.address, "/").text(), "static");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_head_too_large_is_a_431_on_http2_too() {
    let (_project, edge, _pair, certificate) = tls::site(&[]);
    let mut sender = http2(&edge, &certificate).await;
    let path = format!("/?{}", "x".repeat(65_500));
    let answer = sender.send_request(request(&path, Empty::<Bytes>::new())).await.unwrap();
    assert_eq!(answer.status(), 431);
    let mut many = request("/", Empty::new());
    for count in 0..2_000 {
        many.headers_mut().append("x", count.into());
    }
    assert_eq!(sender.send_request(many).await.unwrap().status(), 431);
    let path = format!("/?{}", "x".repeat(60_000));
    assert_eq!(sender.send_request(request(&path, Empty::new())).await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_too_large_is_a_413_on_http2_too() {
    let (_project, edge, _pair, certificate) = tls::site(&[]);
    let mut sender = http2(&edge, &certificate).await;
    for announced in [None, Some(MEGABYTES * 1024 * 1024)] {
        let mut post = request("/count", Endless(MEGABYTES));
        *post.method_mut() = Method::POST;
        if let Some(length) = announced {
            post.headers_mut().insert("content-length", length.into());
        }
        let answer = sender.send_request(post).await.unwrap();
        assert_eq!(answer.status(), 413, "{announced:?}");
        assert_eq!(answer.headers()["x-frame-options"], "DENY");
    }
    let mut post = request("/count", Endless(3));
    *post.method_mut() = Method::POST;
    assert_eq!(tls::text(sender.send_request(post).await.unwrap()).await, "3145728");
}
