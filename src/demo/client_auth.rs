//! Which client calls the token and revocation endpoints (RFC 6749, 2.3), and the errors of both (5.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use poem::{
    Request, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::json;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::{answer, answer::Parameters, client_assertion, context::Context, faults::Fault, settings::Client};

/// An error response of RFC 6749, 5.2.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenError {
    error: &'static str,
    description: &'static str,
}

impl TokenError {
    pub(super) fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }

    pub(super) fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    fn invalid_client(description: &'static str) -> Self {
        Self::new("invalid_client", description)
    }

    pub(super) fn into_response(self) -> Response {
        let unauthorized = self.error == "invalid_client";
        let status = if unauthorized { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = answer::json(status, &body);
        if unauthorized {
            let challenge = HeaderValue::from_static(r#"Basic realm="demo provider""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The client that a request is from: by `client_secret_basic` or `client_secret_post` if it has a secret, by
/// `private_key_jwt` if it has keys, by its `client_id` alone if neither. Errors: `invalid_client`; `invalid_request` for two ways at once.
pub(super) fn authenticate(
    context: &Context,
    request: &Request,
    parameters: &Parameters,
) -> Result<Client, TokenError> {
    if let Some(assertion) = parameters.get("client_assertion") {
        return by_assertion(context, request, parameters, assertion);
    }
    let (client_id, secret) = credentials(request, parameters)?;
    let basic = request.header(header::AUTHORIZATION).is_some();
    let other_alone = if basic { Fault::ClientSecretPostAlone } else { Fault::ClientSecretBasicAlone };
    if secret.is_some() && context.faults.is_on(other_alone) {
        return Err(TokenError::invalid_client("The client authenticates in a way that is not offered."));
    }
    let client = context.state().client(&client_id).ok_or(TokenError::invalid_client("This client is not known."))?;
    let proven = match (&client.client_secret, secret) {
        (Some(known), Some(given)) => known.as_bytes().ct_eq(given.as_bytes()).into(),
        (None, None) => !client.is_confidential(),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if proven { Ok(client) } else { Err(TokenError::invalid_client("The client did not prove who it is.")) }
}

fn by_assertion(
    context: &Context,
    request: &Request,
    parameters: &Parameters,
    assertion: &str,
) -> Result<Client, TokenError> {
    if parameters.get("client_assertion_type") != Some(client_assertion::TYPE) {
        return Err(TokenError::invalid_request("The client_assertion_type is not jwt-bearer."));
    }
    if parameters.get("client_secret").is_some() || request.header(header::AUTHORIZATION).is_some() {
        return Err(TokenError::invalid_request("The client authenticates in two ways."));
    }
    let client = client_assertion::verify(context, assertion).map_err(TokenError::invalid_client)?;
    if parameters.get("client_id").is_some_and(|client_id| client_id != client.client_id) {
        return Err(TokenError::invalid_client("The client_id is not whose the client_assertion is."));
    }
    Ok(client)
}

fn credentials(request: &Request, parameters: &Parameters) -> Result<(String, Option<String>), TokenError> {
    let posted_id = parameters.get("client_id");
    let posted_secret = parameters.get("client_secret");
    let Some(authorization) = request.header(header::AUTHORIZATION) else {
        let client_id = posted_id.ok_or(TokenError::invalid_client("There is no client authentication."))?;
        return Ok((client_id.to_owned(), posted_secret.map(str::to_owned)));
    };
    let (client_id, secret) =
        parse_basic(authorization).ok_or(TokenError::invalid_client("The Authorization header is not Basic."))?;
    if posted_secret.is_some() || posted_id.is_some_and(|posted| posted != client_id) {
        return Err(TokenError::invalid_request("The client authenticates in two ways."));
    }
    Ok((client_id, Some(secret)))
}

/// Both halves are form-encoded inside the Basic scheme (RFC 6749, 2.3.1).
fn parse_basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some((form_decode(client_id)?, form_decode(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    // As a value, so that `=` and `&` in a half that was not encoded stay what they are.
    let pair = format!("v={}", text.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded() {
        let header = format!("basic {}", STANDARD.encode("my%3Aapp:p%26s+s=="));
        assert_eq!(parse_basic(&header), Some(("my:app".to_owned(), "p&s s==".to_owned())));
    }

    #[test]
    fn another_scheme_is_no_basic_credentials() {
        assert_eq!(parse_basic("Bearer abc"), None);
    }
}
