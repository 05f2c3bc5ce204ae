//! Another service's API that Thoughts calls with a member's access token.

use std::time::Duration;

use http::Method;
use url::Url;

use super::{
    ConfigError,
    address::secure_url,
    error::{Wrong, quoted},
    given::Given,
    parse::{Bytes, Parse},
    provider::{Name, Scope},
    table::{Rules, Setting, Table, settings},
};

settings! {
    /// An upstream, from an `[[upstream]]` table. What is not declared here is not passed on.
    pub struct Upstream {
        /// What it is called in `/api/upstream/{name}/`: 1 to 32 of `a-z`, `0-9` and `-`.
        pub name: Name,
        /// The base address of the API, like `https://api.example.org`.
        pub url: UpstreamUrl,
        /// The audience its access tokens are for; not together with `resource`.
        pub audience: Option<String>,
        /// The resource its access tokens are for (RFC 8707); not together with `audience`.
        pub resource: Option<Resource>,
        /// The scopes its access tokens need.
        pub scopes: Vec<Scope>,
        /// The methods that are passed on.
        pub methods: Vec<Method> = "GET",
        /// Only paths that begin with this one are passed on; it begins with `/`.
        pub prefix: Prefix = "/",
        /// A path whose answer, JSON, each member's profile shows.
        pub profile_path: Option<Prefix>,
        /// How long an answer may take to begin, and either body may pause.
        pub timeout: Duration = "30s",
        /// How long a request's body and an answer's may be, in bytes (10 MiB).
        pub max_bytes: Bytes = "10485760",
    }
}

impl Rules for Upstream {
    fn check(&self, table: &Table) -> Result<(), ConfigError> {
        if self.audience.is_some() && self.resource.is_some() {
            return Err(ConfigError::Together {
                first: table.written("audience"),
                second: table.written("resource"),
                wrong: Wrong::new("are both set: keep the one that the provider knows."),
            });
        }
        match &self.profile_path {
            Some(path) if !path.as_str().starts_with(self.prefix.as_str()) || !self.methods.contains(&Method::GET) => {
                Err(ConfigError::Value {
                    key: table.written("profile_path"),
                    value: quoted(path.as_str()),
                    wrong: Wrong::new(format!(
                        "it is fetched by `GET` and begins with `prefix`, `{}`, and `methods` has `GET`.",
                        self.prefix.as_str()
                    )),
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Setting for Vec<Upstream> {
    const TABLES: bool = true;

    fn read(given: &Given) -> Result<Self, ConfigError> {
        given.tables()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Where an upstream is: https, or http on loopback; no user info, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl(Url);

impl UpstreamUrl {
    /// The address itself.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl Parse for UpstreamUrl {
    fn parse(text: &str) -> Result<Self, Wrong> {
        secure_url(text, "a member's token must travel by https to any host but loopback").map(Self)
    }
}

/// A resource indicator as it is sent: an absolute URI without fragment (RFC 8707, 2), letter for letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    /// The URI as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for Resource {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let plain = !text.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '#');
        if !plain || Url::parse(text).is_err() {
            return Err(Wrong::new(
                "a resource is an absolute URI without `#`. Use one like `https://api.example.org/`.",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The beginning of every path that is passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The path, with its slash in front.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Parse for Prefix {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/-._~".contains(letter);
        let climbs = text.split('/').any(|segment| matches!(segment, "." | ".."));
        if !text.starts_with('/') || text.contains("//") || climbs || !text.chars().all(plain) {
            return Err(Wrong::new(
                "a prefix begins with `/` and holds letters, digits and `-._~` between single slashes. Use one like `/v1/`.",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {

    use super::{Duration, Method, Parse, Prefix, Resource, Rules, Upstream, UpstreamUrl};
    use crate::config::file::parse_file;
    use crate::config::table::Settings;

    /// The upstream of a file whose only table this is.
    fn upstream(text: &str) -> Result<Upstream, String> {
        let table = parse_file("`thoughts.toml`", text).unwrap();
        let upstream = Upstream::read(&table).map_err(|error| error.to_string())?;
        upstream.check(&table).map_err(|error| error.to_string())?;
        Ok(upstream)
    }

    const LEAST: &str = "name = 'notes'\nurl = 'https://api.example.org'\n";

    #[test]
    fn an_upstream_that_says_little_passes_little() {
        let upstream = upstream(LEAST).unwrap();
        assert_eq!(upstream.methods, [Method::GET]);
        assert_eq!(upstream.prefix.as_str(), "/");
        assert_eq!(upstream.timeout, Duration::from_secs(30));
        assert_eq!(upstream.max_bytes.get(), 10 * 1024 * 1024);
        assert!(upstream.scopes.is_empty());
    }

    #[test]
    fn numbers_and_arrays_of_the_file_are_taken() {
        let upstream =
            upstream(&format!("{LEAST}max_bytes = 1_000\nmethods = ['GET', 'POST']\nscopes = 'a b'")).unwrap();
        assert_eq!(upstream.max_bytes.get(), 1000);
        assert_eq!(upstream.methods, [Method::GET, Method::POST]);
        assert_eq!(upstream.scopes.len(), 2);
    }

    #[test]
    fn audience_and_resource_together_are_refused() {
        assert_eq!(
            upstream(&format!("{LEAST}audience = 'a'\nresource = 'urn:a'\n")).unwrap_err(),
            "`audience` in `thoughts.toml` (line 3) and `resource` in `thoughts.toml` (line 4) are both set: keep the one that the provider knows."
        );
    }

    #[test]
    fn a_token_does_not_travel_in_clear() {
        assert_eq!(
            UpstreamUrl::parse("http://api.example.org").unwrap_err().to_string(),
            "a member's token must travel by https to any host but loopback. Use `https://api.example.org`."
        );
    }

    #[test]
    fn a_prefix_that_could_be_left_is_refused() {
        for text in ["v1", "/v1/../", "/v1//", "/v1%2f", "/v1?a", "/./"] {
            assert!(Prefix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        assert_eq!(Resource::parse("https://API.example.org").unwrap().as_str(), "https://API.example.org");
        assert!(Resource::parse("api").is_err());
        assert!(Resource::parse("https://api.example.org#a").is_err());
    }
}
