//! A page or a fragment: what a handler shows becomes the whole document or the part that HTMX asked for, with
//! its nonce, its caching and what it varies by. The one place that decides these.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, ETAG, HeaderName, LOCATION};
use http::{HeaderValue, StatusCode};
use maud::Markup;
use poem::Response;

use super::access::Visitor;
use super::cookies::Theme;
pub use super::document::{nonce, once};
use super::refusal::Refusal;
use super::request::Kind;
use super::{document, layout, notice};
use crate::app::{Document, PageKey};
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

impl Visitor {
    /// The screen as the page or the fragment that was asked for.
    pub fn show(&self, screen: Screen) -> Response {
        self.answer(&self.made(&screen, self.notice()), screen)
    }

    /// The same, of a page that is made of thoughts, of their members and of nothing else: as it was shown before, where
    /// nothing has changed since then, and what `make` makes where something has.
    pub async fn show_kept(&self, make: impl AsyncFnOnce() -> Result<Screen, Refusal>) -> Result<Response, Refusal> {
        let notice = self.notice();
        let version = self.version.filter(|_| notice.is_none());
        let key = PageKey {
            viewer: self.viewer.member().map(|member| member.id),
            path: self.path.clone(),
            fragment: self.kind == Kind::Fragment,
            theme: self.sent.theme.map(Theme::as_str),
        };
        if let Some(document) = version.and_then(|version| self.app.pages.get(&key, version)) {
            return Ok(self.answer(&document, Screen::new("", Markup::default())));
        }
        let screen = make().await?;
        let document = Arc::new(self.made(&screen, notice));
        // What else there is to say is not kept.
        if let Some(version) = version.filter(|_| screen.status == StatusCode::OK && screen.headers.is_empty()) {
            self.app.pages.keep(key, version, document.clone());
        }
        Ok(self.answer(&document, screen))
    }

    /// The screen as a fragment, for htmx to put where the answer says, whichever it asked for.
    pub fn show_part(&self, screen: Screen) -> Response {
        self.answer(&document::document(layout::fragment(self, &screen)), screen)
    }

    /// What the viewer is to be told once, on a whole page.
    fn notice(&self) -> Option<&'static str> {
        if self.kind == Kind::Fragment { None } else { notice::take(self) }
    }

    fn made(&self, screen: &Screen, notice: Option<&'static str>) -> Document {
        document::document(match self.kind {
            Kind::Fragment => layout::fragment(self, screen),
            Kind::Page | Kind::Api => layout::page(self, screen, notice),
        })
    }

    /// The document with its caching, and with what else the screen says of the answer.
    fn answer(&self, document: &Document, screen: Screen) -> Response {
        // A page that htmx puts into a document needs a nonce of its own: a stored copy may be that very document's.
        let revalidated = self.viewer == Viewer::Anonymous && screen.status == StatusCode::OK && !self.htmx_page();
        let form_action = self.app.providers.form_action();
        let mut response = if revalidated {
            self.revalidated(document, &form_action)
        } else {
            document::answer(document, &self.app, &form_action, self.gzip)
        };
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
        if self.by_htmx {
            Response::builder().header("hx-redirect", location).header("cache-control", "no-store").finish()
        } else {
            see_other(location)
        }
    }

    /// Whether htmx asks for a whole page, as it does to restore one.
    fn htmx_page(&self) -> bool {
        (self.by_htmx || self.restores) && self.kind == Kind::Page
    }

    /// The document with an `ETag`, or a 304 where the browser's copy still holds.
    fn revalidated(&self, document: &Document, form_action: &str) -> Response {
        let etag = document::etag(document, form_action);
        let holds = self
            .if_none_match
            .as_deref()
            .is_some_and(|theirs| theirs.split(',').map(opaque_tag).any(|tag| tag == opaque_tag(&etag) || tag == "*"));
        let mut response = if holds {
            Response::builder().status(StatusCode::NOT_MODIFIED).finish()
        } else {
            document::answer(document, &self.app, form_action, self.gzip)
        };
        if let Ok(value) = HeaderValue::try_from(etag) {
            response.headers_mut().insert(ETAG, value);
        }
        response
    }
}

/// What of an entity tag is compared, be it weak or strong. Source: RFC 9110, section 8.8.3.2.
fn opaque_tag(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
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
