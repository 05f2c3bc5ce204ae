//! Fetching what a provider says of itself: its metadata and its keys.

use std::iter;

use http::header::ACCEPT;
use http::{HeaderValue, Method};
use jiff::Timestamp;
use openidconnect::core::CoreClientAuthMethod;
use openidconnect::{AuthType, DiscoveryError, EndSessionUrl, HttpRequest, IssuerUrl};
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
        let client = Client::from_provider_metadata(
            metadata.clone(),
            settings.client_id.clone(),
            settings.client_secret.clone(),
        )
        .set_auth_type(client_authentication(&metadata))
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

/// How we prove who we are to the token endpoint: `client_secret_basic`, or `client_secret_post` where that alone
/// is offered. Without a secret openidconnect sends the `client_id` alone, whatever this says.
/// Source: OpenID Connect Core 1.0, 9.
pub(super) fn client_authentication(metadata: &Metadata) -> AuthType {
    let offered = metadata.token_endpoint_auth_methods_supported().map_or(&[][..], Vec::as_slice);
    let post_alone = offered.contains(&CoreClientAuthMethod::ClientSecretPost)
        && !offered.contains(&CoreClientAuthMethod::ClientSecretBasic);
    if post_alone { AuthType::RequestBody } else { AuthType::BasicAuth }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(methods: &str) -> Metadata {
        serde_json::from_str(&format!(
            r#"{{"issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
                "jwks_uri": "https://id.example/keys", "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]{methods}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_secret_goes_into_the_header_where_the_metadata_say_nothing() {
        assert!(matches!(client_authentication(&metadata("")), AuthType::BasicAuth));
    }

    #[test]
    fn a_secret_goes_into_the_body_where_that_alone_is_offered() {
        let metadata =
            metadata(r#", "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]"#);
        assert!(matches!(client_authentication(&metadata), AuthType::RequestBody));
    }

    #[test]
    fn the_metadata_are_looked_for_below_the_issuer_with_or_without_a_slash_at_its_end() {
        for issuer in ["https://id.example/realms/home", "https://id.example/realms/home/"] {
            let issuer = IssuerUrl::new(issuer.to_owned()).unwrap();
            assert_eq!(well_known(&issuer), "https://id.example/realms/home/.well-known/openid-configuration");
        }
    }
}
