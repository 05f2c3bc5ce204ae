//! What is known of a provider, for an admin to look at. Nothing is asked for it.

use jiff::Timestamp;

use super::client_authentication::names;
use super::id_token::ALGORITHMS;
use super::provider::Provider;

/// What a provider's metadata say, as they were fetched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// When that was.
    pub at: Timestamp,
    /// Its endpoints, as the metadata call them, and their addresses.
    pub endpoints: Vec<(&'static str, String)>,
    /// Keys in its key set.
    pub keys: usize,
    /// With what it signs ID tokens.
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// With what ID tokens may be signed that are accepted here.
    pub accepted: Vec<String>,
    /// How a `code_challenge` may be made; nothing where the metadata don't say.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// By which method this site proves to it who it is, or why that can't be.
    pub client_authentication: Result<&'static str, String>,
    /// Whether it tells us when somebody signs out there.
    pub backchannel_logout_supported: bool,
    /// Whether each of its authorization responses names it.
    pub authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    /// What is known of it, or nothing where it has never answered.
    pub fn description(&self) -> Option<Description> {
        let known = self.known_already()?;
        let metadata = &known.metadata;
        let more = metadata.additional_metadata();
        let endpoints = [
            ("authorization_endpoint", Some(metadata.authorization_endpoint().to_string())),
            ("token_endpoint", metadata.token_endpoint().map(ToString::to_string)),
            ("userinfo_endpoint", metadata.userinfo_endpoint().map(ToString::to_string)),
            ("jwks_uri", Some(metadata.jwks_uri().to_string())),
            ("end_session_endpoint", more.end_session_endpoint.as_ref().map(ToString::to_string)),
            ("revocation_endpoint", more.revocation_endpoint.as_ref().map(ToString::to_string)),
            (
                "pushed_authorization_request_endpoint",
                more.pushed_authorization_request_endpoint.as_ref().map(ToString::to_string),
            ),
        ];
        Some(Description {
            at: known.at,
            endpoints: endpoints.into_iter().filter_map(|(name, address)| Some((name, address?))).collect(),
            keys: known.keys.keys().len(),
            id_token_signing_alg_values_supported: names(metadata.id_token_signing_alg_values_supported()),
            accepted: names(&ALGORITHMS),
            code_challenge_methods_supported: more.code_challenge_methods_supported.clone(),
            client_authentication: self.client_authentication(&known).map_err(|error| error.to_string()),
            backchannel_logout_supported: more.backchannel_logout_supported,
            authorization_response_iss_parameter_supported: more.authorization_response_iss_parameter_supported,
        })
    }
}
