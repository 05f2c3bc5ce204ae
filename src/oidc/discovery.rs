//! Fetching what a provider says of itself: its metadata and its keys.

use std::iter;
use std::sync::Arc;

use http::header::{ACCEPT, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use openidconnect::{DiscoveryError, EndSessionUrl, HttpRequest, HttpResponse, IssuerUrl};
use serde_json::error::Category;
use url::Url;

use super::error::shown;
use super::http::Peer;
use super::provider_error::ProviderError;
use super::settings::Checked;
use super::types::{Client, KeySet, Metadata};

/// What is known of a provider. It is replaced as a whole.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) client: Client,
    pub(super) keys: KeySet,
    /// The origins that a browser is sent to, with spaces between them: the issuer's is the first.
    pub(super) form_action: Arc<str>,
    /// When the metadata were fetched.
    pub(super) at: Timestamp,
}

impl Known {
    pub(super) fn new(metadata: Metadata, keys: KeySet, settings: &Checked, at: Timestamp) -> Self {
        // Without a secret: who we are is said by `Provider::introduced`.
        let client = Client::from_provider_metadata(metadata.clone(), settings.client_id.clone(), None)
            .set_redirect_uri(settings.redirect_uri.clone());
        let mut origins = vec![settings.form_action.to_string()];
        for origin in browser_endpoints(&metadata).map(|url| url.origin().ascii_serialization()) {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Self { metadata, client, keys, form_action: origins.join(" ").into(), at }
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
    let endpoint = well_known(issuer);
    let response = peer.exchange(get(&endpoint)?).await?;
    let metadata = read(&response, endpoint)?;
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

/// The metadata in an answer. A provider that has trouble is told from an address that is nobody's.
fn read(response: &HttpResponse, endpoint: String) -> Result<Metadata, ProviderError> {
    let status = response.status();
    let not_now = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    if status.is_server_error() || not_now.contains(&status) {
        return Err(ProviderError::Status { endpoint, status: status.as_u16() });
    }
    if status != StatusCode::OK {
        return Err(ProviderError::NotThere { found: instead(response, &endpoint), endpoint });
    }
    serde_json::from_slice(response.body()).map_err(|error| match error.classify() {
        Category::Syntax | Category::Eof => {
            ProviderError::NotThere { found: "answers with something else than JSON".to_owned(), endpoint }
        }
        Category::Data | Category::Io => no_metadata(&error.to_string()),
    })
}

/// What came in place of the metadata; of a redirect, where it leads.
fn instead(response: &HttpResponse, endpoint: &str) -> String {
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    match location.and_then(|location| Url::parse(endpoint).ok()?.join(location).ok()) {
        Some(mut to) => {
            to.set_query(None);
            format!("answered {status}, which leads to {}", shown(to.as_str()))
        }
        None => format!("answered {status}"),
    }
}

/// Fetches the keys that sign the provider's ID tokens.
pub(super) async fn keys(peer: &Peer, metadata: &Metadata) -> Result<KeySet, ProviderError> {
    let endpoint = metadata.jwks_uri();
    KeySet::fetch_async(endpoint, peer).await.map_err(|error| {
        let nonsense = |why: &str| ProviderError::Nonsense { what: "the key set at jwks_uri", why: shown(why) };
        match error {
            DiscoveryError::Request(error) => error,
            DiscoveryError::Response(status, _, _) if status != StatusCode::OK => {
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
