//! Who we are, where the provider asks that of a request which no browser carries: at its token, revocation and
//! pushed authorization request endpoints. This is the one place for it: a request made by openidconnect goes out
//! through [`Provider::introduced`], one of ours through [`Provider::post`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use openidconnect::core::CoreClientAuthMethod;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde::Serialize;
use url::form_urlencoded;

use super::discovery::Known;
use super::error::shown;
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::types::Metadata;
use crate::clock::random;
use crate::jose::{Assertion, ClientKey};

/// How long a client assertion is good, in seconds: for one request, and for clocks that differ a little.
const ASSERTION_LIFE: i64 = 60;

/// Source: RFC 7523, 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// With what this site proves who it is.
#[derive(Clone)]
pub enum Credential {
    /// Nothing: a public client, which has PKCE alone. Source: RFC 6749, 2.1.
    None,
    /// A secret that the provider has too. Source: RFC 6749, 2.3.1.
    Secret(String),
    /// A private key whose public half the provider has. Source: RFC 7523, 2.2.
    Key(ClientKey),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Secret(_) => f.write_str("Secret([secret])"),
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
        }
    }
}

/// How the credential is shown at one provider. Source: OpenID Connect Core 1.0, 9.
enum Method<'c> {
    None,
    ClientSecretBasic(&'c str),
    ClientSecretPost(&'c str),
    PrivateKeyJwt { key: &'c ClientKey, alg: String },
}

impl Method<'_> {
    /// As the metadata call it. Source: OpenID Connect Core 1.0, 9.
    fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic(_) => "client_secret_basic",
            Self::ClientSecretPost(_) => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }
}

impl Credential {
    /// What the provider takes of what we can do: a secret by `client_secret_basic`, or by `client_secret_post` where
    /// that alone is offered; a key by `private_key_jwt`, with an algorithm that the provider takes.
    fn method(&self, metadata: &Metadata) -> Result<Method<'_>, ProviderError> {
        let offered = metadata.token_endpoint_auth_methods_supported().map_or(&[][..], Vec::as_slice);
        let offers = |method| offered.contains(&method);
        match self {
            Self::None => Ok(Method::None),
            Self::Secret(secret) => {
                let post_alone =
                    offers(CoreClientAuthMethod::ClientSecretPost) && !offers(CoreClientAuthMethod::ClientSecretBasic);
                Ok(if post_alone { Method::ClientSecretPost(secret) } else { Method::ClientSecretBasic(secret) })
            }
            Self::Key(key) if offers(CoreClientAuthMethod::PrivateKeyJwt) => {
                let taken = metadata.token_endpoint_auth_signing_alg_values_supported().map_or(&[][..], Vec::as_slice);
                Ok(Method::PrivateKeyJwt { key, alg: algorithm(key, &names(taken))? })
            }
            Self::Key(_) => Err(ProviderError::ClientAuthentication {
                why: format!(
                    "client_key needs private_key_jwt, and the provider's token_endpoint_auth_methods_supported are {}. Allow \
                     it there, or use client_secret",
                    listed(&names(offered))
                ),
            }),
        }
    }
}

/// What an assertion is signed with. Metadata that say nothing leave it to us. Source: RFC 8414, 2.
fn algorithm(key: &ClientKey, taken: &[String]) -> Result<String, ProviderError> {
    let fits = |alg: &String| taken.is_empty() || taken.contains(alg);
    key.algorithms().find(fits).ok_or_else(|| ProviderError::ClientAuthentication {
        why: format!(
            "client_key signs with {}, and the provider's token_endpoint_auth_signing_alg_values_supported are {}. Use a key \
             of another kind",
            listed(&key.algorithms().collect::<Vec<_>>()),
            listed(taken)
        ),
    })
}

/// The provider as openidconnect's HTTP client: it says with every form who we are.
pub(super) struct Introduced<'p> {
    provider: &'p Provider,
    known: &'p Known,
}

impl<'c> AsyncHttpClient<'c> for Introduced<'_> {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let form: Vec<_> = form_urlencoded::parse(request.body()).into_owned().collect();
            // openidconnect knows no credential of ours, and names the bare client.
            let form = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let form = form.filter(|(name, _)| *name != "client_id");
            self.provider.post(self.known, &request.uri().to_string(), form).await
        })
    }
}

impl Provider {
    /// What to hand to openidconnect as its HTTP client, for a request to an endpoint that asks who we are.
    pub(super) fn introduced<'p>(&'p self, known: &'p Known) -> Introduced<'p> {
        Introduced { provider: self, known }
    }

    /// Sends a form to an endpoint that asks who we are, which is put to it; a `client_id` that it has stays.
    pub(super) async fn post<'f>(
        &self,
        known: &Known,
        endpoint: &str,
        form: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Result<HttpResponse, ProviderError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut form: Vec<(&str, String)> = form.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        self.introduce_in(known, &mut headers, &mut form)?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = http::Request::post(endpoint)
            .body(body.into_bytes())
            .map_err(|error| ProviderError::Unreachable { endpoint: shown(endpoint), why: error.to_string() })?;
        *request.headers_mut() = headers;
        self.peer.send(request).await
    }

    /// Whether there is a way to say who we are, so that nobody is sent to sign in for nothing.
    pub(super) fn check_client_authentication(&self, known: &Known) -> Result<(), ProviderError> {
        self.client_authentication(known).map(drop)
    }

    /// By which method we say who we are.
    pub(super) fn client_authentication(&self, known: &Known) -> Result<&'static str, ProviderError> {
        self.settings.credential.method(&known.metadata).map(|method| method.name())
    }

    /// Puts to a request who we are.
    fn introduce_in(
        &self,
        known: &Known,
        headers: &mut HeaderMap,
        form: &mut Vec<(&str, String)>,
    ) -> Result<(), ProviderError> {
        let client_id = self.settings.client_id.as_str();
        let method = self.settings.credential.method(&known.metadata)?;
        if let Method::ClientSecretBasic(secret) = method {
            let mut value = HeaderValue::try_from(client_secret_basic(client_id, secret))
                .map_err(|error| ProviderError::ClientAuthentication { why: error.to_string() })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            return Ok(());
        }
        if !form.iter().any(|(name, _)| *name == "client_id") {
            form.push(("client_id", client_id.to_owned()));
        }
        match method {
            Method::None | Method::ClientSecretBasic(_) => {}
            Method::ClientSecretPost(secret) => form.push(("client_secret", secret.to_owned())),
            Method::PrivateKeyJwt { key, alg } => form.extend([
                ("client_assertion_type", ASSERTION_TYPE.to_owned()),
                ("client_assertion", self.assertion(key, &alg)?),
            ]),
        }
        Ok(())
    }

    /// Its audience is the issuer alone, not an endpoint: an assertion for one provider can then not be of use at
    /// another that gives out the first one's endpoint for its own. Source: draft-ietf-oauth-rfc7523bis, 4; FAPI 2.0
    /// Security Profile, 5.3.2.1; RFC 9126, 2, which has every provider with that endpoint take it.
    fn assertion(&self, key: &ClientKey, alg: &str) -> Result<String, ProviderError> {
        let client_id = self.settings.client_id.as_str();
        let now = self.clock.now().as_second();
        let jti = BASE64_URL_SAFE_NO_PAD.encode(random::<16>());
        let claims = Assertion {
            iss: client_id,
            sub: client_id,
            aud: &self.settings.issuer,
            jti: &jti,
            iat: now,
            exp: now + ASSERTION_LIFE,
        };
        key.sign(alg, &claims).map_err(|error| ProviderError::ClientAuthentication { why: error.to_string() })
    }
}

/// Source: RFC 6749, 2.3.1: both are form-encoded before they are joined.
fn client_secret_basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}

/// Values of the metadata as they are written there.
pub(super) fn names(values: &[impl Serialize]) -> Vec<String> {
    let name = |value| serde_json::to_value(value).ok()?.as_str().map(str::to_owned);
    values.iter().filter_map(name).collect()
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "not there".to_owned() } else { shown(&names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_the_client_id_does_not_end_it() {
        let header = client_secret_basic("a:b", "s t");
        assert_eq!(header, format!("Basic {}", BASE64_STANDARD.encode("a%3Ab:s+t")));
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        assert_eq!(format!("{:?}", Credential::Secret("hunter2".to_owned())), "Secret([secret])");
    }
}
