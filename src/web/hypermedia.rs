//! A page or a fragment: what a handler shows becomes the whole document or the part that HTMX asked for, with
//! its nonce, its caching and what it varies by. The one place that decides these.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use http::{HeaderValue, StatusCode};
use maud::Markup;
use poem::Response;
use sha2::{Digest as _, Sha256};

use super::access::Visitor;
use super::request::Kind;
use super::{layout, notice, security_headers};
use crate::clock::random;
use crate::domain::policy::Viewer;

/// What a handler has to show.
pub struct Screen {
    /// What the window is called: the site's name is added.
    pub title: String,
    /// What stands between the navigation and the foot.
    pub main: Markup,
    /// 200, unless it is a refusal or a form given back.
    pub status: StatusCode,
    /// What a fragment request gets instead of `main`, where it asked for a part of it.
    pub part: Option<Markup>,
    /// What is said aloud about what has just happened; the change itself is there to see.
    pub announcement: Option<&'static str>,
    /// Whether whoever isn't signed in is told what changes, as members are everywhere.
    pub live: bool,
    headers: Vec<(HeaderName, String)>,
}

impl Screen {
    /// A screen of this title.
    pub fn new(title: impl Into<String>, main: Markup) -> Self {
        let (part, announcement) = (None, None);
        Self { title: title.into(), main, status: StatusCode::OK, part, announcement, live: false, headers: Vec::new() }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same, of which HTMX gets `part` alone.
    #[must_use]
    pub fn part(self, part: Markup) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The same, its main part being a part of some other screen, where HTMX puts it.
    #[must_use]
    pub fn into_part(self) -> Self {
        let part = Some(self.main.clone());
        Self { part, ..self }
    }

    /// The same, of which the status region says this.
    #[must_use]
    pub fn announcing(self, text: &'static str) -> Self {
        Self { announcement: Some(text), ..self }
    }

    /// The same, with thoughts on it, of which is told what becomes of them.
    #[must_use]
    pub fn live(self) -> Self {
        Self { live: true, ..self }
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), value.into()));
        self
    }
}

/// Stands in a view where the response's nonce will stand: unguessable, for one who could type it could put
/// a nonce into what they typed.
pub fn nonce() -> &'static str {
    &PLACEHOLDER
}

static PLACEHOLDER: LazyLock<String> = LazyLock::new(|| BASE64_URL_SAFE_NO_PAD.encode(random::<16>()));

impl Visitor {
    /// The screen as the page or the fragment that was asked for.
    pub fn show(&self, screen: Screen) -> Response {
        let html = match self.kind {
            Kind::Fragment => layout::fragment(self, &screen),
            Kind::Page | Kind::Api => layout::page(self, &screen, notice::take(self)),
        }
        .into_string();
        // A page that htmx puts into a document needs a nonce of its own: a stored copy may be that very document's.
        let revalidated = self.viewer == Viewer::Anonymous && screen.status == StatusCode::OK && !self.htmx_page();
        let mut response = if revalidated { self.revalidated(&html) } else { whole(&html, &self.form_action()) };
        let headers = response.headers_mut();
        let caching = match &self.viewer {
            Viewer::Anonymous if self.htmx_page() => "no-store",
            Viewer::Anonymous => "no-cache",
            // So that Back after signing out shows nothing.
            Viewer::Member(_) => "private, no-store",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        for (name, value) in screen.headers {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        if response.status() == StatusCode::OK {
            response.set_status(screen.status);
        }
        response
    }

    /// On to another page, here or at a provider: a redirect, which htmx would follow by itself, or the word for htmx to
    /// have the browser go there.
    pub fn send_to(&self, location: &str) -> Response {
        match self.kind {
            Kind::Page | Kind::Api => see_other(location),
            Kind::Fragment => {
                Response::builder().header("hx-redirect", location).header("cache-control", "no-store").finish()
            }
        }
    }

    /// Whether htmx asks for a whole page, as it does to restore one.
    fn htmx_page(&self) -> bool {
        self.htmx && self.kind == Kind::Page
    }

    /// The document with an `ETag`, or a 304 where the browser's copy still holds.
    fn revalidated(&self, html: &str) -> Response {
        let form_action = self.form_action();
        let mut hash = Sha256::new_with_prefix(form_action.as_bytes());
        for piece in html.split(nonce()) {
            hash.update(piece);
        }
        let etag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]));
        let holds = self.if_none_match.as_deref().is_some_and(|theirs| {
            theirs.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
        });
        let mut response = if holds {
            Response::builder().status(StatusCode::NOT_MODIFIED).finish()
        } else {
            whole(html, &form_action)
        };
        if let Ok(value) = etag.parse() {
            response.headers_mut().insert(ETAG, value);
        }
        response
    }

    /// The providers' origins, each with a space before it.
    fn form_action(&self) -> String {
        self.app.providers.form_action()
    }
}

/// The document with a nonce of its own, and the policy that names it.
fn whole(html: &str, form_action: &str) -> Response {
    let fresh = BASE64_URL_SAFE_NO_PAD.encode(random::<16>());
    let mut response = Response::builder().body(html.replace(nonce(), &fresh));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = security_headers::page_policy(&fresh, form_action).parse() {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// On to another page of ours, by `GET` whatever this was. Source: RFC 9110, section 15.4.4.
pub fn see_other(location: &str) -> Response {
    let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = location.parse() {
        headers.insert(LOCATION, location);
    }
    response
}
