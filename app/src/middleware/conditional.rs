//! Pages that may be kept but must be asked about (`no-cache`) get an ETag, and 304 when the
//! visitor's copy is still right: a status page is reloaded most when the service is worst.

use crate::token::hex;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// Larger than any page of ours.
const PAGE_LIMIT_BYTES: usize = 4 * 1024 * 1024;

pub async fn layer(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let must_ask = response.headers().get(header::CACHE_CONTROL).is_some_and(|v| v == "no-cache");
    if !is_read || !must_ask || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PAGE_LIMIT_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // Weak: the same page may leave compressed or not.
    let tag = format!("W/\"{}\"", &hex(&Sha256::digest(&bytes))[..24]);
    let is_known = known
        .as_ref()
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value == "*" || value.split(',').any(|t| t.trim() == tag));
    if let Ok(value) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}
