//! What is kept of a sign-in to act for the member later. It stays on the server.

use std::fmt;
use std::str::FromStr as _;

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::CoreTokenType;
use openidconnect::{OAuth2TokenResponse as _, TokenResponse as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{SignInError, shown};
use super::id_token;
use super::provider_error::ProviderError;
use super::types::{IdToken, TokenResponse};

/// The tokens of a sign-in, secrets all of them. Whoever stores them must seal them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Opens the APIs it is for. Source: RFC 6749, 1.4.
    pub access_token: String,
    /// Gets the next access token, where the provider gives one. Source: RFC 6749, 1.5.
    pub refresh_token: Option<String>,
    /// Who signed in, as the provider signed it; later the `id_token_hint` of signing out.
    pub id_token: String,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// What the access token may do, names with spaces between. Nothing means: what was asked for.
    pub scope: Option<String>,
    /// Access tokens for APIs that don't take that one, got by refreshing.
    #[serde(default)]
    pub(super) for_apis: Vec<(Api, AccessTokenFor)>,
}

/// What an access token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Api {
    /// What the provider gives at sign-in: its userinfo endpoint, and the API of the `audience` that was asked for.
    Default,
    /// The API that the provider knows by this `audience` parameter.
    Audience(String),
    /// The API at this resource indicator. Source: RFC 8707, 2.
    Resource(String),
}

/// An access token for one API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccessTokenFor {
    secret: String,
    expires_at: Timestamp,
}

/// An access token that expires sooner than this is refreshed first, so that it is good while it is under way.
const REFRESH_BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// How long an access token is taken to be good whose provider doesn't say. Source: RFC 6749, 5.1.
const ASSUMED_LIFE: SignedDuration = SignedDuration::from_mins(5);

impl Tokens {
    /// What the token response of a sign-in holds, that came at `now`.
    pub(super) fn new(response: &TokenResponse, id_token: &IdToken, now: Timestamp) -> Self {
        Self {
            access_token: response.access_token().secret().clone(),
            refresh_token: response.refresh_token().map(|token| token.secret().clone()),
            id_token: id_token.to_string(),
            expires_at: expires_at(response, now),
            scope: scope(response),
            for_apis: Vec::new(),
        }
    }

    /// What is kept after a refresh for `api` answered at `now`. What it doesn't bring anew stays as it was.
    pub(super) fn renewed(
        &self,
        response: &TokenResponse,
        api: &Api,
        id_token: Option<&IdToken>,
        now: Timestamp,
    ) -> Self {
        let mut renewed = self.clone();
        if let Some(refresh_token) = response.refresh_token() {
            renewed.refresh_token = Some(refresh_token.secret().clone());
        }
        if let Some(id_token) = id_token {
            renewed.id_token = id_token.to_string();
        }
        let (secret, expires_at) = (response.access_token().secret().clone(), expires_at(response, now));
        if *api == Api::Default {
            renewed.access_token = secret;
            renewed.expires_at = expires_at;
            renewed.scope = scope(response).or(renewed.scope);
        } else {
            renewed.for_apis.retain(|(known, token)| known != api && token.expires_at > now);
            renewed.for_apis.push((api.clone(), AccessTokenFor { secret, expires_at }));
        }
        renewed
    }

    /// The access token for `api`, if it is there and good for a minute yet.
    pub fn good_for(&self, api: &Api, now: Timestamp) -> Option<&str> {
        let enough = |expires_at: Timestamp| expires_at.duration_since(now) > REFRESH_BEFORE;
        self.access(api).filter(|(_, expires_at)| enough(*expires_at)).map(|(secret, _)| secret)
    }

    /// The access token for `api`, if it is there and has not expired: for where it can't be refreshed.
    pub fn last_for(&self, api: &Api, now: Timestamp) -> Option<&str> {
        // A provider that has no refresh token to give can't give one for an API of its own either.
        let access = self.access(api).or_else(|| self.access(&Api::Default));
        access.filter(|(_, expires_at)| *expires_at > now).map(|(secret, _)| secret)
    }

    /// Whether the default access token has not expired.
    pub(super) fn default_is_good(&self, now: Timestamp) -> bool {
        self.access(&Api::Default).is_some_and(|(_, expires_at)| expires_at > now)
    }

    fn access(&self, api: &Api) -> Option<(&str, Timestamp)> {
        if *api == Api::Default {
            return Some((&self.access_token, self.expires_at));
        }
        let (_, token) = self.for_apis.iter().find(|(known, _)| known == api)?;
        Some((&token.secret, token.expires_at))
    }
}

fn expires_at(response: &TokenResponse, now: Timestamp) -> Timestamp {
    let lifetime = response.expires_in().map_or(ASSUMED_LIFE, |lifetime| {
        // One beyond all calendars ends with them.
        SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX)
    });
    now.checked_add(lifetime).unwrap_or(Timestamp::MAX)
}

fn scope(response: &TokenResponse) -> Option<String> {
    let scopes = response.scopes()?;
    Some(scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("expires_at", &self.expires_at)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// The ID token of a sign-in's response, whose access token can be used.
pub(super) fn usable(response: &TokenResponse) -> Result<&IdToken, SignInError> {
    bearer(response)?;
    id_token(response).ok_or(SignInError::IdTokenMissing)
}

/// The response's ID token, where it has one.
pub(super) fn id_token(response: &TokenResponse) -> Option<&IdToken> {
    response.id_token()
}

/// Whether the response's access token can be used.
pub(super) fn bearer(response: &TokenResponse) -> Result<(), SignInError> {
    match response.token_type() {
        CoreTokenType::Bearer => {}
        other => return Err(SignInError::TokenType { found: shown(other.as_ref()) }),
    }
    // openidconnect panics on a token that can't stand in a header. Source: RFC 6749, A.12.
    if !response.access_token().secret().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(nonsense("its access_token has characters that no header can carry"));
    }
    Ok(())
}

/// Why a token response could not be read. openidconnect's own error may quote what is in it, so it is not used.
pub(super) fn unreadable(body: &[u8]) -> SignInError {
    let Ok(response) = serde_json::from_slice::<Value>(body) else {
        return nonsense("it is not JSON");
    };
    match response.get("id_token").and_then(Value::as_str) {
        Some(token) if IdToken::from_str(token).is_err() => id_token::unreadable(token),
        Some(_) | None => nonsense("a field is missing or of the wrong type: access_token, token_type or another"),
    }
}

pub(super) fn nonsense(why: &str) -> SignInError {
    ProviderError::Nonsense { what: "the token response", why: shown(why) }.into()
}
