//! What a provider is started with.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::faults::Faults;

/// Everything a provider is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer, exactly as relying parties configure it: `http://localhost:3001`. Scheme, host and port alone.
    pub issuer: String,
    /// Who may send people here; see also `Provider::set_clients`.
    pub clients: Vec<Client>,
    /// The signing key as PKCS#1 PEM (`Provider::new_key_pem`); a new one is made where there is none.
    pub key_pem: Option<String>,
    /// Keys that rotation takes, in this order, before it makes its own (which takes up to some seconds).
    pub spare_key_pems: Vec<String>,
    /// How long an access token lasts, in whole seconds; told as `expires_in`.
    pub access_token_life: Duration,
    /// How long a refresh token lasts; each rotation begins anew.
    pub refresh_token_life: Duration,
    /// Misbehaviour; a handle kept by the caller outlives a restart of the provider.
    pub faults: Faults,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Settings {
    /// No clients, a new key, no faults, access tokens for 10 minutes, refresh tokens for 30 days, the system's clock.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            clients: Vec::new(),
            key_pem: None,
            spare_key_pems: Vec::new(),
            access_token_life: Duration::from_mins(10),
            refresh_token_life: Duration::from_hours(30 * 24),
            faults: Faults::default(),
            clock: Clock::system(),
        }
    }
}

/// A relying party that the provider knows (names from OpenID Connect Dynamic Client Registration 1.0, 2).
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The public name.
    pub client_id: String,
    /// With one: `client_secret_basic` or `client_secret_post`. Without: `none`, and PKCE is required.
    pub client_secret: Option<String>,
    /// Public keys, each a JWK (RFC 7517). With one: `private_key_jwt` and nothing else.
    pub jwks: Vec<Value>,
    /// Compared as exact strings.
    pub redirect_uris: Vec<String>,
    /// Compared as exact strings.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens are sent, if anywhere.
    pub backchannel_logout_uri: Option<String>,
}

impl Client {
    /// Whether it can prove who it is (RFC 6749, 2.1).
    pub(super) fn is_confidential(&self) -> bool {
        self.client_secret.is_some() || !self.jwks.is_empty()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id)
            .field("confidential", &self.is_confidential())
            .field("redirect_uris", &self.redirect_uris)
            .field("post_logout_redirect_uris", &self.post_logout_redirect_uris)
            .field("backchannel_logout_uri", &self.backchannel_logout_uri)
            .finish_non_exhaustive()
    }
}

/// Where the provider gets the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    #[expect(clippy::disallowed_methods, reason = "the demo uses nothing of the rest; its time has this one place")]
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// A clock of the caller's, so that a test of expiry waits for nothing.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Whole seconds since 1970.
    pub(super) fn unix_seconds(&self) -> i64 {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
