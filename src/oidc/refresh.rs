//! New tokens for old: a refresh, and reading anew what the provider says of the person.

use std::fmt;
use std::sync::Arc;

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{AccessToken, OAuth2TokenResponse as _, RefreshToken, RequestTokenError, Scope, SubjectIdentifier};
use serde_json::{Map, Value};

use super::discovery::Known;
use super::error::{SignInError, shown};
use super::id_token::{ExpectedNonce, payload};
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::tokens::{self, Api, Tokens};
use super::types::{IdToken, TokenErrorResponse, TokenResponse};
use super::userinfo;

/// Why there are no new tokens. None of these texts holds a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The provider gave no refresh token at sign-in, or takes it no more: only signing in again helps.
    #[error("the provider takes the refresh token no more: {error}")]
    Dead {
        /// The `error` code, such as `invalid_grant`, or that there is no refresh token.
        error: String,
    },
    /// The provider refused for a reason that is not the refresh token. Source: RFC 6749, 5.2.
    #[error("the token endpoint refused the refresh: {error}")]
    Refused {
        /// The `error` code, such as `invalid_client` or `invalid_target`.
        error: String,
    },
    /// The provider could not be asked, or its answer can't be trusted. The session lives.
    #[error(transparent)]
    Answer(#[from] SignInError),
}

impl RefreshError {
    /// A stable label for metrics and the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Dead { .. } => "refresh_dead",
            Self::Refused { .. } => "refresh_refused",
            Self::Answer(error) => error.cause(),
        }
    }

    /// Whether the provider took too long.
    pub fn is_slow(&self) -> bool {
        matches!(self, Self::Answer(SignInError::Provider(ProviderError::Slow { .. })))
    }
}

/// What a refresh brought.
pub struct Refreshed {
    /// What is kept from now on: with rotation the old refresh token is worth nothing any more, so these are written
    /// down before any of them is used. Source: RFC 9700, 4.14.2.
    pub tokens: Tokens,
    /// What the new ID token says, where there is one.
    id_token: Option<Map<String, Value>>,
}

impl fmt::Debug for Refreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshed").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl Provider {
    /// Gets a new access token for `api`, with `scopes` where any are named. A new ID token must be of the same `iss`,
    /// `sub` and `aud`; its nonce may be absent. Source: RFC 6749, 6; OpenID Connect Core 1.0, 12; RFC 8707, 2.2.
    pub async fn refresh(&self, tokens: &Tokens, api: &Api, scopes: &[String]) -> Result<Refreshed, RefreshError> {
        let Some(refresh_token) = &tokens.refresh_token else {
            return Err(RefreshError::Dead { error: "there is none".to_owned() });
        };
        let known = self.known().await.map_err(SignInError::from)?;
        let response = self.ask_for_new(&known, refresh_token, api, scopes).await?;
        tokens::bearer(&response)?;
        let id_token = match tokens::id_token(&response) {
            Some(id_token) => Some((id_token, self.same_person(known, id_token, tokens, &response).await?)),
            None => None,
        };
        let kept = tokens.renewed(&response, api, id_token.as_ref().map(|(token, _)| *token), self.clock.now());
        Ok(Refreshed { tokens: kept, id_token: id_token.map(|(_, claims)| claims) })
    }

    async fn ask_for_new(
        &self,
        known: &Known,
        refresh_token: &str,
        api: &Api,
        scopes: &[String],
    ) -> Result<TokenResponse, RefreshError> {
        let refresh_token = RefreshToken::new(refresh_token.to_owned());
        let request = known.client.exchange_refresh_token(&refresh_token);
        // The metadata were refused already where they have no token_endpoint.
        let mut request = request.map_err(|error| tokens::nonsense(&error.to_string()))?;
        match api {
            Api::Default => {}
            Api::Audience(audience) => request = request.add_extra_param("audience", audience),
            Api::Resource(resource) => request = request.add_extra_param("resource", resource),
        }
        // The default token keeps every scope: the userinfo endpoint is asked with it.
        if *api != Api::Default {
            request = request.add_scopes(scopes.iter().cloned().map(Scope::new));
        }
        request.request_async(&self.introduced(known)).await.map_err(|error| self.not_refreshed(error))
    }

    fn not_refreshed(&self, error: RequestTokenError<ProviderError, TokenErrorResponse>) -> RefreshError {
        match error {
            RequestTokenError::ServerResponse(refusal) => {
                let code: &CoreErrorResponseType = refusal.error();
                let error = shown(code.as_ref());
                match code {
                    CoreErrorResponseType::InvalidGrant => RefreshError::Dead { error },
                    _ => RefreshError::Refused { error },
                }
            }
            RequestTokenError::Request(error) => {
                self.note_failed_call(&error);
                SignInError::from(error).into()
            }
            RequestTokenError::Parse(_, body) => tokens::unreadable(&body).into(),
            RequestTokenError::Other(why) => tokens::nonsense(&why).into(),
        }
    }

    /// The claims of a new ID token, which must be of whom the old one was. Source: OpenID Connect Core 1.0, 12.2.
    async fn same_person(
        &self,
        known: Arc<Known>,
        id_token: &IdToken,
        tokens: &Tokens,
        response: &TokenResponse,
    ) -> Result<Map<String, Value>, SignInError> {
        let before = payload(&tokens.id_token).unwrap_or_default();
        let said = |claim: &str| before.get(claim).and_then(Value::as_str);
        let nonce = ExpectedNonce::IfRepeated(said("nonce"));
        let claims = self.verified(known, id_token, nonce, response.access_token()).await?;
        let (found, expected) = (claims.subject().as_str(), said("sub").unwrap_or_default());
        if found != expected {
            return Err(SignInError::IdTokenSubject { found: shown(found), expected: shown(expected) });
        }
        userinfo::as_map(claims)
    }

    /// What the provider says of the person now, after a refresh, where `before` is what it said until then: by its
    /// userinfo endpoint, and the new ID token where there is one. Nothing where it could not be asked, or has neither:
    /// then what it said before has to do.
    pub async fn read_again(
        &self,
        refreshed: &Refreshed,
        before: &Map<String, Value>,
    ) -> Result<Option<Map<String, Value>>, SignInError> {
        let known = self.known().await?;
        if known.client.user_info_url().is_none() {
            return Ok(refreshed.id_token.clone());
        }
        let Some(sub) = before.get("sub").and_then(Value::as_str) else { return Ok(None) };
        // Only the default token is for the userinfo endpoint.
        if !refreshed.tokens.default_is_good(self.clock.now()) {
            return Ok(None);
        }
        let access_token = AccessToken::new(refreshed.tokens.access_token.clone());
        let userinfo = userinfo::fetch(self, &known, &access_token, &SubjectIdentifier::new(sub.to_owned())).await?;
        // Personal claims that are in neither any more are gone, such as a group that was taken away.
        let id_token = || refreshed.id_token.clone().unwrap_or_else(|| userinfo::of_the_protocol(before.clone()));
        Ok(userinfo.map(|userinfo| userinfo::merged(id_token(), userinfo)))
    }
}
