//! Cookies, through tower-cookies: its `CookieManager` stands round the whole site. What the cookies are
//! called and how they are set is decided here.

use std::borrow::Cow;
use std::future::Future;
use std::mem::take;

use futures_util::TryFutureExt as _;
use http::header::{COOKIE, HeaderMap, SET_COOKIE};
use poem::{Endpoint, IntoResponse, Request, Response};
use tower::{Service as _, service_fn};
use tower_cookies::cookie::SameSite;
use tower_cookies::cookie::time::Duration;
use tower_cookies::{Cookie, CookieManager, Cookies};

use crate::app::App;
use crate::domain::session::{SessionHash, SessionId};
use crate::domain::unsent::Unsent;

/// Hands every request its [`Cookies`], and every response the changes to them: refusals too, for the guard makes
/// responses of them within. What no route takes changes no cookie.
///
/// tower-cookies speaks `http::Request` and `http::Response` of any body: the Poem request is the body of the one, which has
/// its headers and extensions on the way, and the Poem response of the other, of which one header is copied across.
pub struct WithCookies<E>(pub E);

impl<E: Endpoint> Endpoint for WithCookies<E> {
    type Output = Response;

    fn call(&self, mut request: Request) -> impl Future<Output = poem::Result<Response>> + Send {
        let (headers, extensions) = (take(request.headers_mut()), take(request.extensions_mut()));
        let mut outer = http::Request::new(request);
        (*outer.headers_mut(), *outer.extensions_mut()) = (headers, extensions);
        let endpoint = service_fn(|outer: http::Request<Request>| {
            let (parts, mut request) = outer.into_parts();
            (*request.headers_mut(), *request.extensions_mut()) = (parts.headers, parts.extensions);
            self.0.call(request).map_ok(|response| http::Response::new(response.into_response()))
        });
        CookieManager::new(endpoint).call(outer).map_ok(|outer| {
            let (parts, mut response) = outer.into_parts();
            for header in parts.headers.get_all(SET_COOKIE) {
                response.headers_mut().append(SET_COOKIE, header.clone());
            }
            response
        })
    }
}

/// What a cookie is called: with the prefix that binds it to this host over https.
/// Source: RFC 6265bis, section 4.1.3.2.
pub fn name<'a>(app: &App, plain: &'a str) -> Cow<'a, str> {
    if app.config.base_url.is_https() { format!("{HOST}{plain}").into() } else { plain.into() }
}

const HOST: &str = "__Host-";

/// A cookie as all of ours are: for the whole host, not for scripts, and sent on the way back from a provider.
pub fn cookie(app: &App, plain: &str, value: String, max_age: Option<Duration>) -> Cookie<'static> {
    let mut cookie = Cookie::new(name(app, plain).into_owned(), value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(app.config.base_url.is_https());
    cookie.set_max_age(max_age);
    cookie
}

/// Takes a cookie back.
pub fn forget(app: &App, cookies: &Cookies, plain: &str) {
    cookies.remove(cookie(app, plain, String::new(), None));
}

/// The cookie that holds the session id.
pub const SESSION: &str = "thoughts";
const THEME: &str = "thoughts-theme";
/// The cookie that holds what the next page tells.
pub const NOTICE: &str = "thoughts-notice";

/// What the browser has sent of the cookies that every page asks for. They are read off the header: the jar makes a copy
/// of each, and another for whoever looks into it. Of two that are called the same the last counts, there as here.
#[derive(Default)]
pub struct Sent {
    /// Which session it holds, if what it holds is one's id.
    pub session: Option<SessionHash>,
    /// Whether it holds something else in that place.
    pub unreadable: bool,
    /// The colours that were chosen; without any the system's preference holds.
    pub theme: Option<Theme>,
    /// What the next page tells.
    pub notice: Option<String>,
}

impl Sent {
    /// Those of a request with these headers, by https or not.
    pub fn of(headers: &HeaderMap, https: bool) -> Self {
        let mut sent = Self::default();
        // There may be cookies of somebody else on this host, in any letters.
        let values = headers.get_all(COOKIE).into_iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok());
        for cookie in values.flat_map(Cookie::split_parse).flatten() {
            match if https { cookie.name().strip_prefix(HOST) } else { Some(cookie.name()) } {
                Some(SESSION) => {
                    sent.session = SessionId::from_cookie(cookie.value()).map(|id| id.hash());
                    sent.unreadable = sent.session.is_none();
                }
                Some(THEME) => sent.theme = Theme::parse(cookie.value()),
                Some(NOTICE) => sent.notice = Some(cookie.value().to_owned()),
                Some(_) | None => {}
            }
        }
        sent
    }
}

/// Gives the browser a session id. The server's record says how long the session lasts.
pub fn remember_session(app: &App, cookies: &Cookies, id: &SessionId) {
    cookies.add(cookie(app, SESSION, id.to_cookie(), session_max_age(app)));
}

/// How long a browser holds a session id: longer than any session lasts, by as long as a text waits, so that a form which
/// is sent when the session is over still says whose it is.
pub fn session_max_age(app: &App) -> Option<Duration> {
    let waits = Duration::minutes(Unsent::MINUTES);
    Duration::try_from(app.limits.max).ok().map(|longest| longest.saturating_add(waits))
}

/// Takes the session id back, or what stands in its place. The jar knows of no cookie that it could not decode, and takes
/// none of those back by itself.
pub fn forget_session(app: &App, cookies: &Cookies) {
    let mut gone = cookie(app, SESSION, String::new(), None);
    gone.make_removal();
    cookies.add(gone);
}

/// Light or dark, where the person has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark letters on a light ground.
    Light,
    /// Light letters on a dark ground.
    Dark,
}

impl Theme {
    /// The theme called this.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    /// What it is called in the form and the cookie.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Remembers a choice of theme for a year, or forgets it.
pub fn choose_theme(app: &App, cookies: &Cookies, theme: Option<Theme>) {
    match theme {
        Some(theme) => {
            let year = Some(Duration::days(365));
            cookies.add(cookie(app, THEME, theme.as_str().to_owned(), year));
        }
        None => forget(app, cookies, THEME),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn sent(https: bool, values: &[&str]) -> Sent {
        let headers = values.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect();
        Sent::of(&headers, https)
    }

    fn id() -> SessionId {
        SessionId::new([9; 32])
    }

    #[test]
    fn what_every_page_asks_for_is_read_from_among_what_is_somebody_elses() {
        let session = format!("name=Zoë; thoughts={}; thoughtsx=1; =; a", id().to_cookie());
        let sent = sent(false, &[&session, "thoughts-theme=dark; thoughts-notice=words"]);
        assert_eq!((sent.session, sent.unreadable), (Some(id().hash()), false));
        assert_eq!((sent.theme, sent.notice.as_deref()), (Some(Theme::Dark), Some("words")));
    }

    #[test]
    fn over_https_none_counts_but_those_that_are_bound_to_this_host() {
        let session = format!("__Host-thoughts={}; thoughts-theme=dark", id().to_cookie());
        let sent_securely = sent(true, &[&session]);
        assert_eq!((sent_securely.session, sent_securely.theme), (Some(id().hash()), None));
        assert_eq!(sent(false, &[&session]).session, None);
    }

    #[test]
    fn of_two_the_last_counts() {
        let (good, bad) = (format!("thoughts={}", id().to_cookie()), "thoughts=x");
        let bad_last = sent(false, &[&format!("{good}; {bad}")]);
        assert_eq!((bad_last.session, bad_last.unreadable), (None, true));
        let good_last = sent(false, &[bad, &good]);
        assert_eq!((good_last.session, good_last.unreadable), (Some(id().hash()), false));
    }
}
