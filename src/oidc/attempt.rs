//! What is remembered of a sign-in under way, and what the browser brings back from the provider.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::clock::random;

/// A sign-in under way: the values that tie the provider's answers to the browser that asked. Whoever keeps it
/// must keep it secret. Its names are short when serialized, because it travels in a cookie: 109 bytes of JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Comes back with the browser: 128 random bits in 22 characters. Source: RFC 6749, 10.12.
    #[serde(rename = "s")]
    pub(super) state: String,
    /// Comes back within the ID token: 128 random bits in 22 characters. Source: OpenID Connect Core 1.0, 15.5.2.
    #[serde(rename = "n")]
    pub(super) nonce: String,
    /// Redeems the code: 256 random bits in 43 characters. Source: RFC 7636, 4.1.
    #[serde(rename = "v")]
    pub(super) code_verifier: String,
    /// How long ago the person may have proved who they are, in seconds, where that was asked for.
    /// Source: OpenID Connect Core 1.0, 3.1.2.1.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(super) max_age: Option<u32>,
}

impl Attempt {
    pub(super) fn new(max_age: Option<u32>) -> Self {
        Self {
            state: BASE64_URL_SAFE_NO_PAD.encode(random::<16>()),
            nonce: BASE64_URL_SAFE_NO_PAD.encode(random::<16>()),
            code_verifier: BASE64_URL_SAFE_NO_PAD.encode(random::<32>()),
            max_age,
        }
    }

    /// The `state` of the authorization request, to find this attempt by when the browser is back.
    pub fn state(&self) -> &str {
        &self.state
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempt([secret])")
    }
}

/// What the browser brings to the redirect URI, as the query of a request. `error_description` and `error_uri`
/// are left out on purpose: anyone can put words there, and no page may show them as ours.
/// Source: RFC 6749, 4.1.2; RFC 9207, 2.
#[derive(Clone, Default, Deserialize)]
pub struct AuthorizationResponse {
    /// What the tokens are redeemed with.
    pub code: Option<String>,
    /// The `state` of the authorization request.
    pub state: Option<String>,
    /// Who answers.
    pub iss: Option<String>,
    /// Why there is no code, such as `access_denied`.
    pub error: Option<String>,
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse")
            .field("code", &self.code.as_ref().map(|_| "[secret]"))
            .field("state", &self.state.as_ref().map(|_| "[secret]"))
            .field("iss", &self.iss)
            .field("error", &self.error)
            .finish()
    }
}

/// Whether two secrets are the same, in a time that tells nothing of where they differ.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_has_the_lengths_that_the_specifications_ask_for() {
        let attempt = Attempt::new(None);
        assert_eq!((attempt.state.len(), attempt.nonce.len(), attempt.code_verifier.len()), (22, 22, 43));
    }

    #[test]
    fn an_attempt_is_small_enough_for_many_in_the_cookies_of_a_browser() {
        let json = serde_json::to_string(&Attempt::new(None)).unwrap();
        assert!(json.len() <= 109, "{} bytes", json.len());
    }

    #[test]
    fn an_attempt_comes_back_as_it_was() {
        let attempt = Attempt::new(Some(60));
        let json = serde_json::to_string(&attempt).unwrap();
        assert_eq!(serde_json::from_str::<Attempt>(&json).unwrap(), attempt);
    }

    #[test]
    fn no_secret_is_in_the_debug_output() {
        let attempt = Attempt::new(None);
        let response = AuthorizationResponse {
            code: Some("the-code".to_owned()),
            state: Some(attempt.state.clone()),
            ..AuthorizationResponse::default()
        };
        let debug = format!("{attempt:?} {response:?}");
        for secret in [&attempt.state, &attempt.nonce, &attempt.code_verifier, "the-code"] {
            assert!(!debug.contains(secret));
        }
    }
}
