//! The userinfo endpoint (OpenID Connect Core 1.0, 5.3; RFC 6750) and token revocation (RFC 7009).

use std::sync::Arc;

use poem::{
    Body, Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};

use super::{
    answer,
    answer::Parameters,
    client_auth::{TokenError, authenticate},
    context::Context,
    faults::Fault,
};

/// The claims of whoever the access token is about; `Authorization: Bearer` alone.
#[handler]
pub(super) fn userinfo(request: &Request, context: Data<&Arc<Context>>) -> Response {
    if context.faults.is_on(Fault::Userinfo500) {
        return answer::not_json(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let Some(token) = bearer(request) else {
        // RFC 6750, 3.1: no error code where there was no attempt.
        return challenge(r#"Bearer realm="demo provider""#);
    };
    let Some(grant) = context.state().access_token(token, context.now()) else {
        return challenge(r#"Bearer realm="demo provider", error="invalid_token""#);
    };
    if context.faults.is_on(Fault::UserinfoNotJson) {
        return answer::not_json(StatusCode::OK);
    }
    let person = context.state().person_now(&grant.person);
    let mut claims = person.claims(&grant.scope);
    context.faults.twist_userinfo(&mut claims);
    answer::json(StatusCode::OK, &claims.into())
}

/// Revocation: 200 for unknown tokens too (RFC 7009, 2.2).
#[handler]
pub(super) async fn revoke(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    context.faults.until_off(Fault::RevocationSlow).await;
    if context.faults.is_on(Fault::Revocation500) {
        return answer::not_json(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let Ok(parameters) = Parameters::of(request, body).await else {
        return TokenError::invalid_request("The form cannot be read.").into_response();
    };
    let client = match authenticate(&context, request, &parameters) {
        Ok(client) => client,
        Err(error) => return error.into_response(),
    };
    let Some(token) = parameters.get("token") else {
        return TokenError::invalid_request("There is no token.").into_response();
    };
    context.state().revoke(token, &client.client_id);
    answer::empty(StatusCode::OK)
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header(header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn challenge(value: &'static str) -> Response {
    let mut response = answer::empty(StatusCode::UNAUTHORIZED);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
    response
}
