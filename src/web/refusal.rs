//! What is answered where a request is refused: one error becomes a page, a fragment or a problem, by the
//! table in the contract, here and nowhere else. No refusal holds a byte of what it refuses, and what went
//! wrong inside goes to the log.

use http::header::{ALLOW, CACHE_CONTROL, HeaderName, REFERER, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use maud::Markup;
use poem::error::{ParsePathError, ResponseError};
use poem::{Request, Response};

use super::access::Visitor;
use super::form::MAX_BODY_BYTES;
use super::hypermedia::{Screen, see_other};
use super::pages::error as page;
use super::problem::Problem;
use super::request::{HX_CURRENT_URL, HX_TARGET, Kind, by_itself, text};
use super::return_to::ReturnTo;
use crate::actions;
use crate::actions::access_token::NoToken;
use crate::domain::Invalid;
use crate::domain::session::Session;
use crate::oidc::UpstreamError;
use crate::paths;
use crate::store::StoreError;
use crate::telemetry::Event;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A member is needed, and nobody is signed in.
    #[error("sign in to continue")]
    SignIn,
    /// The API was shown a token that is not good. The text tells whoever shows it why.
    #[error("{0}")]
    InvalidToken(String),
    /// The API token is for reading, and this changes something.
    #[error("the API token may read and no more")]
    InsufficientScope,
    /// A member is asking whose sign-in is not recent enough for this.
    #[error("sign in again to continue")]
    SignInAgain,
    /// This is not for whoever asks. The text tells them why.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing, or they may not know of it.
    #[error("not found")]
    NotFound,
    /// The path is one of ours, and not with this method.
    #[error("this address takes {}", methods(.0))]
    MethodNotAllowed(Vec<Method>),
    /// What was sent isn't one of ours; each entry names a field.
    #[error("invalid input")]
    Invalid(Vec<Invalid>),
    /// The body is longer than it can be: how many bytes it may have.
    #[error("a body may have {0} bytes")]
    TooLarge(u64),
    /// Another service did not do its part. The text is for whoever asked, and names it.
    #[error("{0}")]
    BadGateway(String),
    /// Another service took too long. The text is for whoever asked, and names it.
    #[error("{0}")]
    GatewayTimeout(String),
    /// The store can't answer now.
    #[error("unavailable: {0}")]
    Unavailable(StoreError),
    /// The store has no room to write in; the text is for the log.
    #[error("no room: {0}")]
    NoRoom(StoreError),
    /// Something of ours broke; the text is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

fn methods(list: &[Method]) -> String {
    list.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// How a request came that may have to be refused, and from which page.
pub struct Came {
    method: Method,
    /// The page that the person is on, where the request says so.
    page: Option<String>,
    by_itself: bool,
    /// Whether htmx would put the answer in the place of the main part; else of a part that is to stay.
    for_main: bool,
}

impl Came {
    /// Reads it off the request: htmx names the page, and with a form a browser does.
    pub fn of(request: &Request) -> Self {
        let headers = request.headers();
        let method = request.method().clone();
        let changes = !matches!(method, Method::GET | Method::HEAD);
        let referer = || changes.then(|| text(headers, REFERER).unwrap_or_default());
        let page = text(headers, &HX_CURRENT_URL).or_else(referer).map(str::to_owned);
        let for_main = method == Method::GET && text(headers, &HX_TARGET).is_none_or(|target| target == "main#main");
        Self { method, page, by_itself: by_itself(headers), for_main }
    }

    /// The same, from another page.
    #[must_use]
    pub fn on_page(self, url: String) -> Self {
        Self { page: Some(url), ..self }
    }

    /// Where signing in brings the person back to: the page they are on, or are about to open.
    fn login(&self, visitor: &Visitor) -> String {
        let return_to = match &self.page {
            Some(url) => ReturnTo::of_url(&visitor.app, url),
            None => ReturnTo::parse(&visitor.app, &visitor.path),
        };
        visitor.app.paths.login(return_to.as_str())
    }

    /// Where signing in once more brings the person back to: the page with the form that they sent, and where nothing
    /// says which it was, the profile, for most of them stand there.
    fn confirm(&self, visitor: &Visitor) -> String {
        let app = &visitor.app;
        let return_to = match &self.page {
            Some(url) if !url.is_empty() => ReturnTo::of_url(app, url),
            Some(_) | None => ReturnTo::parse(app, &app.paths.plain(paths::PROFILE)),
        };
        app.paths.confirm(return_to.as_str())
    }
}

impl Refusal {
    /// What it is called in metrics and among sign-ins.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::SignInAgain => "sign_in_again",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Invalid(_) => "invalid",
            Self::TooLarge(_) => "too_large",
            Self::BadGateway(_) => "bad_gateway",
            Self::GatewayTimeout(_) => "gateway_timeout",
            Self::Unavailable(_) => "unavailable",
            Self::NoRoom(_) => "no_room",
            Self::Internal(_) => "internal",
        }
    }

    /// The status that says so.
    pub fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn | Self::SignInAgain | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadGateway(_) => StatusCode::BAD_GATEWAY,
            Self::GatewayTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::NoRoom(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer, of the kind that was asked for.
    pub fn answer(self, visitor: &Visitor, came: &Came) -> Response {
        visitor.app.telemetry.refused(self.kind());
        match &self {
            Self::Internal(_) | Self::Unavailable(_) | Self::NoRoom(_) => {
                tracing::error!(path = path_only(&visitor.path), error = %self, "failed");
            }
            Self::SignIn
            | Self::InvalidToken(_)
            | Self::SignInAgain
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::Invalid(_)
            | Self::TooLarge(_) => {}
            Self::InsufficientScope | Self::Forbidden(_) => {
                let (reference, member) =
                    (visitor.request_id.as_str(), visitor.viewer.member().map(|member| member.id));
                visitor.app.telemetry.event(Event::Forbidden { reference, member, why: &self.to_string() });
            }
            Self::BadGateway(_) | Self::GatewayTimeout(_) => {
                tracing::warn!(path = path_only(&visitor.path), error = %self, "gateway_failed");
            }
        }
        let mut response = match (visitor.kind, &self) {
            (Kind::Api, _) => self.problem(visitor),
            (_, Self::SignIn) if came.by_itself || is_stream(visitor) => bare(StatusCode::UNAUTHORIZED),
            (_, Self::SignIn) if !visitor.by_htmx => see_other(&came.login(visitor)),
            (_, Self::SignInAgain) if !visitor.by_htmx => see_other(&came.confirm(visitor)),
            (_, Self::SignIn) if came.method == Method::GET => {
                with(bare(StatusCode::UNAUTHORIZED), "hx-redirect", &came.login(visitor))
            }
            (_, Self::SignInAgain) if came.method == Method::GET => {
                with(bare(StatusCode::UNAUTHORIZED), "hx-redirect", &came.confirm(visitor))
            }
            (_, Self::SignIn) => self.offer(visitor, page::sign_in_panel(&came.login(visitor))),
            (_, Self::SignInAgain) => self.offer(visitor, page::confirm_panel(&came.confirm(visitor))),
            (Kind::Fragment, _) if !came.for_main => {
                beside(visitor, page::panel(visitor, &self).into_part().status(self.status_code()))
            }
            (Kind::Page | Kind::Fragment, _) => visitor.show(page::screen(visitor, &self).status(self.status_code())),
        };
        self.finish(&mut response);
        response
    }

    /// An offer to sign in, beside the form.
    fn offer(&self, visitor: &Visitor, panel: Markup) -> Response {
        beside(visitor, Screen::new("Sign in to continue", panel).into_part().status(self.status_code()))
    }

    fn problem(&self, visitor: &Visitor) -> Response {
        let detail = match self {
            Self::SignIn => "Sign in first: this is for members.".to_owned(),
            Self::InvalidToken(why) => why.clone(),
            Self::InsufficientScope => "This API token may read and no more. Make one that may write.".to_owned(),
            Self::SignInAgain => {
                format!("This needs a sign-in of the last {} seconds: sign in again.", Session::RECENT.as_secs())
            }
            Self::Forbidden(why) => (*why).to_owned(),
            Self::NotFound => "There is nothing here that you may see.".to_owned(),
            Self::MethodNotAllowed(allowed) => format!("This address takes {}.", methods(allowed)),
            Self::Invalid(_) => "Some of what was sent can't be taken; see `errors`.".to_owned(),
            Self::TooLarge(limit) => format!("A body may have {limit} bytes."),
            Self::BadGateway(why) | Self::GatewayTimeout(why) => format!("{why}."),
            Self::NoRoom(_) => "The disk is full: this was not stored. What is there can be read.".to_owned(),
            Self::Unavailable(_) => "The store is not answering. Try again in a few seconds.".to_owned(),
            Self::Internal(_) => "Something went wrong on our side.".to_owned(),
        };
        let errors = if let Self::Invalid(errors) = self { errors.as_slice() } else { &[] };
        Problem { status: self.status_code(), detail, request_id: visitor.request_id, errors }.into_response()
    }

    fn finish(&self, response: &mut Response) {
        let status = response.status();
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        match self {
            Self::SignIn if status == StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // Source: RFC 6750, section 3.1.
            Self::InvalidToken(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#));
            }
            Self::InsufficientScope => {
                let challenge = r#"Bearer error="insufficient_scope", scope="read write""#;
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            // Source: RFC 9470, section 3.
            Self::SignInAgain if status == StatusCode::UNAUTHORIZED => {
                let max_age = Session::RECENT.as_secs();
                let wanted = format!("Bearer error=\"insufficient_user_authentication\", max_age=\"{max_age}\"");
                if let Ok(value) = wanted.parse() {
                    headers.insert(WWW_AUTHENTICATE, value);
                }
            }
            Self::MethodNotAllowed(allowed) => {
                if let Ok(value) = methods(allowed).parse() {
                    headers.insert(ALLOW, value);
                }
            }
            Self::SignIn
            | Self::SignInAgain
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::Invalid(_)
            | Self::TooLarge(_)
            | Self::BadGateway(_)
            | Self::GatewayTimeout(_)
            // Room is not made in a few seconds.
            | Self::NoRoom(_)
            | Self::Internal(_) => {}
            Self::Unavailable(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
        }
    }
}

/// The screen in the panel that stands by for it, so that the form or the list that asked is left as it was.
fn beside(visitor: &Visitor, screen: Screen) -> Response {
    let screen = screen.header("hx-retarget", "#panel").header("hx-reswap", "innerHTML ignoreTitle:true");
    visitor.show_part(screen)
}

/// Whether it is a stream that was asked for, which is sent on to nowhere.
fn is_stream(visitor: &Visitor) -> bool {
    path_only(&visitor.path) == visitor.app.paths.plain(paths::EVENTS)
}

fn bare(status: StatusCode) -> Response {
    Response::builder().status(status).finish()
}

fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// The path without its query, which may hold a code.
pub fn path_only(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// The way through Poem, from a handler to the guard that answers.
impl ResponseError for Refusal {
    fn status(&self) -> StatusCode {
        self.status_code()
    }

    fn as_response(&self) -> Response {
        // The guard has answered before this can be asked; without a guard, nothing is told.
        bare(self.status_code())
    }
}

/// What Poem's own extractors and routing say becomes ours.
impl From<poem::Error> for Refusal {
    fn from(error: poem::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(refusal) => refusal,
            // A part of a path that is no text names nothing.
            Err(error) if error.status() == StatusCode::NOT_FOUND || error.is::<ParsePathError>() => Self::NotFound,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(MAX_BODY_BYTES as u64),
            Err(error) if error.status().is_client_error() => {
                Self::Invalid(vec![Invalid::new("body", "This can't be read. Send it as the form does.")])
            }
            Err(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::Internal(error.to_string()),
            StoreError::Full(_) => Self::NoRoom(error),
            StoreError::Open(_) | StoreError::Failed(_) | StoreError::Busy(_) | StoreError::Closed => {
                Self::Unavailable(error)
            }
        }
    }
}

impl From<NoToken> for Refusal {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::SessionEnded | NoToken::SignInAgain => Self::SignIn,
            NoToken::Provider(error) if error.is_slow() => {
                Self::GatewayTimeout("the provider did not give a new access token in time".to_owned())
            }
            NoToken::Busy => Self::GatewayTimeout("a new access token did not come in time".to_owned()),
            NoToken::Provider(_) => Self::BadGateway("the provider gave no new access token".to_owned()),
            NoToken::Internal(why) => Self::Internal(why),
            NoToken::Store(error) => error.into(),
        }
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::Path { .. } => Self::NotFound,
            UpstreamError::Method { allowed, .. } => Self::MethodNotAllowed(allowed),
            UpstreamError::RequestTooLarge { limit, .. } => Self::TooLarge(limit),
            UpstreamError::Slow { .. } => Self::GatewayTimeout(error.to_string()),
            // Where it is stands in the log, and is nobody's business.
            UpstreamError::Unreachable { name, why } => {
                tracing::warn!(upstream = name, why, "upstream_unreachable");
                Self::BadGateway(format!("the upstream `{name}` can't be reached"))
            }
            UpstreamError::AnswerTooLarge { .. }
            | UpstreamError::Redirect { .. }
            | UpstreamError::TokenRefused { .. } => Self::BadGateway(error.to_string()),
        }
    }
}

impl From<actions::api_tokens::Refused> for Refusal {
    fn from(refused: actions::api_tokens::Refused) -> Self {
        use actions::api_tokens::Refused::{Expired, Malformed, Store, Unknown};
        match refused {
            Malformed | Unknown | Expired => Self::InvalidToken(refused.to_string()),
            Store(error) => error.into(),
        }
    }
}

impl From<actions::Error> for Refusal {
    fn from(error: actions::Error) -> Self {
        match error {
            actions::Error::NotFound => Self::NotFound,
            actions::Error::Forbidden(why) => Self::Forbidden(why),
            actions::Error::Invalid(invalid) => Self::Invalid(vec![invalid]),
            actions::Error::Unsealable(error) => Self::Internal(error.to_string()),
            actions::Error::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_how_recent_its_sign_in_must_be() {
        let mut response = bare(StatusCode::UNAUTHORIZED);
        Refusal::SignInAgain.finish(&mut response);
        let wanted = "Bearer error=\"insufficient_user_authentication\", max_age=\"300\"";
        assert_eq!(response.headers()[WWW_AUTHENTICATE], wanted);
    }
}
