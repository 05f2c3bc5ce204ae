//! The providers that the configuration names.

use std::sync::Arc;

use super::{StartError, upstreams};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::oidc::{self, Http};
use crate::paths;

/// A provider: how it is configured, and the relying party that speaks with it.
pub struct SignInProvider {
    /// Its settings.
    pub config: config::Provider,
    /// The protocol.
    pub oidc: oidc::Provider,
}

impl SignInProvider {
    /// What people are told it is called: its name, or the host of its issuer where it was given none.
    pub fn label(&self) -> String {
        let name = self.config.name.as_str();
        let host = || url::Url::parse(self.config.issuer.as_str()).ok()?.host_str().map(str::to_owned);
        if name == DEFAULT_NAME { host().unwrap_or_else(|| name.to_owned()) } else { name.to_owned() }
    }
}

/// The name of the provider that the environment alone configures.
const DEFAULT_NAME: &str = "default";

/// All of them, in the configuration's order.
pub struct Providers(Vec<SignInProvider>);

impl Providers {
    /// Those that the configuration names. They are asked for nothing yet.
    ///
    /// # Errors
    /// Where there is no way to speak to one, or its settings make no provider.
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, StartError> {
        let http = Http::new(Http::TIMEOUT)?;
        let one = |provider: &config::Provider| {
            let failed = |why: String| StartError::Provider { name: provider.name.to_string(), why };
            let settings = oidc::Settings {
                name: provider.name.to_string(),
                issuer: provider.issuer.as_str().to_owned(),
                client_id: provider.client_id.clone(),
                credential: credential(provider),
                scopes: upstreams::scopes(config, provider),
                audience: upstreams::audience(config, provider).map(str::to_owned),
                resources: upstreams::resources(config),
                redirect_uri: config.base_url.join(paths::CALLBACK),
                post_logout_redirect_uri: config.base_url.join(paths::LOGOUT),
            };
            let oidc = oidc::Provider::new(settings, http.clone(), clock.clone())
                .map_err(|error| failed(error.to_string()))?;
            Ok(SignInProvider { config: provider.clone(), oidc })
        };
        config.providers.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The one called this.
    pub fn named(&self, name: &str) -> Option<&SignInProvider> {
        self.0.iter().find(|provider| provider.config.name.as_str() == name)
    }

    /// What people are told that the one of this name is called, though it may not be configured any more.
    pub fn label(&self, name: &str) -> String {
        self.named(name).map_or_else(|| name.to_owned(), SignInProvider::label)
    }

    /// The one whose issuer identifier this is, to the letter.
    pub fn with_issuer(&self, iss: &str) -> Option<&SignInProvider> {
        self.0.iter().find(|provider| provider.config.issuer.as_str() == iss)
    }

    /// What people are told that the one with this issuer is called: the issuer itself, where it is not configured any more.
    pub fn label_of_issuer(&self, iss: &str) -> String {
        self.with_issuer(iss).map_or_else(|| iss.to_owned(), SignInProvider::label)
    }

    /// The only one, where there is only one: then nobody need choose.
    pub fn only(&self) -> Option<&SignInProvider> {
        match self.0.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Every one of them.
    pub fn all(&self) -> &[SignInProvider] {
        &self.0
    }

    /// The origins that a form may end up at, with spaces between them; one that two providers share is there twice.
    pub fn form_action(&self) -> Arc<str> {
        match self.only() {
            Some(only) => only.oidc.form_action(),
            None => self.0.iter().map(|provider| provider.oidc.form_action()).collect::<Vec<_>>().join(" ").into(),
        }
    }
}

/// With what this site proves to a provider who it is; the configuration has seen to it that it is one thing.
fn credential(provider: &config::Provider) -> oidc::Credential {
    match (&provider.client_key, &provider.client_secret) {
        (Some(key), _) => oidc::Credential::Key(key.clone()),
        (None, Some(secret)) => oidc::Credential::Secret(secret.expose().to_owned()),
        (None, None) => oidc::Credential::None,
    }
}
