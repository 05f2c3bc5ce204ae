//! Signing out at the provider: where to send the browser, and making the refresh token worthless.

use std::str::FromStr as _;

use openidconnect::{CsrfToken, LogoutRequest};
use url::Url;

use super::provider::Provider;
use super::provider_error::ProviderError;
use super::types::IdToken;

impl Provider {
    /// Where to send the browser to end the session at the provider too, or nothing where the provider can't do
    /// that or isn't known because it is down. `state` comes back to `post_logout_redirect_uri`.
    /// Source: RP-Initiated Logout 1.0, 2.
    pub async fn end_session_url(&self, id_token_hint: Option<&str>, state: &str) -> Option<Url> {
        let known = self.known().await.ok()?;
        let endpoint = known.metadata.additional_metadata().end_session_endpoint.clone()?;
        let mut request = LogoutRequest::from(endpoint)
            .set_client_id(self.settings.client_id.clone())
            .set_post_logout_redirect_uri(self.settings.post_logout_redirect_uri.clone())
            .set_state(CsrfToken::new(state.to_owned()));
        // A hint that can't be read is left out: the provider then asks.
        if let Some(hint) = id_token_hint.and_then(|hint| IdToken::from_str(hint).ok()) {
            request = request.set_id_token_hint(&hint);
        }
        Some(request.http_get_url())
    }

    /// Makes a refresh token, and what was issued from it, worthless, where the provider has an endpoint for that.
    /// A failure is logged and is not the caller's concern: the session here has ended in any case. It takes as
    /// long as [`Http`](super::Http) allows at the most. Source: RFC 7009, 2.
    pub async fn revoke(&self, refresh_token: &str) {
        if let Err(why) = self.try_revoke(refresh_token).await {
            tracing::warn!(provider = self.name(), cause = why.cause(), "a refresh token was not revoked: {why}");
        }
    }

    async fn try_revoke(&self, refresh_token: &str) -> Result<(), ProviderError> {
        let known = self.known().await?;
        let Some(endpoint) = &known.metadata.additional_metadata().revocation_endpoint else {
            return Ok(());
        };
        // openidconnect has this request too, but for `https` alone, and a provider on loopback has none.
        let form = [("token", refresh_token), ("token_type_hint", "refresh_token")];
        let status = self.post(&known, endpoint.as_str(), form).await?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(ProviderError::Status { endpoint: endpoint.to_string(), status: status.as_u16() })
    }
}
