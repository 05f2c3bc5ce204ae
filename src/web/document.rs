//! A page on its way out: what is new in each response goes into its places, and nothing else is touched.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use maud::Markup;
use memchr::memmem::Finder;
use poem::Response;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::security_headers;
use crate::app::{App, Document, Fresh, Packed};
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
    let nonces = NONCES.find_iter(&html).map(|place| (place, Fresh::Nonce));
    let mut places: Vec<_> = nonces.chain(ONCES.find_iter(&html).map(|place| (place, Fresh::Once))).collect();
    places.sort_unstable_by_key(|(place, _)| *place);
    Document { html, places, digest: OnceLock::new(), packed: OnceLock::new() }
}

/// How many bytes stand there.
fn length(fresh: Fresh) -> usize {
    match fresh {
        Fresh::Nonce => nonce().len(),
        Fresh::Once => once().len(),
    }
}

/// The same as gzip has it: made for the first who takes it, and kept with the document.
fn packed(document: &Document) -> Option<&Packed> {
    let pack = || Packed::new(&document.html, document.places.iter().map(|(place, fresh)| (*place, length(*fresh))));
    document
        .packed
        .get_or_init(|| pack().inspect_err(|error| tracing::error!(%error, "a page can't be packed")).ok())
        .as_ref()
}

/// What a document is compared by, whichever nonce it has and however it is packed: a weak `ETag` that is the same wherever
/// the page is. Source: RFC 9110, section 8.8.3. Nobody gains by a page that is taken for another but who wrote both.
pub(super) fn etag(document: &Document, form_action: &str) -> String {
    let digest = document.digest.get_or_init(|| {
        let mut hash = Xxh3Default::new();
        let mut from = 0;
        for (place, fresh) in &document.places {
            hash.update(&document.html[from..*place]);
            from = place + length(*fresh);
        }
        hash.update(&document.html[from..]);
        hash.digest128()
    });
    let tag = BASE64_URL_SAFE_NO_PAD.encode((digest ^ xxh3_128(form_action.as_bytes())).to_le_bytes());
    ["W/\"", &tag, "\""].concat()
}

/// Headers that a page has, ours and those that are put on every answer, and some room.
const HEADERS: usize = 24;

/// The document with a nonce of its own and the policy that names it, and forms that can be told from all others; for whom
/// takes gzip, packed.
pub(super) fn answer(document: &Document, app: &App, form_action: &str, gzip: bool) -> Response {
    let nonce = new_nonce();
    // What stands there is as long.
    let fresh = document.places.iter().map(|(_, fresh)| match fresh {
        Fresh::Nonce => Cow::Borrowed(nonce.as_bytes()),
        Fresh::Once => Cow::Owned(app.ids.next(app.clock.now()).to_string().into_bytes()),
    });
    let packed = if gzip { packed(document) } else { None };
    let body = if let Some(packed) = packed { packed.filled(fresh) } else { document.filled(fresh) };
    let mut response = Response::builder().body(body);
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if packed.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(policy) = HeaderValue::try_from(security_headers::page_policy(&nonce, form_action)) {
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
        let Document { html, places, .. } = page();
        let html = String::from_utf8(html).unwrap();
        let stands = |fresh| if fresh == Fresh::Nonce { nonce() } else { once() };
        assert_eq!(
            places.iter().map(|(_, fresh)| *fresh).collect::<Vec<_>>(),
            [Fresh::Nonce, Fresh::Once, Fresh::Nonce]
        );
        assert!(places.iter().all(|(place, fresh)| html[*place..].starts_with(stands(*fresh))));
        assert_eq!(etag(&page(), ""), etag(&page(), ""));
        assert_ne!(etag(&page(), ""), etag(&page(), "https://example.org"));
        assert_ne!(etag(&page(), ""), etag(&document(html! { p hx-nonce=(nonce()) { "b" } }), ""));
    }
}
