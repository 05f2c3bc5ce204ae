//! What kind of answer a request asks for, and what else of it the whole of `web` needs to know.

use http::Method;
use http::header::{ACCEPT_ENCODING, AsHeaderName, HeaderMap, HeaderName};
use poem::Request;

use crate::paths::API;

/// htmx asks. Source of all of these: htmx 4, "Request Headers".
pub static HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
/// Whether it wants a part of the page, or all of it.
pub static HX_REQUEST_TYPE: HeaderName = HeaderName::from_static("hx-request-type");
/// It brings back a page of the browser's history.
pub static HX_HISTORY_RESTORE_REQUEST: HeaderName = HeaderName::from_static("hx-history-restore-request");
/// What it would put the answer in the place of, or into.
pub static HX_TARGET: HeaderName = HeaderName::from_static("hx-target");
/// The page that the person is on.
pub static HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
/// Where the request comes from. Source: Fetch Metadata Request Headers, section 2.4.
pub static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Our script asks because of what it was told.
static BY_ITSELF: HeaderName = HeaderName::from_static("thoughts-by-itself");

/// What a request asks for. One handler makes all of them; only the wrapping differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The whole HTML document.
    Page,
    /// The part of it that HTMX asked for.
    Fragment,
    /// JSON.
    Api,
}

impl Kind {
    /// Reads it off the path and the headers. A restored history entry gets a whole page, and so does a
    /// request of HTMX that targets the body or selects from the answer (`HX-Request-Type: full`).
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        if path.starts_with(API) {
            Self::Api
        } else if by_htmx(headers) && !is(headers, &HX_REQUEST_TYPE, "full") {
            Self::Fragment
        } else {
            Self::Page
        }
    }
}

/// Whether the header is there and says `value`.
pub fn is(headers: &HeaderMap, name: impl AsHeaderName, value: &str) -> bool {
    headers.get(name).is_some_and(|header| header.as_bytes() == value.as_bytes())
}

/// Whether htmx asks, for a part of a page or all of it, and would itself go where a redirect leads. What it restores of the
/// history it asks for in the browser's stead.
pub fn by_htmx(headers: &HeaderMap) -> bool {
    is(headers, &HX_REQUEST, "true") && !restores(headers)
}

/// Whether htmx brings back a page of the browser's history.
pub fn restores(headers: &HeaderMap) -> bool {
    is(headers, &HX_HISTORY_RESTORE_REQUEST, "true")
}

/// Whether our script asks because of what it was told, and not because of what a person did. Whoever lies in it has their
/// session end earlier.
pub fn by_itself(headers: &HeaderMap) -> bool {
    is(headers, &BY_ITSELF, "true")
}

/// Whether a request of this method means to change something. Source: RFC 9110, section 9.2.1.
pub fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The header as text, if it is there and is text.
pub fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether whoever asks takes a body in this content coding. Source: RFC 9110, section 12.5.3.
pub fn takes(headers: &HeaderMap, coding: &str) -> bool {
    text(headers, ACCEPT_ENCODING).unwrap_or_default().split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        name.trim() == coding && !refused
    })
}

/// Path and query with the base path, as the person's browser sent them.
pub fn path_and_query(request: &Request) -> String {
    match request.original_uri().path_and_query() {
        Some(path) if path.as_str().starts_with('/') => path.as_str().to_owned(),
        // `http://host?query`, which has none.
        Some(path) => path.to_string(),
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn htmx_gets_a_fragment_unless_it_needs_a_page() {
        let htmx = ("hx-request", "true");
        for (headers_sent, kind) in [
            (vec![], Kind::Page),
            (vec![htmx], Kind::Fragment),
            (vec![htmx, ("hx-request-type", "partial")], Kind::Fragment),
            (vec![htmx, ("hx-request-type", "full")], Kind::Page),
            (vec![htmx, ("hx-history-restore-request", "true")], Kind::Page),
            (vec![("hx-history-restore-request", "true")], Kind::Page),
        ] {
            assert_eq!(Kind::of("/", &headers(&headers_sent)), kind, "{headers_sent:?}");
        }
        assert_eq!(Kind::of("/api/thoughts", &headers(&[htmx])), Kind::Api);
    }

    #[test]
    fn htmx_asks_for_itself_unless_it_restores_a_page() {
        let (htmx, restored) = (("hx-request", "true"), ("hx-history-restore-request", "true"));
        assert!(by_htmx(&headers(&[htmx])) && by_htmx(&headers(&[htmx, ("hx-request-type", "full")])));
        assert!(!by_htmx(&headers(&[])) && !by_htmx(&headers(&[htmx, restored])));
    }
}
