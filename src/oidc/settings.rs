//! What is configured of a provider, and what of it can be checked without asking the provider.

use std::sync::Arc;

use openidconnect::{ClientId, IssuerUrl, PostLogoutRedirectUrl, RedirectUrl, Scope};
use url::Url;

use super::client_authentication::Credential;

/// What is configured of one provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What people and the configuration call it, such as `keycloak`.
    pub name: String,
    /// Its issuer identifier, an absolute URL, to the letter as the provider writes it: a final slash counts.
    /// Source: OpenID Connect Discovery 1.0, 3.
    pub issuer: String,
    /// Who we are to it. Source: RFC 6749, 2.2.
    pub client_id: String,
    /// With what we prove that.
    pub credential: Credential,
    /// What we ask for, such as `profile` and `email`. `openid` is asked for in any case.
    pub scopes: Vec<String>,
    /// The API that the access token is for: the `audience` parameter of the authorization request, where the
    /// provider knows one.
    pub audience: Option<String>,
    /// The resource indicators of APIs that access tokens are wanted for. Source: RFC 8707, 2.1.
    pub resources: Vec<String>,
    /// Where the browser is sent back to, as registered at the provider.
    pub redirect_uri: String,
    /// Where the browser is sent back to after signing out, as registered at the provider.
    pub post_logout_redirect_uri: String,
}

/// A setting that cannot work, whatever the provider does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` of provider `{provider}` is `{value}`: {wrong}. {right}")]
pub struct SettingsError {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The field of [`Settings`].
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// What is wrong with it.
    pub wrong: String,
    /// What would be right, a sentence.
    pub right: &'static str,
}

/// The settings in openidconnect's types.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) issuer: IssuerUrl,
    /// The issuer's origin alone.
    pub(super) form_action: Arc<str>,
    pub(super) client_id: ClientId,
    pub(super) credential: Credential,
    pub(super) scopes: Vec<Scope>,
    pub(super) audience: Option<String>,
    pub(super) resources: Vec<String>,
    pub(super) redirect_uri: RedirectUrl,
    pub(super) post_logout_redirect_uri: PostLogoutRedirectUrl,
}

impl Settings {
    pub(super) fn check(self) -> Result<Checked, SettingsError> {
        let wrong = |key, value: &str, wrong: String, right| SettingsError {
            provider: self.name.clone(),
            key,
            value: value.to_owned(),
            wrong,
            right,
        };
        let issuer_example = "Use the provider's issuer, such as `https://id.example.org/realms/home`.";
        let redirect_example = "Use an absolute address, such as `https://thoughts.example.org/callback`.";

        let issuer = IssuerUrl::new(self.issuer.clone())
            .map_err(|why| wrong("issuer", &self.issuer, why.to_string(), issuer_example))?;
        if let Some(why) = unfit_as_issuer(issuer.url()) {
            return Err(wrong("issuer", &self.issuer, why.to_owned(), issuer_example));
        }
        if self.client_id.is_empty() {
            let right = "Use the id that the provider gave this site when it was registered there.";
            return Err(wrong("client_id", "", "it is empty".to_owned(), right));
        }
        let redirect_uri = RedirectUrl::new(self.redirect_uri.clone())
            .map_err(|why| wrong("redirect_uri", &self.redirect_uri, why.to_string(), redirect_example))?;
        let post_logout_redirect_uri =
            PostLogoutRedirectUrl::new(self.post_logout_redirect_uri.clone()).map_err(|why| {
                wrong("post_logout_redirect_uri", &self.post_logout_redirect_uri, why.to_string(), redirect_example)
            })?;

        Ok(Checked {
            form_action: issuer.url().origin().ascii_serialization().into(),
            issuer,
            redirect_uri,
            post_logout_redirect_uri,
            client_id: ClientId::new(self.client_id),
            credential: self.credential,
            // openidconnect adds `openid` by itself, and would add it twice.
            scopes: self.scopes.into_iter().filter(|scope| scope != "openid").map(Scope::new).collect(),
            audience: self.audience,
            resources: self.resources,
            name: self.name,
        })
    }
}

/// Source: OpenID Connect Discovery 1.0, 3: no query, no fragment. Plain `http` is for loopback and closed
/// networks; whether it is allowed is the configuration's decision.
fn unfit_as_issuer(issuer: &Url) -> Option<&'static str> {
    if !matches!(issuer.scheme(), "https" | "http") {
        Some("its scheme is neither `https` nor `http`")
    } else if issuer.query().is_some() || issuer.fragment().is_some() {
        Some("an issuer has no query and no fragment")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str) -> Settings {
        Settings {
            name: "home".to_owned(),
            issuer: issuer.to_owned(),
            client_id: "thoughts".to_owned(),
            credential: Credential::Secret("a-secret".to_owned()),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            audience: None,
            resources: Vec::new(),
            redirect_uri: "http://localhost:3000/callback".to_owned(),
            post_logout_redirect_uri: "http://localhost:3000/".to_owned(),
        }
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        assert!(!format!("{:?}", settings("https://id.example.org")).contains("a-secret"));
    }

    #[test]
    fn openid_is_not_asked_for_twice() {
        let checked = settings("https://id.example.org").check().ok().unwrap();
        assert_eq!(checked.scopes, [Scope::new("email".to_owned())]);
    }

    #[test]
    fn an_issuer_that_is_no_address_is_refused_with_its_key_and_value() {
        let error = settings("id.example.org").check().err().unwrap();
        assert_eq!((error.key, error.value.as_str()), ("issuer", "id.example.org"));
    }

    #[test]
    fn an_issuer_with_a_query_is_refused() {
        assert!(settings("https://id.example.org/?tenant=1").check().is_err());
    }
}
