//! An authorization request, read and checked (RFC 6749, 4.1.1; RFC 7636, 4.3; OpenID Connect Core 1.0, 3.1.2).

use std::collections::BTreeMap;

use poem::{Response, http::StatusCode};

use super::{answer, answer::Parameters, context::Context, pages, settings::Client, state::Session};

/// The parameters of a request that the sign-in page carries on.
pub(super) const CARRIED: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "id_token_hint",
    "login_hint",
    "resource",
];

/// What `prompt` asks for (Core, 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// No page may be shown.
    None,
    /// The person must type their name, session or not.
    Login,
    /// The page is shown, and a session may be gone on with. Also for `consent` and `select_account`.
    Page,
}

/// Where an answer to the client goes, known good.
pub(super) struct Destination {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

impl Destination {
    /// An error response (RFC 6749, 4.1.2.1) with `iss` (RFC 9207).
    pub(super) fn error(&self, context: &Context, error: &str, description: &str) -> Response {
        self.send(context, BTreeMap::from([("error", error.to_owned()), ("error_description", description.to_owned())]))
    }

    /// Sends the browser back to the client with these parameters, `state` and `iss`.
    pub(super) fn send(&self, context: &Context, mut parameters: BTreeMap<&'static str, String>) -> Response {
        parameters.insert("iss", context.issuer.clone());
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        context.faults.twist_authorization_response(&mut parameters);
        answer::redirect(&self.redirect_uri, &parameters)
    }
}

/// A request that may be answered with a code.
pub(super) struct AuthorizationRequest {
    pub(super) client: Client,
    pub(super) destination: Destination,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) prompt: Prompt,
    /// In seconds.
    max_age: Option<i64>,
    /// The `sub` that an `id_token_hint` names.
    expected_sub: Option<String>,
    parameters: Parameters,
}

impl AuthorizationRequest {
    /// Errors: the answer to give instead. An error page while client and `redirect_uri` are not known good, since
    /// nobody may be sent to an address of a stranger's choosing (RFC 6749, 4.1.2.1; RFC 9700, 4.11.2).
    pub(super) fn parse(context: &Context, parameters: Parameters) -> Result<Self, Box<Response>> {
        let page = |text: &str| Box::new(pages::refusal(StatusCode::BAD_REQUEST, "This request cannot be used", text));
        let client =
            parameters.get("client_id").and_then(|client_id| context.state().client(client_id)).ok_or_else(|| {
                page("The application that sent you here is not registered with this provider (client_id).")
            })?;
        let redirect_uri = registered_redirect_uri(&client, &parameters).ok_or_else(|| {
            page("The address to come back to is not registered for this application (redirect_uri).")
        })?;
        let destination =
            Destination { redirect_uri: redirect_uri.to_owned(), state: parameters.get("state").map(str::to_owned) };
        match check(&client, &parameters) {
            Ok((prompt, max_age)) => Ok(Self {
                expected_sub: parameters.get("id_token_hint").map(|hint| hinted_sub(context, hint)),
                scope: parameters.get("scope").unwrap_or_default().to_owned(),
                nonce: parameters.get("nonce").map(str::to_owned),
                code_challenge: parameters.get("code_challenge").map(str::to_owned),
                client,
                destination,
                prompt,
                max_age,
                parameters,
            }),
            Err((error, description)) => Err(Box::new(destination.error(context, error, description))),
        }
    }

    /// Whether this session answers the request without its person typing their name again.
    pub(super) fn is_met_by(&self, session: &Session, now: i64) -> bool {
        self.prompt != Prompt::Login
            && self.max_age.is_none_or(|max_age| now.saturating_sub(session.auth_time) <= max_age)
            && self.expected_sub.as_ref().is_none_or(|sub| *sub == session.person.sub)
    }

    /// The parameters to carry through the sign-in page.
    pub(super) fn carried(&self) -> impl Iterator<Item = (&'static str, &str)> {
        CARRIED.iter().filter_map(|name| Some((*name, self.parameters.get(name)?)))
    }

    /// A parameter of the request, or a field of the sign-in page.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }
}

/// An error code, and words for who makes the client.
pub(super) type OAuthError = (&'static str, &'static str);

/// What a pushed request is refused for; it comes from the client itself, so that nobody is sent anywhere.
pub(super) fn check_pushed(client: &Client, parameters: &Parameters) -> Result<(), OAuthError> {
    if parameters.get("client_id") != Some(&client.client_id) {
        return Err(("invalid_request", "The client_id is missing, or another's."));
    }
    if registered_redirect_uri(client, parameters).is_none() {
        return Err(("invalid_request", "The redirect_uri is missing, or not registered for this client."));
    }
    check(client, parameters).map(drop)
}

/// Compared as an exact string (RFC 9700, 2.1).
fn registered_redirect_uri<'p>(client: &Client, parameters: &'p Parameters) -> Option<&'p str> {
    parameters.get("redirect_uri").filter(|uri| client.redirect_uris.iter().any(|known| known == uri))
}

fn check(client: &Client, parameters: &Parameters) -> Result<(Prompt, Option<i64>), OAuthError> {
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "Send the parameters themselves, not a request object."));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "Send the parameters themselves, not a request_uri."));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(("unsupported_response_type", "The response_type must be code."));
        }
        None => return Err(("invalid_request", "There is no response_type.")),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "The response_mode must be query."));
    }
    if !parameters.get("scope").unwrap_or_default().split(' ').any(|scope| scope == "openid") {
        return Err(("invalid_scope", "The scope must hold openid."));
    }
    check_pkce(client, parameters)?;
    let max_age = parameters.get("max_age").map(parse_max_age).transpose()?;
    Ok((parse_prompt(parameters.get("prompt"))?, max_age))
}

/// PKCE with S256; required where there is no secret (RFC 9700, 2.1.1).
fn check_pkce(client: &Client, parameters: &Parameters) -> Result<(), OAuthError> {
    let Some(challenge) = parameters.get("code_challenge") else {
        let without = client.is_confidential() && parameters.get("code_challenge_method").is_none();
        return if without { Ok(()) } else { Err(("invalid_request", "There is no code_challenge.")) };
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "The code_challenge_method must be S256."));
    }
    let shaped = challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if shaped { Ok(()) } else { Err(("invalid_request", "The code_challenge is not a SHA-256 in base64url.")) }
}

fn parse_max_age(text: &str) -> Result<i64, OAuthError> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds >= 0)
        .ok_or(("invalid_request", "The max_age must be a number of seconds."))
}

fn parse_prompt(text: Option<&str>) -> Result<Prompt, OAuthError> {
    let values: Vec<&str> = text.unwrap_or_default().split(' ').filter(|value| !value.is_empty()).collect();
    if values == ["none"] {
        Ok(Prompt::None)
    } else if values.contains(&"none") {
        Err(("invalid_request", "The prompt none goes with no other."))
    } else if values.contains(&"login") {
        Ok(Prompt::Login)
    } else {
        Ok(Prompt::Page)
    }
}

/// A hint that is not ours names nobody, so no session meets the request.
fn hinted_sub(context: &Context, hint: &str) -> String {
    let claims = context.keys.claims_of(hint).unwrap_or_default();
    claims.get("sub").and_then(|sub| sub.as_str()).unwrap_or_default().to_owned()
}
