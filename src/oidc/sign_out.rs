//! Signing out at the provider: where to send the browser, and making the refresh token worthless.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use openidconnect::{AuthType, CsrfToken, HttpRequest, LogoutRequest};
use url::{Url, form_urlencoded};

use super::discovery::{Known, client_authentication};
use super::error::ProviderError;
use super::provider::Provider;
use super::settings::Checked;
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
        let request = revocation_request(&self.settings, &known, endpoint.url(), refresh_token)
            .map_err(|error| ProviderError::Unreachable { endpoint: endpoint.to_string(), why: error.to_string() })?;
        let status = self.peer.send(request).await?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(ProviderError::Status { endpoint: endpoint.to_string(), status: status.as_u16() })
    }
}

/// openidconnect has this request too, but for `https` alone, and a provider on loopback has none.
fn revocation_request(
    settings: &Checked,
    known: &Known,
    endpoint: &Url,
    refresh_token: &str,
) -> Result<HttpRequest, http::Error> {
    let mut request = http::Request::post(endpoint.as_str()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", refresh_token).append_pair("token_type_hint", "refresh_token");
    match (&settings.client_secret, client_authentication(&known.metadata)) {
        (Some(secret), AuthType::BasicAuth) => {
            request = request.header(AUTHORIZATION, client_secret_basic(&settings.client_id, secret.secret()));
        }
        (secret, _) => {
            form.append_pair("client_id", &settings.client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret.secret());
            }
        }
    }
    request.body(form.finish().into_bytes())
}

/// Source: RFC 6749, 2.3.1: both are form-encoded before they are joined.
fn client_secret_basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_the_client_id_does_not_end_it() {
        let header = client_secret_basic("a:b", "s t");
        assert_eq!(header, format!("Basic {}", BASE64_STANDARD.encode("a%3Ab:s+t")));
    }
}
