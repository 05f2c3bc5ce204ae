//! What can be found out about a provider without anyone signing in, for `thoughts check`.

use openidconnect::AuthorizationCode;
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{PkceCodeVerifier, RequestTokenError};
use url::Url;

use super::error::shown;
use super::id_token::ALGORITHMS;
use super::provider::Provider;
use super::provider_error::ProviderError;

/// What a provider's metadata promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Keys in its key set.
    pub keys: usize,
    /// Whether it signs ID tokens in a way that is accepted here.
    pub algorithm_accepted: bool,
    /// Whether it offers PKCE by `S256`; nothing where the metadata don't say.
    pub pkce_s256: Option<bool>,
    /// Whether it can end its own session when someone signs out here.
    pub end_session: bool,
    /// Whether it can tell us when someone signs out there.
    pub backchannel_logout: bool,
    /// Where it takes the authorization request from us before the browser comes, if it does.
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Seconds that its clock is ahead of ours, by its `Date` header.
    pub skew: Option<i64>,
}

/// What became of introducing ourselves with a code that can't be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// The code was refused, and we were not: `client_id` and its credential are right.
    Accepted,
    /// We were refused: the `error` code, such as `invalid_client`.
    Refused(String),
    /// The answer says neither: what it was.
    Unclear(String),
}

impl Provider {
    /// Asks for metadata and keys, and says what is in them.
    pub async fn facts(&self) -> Result<Facts, ProviderError> {
        let known = self.fresh().await?;
        let more = known.metadata.additional_metadata();
        let offered = known.metadata.id_token_signing_alg_values_supported();
        let methods = more.code_challenge_methods_supported.as_ref();
        Ok(Facts {
            keys: known.keys.keys().len(),
            algorithm_accepted: offered.iter().any(|algorithm| ALGORITHMS.contains(algorithm)),
            pkce_s256: methods.map(|methods| methods.iter().any(|method| method == "S256")),
            end_session: more.end_session_endpoint.is_some(),
            backchannel_logout: more.backchannel_logout_supported,
            pushed_authorization_request_endpoint: more.pushed_authorization_request_endpoint.clone(),
            skew: self.skew(),
        })
    }

    /// Introduces us at the token endpoint with a code that can't be good. A provider looks at who asks before it
    /// looks at the code, so a right secret or key gives `invalid_grant`. Source: RFC 6749, 5.2.
    pub async fn introduce(&self) -> Result<Introduction, ProviderError> {
        let known = self.fresh().await?;
        let code = AuthorizationCode::new("a-code-that-was-never-issued".to_owned());
        let Ok(request) = known.client.exchange_code(code) else {
            return Ok(Introduction::Unclear("the metadata name no token_endpoint".to_owned()));
        };
        let verifier = PkceCodeVerifier::new("a".repeat(43));
        match request.set_pkce_verifier(verifier).request_async(&self.introduced(&known)).await {
            Ok(_) => Ok(Introduction::Unclear("tokens were given for a code that was never issued".to_owned())),
            Err(RequestTokenError::Request(error)) => Err(error),
            Err(RequestTokenError::ServerResponse(refusal)) => {
                let error: &CoreErrorResponseType = refusal.error();
                Ok(match error.as_ref() {
                    "invalid_grant" => Introduction::Accepted,
                    code @ ("invalid_client" | "unauthorized_client") => Introduction::Refused(code.to_owned()),
                    other => Introduction::Unclear(shown(other)),
                })
            }
            Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => {
                Ok(Introduction::Unclear("its answer is no error of OAuth's".to_owned()))
            }
        }
    }
}
