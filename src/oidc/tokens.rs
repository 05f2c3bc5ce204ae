//! What is kept of a sign-in to act for the member later. It stays on the server.

use std::fmt;
use std::str::FromStr as _;

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::CoreTokenType;
use openidconnect::{OAuth2TokenResponse as _, TokenResponse as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{ProviderError, SignInError, shown};
use super::id_token;
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
    /// When the access token expires, where the provider says so.
    pub expires_at: Option<Timestamp>,
    /// What the access token may do, names with spaces between. Nothing means: what was asked for.
    pub scope: Option<String>,
}

impl Tokens {
    /// What a token response holds, that came at `now`.
    pub(super) fn new(response: &TokenResponse, id_token: &IdToken, now: Timestamp) -> Self {
        let expires_in = response.expires_in().and_then(|lifetime| SignedDuration::try_from(lifetime).ok());
        let scopes = response.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>());
        Self {
            access_token: response.access_token().secret().clone(),
            refresh_token: response.refresh_token().map(|token| token.secret().clone()),
            id_token: id_token.to_string(),
            // A lifetime beyond all calendars is as good as none.
            expires_at: expires_in.and_then(|lifetime| now.checked_add(lifetime).ok()),
            scope: scopes.map(|scopes| scopes.join(" ")),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("expires_at", &self.expires_at)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// The ID token of a response whose access token can be used.
pub(super) fn usable(response: &TokenResponse) -> Result<&IdToken, SignInError> {
    match response.token_type() {
        CoreTokenType::Bearer => {}
        other => return Err(SignInError::TokenType { found: shown(other.as_ref()) }),
    }
    // openidconnect panics on a token that can't stand in a header. Source: RFC 6749, A.12.
    if !response.access_token().secret().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(nonsense("its access_token has characters that no header can carry"));
    }
    response.id_token().ok_or(SignInError::IdTokenMissing)
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
