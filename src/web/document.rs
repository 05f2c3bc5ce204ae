//! A page on its way out: what is new in each response goes into its places, and nothing else is touched.

use std::sync::{LazyLock, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use maud::Markup;
use memchr::memmem::Finder;
use poem::Response;
use xxhash_rust::xxh3::Xxh3Default;

use super::security_headers;
use crate::app::{App, Document};
use crate::clock::random;

/// Letters of an identifier, with which forms are told apart.
const ONCE: usize = 26;

/// Stands in a view where the response's nonce will stand: unguessable, for one who could type it could put
/// a nonce into what they typed.
pub fn nonce() -> &'static str {
    &NONCE
}

/// Stands in a form where the value will stand that tells one sending of it from another.
pub fn once() -> &'static str {
    &ONCE_VALUE
}

static NONCE: LazyLock<String> = LazyLock::new(new_nonce);
static ONCE_VALUE: LazyLock<String> =
    LazyLock::new(|| BASE64_URL_SAFE_NO_PAD.encode(random::<20>())[..ONCE].to_owned());

static NONCES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(nonce()));
static ONCES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(once()));

/// 16 random bytes. Source: Content Security Policy Level 3, section 7.1.
fn new_nonce() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random::<16>())
}

/// The document that views have made.
pub(super) fn document(html: Markup) -> Document {
    let html = html.into_string().into_bytes();
    let (nonces, onces) = (NONCES.find_iter(&html).collect(), ONCES.find_iter(&html).collect());
    Document { html, nonces, onces, digest: OnceLock::new() }
}

/// What a document is compared by, whichever nonce it has: an `ETag` that is the same wherever the page is.
/// Source: RFC 9110, section 8.8.3. Nobody gains by a page that is taken for another but who wrote both.
pub(super) fn etag(document: &Document, form_action: &str) -> String {
    let digest = document.digest.get_or_init(|| {
        let mut hash = Xxh3Default::new();
        let mut from = 0;
        for place in &document.nonces {
            hash.update(&document.html[from..*place]);
            from = place + nonce().len();
        }
        hash.update(&document.html[from..]);
        hash.digest128()
    });
    let mut hash = Xxh3Default::new();
    hash.update(form_action.as_bytes());
    hash.update(&digest.to_le_bytes());
    format!("\"{:032x}\"", hash.digest128())
}

/// Headers that a page has, ours and those that are put on every answer, and some room.
const HEADERS: usize = 24;

/// The document with a nonce of its own and the policy that names it, and forms that can be told from all others.
pub(super) fn answer(document: &Document, app: &App, form_action: &str) -> Response {
    let Document { html, nonces, onces, .. } = document;
    let (mut html, fresh) = (html.clone(), new_nonce());
    // What stands there is as long.
    let mut put = |place: usize, value: &str| html[place..place + value.len()].copy_from_slice(value.as_bytes());
    for place in nonces {
        put(*place, &fresh);
    }
    for place in onces {
        put(*place, &app.ids.next(app.clock.now()).to_string());
    }
    let mut response = Response::builder().body(html);
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::try_from(security_headers::page_policy(&fresh, form_action)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;

    #[test]
    fn what_is_new_each_time_goes_into_its_places_and_nowhere_else() {
        let page =
            || document(html! { p hx-nonce=(nonce()) { "a" } input value=(once()); p hx-nonce=(nonce()) { "b" } });
        let Document { html, nonces, onces, .. } = page();
        let html = String::from_utf8(html).unwrap();
        assert_eq!((nonces.len(), onces.len()), (2, 1));
        assert!(nonces.iter().all(|place| html[*place..].starts_with(nonce())) && html[onces[0]..].starts_with(once()));
        assert_eq!(etag(&page(), ""), etag(&page(), ""));
        assert_ne!(etag(&page(), ""), etag(&page(), " https://example.org"));
        assert_ne!(etag(&page(), ""), etag(&document(html! { p hx-nonce=(nonce()) { "b" } }), ""));
    }
}
