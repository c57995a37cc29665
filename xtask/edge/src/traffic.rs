//! Which release answers a request. One value holds it all, and a request looks at one such value, so
//! that nothing is answered by half of one routing and half of the next.

use crate::client_id::{COOKIE, ClientId, Signer};
use crate::site::{File, Site};
use crate::slot::Slot;
use crate::status::Report;
use hyper::header::COOKIE as COOKIES;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, Uri};
use release::ReleaseId;
use release::routing::TrafficShare;
use std::sync::Arc;

/// Names the release that is asked for on purpose; in an answer, the one that gave it.
pub const X_SLIPWAY_RELEASE: HeaderName = HeaderName::from_static("x-slipway-release");

/// The same wish in a query, and then in a cookie that lasts as long as the browser is open: what a
/// page asks for must come from the page's release.
pub const WISH: &str = "slipway-release";

/// Which releases answer, and which clients each gets.
#[derive(Debug, Default)]
pub struct Traffic {
    pub live: Option<Arc<Slot>>,
    pub candidate: Option<(Arc<Slot>, TrafficShare)>,
    /// All that can be reached on purpose.
    pub slots: Vec<Arc<Slot>>,
    /// Immutable files of releases that are gone, the youngest first.
    pub retired: Vec<Arc<Site>>,
    pub salt: String,
    /// What is said of it to those who ask.
    pub report: Report,
}

/// Who answers a request, and what the client is to remember.
#[derive(Debug)]
pub struct Choice<'a> {
    /// None when nothing is live.
    pub slot: Option<&'a Arc<Slot>>,
    /// Whether another client might have got another release: then no cache may share the answer.
    pub is_own: bool,
    pub remember: Remember,
}

/// What a client is to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remember {
    Nothing,
    /// Its id, so that it stays on its side of the split.
    Id(ClientId),
    /// The release that it asked for in a query.
    Wish(String),
}

/// A release was asked for on purpose that is not here.
#[derive(Debug, PartialEq, Eq)]
pub struct NotLoaded;

impl Traffic {
    /// All traffic to one release.
    pub fn of_one(slot: Slot) -> Traffic {
        let slot = Arc::new(slot);
        Traffic { live: Some(Arc::clone(&slot)), slots: vec![slot], ..Traffic::default() }
    }

    /// Chooses who answers.
    ///
    /// # Errors
    /// When a release is asked for on purpose that is not here: another would not do.
    pub fn choose(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        signer: Option<&Signer>,
    ) -> Result<Choice<'_>, NotLoaded> {
        if let Some(wish) = headers.get(X_SLIPWAY_RELEASE) {
            let slot = wish.to_str().ok().and_then(|wish| self.wished(wish)).ok_or(NotLoaded)?;
            return Ok(Choice { slot: Some(slot), is_own: true, remember: Remember::Nothing });
        }
        if let Some(wish) = uri.query().and_then(wish_of) {
            let slot = self.wished(wish).ok_or(NotLoaded)?;
            let remember = Remember::Wish(wish.to_owned());
            return Ok(Choice { slot: Some(slot), is_own: true, remember });
        }
        // A wish that was remembered ends with the release.
        if let Some(slot) = cookie(headers, WISH).and_then(|wish| self.wished(wish)) {
            return Ok(Choice { slot: Some(slot), is_own: true, remember: Remember::Nothing });
        }
        let live = Choice { slot: self.live.as_ref(), is_own: false, remember: Remember::Nothing };
        let Some((candidate, share)) = &self.candidate else { return Ok(live) };
        let Some(signer) = signer.filter(|_| *share > TrafficShare::NONE) else { return Ok(live) };
        let known = cookie(headers, COOKIE).and_then(|value| signer.read(value));
        // Without randomness nobody is moved.
        let Some(id) = known.or_else(|| ClientId::random().ok()) else { return Ok(live) };
        let is_among = id.is_among(*share, &self.salt);
        let slot = if is_among { Some(candidate) } else { self.live.as_ref() };
        let remember = if known.is_some() { Remember::Nothing } else { Remember::Id(id) };
        Ok(Choice { slot, is_own: true, remember })
    }

    /// This release, and no other.
    ///
    /// # Errors
    /// When it is not here, or no longer.
    pub fn pinned(&self, id: &ReleaseId) -> Result<Choice<'_>, NotLoaded> {
        let slot = self.slots.iter().find(|slot| slot.id == *id).ok_or(NotLoaded)?;
        Ok(Choice { slot: Some(slot), is_own: false, remember: Remember::Nothing })
    }

    fn wished(&self, wish: &str) -> Option<&Arc<Slot>> {
        match wish {
            "live" => self.live.as_ref(),
            "candidate" => self.candidate.as_ref().map(|(slot, _)| slot),
            id => self.slots.iter().find(|slot| slot.id.as_str() == id),
        }
    }

    /// An immutable file of any release that is here, or was a while ago.
    pub fn asset(&self, path: &str) -> Option<&Arc<File>> {
        let loaded = self.slots.iter().map(|slot| &*slot.answers.site);
        loaded.chain(self.retired.iter().map(|site| &**site)).find_map(|site| site.asset(path))
    }
}

/// The release that a query asks for.
fn wish_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix(WISH)?.strip_prefix('='))
}

/// The `set-cookie` value that keeps a browser with the release that was asked for; asking for the
/// live one makes it forget.
pub fn wish_cookie(wish: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    match wish {
        "live" => format!("{WISH}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}"),
        wish => format!("{WISH}={wish}; Path=/; HttpOnly; SameSite=Lax{secure}"),
    }
}

/// The value of the first cookie of this name.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let fields = headers.get_all(COOKIES).iter().filter_map(|field| field.to_str().ok());
    fields
        .flat_map(|field| field.split(';'))
        .find_map(|pair| pair.trim_start().strip_prefix(name)?.strip_prefix('='))
}

/// Takes what is meant for the edge out of a request, so that no server sees it.
pub fn strip<B>(request: &mut Request<B>) {
    if request.uri().query().is_some_and(|query| wish_of(query).is_some()) {
        strip_query(request.uri_mut());
    }
    let headers = request.headers_mut();
    headers.remove(X_SLIPWAY_RELEASE);
    if cookie(headers, COOKIE).is_none() && cookie(headers, WISH).is_none() {
        return;
    }
    let fields: Vec<HeaderValue> = headers.get_all(COOKIES).iter().cloned().collect();
    headers.remove(COOKIES);
    for field in fields {
        let Ok(text) = field.to_str() else {
            headers.append(COOKIES, field);
            continue;
        };
        let is_ours = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            [COOKIE, WISH].contains(&name)
        };
        let kept: Vec<&str> =
            text.split(';').map(str::trim).filter(|pair| !is_ours(pair)).collect();
        if let Ok(kept) = HeaderValue::from_str(&kept.join("; "))
            && !kept.is_empty()
        {
            headers.append(COOKIES, kept);
        }
    }
}

fn strip_query(uri: &mut Uri) {
    let kept: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| pair.split('=').next() != Some(WISH))
        .collect();
    let target = match kept.join("&") {
        kept if kept.is_empty() => uri.path().to_owned(),
        kept => format!("{}?{kept}", uri.path()),
    };
    let mut parts = uri.clone().into_parts();
    // Parts of what was a URI make one; else it stays as it was asked for.
    parts.path_and_query = target.parse().ok();
    if let Ok(stripped) = Uri::from_parts(parts) {
        *uri = stripped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(target: &str, cookies: &[&str]) -> (String, Vec<String>) {
        let mut request = Request::get(target).header(X_SLIPWAY_RELEASE, "candidate");
        for cookie in cookies {
            request = request.header(COOKIES, *cookie);
        }
        let mut request = request.body(()).unwrap();
        strip(&mut request);
        let headers = request.headers();
        assert!(!headers.contains_key(X_SLIPWAY_RELEASE));
        let cookies = headers.get_all(COOKIES).iter().map(|it| it.to_str().unwrap().to_owned());
        (request.uri().to_string(), cookies.collect())
    }

    #[test]
    fn a_server_sees_nothing_that_is_meant_for_the_edge() {
        for (target, expected) in [
            ("/a?slipway-release=live", "/a"),
            ("/a?x=1&slipway-release=live&y", "/a?x=1&y"),
            ("http://h/a?slipway-release=", "http://h/a"),
            ("/a?slipway-released=1", "/a?slipway-released=1"),
            ("/a?x=slipway-release=1", "/a?x=slipway-release=1"),
        ] {
            assert_eq!(stripped(target, &[]).0, expected);
        }
        let cookies = ["slipway=1.2", "a=1; slipway=1.2;b=2", "slipways=3", "slipway-release=live"];
        assert_eq!(stripped("/", &cookies).1, ["a=1; b=2", "slipways=3"]);
    }
}
