//! Signing in: the authorization request, and everything that is checked of what comes back. The checks stand in
//! the order in which they are made; none that can be made before the code is redeemed is made after it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use openidconnect::core::{CoreAuthenticationFlow, CoreErrorResponseType};
use openidconnect::{
    AccessToken, AuthorizationCode, CsrfToken, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RequestTokenError,
};
use serde_json::{Map, Value};
use url::Url;

use super::attempt::{Attempt, AuthorizationResponse, same};
use super::discovery::Known;
use super::error::{SignInError, shown};
use super::id_token::{self, Expected, ExpectedNonce};
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::tokens::{self, Tokens};
use super::types::{IdToken, IdTokenClaims, TokenErrorResponse, TokenResponse};
use super::userinfo;

/// A step of [`Provider::finish`] that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `state` and `iss` are those of what was asked, and there is a code.
    StateKnown,
    /// The token endpoint gave tokens for the code.
    CodeRedeemed,
    /// The ID token held up to every check.
    IdTokenVerified,
    /// The userinfo endpoint told more.
    UserinfoRead,
}

/// Somebody has signed in.
#[derive(Clone)]
pub struct SignedIn {
    /// The issuer. With `sub` it is who they are. Source: OpenID Connect Core 1.0, 5.7.
    pub iss: String,
    /// Who they are to the issuer.
    pub sub: String,
    /// The provider's session, which a logout token may name. Source: Back-Channel Logout 1.0, 2.1.
    pub sid: Option<String>,
    /// What the ID token and the userinfo endpoint say of them. Where both speak, userinfo is newer and wins, but
    /// for the claims of the protocol itself (`iss`, `sub`, `aud`, `auth_time`, …).
    pub claims: Map<String, Value>,
    /// When they last proved to the provider who they are, where it says so.
    pub auth_time: Option<Timestamp>,
    /// What is kept to act for them later.
    pub tokens: Tokens,
}

/// Without the claims: what a person told their provider is not for the log.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("iss", &self.iss).field("sub", &self.sub).finish_non_exhaustive()
    }
}

impl Provider {
    /// Begins a sign-in: where to send the browser, and what to keep until it is back. With `max_age`, in seconds, the
    /// person must have proved to the provider within that time who they are, or prove it now.
    /// Errors: [`SignInError::Provider`], and those of a pushed request.
    pub async fn begin(&self, max_age: Option<u32>) -> Result<(Url, Attempt), SignInError> {
        let known = self.fresh().await?;
        self.check_client_authentication(&known)?;
        let attempt = Attempt::new(max_age);
        let request = self.authorization_request(&known, &attempt);
        Ok((self.pushed(&known, request).await?, attempt))
    }

    /// Source: OpenID Connect Core 1.0, 3.1.2.1; RFC 7636, 4.3. More parameters go here.
    fn authorization_request(&self, known: &Known, attempt: &Attempt) -> Url {
        let Attempt { state, nonce, code_verifier, max_age } = attempt.clone();
        let code_verifier = PkceCodeVerifier::new(code_verifier);
        let mut request = known
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(self.settings.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&code_verifier));
        if let Some(max_age) = max_age {
            request = request.set_max_age(Duration::from_secs(max_age.into()));
        }
        if let Some(audience) = &self.settings.audience {
            request = request.add_extra_param("audience", audience);
        }
        for resource in &self.settings.resources {
            request = request.add_extra_param("resource", resource);
        }
        let (url, _, _) = request.url();
        url
    }

    /// Finishes a sign-in with what the browser brought back, and notes in `passed` how far it came. An attempt is good
    /// for one call.
    /// Errors: the first check that fails; the code is redeemed only after all that can be checked without it.
    pub async fn finish(
        &self,
        attempt: &Attempt,
        response: &AuthorizationResponse,
        passed: &mut Vec<Step>,
    ) -> Result<SignedIn, SignInError> {
        check_state(attempt, response)?;
        let known = self.known().await?;
        let promised = known.metadata.additional_metadata().authorization_response_iss_parameter_supported;
        check_issuer(self.issuer(), promised, response)?;
        let code = code(response)?;
        passed.push(Step::StateKnown);

        let token_response = self.redeem(&known, attempt, code).await?;
        passed.push(Step::CodeRedeemed);
        let id_token = tokens::usable(&token_response)?;
        let access_token = token_response.access_token();
        let nonce = ExpectedNonce::Sent(&attempt.nonce);
        let claims = self.verified(known.clone(), id_token, nonce, access_token).await?;
        let auth_time = claims.auth_time().and_then(|time| Timestamp::from_second(time.timestamp()).ok());
        id_token::check_auth_time(auth_time, attempt.max_age, self.clock.now())?;
        passed.push(Step::IdTokenVerified);
        let userinfo = userinfo::fetch(self, &known, access_token, claims.subject()).await?;
        if userinfo.is_some() {
            passed.push(Step::UserinfoRead);
        }

        let tokens = Tokens::new(&token_response, id_token, self.clock.now());
        signed_in(claims, auth_time, userinfo, tokens)
    }

    /// Source: OpenID Connect Core 1.0, 3.1.3; RFC 7636, 4.5.
    async fn redeem(&self, known: &Known, attempt: &Attempt, code: &str) -> Result<TokenResponse, SignInError> {
        let request = known.client.exchange_code(AuthorizationCode::new(code.to_owned()));
        // The metadata were refused already where they have no token_endpoint.
        let request = request.map_err(|error| tokens::nonsense(&error.to_string()))?;
        request
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.code_verifier.clone()))
            .request_async(&self.introduced(known))
            .await
            .map_err(|error| self.not_redeemed(error))
    }

    fn not_redeemed(&self, error: RequestTokenError<ProviderError, TokenErrorResponse>) -> SignInError {
        match error {
            RequestTokenError::Request(error) => {
                self.note_failed_call(&error);
                error.into()
            }
            RequestTokenError::ServerResponse(refusal) => {
                let error: &CoreErrorResponseType = refusal.error();
                SignInError::CodeRefused { error: shown(error.as_ref()) }
            }
            RequestTokenError::Parse(_, body) => tokens::unreadable(&body),
            RequestTokenError::Other(why) => tokens::nonsense(&why),
        }
    }

    /// The claims of the ID token, checked; the keys are fetched anew once where they may have been rotated.
    pub(super) async fn verified<'t>(
        &self,
        known: Arc<Known>,
        id_token: &'t IdToken,
        nonce: ExpectedNonce<'_>,
        access_token: &AccessToken,
    ) -> Result<&'t IdTokenClaims, SignInError> {
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce,
            access_token,
            now: self.clock.now(),
            skew: self.peer.skew(),
        };
        match id_token::verify(id_token, &known.keys, &expected) {
            Err(error) if id_token::may_be_rotation(&error) => match self.rotated(&known).await? {
                Some(newer) => id_token::verify(id_token, &newer.keys, &expected),
                None => Err(error),
            },
            done => done,
        }
    }
}

fn check_state(attempt: &Attempt, response: &AuthorizationResponse) -> Result<(), SignInError> {
    match &response.state {
        Some(state) if same(state, attempt.state()) => Ok(()),
        Some(_) | None => Err(SignInError::StateMismatch),
    }
}

/// Source: RFC 9207, 2.4: of errors as well as of codes.
fn check_issuer(issuer: &str, promised: bool, response: &AuthorizationResponse) -> Result<(), SignInError> {
    match &response.iss {
        Some(iss) if iss == issuer => Ok(()),
        Some(iss) => Err(SignInError::ResponseIssuerMismatch { found: shown(iss), expected: issuer.to_owned() }),
        None if promised => Err(SignInError::ResponseIssuerMissing { expected: issuer.to_owned() }),
        None => Ok(()),
    }
}

fn code(response: &AuthorizationResponse) -> Result<&str, SignInError> {
    match (&response.error, &response.code) {
        (Some(error), _) => Err(SignInError::Refused { error: shown(error) }),
        (None, Some(code)) => Ok(code),
        (None, None) => Err(SignInError::NoCode),
    }
}

fn signed_in(
    id_token: &IdTokenClaims,
    auth_time: Option<Timestamp>,
    userinfo: Option<Map<String, Value>>,
    tokens: Tokens,
) -> Result<SignedIn, SignInError> {
    let claims = userinfo::as_map(id_token)?;
    Ok(SignedIn {
        iss: id_token.issuer().to_string(),
        sub: id_token.subject().to_string(),
        sid: claims.get("sid").and_then(Value::as_str).map(str::to_owned),
        auth_time,
        claims: userinfo::merged(claims, userinfo.unwrap_or_default()),
        tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(iss: Option<&str>) -> AuthorizationResponse {
        AuthorizationResponse { iss: iss.map(str::to_owned), ..AuthorizationResponse::default() }
    }

    #[test]
    fn a_response_without_state_is_refused() {
        assert_eq!(check_state(&Attempt::new(None), &response(None)), Err(SignInError::StateMismatch));
    }

    #[test]
    fn the_issuer_of_a_response_is_compared_to_the_letter() {
        let error = check_issuer("https://id.example", false, &response(Some("https://id.example/"))).unwrap_err();
        assert!(error.to_string().contains("final slash"));
    }

    #[test]
    fn a_response_may_name_no_issuer_where_none_was_promised() {
        assert!(check_issuer("https://id.example", false, &response(None)).is_ok());
        assert!(check_issuer("https://id.example", true, &response(None)).is_err());
    }

    #[test]
    fn an_error_counts_though_a_code_came_with_it() {
        let both = AuthorizationResponse {
            error: Some("access_denied".to_owned()),
            code: Some("code".to_owned()),
            ..AuthorizationResponse::default()
        };
        assert_eq!(code(&both), Err(SignInError::Refused { error: "access_denied".to_owned() }));
    }
}
