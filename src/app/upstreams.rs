//! The other services that the configuration names: how each is called, and which access token it is called with.

use super::StartError;
use crate::config::{self, Config};
use crate::oidc::{Api, Upstream, UpstreamSettings};

/// An upstream, and what its access tokens are.
pub struct SignedInUpstream {
    /// Its settings.
    pub config: config::Upstream,
    /// The service.
    pub service: Upstream,
}

impl SignedInUpstream {
    /// Which access token it takes, of a member who signed in with `provider`.
    pub fn api(&self, config: &Config, provider: &config::Provider) -> Api {
        match (&self.config.audience, &self.config.resource) {
            (Some(asked), _) if audience(config, provider) == Some(asked) => Api::Default,
            (Some(asked), _) => Api::Audience(asked.clone()),
            (None, Some(resource)) => Api::Resource(resource.as_str().to_owned()),
            (None, None) => Api::Default,
        }
    }

    /// The scopes that its access token needs.
    pub fn scopes(&self) -> Vec<String> {
        self.config.scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
    }
}

/// All of them, in the configuration's order.
pub struct Upstreams(Vec<SignedInUpstream>);

impl Upstreams {
    /// Those that the configuration names. None is called yet.
    ///
    /// # Errors
    /// Where there is no way to speak to one.
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let one = |upstream: &config::Upstream| {
            let service = Upstream::new(UpstreamSettings {
                name: upstream.name.to_string(),
                url: upstream.url.as_url().clone(),
                methods: upstream.methods.clone(),
                prefix: upstream.prefix.as_str().to_owned(),
                timeout: upstream.timeout,
                max_bytes: upstream.max_bytes.get(),
            })?;
            Ok(SignedInUpstream { config: upstream.clone(), service })
        };
        config.upstreams.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The one called this.
    pub fn named(&self, name: &str) -> Option<&SignedInUpstream> {
        self.0.iter().find(|upstream| upstream.config.name.as_str() == name)
    }

    /// Every one of them.
    pub fn all(&self) -> &[SignedInUpstream] {
        &self.0
    }
}

/// The scopes that are asked for at sign-in: the provider's, and what the upstreams need.
pub(super) fn scopes(config: &Config, provider: &config::Provider) -> Vec<String> {
    let upstreams = config.upstreams.iter().flat_map(|upstream| &upstream.scopes);
    let mut scopes = Vec::new();
    for scope in provider.scopes.iter().chain(upstreams).map(|scope| scope.as_str().to_owned()) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// The `audience` that is asked for at sign-in: the provider's, or that of the upstreams where they have only one.
pub(super) fn audience<'a>(config: &'a Config, provider: &'a config::Provider) -> Option<&'a str> {
    let mut upstreams = config.upstreams.iter().filter_map(|upstream| upstream.audience.as_deref());
    let only = upstreams.next().filter(|first| upstreams.all(|other| other == *first));
    provider.audience.as_deref().or(only)
}

/// The resources that are asked for at sign-in. Source: RFC 8707, 2.1.
pub(super) fn resources(config: &Config) -> Vec<String> {
    let mut resources: Vec<_> = config
        .upstreams
        .iter()
        .filter_map(|upstream| upstream.resource.as_ref())
        .map(|resource| resource.as_str().to_owned())
        .collect();
    resources.sort();
    resources.dedup();
    resources
}
