//! The authorization endpoint, and the form that its sign-in page sends.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use poem::{
    Body, Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};

use super::{
    answer::Parameters,
    authorization_request::{AuthorizationRequest, Prompt},
    context::{COOKIE, Context},
    error::Error,
    pages,
    person::Person,
    pushed,
    random::random_id,
    sign_in_page,
    state::{Grant, Session},
};

/// `GET` and `POST` of the authorization endpoint (OpenID Connect Core 1.0, 3.1.2).
#[handler]
pub(super) async fn authorize(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    let (asked, session) = match read(request, body, &context, Whence::Client).await {
        Ok(read) => read,
        Err(refusal) => return *refusal,
    };
    match (asked.prompt, session) {
        (Prompt::None, Some(session)) => send_code(&context, &asked, &session),
        (Prompt::None, None) => asked.destination.error(&context, "login_required", "Nobody is signed in here."),
        (Prompt::Login | Prompt::Page, session) => sign_in_page::show(&asked, session.as_ref(), None),
    }
}

/// Where an authorization request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whence {
    /// From the client, by way of the browser.
    Client,
    /// From the page that carries it on, whole, pushed or not.
    SignInPage,
}

/// The authorization request, checked, and the session of this browser where it meets what is asked.
async fn read(
    request: &Request,
    body: Body,
    context: &Context,
    whence: Whence,
) -> Result<(AuthorizationRequest, Option<Session>), Box<Response>> {
    let parameters = Parameters::of(request, body).await.map_err(|error| Box::new(unreadable(&error.to_string())))?;
    let parameters = match whence {
        Whence::Client => pushed::resolve(context, parameters).map_err(|text| Box::new(unreadable(text)))?,
        Whence::SignInPage => parameters,
    };
    let asked = AuthorizationRequest::parse(context, parameters)?;
    let session = context.session(request).filter(|session| asked.is_met_by(session, context.now()));
    Ok((asked, session))
}

/// `POST` of the sign-in page: the request again, checked again, and what the person chose.
#[handler]
pub(super) async fn sign_in(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    if !pages::is_own_form(request) {
        return pages::refusal(
            StatusCode::FORBIDDEN,
            "This form came from elsewhere",
            "Another site tried to sign you in. Go back to the application and start again.",
        );
    }
    let (asked, session) = match read(request, body, &context, Whence::SignInPage).await {
        Ok(read) => read,
        Err(refusal) => return *refusal,
    };
    match (asked.field("choice"), session) {
        (Some("cancel"), _) => asked.destination.error(&context, "access_denied", "The person chose not to sign in."),
        (Some("continue"), Some(session)) => send_code(&context, &asked, &session),
        // The session ended while the page was open.
        (Some("continue"), None) => sign_in_page::show(&asked, None, None),
        (Some(_) | None, session) => sign_in_by_name(request, &context, &asked, session.as_ref()),
    }
}

fn sign_in_by_name(
    request: &Request,
    context: &Context,
    asked: &AuthorizationRequest,
    session: Option<&Session>,
) -> Response {
    let typed = |field: &str| asked.field(field).unwrap_or_default();
    let person = match Person::parse(typed("name"), typed("groups"), asked.field("admin").is_some()) {
        Ok(person) => person,
        Err(error) => return sign_in_page::show(asked, session, Some(error)),
    };
    match context.begin_session(request, person) {
        Ok((cookie, session)) => with_cookie(send_code(context, asked, &session), &cookie),
        Err(error) => pages::broken(&error),
    }
}

/// The successful response (RFC 6749, 4.1.2), or the error that a fault puts in its place.
fn send_code(context: &Context, asked: &AuthorizationRequest, session: &Session) -> Response {
    if let Some(error) = context.faults.authorization_error() {
        let words = "<b>The provider's own words</b>: call 555-0100 to unlock your account.";
        return asked.destination.error(context, error, words);
    }
    match make_code(context, asked, session) {
        Ok(code) => asked.destination.send(context, BTreeMap::from([("code", code)])),
        Err(error) => pages::broken(&error),
    }
}

fn make_code(context: &Context, asked: &AuthorizationRequest, session: &Session) -> Result<String, Error> {
    let code = random_id()?;
    let grant = Arc::new(Grant {
        client_id: asked.client.client_id.clone(),
        redirect_uri: asked.destination.redirect_uri.clone(),
        code_challenge: asked.code_challenge.clone(),
        nonce: asked.nonce.clone(),
        scope: asked.scope.clone(),
        resources: asked.field("resource").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        person: session.person.clone(),
        auth_time: session.auth_time,
        sid: session.sid.clone(),
        revoked: AtomicBool::new(false),
    });
    let mut state = context.state();
    state.add_code(code.clone(), grant, context.now());
    state.note_client(&session.sid, &asked.client.client_id);
    Ok(code)
}

/// No `Secure`, since the provider may be http on loopback, where not every browser takes it.
fn with_cookie(mut response: Response, value: &str) -> Response {
    if let Ok(cookie) = HeaderValue::try_from(format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax")) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn unreadable(text: &str) -> Response {
    pages::refusal(StatusCode::BAD_REQUEST, "This request cannot be read", text)
}
