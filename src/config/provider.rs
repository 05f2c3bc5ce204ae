//! Who signs people in: one `OpenID` Provider and what we ask of it.

use std::fmt;

use super::{
    ConfigError, Secret,
    access_rules::{AllowRule, ClaimRule},
    address::secure_url,
    error::{Wrong, quoted},
    given::Given,
    parse::Parse,
    table::{Rules, Setting, Table, settings},
};
use crate::jose::ClientKey;

settings! {
    /// An `OpenID` Provider, from `THOUGHTS_OIDC_…` or a `[[provider]]` table.
    pub struct Provider {
        /// What Thoughts calls this provider: 1 to 32 of `a-z`, `0-9` and `-`. Only in the file.
        pub name: Name = "default",
        /// The provider's issuer, exactly as it writes it, like `https://id.example.org`.
        pub issuer: Issuer,
        /// The id by which the provider knows Thoughts, from its page of clients.
        pub client_id: String,
        /// The secret that goes with the client id; none for a public client.
        pub client_secret: Option<Secret>,
        /// In place of a secret: the private key, in PEM, whose public half the provider has (`private_key_jwt`).
        pub client_key: Option<ClientKey>,
        /// What is asked for at sign-in; `openid` must be among them.
        pub scopes: Vec<Scope> = "openid profile email",
        /// The API the access token is for.
        pub audience: Option<String>,
        /// Who may sign in: e-mail domains, e-mails or `claim=value`; without it everyone the provider lets in.
        pub allow: Vec<AllowRule>,
        /// The `claim=value` that makes a member an admin.
        pub admin: Option<ClaimRule>,
        /// The claim that lists a member's groups, read again at every sign-in and refresh.
        pub groups_claim: String = "groups",
    }
}

impl Rules for Provider {
    fn check(&self, table: &Table) -> Result<(), ConfigError> {
        if self.client_secret.is_some() && self.client_key.is_some() {
            return Err(ConfigError::Together {
                first: table.written("client_secret"),
                second: table.written("client_key"),
                wrong: Wrong::new(
                    "are both set, and one proves who this site is: keep the one that the provider knows.",
                ),
            });
        }
        if self.scopes.iter().any(|scope| scope.as_str() == "openid") {
            return Ok(());
        }
        let scopes: Vec<&str> = self.scopes.iter().map(Scope::as_str).collect();
        let scopes = scopes.join(" ");
        Err(ConfigError::Value {
            key: table.written("scopes"),
            value: quoted(&scopes),
            wrong: Wrong::new(format!(
                "without `openid` the provider tells nobody's name. Use {}.",
                quoted(&format!("openid {scopes}"))
            )),
        })
    }
}

impl Setting for Vec<Provider> {
    const TABLES: bool = true;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        given.tables()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// What a provider or an upstream is called in the configuration and in URLs: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Parse for Name {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let allowed = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
        if text.len() > 32 || !text.bytes().all(allowed) || text.is_empty() {
            return Err(Wrong::new("a name is 1 to 32 of `a-z`, `0-9` and `-`. Use one like `my-provider`."));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A provider's issuer, kept letter for letter: it is compared as an exact string (`OpenID` Connect Core 1.0, 3.1.3.7).
/// An absolute https URL, or http on loopback, without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// The issuer as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for Issuer {
    fn parse(text: &str) -> Result<Self, Wrong> {
        secure_url(text, "a provider must be reached by https on any host but loopback")?;
        if let Some((issuer, _)) = text.split_once("/.well-known/") {
            return Err(Wrong::new(format!(
                "that is where the provider describes itself. Use its `issuer`, perhaps {}.",
                quoted(issuer)
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Parse for ClientKey {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Wrong> {
        Self::from_pem(text).map_err(|wrong| Wrong::new(wrong.to_string()))
    }
}

/// One scope (RFC 6749, 3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// The scope as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for Scope {
    fn parse(text: &str) -> Result<Self, Wrong> {
        if !text.bytes().all(|letter| letter.is_ascii_graphic() && !b"\"\\".contains(&letter)) {
            return Err(Wrong::new(
                "a scope has no blanks, quotes or backslashes and is plain ASCII. Use one like `profile`.",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Issuer, Name, Parse, Scope};

    fn refusal<T: Parse>(text: &str) -> Option<String> {
        T::parse(text).err().map(|wrong| wrong.to_string())
    }

    #[test]
    fn an_issuer_is_kept_letter_for_letter() {
        for text in ["https://ID.example.org", "https://id.example.org/", "https://id.example.org:443/realms/a"] {
            assert_eq!(Issuer::parse(text).map(|issuer| issuer.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn an_issuer_without_https_is_taken_on_loopback_alone() {
        assert_eq!(refusal::<Issuer>("http://127.0.0.1:9000"), None);
        assert_eq!(
            refusal::<Issuer>("http://id.example.org"),
            Some(
                "a provider must be reached by https on any host but loopback. Use `https://id.example.org`."
                    .to_owned()
            )
        );
    }

    #[test]
    fn the_address_of_the_discovery_document_is_refused_with_the_issuer() {
        assert_eq!(
            refusal::<Issuer>("https://id.example.org/.well-known/openid-configuration"),
            Some(
                "that is where the provider describes itself. Use its `issuer`, perhaps `https://id.example.org`."
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_name_is_short_and_plain() {
        assert!(Name::parse(&"a".repeat(32)).is_ok());
        for text in [&"a".repeat(33), "Home", "my provider", "a/b", ""] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_has_no_quotes() {
        assert!(Scope::parse("api://thoughts/.default").is_ok());
        assert!(Scope::parse("\"openid\"").is_err());
    }
}
