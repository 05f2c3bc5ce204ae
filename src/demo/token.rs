//! The token endpoint (RFC 6749, 4.1.3 and 6; OpenID Connect Core 1.0, 3.1.3 and 12).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{Body, Request, Response, handler, http::StatusCode, web::Data};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    answer,
    answer::Parameters,
    client_auth::{TokenError, authenticate},
    context::Context,
    error::Error,
    faults::Fault,
    pages,
    random::random_id,
    settings::Client,
    state::Grant,
};

/// How long an ID token lasts, in seconds.
const ID_TOKEN_LIFE: i64 = 600;

/// Which of the two grant types led here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Through {
    Code,
    Refresh,
}

#[handler]
pub(super) async fn redeem_for_tokens(request: &Request, body: Body, context: Data<&Arc<Context>>) -> Response {
    if let Some(broken) = broken_by_fault(&context).await {
        return broken;
    }
    let Ok(parameters) = Parameters::of(request, body).await else {
        return TokenError::invalid_request("The form cannot be read.").into_response();
    };
    let redeemed = authenticate(&context, request, &parameters).and_then(|client| {
        let (grant, through) = redeem(&context, &client, &parameters)?;
        let resource = granted_resource(&grant, &parameters)?;
        let scope = granted_scope(&grant, &parameters, through)?;
        Ok((client, grant, through, Granted { scope, resource }))
    });
    let (client, grant, through, granted) = match redeemed {
        Ok(redeemed) => redeemed,
        Err(error) => return error.into_response(),
    };
    match respond(&context, &client, &grant, through, granted).await {
        Ok(response) => {
            context.faults.until_off(Fault::TokenAnswerSlow).await;
            answer::json(StatusCode::OK, &response.into())
        }
        Err(error) => pages::broken(&error),
    }
}

async fn broken_by_fault(context: &Context) -> Option<Response> {
    context.faults.until_off(Fault::TokenSlow).await;
    if context.faults.is_on(Fault::Token500) {
        return Some(answer::not_json(StatusCode::INTERNAL_SERVER_ERROR));
    }
    context.faults.is_on(Fault::TokenHtml).then(|| answer::not_json(StatusCode::OK))
}

fn redeem(context: &Context, client: &Client, parameters: &Parameters) -> Result<(Arc<Grant>, Through), TokenError> {
    match parameters.get("grant_type") {
        Some("authorization_code") => Ok((redeem_code(context, client, parameters)?, Through::Code)),
        Some("refresh_token") => Ok((redeem_refresh_token(context, client, parameters)?, Through::Refresh)),
        Some(_) => Err(TokenError::new("unsupported_grant_type", "It must be authorization_code or refresh_token.")),
        None => Err(TokenError::invalid_request("There is no grant_type.")),
    }
}

fn redeem_code(context: &Context, client: &Client, parameters: &Parameters) -> Result<Arc<Grant>, TokenError> {
    let code = parameters.get("code").ok_or(TokenError::invalid_request("There is no code."))?;
    let mut state = context.state();
    if let Some(verifier) = parameters.get("code_verifier") {
        state.note_verifier(verifier.to_owned());
    }
    let grant = state
        .take_code(code, context.now())
        .ok_or(TokenError::invalid_grant("The code is unknown, was used, or is older than 60 seconds."))?;
    if grant.client_id != client.client_id {
        return Err(TokenError::invalid_grant("The code was given to another client."));
    }
    if parameters.get("redirect_uri") != Some(&grant.redirect_uri) {
        return Err(TokenError::invalid_grant("The redirect_uri is not the one of the authorization request."));
    }
    if !verifier_fits(grant.code_challenge.as_deref(), parameters.get("code_verifier")) {
        return Err(TokenError::invalid_grant("The code_verifier does not fit the code_challenge."));
    }
    Ok(grant)
}

/// S256 (RFC 7636, 4.6). A verifier without a challenge is refused too (RFC 9700, 2.1.1: no downgrade).
fn verifier_fits(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            (43..=128).contains(&verifier.len()) && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn redeem_refresh_token(context: &Context, client: &Client, parameters: &Parameters) -> Result<Arc<Grant>, TokenError> {
    let token = parameters.get("refresh_token").ok_or(TokenError::invalid_request("There is no refresh_token."))?;
    if context.faults.is_on(Fault::RefreshInvalidGrant) {
        return Err(TokenError::invalid_grant("The refresh token is not accepted any more."));
    }
    let mut state = context.state();
    if state.refresh_token_client(token) != Some(&client.client_id) {
        return Err(TokenError::invalid_grant("The refresh token is not one of this client's."));
    }
    state
        .take_refresh_token(token, context.now())
        .ok_or(TokenError::invalid_grant("The refresh token was used, was revoked, or has expired."))
}

/// A refresh may ask for less than was granted (RFC 6749, 6).
fn granted_scope(grant: &Grant, parameters: &Parameters, through: Through) -> Result<String, TokenError> {
    let narrower = match through {
        Through::Code => None,
        Through::Refresh => parameters.get("scope"),
    };
    let Some(scope) = narrower else {
        return Ok(grant.scope.clone());
    };
    if scope.split(' ').all(|asked| grant.scope.split(' ').any(|granted| granted == asked)) {
        Ok(scope.to_owned())
    } else {
        Err(TokenError::new("invalid_scope", "The scope is more than was granted."))
    }
}

/// The API that was asked for must be one of those of the authorization request (RFC 8707, 2.2).
fn granted_resource(grant: &Grant, parameters: &Parameters) -> Result<Option<String>, TokenError> {
    match parameters.get("resource") {
        None => Ok(None),
        Some(asked) if grant.resources.iter().any(|granted| granted == asked) => Ok(Some(asked.to_owned())),
        Some(_) => Err(TokenError::new("invalid_target", "The resource was not asked for at sign-in.")),
    }
}

/// What an access token may do, and where.
struct Granted {
    scope: String,
    resource: Option<String>,
}

/// The successful response (RFC 6749, 5.1), with new tokens.
async fn respond(
    context: &Context,
    client: &Client,
    grant: &Arc<Grant>,
    through: Through,
    granted: Granted,
) -> Result<Map<String, Value>, Error> {
    let access_token = random_id()?;
    let refresh_token = random_id()?;
    let id_token = id_token(context, client, grant, through, &access_token).await?;
    let mut response = Map::new();
    let mut set = |field: &str, value: Value| response.insert(field.to_owned(), value);
    set("access_token", json!(access_token));
    set("token_type", json!("Bearer"));
    set("expires_in", json!(context.access_token_life));
    set("refresh_token", json!(refresh_token));
    set("scope", json!(granted.scope));
    if through == Through::Code || !context.faults.is_on(Fault::RefreshNoIdToken) {
        set("id_token", json!(id_token));
    }
    context.faults.twist_token_response(&mut response);
    let now = context.now();
    let mut state = context.state();
    state.add_access_token(
        access_token,
        grant.clone(),
        granted.resource,
        now.saturating_add(context.access_token_life),
    );
    state.add_refresh_token(refresh_token, grant.clone(), now.saturating_add(context.refresh_token_life));
    state.note_issued(id_token);
    Ok(response)
}

/// The ID token (Core, 2; `at_hash` 3.1.3.6; `sid` Back-Channel Logout 1.0, 2.1). After a refresh without nonce
/// (Core, 12.2). The person's claims are in it too, for clients that do not ask the userinfo endpoint.
async fn id_token(
    context: &Context,
    client: &Client,
    grant: &Grant,
    through: Through,
    access_token: &str,
) -> Result<String, Error> {
    let key = if context.faults.is_on(Fault::KeysRotateBeforeSigning) {
        context.keys.rotate().await?
    } else {
        context.keys.current()
    };
    let now = context.now();
    let hash = Sha256::digest(access_token);
    let (left_half, _) = hash.split_at(hash.len() / 2);
    let person = context.state().person_now(&grant.person);
    let mut token = key.token("JWT", person.claims(&grant.scope));
    token.set("iss", context.issuer.as_str());
    token.set("aud", client.client_id.as_str());
    token.set("iat", now);
    token.set("exp", now + ID_TOKEN_LIFE);
    token.set("auth_time", grant.auth_time);
    token.set("sid", grant.sid.as_str());
    token.set("at_hash", URL_SAFE_NO_PAD.encode(left_half));
    match (through, &grant.nonce) {
        (Through::Code, Some(nonce)) => token.set("nonce", nonce.as_str()),
        (Through::Code, None) | (Through::Refresh, _) => {}
    }
    context.faults.twist_id_token(&mut token);
    if through == Through::Refresh {
        context.faults.twist_refreshed_id_token(&mut token);
    }
    key.sign(&token, client.client_secret.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_rfc_fits_its_challenge() {
        assert!(verifier_fits(Some(CHALLENGE), Some(VERIFIER)));
    }

    #[test]
    fn a_verifier_and_a_challenge_go_together() {
        assert!(!verifier_fits(Some(CHALLENGE), None));
        assert!(!verifier_fits(None, Some(VERIFIER)));
        assert!(!verifier_fits(Some(CHALLENGE), Some(CHALLENGE)));
    }
}
