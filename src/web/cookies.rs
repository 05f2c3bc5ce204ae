//! Cookies, through tower-cookies: its `CookieManager` stands round the whole site. What the cookies are
//! called and how they are set is decided here.

use std::borrow::Cow;
use std::future::Future;
use std::mem::take;

use futures_util::TryFutureExt as _;
use http::header::SET_COOKIE;
use poem::{Endpoint, IntoResponse, Request, Response};
use tower::{Service as _, service_fn};
use tower_cookies::cookie::SameSite;
use tower_cookies::cookie::time::Duration;
use tower_cookies::{Cookie, CookieManager, Cookies};

use crate::app::App;
use crate::domain::session::SessionId;

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
    if app.config.base_url.is_https() { format!("__Host-{plain}").into() } else { plain.into() }
}

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

/// The session id that the browser holds, if what it holds is one.
pub fn session_id(app: &App, cookies: &Cookies) -> Option<SessionId> {
    SessionId::from_cookie(cookies.get(&name(app, SESSION))?.value())
}

/// Gives the browser a session id. The cookie lasts as long as the session can; the server's record says how
/// long it really does.
pub fn remember_session(app: &App, cookies: &Cookies, id: &SessionId) {
    let max_age = Duration::try_from(app.limits.max).ok();
    cookies.add(cookie(app, SESSION, id.to_cookie(), max_age));
}

/// Takes the session id back.
pub fn forget_session(app: &App, cookies: &Cookies) {
    forget(app, cookies, SESSION);
}

/// Takes back a session cookie that is no session id.
pub fn forget_unreadable(app: &App, cookies: &Cookies) {
    if cookies.get(&name(app, SESSION)).is_some() {
        forget_session(app, cookies);
    }
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

/// The theme that was chosen; without one the system's preference holds.
pub fn theme(app: &App, cookies: &Cookies) -> Option<Theme> {
    Theme::parse(cookies.get(&name(app, THEME))?.value())
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
