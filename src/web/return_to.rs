//! Where a person is brought after signing in: a path of ours, whatever was asked for.

use std::fmt;

use url::Url;

use crate::app::App;
use crate::paths::{CALLBACK, LOGIN, LOGOUT};

/// A path with the base path and perhaps a query, on this site, and not one that starts a sign-in again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

/// Bytes that a path may have: more would crowd other sign-ins under way out of the browser's cookies.
const MAX_BYTES: usize = 1024;

impl ReturnTo {
    /// Where nothing else is known.
    pub fn feed(app: &App) -> Self {
        Self(app.paths.feed())
    }

    /// Takes a path as it came from outside. Another origin, `//host`, a backslash or a control character,
    /// and what lies outside the base path, become the feed.
    pub fn parse(app: &App, text: &str) -> Self {
        Self::of(&app.origin, app.paths.base(), text).unwrap_or_else(|| Self::feed(app))
    }

    /// Takes the path out of a whole URL, such as `Referer` and `HX-Current-URL` hold.
    pub fn of_url(app: &App, url: &str) -> Self {
        match url.strip_prefix(&app.origin) {
            Some(path) => Self::parse(app, path.split('#').next().unwrap_or_default()),
            None => Self::feed(app),
        }
    }

    fn of(origin: &str, base: &str, text: &str) -> Option<Self> {
        let plain = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= MAX_BYTES
            && !text.contains(|c: char| c == '\\' || c.is_control());
        if !plain {
            return None;
        }
        // What a browser makes of it counts: dots are resolved, and it must still be ours.
        let url = Url::parse(origin).ok()?.join(text).ok()?;
        let below = url.path().strip_prefix(base)?;
        // Dots that are resolved can leave two slashes, which is another host.
        let ours =
            url.origin().ascii_serialization() == origin && below.starts_with('/') && !url.path().starts_with("//");
        let ends = ![LOGIN, CALLBACK, LOGOUT].contains(&below);
        let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
        (ours && ends).then(|| Self(format!("{}{query}", url.path())))
    }

    /// The path, for a `Location`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(base: &str, text: &str) -> Option<String> {
        ReturnTo::of("https://thoughts.example", base, text).map(|path| path.0)
    }

    #[test]
    fn a_path_of_ours_is_kept_with_its_query() {
        for path in ["/", "/share-thought", "/@ann?before=1", "/search?q=a%20b"] {
            assert_eq!(parse("", path).as_deref(), Some(path));
        }
        assert_eq!(parse("/t", "/t/profile").as_deref(), Some("/t/profile"));
    }

    #[test]
    fn anything_else_is_not() {
        for path in [
            "",
            "x",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\nb",
            "/a\0",
            "/\t/evil.example",
            "javascript:alert(1)",
            "/login",
            "/login?return_to=/",
            "/callback?code=1",
            "/logout",
            "/./login",
            "/.//evil.example/x",
            "/..//evil.example/x",
            "/x/..//evil.example/x",
            &format!("/{}", "x".repeat(2000)),
        ] {
            assert_eq!(parse("", path), None, "{path:?}");
        }
        for path in ["/", "/other", "/tx", "/t/../other"] {
            assert_eq!(parse("/t", path), None, "{path:?}");
        }
    }
}
