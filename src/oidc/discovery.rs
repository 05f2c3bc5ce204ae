//! Fetching what a provider says of itself: its metadata and its keys.

use std::iter;

use http::header::ACCEPT;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use openidconnect::{DiscoveryError, EndSessionUrl, HttpRequest, IssuerUrl};
use url::{Origin, Url};

use super::error::{ProviderError, shown};
use super::http::Peer;
use super::settings::Checked;
use super::types::{Client, KeySet, Metadata};

/// What is known of a provider. It is replaced as a whole.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) client: Client,
    pub(super) keys: KeySet,
    /// When the metadata were fetched.
    pub(super) at: Timestamp,
}

impl Known {
    pub(super) fn new(metadata: Metadata, keys: KeySet, settings: &Checked, at: Timestamp) -> Self {
        // Without a secret: who we are is said by `Provider::introduced`.
        let client = Client::from_provider_metadata(metadata.clone(), settings.client_id.clone(), None)
            .set_redirect_uri(settings.redirect_uri.clone());
        Self { metadata, client, keys, at }
    }

    /// The origins that a browser is sent to.
    pub(super) fn browser_origins(&self) -> impl Iterator<Item = Origin> {
        browser_endpoints(&self.metadata).map(Url::origin)
    }
}

/// Where a browser is sent to, for signing in and out.
fn browser_endpoints(metadata: &Metadata) -> impl Iterator<Item = &Url> {
    let end_session_endpoint = metadata.additional_metadata().end_session_endpoint.as_ref();
    iter::once(metadata.authorization_endpoint().url()).chain(end_session_endpoint.map(EndSessionUrl::url))
}

/// Fetches metadata and keys. Source: OpenID Connect Discovery 1.0, 4.
pub(super) async fn discover(peer: &Peer, issuer: &IssuerUrl) -> Result<(Metadata, KeySet), ProviderError> {
    let metadata = metadata(peer, issuer).await?;
    let keys = keys(peer, &metadata).await?;
    Ok((metadata, keys))
}

/// openidconnect's own `discover_async` compares the issuer too, but then tells only in prose which one it found.
async fn metadata(peer: &Peer, issuer: &IssuerUrl) -> Result<Metadata, ProviderError> {
    let response = peer.send(get(&well_known(issuer))?).await?;
    if response.status() != http::StatusCode::OK {
        return Err(ProviderError::Status { endpoint: well_known(issuer), status: response.status().as_u16() });
    }
    let metadata: Metadata =
        serde_json::from_slice(response.body()).map_err(|error| no_metadata(&error.to_string()))?;
    if metadata.issuer() != issuer {
        let found = shown(metadata.issuer());
        return Err(ProviderError::Issuer { found, configured: issuer.to_string() });
    }
    if metadata.token_endpoint().is_none() {
        return Err(no_metadata("token_endpoint is missing"));
    }
    let more = metadata.additional_metadata();
    if more.require_pushed_authorization_requests && more.pushed_authorization_request_endpoint.is_none() {
        return Err(no_metadata("pushed authorization requests are required, and no endpoint takes them"));
    }
    // A redirect to `javascript:` or `data:` would be ours.
    if let Some(strange) = browser_endpoints(&metadata).find(|url| !matches!(url.scheme(), "https" | "http")) {
        return Err(no_metadata(&format!("{strange} is no web address")));
    }
    Ok(metadata)
}

/// Fetches the keys that sign the provider's ID tokens.
pub(super) async fn keys(peer: &Peer, metadata: &Metadata) -> Result<KeySet, ProviderError> {
    let endpoint = metadata.jwks_uri();
    KeySet::fetch_async(endpoint, peer).await.map_err(|error| {
        let nonsense = |why: &str| ProviderError::Nonsense { what: "the key set at jwks_uri", why: shown(why) };
        match error {
            DiscoveryError::Request(error) => error,
            DiscoveryError::Response(status, _, _) if status != http::StatusCode::OK => {
                ProviderError::Status { endpoint: endpoint.to_string(), status: status.as_u16() }
            }
            DiscoveryError::Response(_, _, why) => nonsense(&why),
            DiscoveryError::Parse(why) => nonsense(&why.to_string()),
            other => nonsense(&other.to_string()),
        }
    })
}

/// Source: OpenID Connect Discovery 1.0, 4.1.
fn well_known(issuer: &IssuerUrl) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

fn get(address: &str) -> Result<HttpRequest, ProviderError> {
    http::Request::builder()
        .method(Method::GET)
        .uri(address)
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .body(Vec::new())
        .map_err(|error| ProviderError::Unreachable { endpoint: shown(address), why: error.to_string() })
}

fn no_metadata(why: &str) -> ProviderError {
    ProviderError::Nonsense { what: "the provider's metadata", why: shown(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_are_looked_for_below_the_issuer_with_or_without_a_slash_at_its_end() {
        for issuer in ["https://id.example/realms/home", "https://id.example/realms/home/"] {
            let issuer = IssuerUrl::new(issuer.to_owned()).unwrap();
            assert_eq!(well_known(&issuer), "https://id.example/realms/home/.well-known/openid-configuration");
        }
    }
}
