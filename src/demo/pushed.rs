//! The pushed authorization request endpoint (RFC 9126), where a fault says that there is one.

use std::sync::Arc;

use poem::{Body, Request, Response, handler, http::StatusCode, web::Data};
use serde_json::json;

use super::{
    answer,
    answer::Parameters,
    authorization_request::check_pushed,
    client_auth::{TokenError, authenticate},
    context::Context,
    faults::Fault,
    pages,
    random::random_id,
};

/// How long a request waits for its browser, in seconds.
const LIFE: i64 = 60;

/// Whether requests can be pushed.
pub(super) fn is_offered(context: &Context) -> bool {
    context.faults.is_on(Fault::PushOffered) || context.faults.is_on(Fault::PushRequired)
}

#[handler]
pub(super) async fn push(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    if !is_offered(&context) {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    if context.faults.is_on(Fault::Push500) {
        return answer::not_json(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if context.faults.is_on(Fault::PushHtml) {
        return answer::not_json(StatusCode::CREATED);
    }
    let Ok(parameters) = Parameters::of(request, body).await else {
        return TokenError::invalid_request("The form cannot be read.").into_response();
    };
    match checked(&context, request, &parameters) {
        Ok(()) => keep(&context, parameters),
        Err(error) => error.into_response(),
    }
}

fn checked(context: &Context, request: &Request, parameters: &Parameters) -> Result<(), TokenError> {
    let client = authenticate(context, request, parameters)?;
    if context.faults.is_on(Fault::PushRefused) {
        return Err(TokenError::invalid_request("<b>The provider's own words</b>: not this one."));
    }
    check_pushed(&client, parameters).map_err(|(error, description)| TokenError::new(error, description))
}

fn keep(context: &Context, parameters: Parameters) -> Response {
    let request_uri = match random_id() {
        Ok(id) => format!("urn:ietf:params:oauth:request_uri:{id}"),
        Err(error) => return pages::broken(&error.into()),
    };
    context.state().add_pushed(request_uri.clone(), parameters, context.now() + LIFE);
    let mut response = json!({ "request_uri": request_uri, "expires_in": LIFE });
    if context.faults.is_on(Fault::PushNoRequestUri) {
        response = json!({ "expires_in": LIFE });
    }
    answer::json(StatusCode::CREATED, &response)
}

/// What the browser's request to the authorization endpoint stands for: itself, or the one that was pushed, good
/// once (RFC 9126, 4). Errors: a text for the page that says why not.
pub(super) fn resolve(context: &Context, parameters: Parameters) -> Result<Parameters, &'static str> {
    match parameters.get("request_uri") {
        Some(request_uri) if is_offered(context) => context
            .state()
            .take_pushed(request_uri, context.now())
            .filter(|pushed| pushed.get("client_id") == parameters.get("client_id"))
            .ok_or("This request was used already, is too old, or is another application's (request_uri)."),
        None if context.faults.is_on(Fault::PushRequired) => {
            Err("This provider takes pushed authorization requests alone (RFC 9126).")
        }
        Some(_) | None => Ok(parameters),
    }
}
