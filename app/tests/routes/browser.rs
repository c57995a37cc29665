//! A browser as the router sees one: it keeps cookies and says where its forms come from.

use app::config::{Config, Environment};
use app::model::{Email, Moment};
use app::state::AppState;
use app::store::{Store, StoreResult, operators, seed};
use app::{password, router};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use std::net::SocketAddr;
use std::sync::LazyLock;
use tempfile::TempDir;
use tower::ServiceExt;

pub const EMAIL: &str = "ann@example.com";
pub const PASSWORD: &str = "correct horse battery";

/// Hashed once for all tests: it takes as long as it does in production.
static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| password::hash(PASSWORD).unwrap());

pub struct Browser {
    pub state: AppState,
    router: Router,
    /// Name and value; the value is empty once the server took it away.
    pub cookie: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    peer: SocketAddr,
    _data: TempDir,
}

pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    /// On a fresh database with one operator.
    pub async fn new() -> Browser {
        Browser::with(&[]).await
    }

    /// The same, with a demo site in it.
    pub async fn on_demo() -> Browser {
        let browser = Browser::new().await;
        browser.change(|t| seed::demo(t, Moment::now())).await;
        browser
    }

    pub async fn with(settings: &[(&str, &str)]) -> Browser {
        let data = TempDir::new().unwrap();
        let environment: Environment = settings
            .iter()
            .copied()
            .chain([("BEACON_DATA", data.path().to_str().unwrap())])
            .collect();
        let config = Config::read(&environment).unwrap();
        let store = Store::open(&config.data).unwrap();
        let email = Email::parse(EMAIL).unwrap();
        store
            .write(move |t| operators::add(t, &email, &PASSWORD_HASH, Moment::now()))
            .await
            .unwrap();
        let state = AppState::new(&config, config.listen, store).unwrap();
        Browser {
            router: router::router(&state),
            headers: vec![("sec-fetch-site", "same-origin".to_owned())],
            cookie: None,
            peer: SocketAddr::from(([127, 0, 0, 1], 4_000)),
            state,
            _data: data,
        }
    }

    pub fn at(mut self, address: &str) -> Browser {
        self.peer.set_ip(address.parse().unwrap());
        self
    }

    pub async fn signed_in() -> Browser {
        let mut browser = Browser::on_demo().await;
        browser.sign_in(PASSWORD).await;
        assert!(browser.cookie.is_some());
        browser
    }

    pub async fn sign_in(&mut self, password: &str) -> Page {
        self.post("/sign-in", &[("email", EMAIL), ("password", password)]).await
    }

    pub async fn change<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Transaction<'_>) -> StoreResult<T> + Send + 'static,
    ) -> T {
        self.state.store.write(job).await.unwrap()
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, Body::empty(), None).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Method::POST, path, Body::from(body), Some("application/x-www-form-urlencoded"))
            .await
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Body,
        content_type: Option<&str>,
    ) -> Page {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(set) = parts.headers.get(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, text }
    }
}

impl Page {
    #[track_caller]
    pub fn says(&self, text: &str) -> &Page {
        assert!(self.text.contains(text), "{} without {text:?}:\n{}", self.status, self.text);
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Page {
        assert!(!self.text.contains(text), "{} with {text:?}:\n{}", self.status, self.text);
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Page {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn leads_to(&self, path: &str) -> &Page {
        self.is(303);
        assert_eq!(self.header("location"), path);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
