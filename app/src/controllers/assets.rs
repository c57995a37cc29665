//! Static files.

use crate::assets::{self, Asset};
use crate::state::AppState;
use axum::Router;
use axum::http::header;
use axum::routing::get;

/// One route per file.
pub fn routes() -> Router<AppState> {
    assets::all().into_iter().fold(Router::new(), |router, (path, asset)| {
        let Asset { content_type, keep, bytes } = asset;
        let headers =
            [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, keep.cache_control())];
        router.route(path, get(move || async move { (headers, bytes) }))
    })
}
