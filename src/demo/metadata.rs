//! Discovery (OpenID Connect Discovery 1.0, 3; RFC 8414, 2) and the key set (RFC 7517, 5).

use std::sync::Arc;

use poem::{
    Request, Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::Data,
};
use serde_json::{Map, Value, json};

use super::{answer, client_assertion::ALGORITHMS, context::Context, faults::Fault, paths, pushed};

#[handler]
pub(super) fn configuration(context: Data<&Arc<Context>>) -> Response {
    if context.faults.is_on(Fault::Metadata500) {
        return answer::not_json(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if context.faults.is_on(Fault::MetadataNotFound) {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    if context.faults.is_on(Fault::MetadataRedirects) {
        let mut answer = answer::empty(StatusCode::MOVED_PERMANENTLY);
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/elsewhere?a=secret"));
        return answer;
    }
    if context.faults.is_on(Fault::MetadataNotJson) {
        return answer::not_json(StatusCode::OK);
    }
    let mut metadata = fields(&context);
    context.faults.twist_metadata(&mut metadata);
    answer::json(StatusCode::OK, &metadata.into())
}

#[handler]
pub(super) fn jwks(request: &Request, context: Data<&Arc<Context>>) -> Response {
    let moved = request.uri().path() == paths::JWKS_MOVED;
    if moved != context.faults.is_on(Fault::JwksMoved) {
        return answer::empty(StatusCode::NOT_FOUND);
    }
    if context.faults.is_on(Fault::Jwks500) {
        return answer::not_json(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if context.faults.is_on(Fault::JwksEmpty) {
        return answer::json(StatusCode::OK, &json!({ "keys": [] }));
    }
    let with_decoy = context.faults.is_on(Fault::JwksSeveralKeys);
    answer::json(StatusCode::OK, &context.keys.jwks(with_decoy))
}

fn fields(context: &Context) -> Map<String, Value> {
    let authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    let algorithms: Vec<&str> = ALGORITHMS.iter().map(|(name, _)| *name).collect();
    let fields = json!({
        "issuer": context.issuer,
        "authorization_endpoint": context.url(paths::AUTHORIZE),
        "token_endpoint": context.url(paths::TOKEN),
        "userinfo_endpoint": context.url(paths::USERINFO),
        "jwks_uri": context.url(paths::JWKS),
        "revocation_endpoint": context.url(paths::REVOKE),
        "end_session_endpoint": context.url(paths::END_SESSION),
        "scopes_supported": ["openid", "profile", "email", "phone", "address", "groups", "offline_access"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid",
            "name", "preferred_username", "email", "email_verified", "phone_number", "address", "groups", "admin",
        ],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_methods_supported": authentication,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    });
    let mut fields = fields.as_object().cloned().unwrap_or_default();
    if pushed::is_offered(context) {
        fields.insert("pushed_authorization_request_endpoint".to_owned(), context.url(paths::PUSH).into());
    }
    fields
}
