//! Which headers are passed on and back.

use http::{HeaderMap, HeaderName};

/// Source: RFC 9110, 7.6.1.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is between the browser and us, and no upstream's business.
const OURS: &[&str] =
    &["authorization", "cookie", "cookie2", "host", "origin", "referer", "forwarded", "expect", "x-real-ip"];

/// Beginnings of more of those.
const OURS_BEGIN: &[&str] = &["sec-", "hx-", "x-forwarded-", "proxy-"];

/// What an upstream can't set on our origin: cookies, who may read it, and what the browser does with this site.
const NOT_BACK: &[&str] = &[
    "set-cookie",
    "set-cookie2",
    "clear-site-data",
    "strict-transport-security",
    "content-security-policy",
    "content-security-policy-report-only",
    "refresh",
    "location",
    "service-worker-allowed",
    "alt-svc",
    "nel",
    "report-to",
    "reporting-endpoints",
    "www-authenticate",
    "cache-control",
    "expires",
    "pragma",
];

/// Beginnings of more of those.
const NOT_BACK_BEGIN: &[&str] = &["access-control-", "hx-", "cross-origin-"];

/// The headers of a request that go on to the upstream.
pub(super) fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    filtered(headers, |name| {
        !(HOP_BY_HOP.contains(&name) || OURS.contains(&name) || begins(name, OURS_BEGIN) || named.contains(name))
    })
}

/// The headers of an upstream's answer that go back to the browser.
pub(super) fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    filtered(headers, |name| {
        !(HOP_BY_HOP.contains(&name)
            || NOT_BACK.contains(&name)
            || begins(name, NOT_BACK_BEGIN)
            || named.contains(name))
    })
}

fn begins(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// Headers that this connection's end says are meant for it alone. Source: RFC 9110, 7.6.1.
fn named_by_connection(headers: &HeaderMap) -> HeaderNames {
    let values = headers.get_all(http::header::CONNECTION).into_iter();
    let names = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    HeaderNames(names.filter_map(|name| name.trim().parse().ok()).collect())
}

struct HeaderNames(Vec<HeaderName>);

impl HeaderNames {
    fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.as_str() == name)
    }
}

fn filtered(headers: &HeaderMap, keep: impl Fn(&str) -> bool) -> HeaderMap {
    headers.iter().filter(|(name, _)| keep(name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_is_between_the_browser_and_us_is_not_passed_on() {
        let sent = headers(&[
            ("cookie", "thoughts=secret"),
            ("authorization", "Basic x"),
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("sec-fetch-site", "same-origin"),
            ("x-forwarded-for", "::1"),
            ("host", "thoughts.example"),
            ("accept", "application/json"),
            ("x-api-version", "2"),
        ]);
        assert_eq!(passed_on(&sent), headers(&[("accept", "application/json"), ("x-api-version", "2")]));
    }

    #[test]
    fn what_an_upstream_can_not_set_here_is_not_passed_back() {
        let answered = headers(&[
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "*"),
            ("hx-redirect", "https://evil.example"),
            ("clear-site-data", "\"cookies\""),
            ("keep-alive", "timeout=5"),
            ("content-type", "application/json"),
            ("etag", "\"1\""),
        ]);
        assert_eq!(passed_back(&answered), headers(&[("content-type", "application/json"), ("etag", "\"1\"")]));
    }
}
