//! Addresses of the web: the one people use, and what all of them must be.

use std::fmt;

use url::{Host, Url};

use super::{
    error::{Wrong, quoted},
    parse::Parse,
};

/// The address people use: http or https, perhaps with a path, and nothing else. It is https unless the host is loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The origin as a browser writes it in `Origin`: `https://example.org`, without a default port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// What stands before the path of every route: empty, or like `/thoughts`, without a slash at its end.
    pub fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The port people come to, 80 or 443 where none is written.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Whether cookies can be `Secure` and named `__Host-`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is reached from this machine alone.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The whole address of a path below the base path: `join("/callback")`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{}/{}", self.origin(), self.path(), path.strip_prefix('/').unwrap_or(path))
    }
}

/// As a person would write it, without a slash at its end.
impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin(), self.path())
    }
}

impl Parse for BaseUrl {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let url = secure_url(text, "sign-in cookies need https on any host but loopback")?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/-._~".contains(letter);
        // A path that begins with `//` would make every link lead to another host.
        if url.path().contains("//") || !url.path().chars().all(plain) {
            return Err(Wrong::new(
                "its path may hold letters, digits and `-._~` between single slashes. Use one like `https://example.org/thoughts`.",
            ));
        }
        Ok(Self(url))
    }
}

/// A link to show: http or https.
impl Parse for Url {
    fn parse(text: &str) -> Result<Self, Wrong> {
        web_url(text)
    }
}

/// localhost and what is below it, 127.0.0.0/8 and `[::1]`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An absolute http or https URL without user info.
fn web_url(text: &str) -> Result<Url, Wrong> {
    // `Url::parse` drops line ends and turns backslashes without a word.
    if text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '\\') {
        return Err(Wrong::new("an address has no blanks and no backslashes. Use one like `https://example.org`."));
    }
    let not_ours = || Wrong::new("that is not a web address. Use one like `https://example.org`.");
    let url = Url::parse(text).map_err(|_| not_ours())?;
    if !matches!(url.scheme(), "http" | "https") || !text.contains("://") {
        return Err(not_ours());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::new("it must hold no user name and no password. Use one like `https://example.org`."));
    }
    Ok(url)
}

/// An absolute URL without user info, query and fragment: https, or http on loopback. `why` is said of http elsewhere.
pub(super) fn secure_url(text: &str, why: &str) -> Result<Url, Wrong> {
    let url = web_url(text)?;
    if let Some(end) = text.find(['?', '#']) {
        return Err(Wrong::new(format!(
            "it must hold no query (`?`) and no fragment (`#`). Use {}.",
            quoted(&text[..end])
        )));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        return Err(Wrong::new(format!("{why}. Use {}.", quoted(&format!("https://{rest}")))));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {

    use super::{BaseUrl, Parse, Url};

    fn base(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    fn refusal(text: &str) -> String {
        BaseUrl::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn http_elsewhere_than_on_loopback_is_refused_with_what_would_be_right() {
        assert_eq!(
            refusal("http://example.org/thoughts"),
            "sign-in cookies need https on any host but loopback. Use `https://example.org/thoughts`."
        );
        for text in ["http://localhost.example.org", "http://128.0.0.1", "http://[::2]", "http://0.0.0.0:3000"] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn http_on_loopback_is_taken() {
        for text in ["http://localhost", "http://a.localhost:1", "http://127.1.2.3", "http://[::1]:3000"] {
            assert!(base(text).is_loopback() && !base(text).is_https(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_as_a_browser_does() {
        assert_eq!(base("https://Example.org:443/thoughts/").origin(), "https://example.org");
        assert_eq!(base("http://localhost:3000").origin(), "http://localhost:3000");
        assert_eq!(base("https://bücher.example").origin(), "https://xn--bcher-kva.example");
    }

    #[test]
    fn the_base_path_has_no_slash_at_its_end() {
        assert_eq!(base("https://example.org").path(), "");
        assert_eq!(base("https://example.org/").path(), "");
        assert_eq!(base("https://example.org/a/b/").path(), "/a/b");
    }

    #[test]
    fn a_joined_path_stands_below_the_base_path() {
        assert_eq!(base("https://example.org").join("/callback"), "https://example.org/callback");
        assert_eq!(base("https://example.org/t/").join("/callback"), "https://example.org/t/callback");
        assert_eq!(base("https://example.org/t").join("callback"), "https://example.org/t/callback");
    }

    #[test]
    fn host_and_port_are_those_people_come_to() {
        let url = base("https://[2001:db8::1]");
        assert_eq!((url.host(), url.port()), ("[2001:db8::1]", 443));
    }

    #[test]
    fn what_is_not_a_web_address_is_refused() {
        for text in ["example.org", "localhost:3000", "ftp://example.org", "https:example.org", "https://", "/thoughts"]
        {
            assert_eq!(refusal(text), "that is not a web address. Use one like `https://example.org`.", "{text}");
        }
    }

    #[test]
    fn query_fragment_user_info_and_blanks_are_refused() {
        assert_eq!(
            refusal("https://example.org/?"),
            "it must hold no query (`?`) and no fragment (`#`). Use `https://example.org/`."
        );
        for text in
            ["https://example.org#a", "https://ann@example.org", "https://exam\nple.org", "https://example.org\\a"]
        {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_would_lead_elsewhere_or_match_anything_is_refused() {
        for path in ["//evil.example", "/a//b", "/:id", "/*all", "/a%2fb"] {
            assert!(BaseUrl::parse(&format!("https://example.org{path}")).is_err(), "{path}");
        }
    }

    #[test]
    fn a_link_to_show_may_have_a_query_but_only_of_the_web() {
        assert!(<Url as Parse>::parse("http://id.example.org/join?from=thoughts").is_ok());
        assert!(<Url as Parse>::parse("javascript:alert(1)").is_err());
    }
}
