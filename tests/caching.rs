//! What may be kept by whom.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::Method;
use thoughts::domain::id::ThoughtId;

use crate::support::site::on_postgres;
use crate::support::{Answer, Person, site};

#[tokio::test]
async fn what_a_member_sees_is_kept_by_nobody() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for answer in [ann.get("/").await, ann.htmx().get("/").await, ann.get("/nothing").await] {
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(answer.header("vary"), "HX-Request, HX-Request-Type, Cookie");
    }
}

#[tokio::test]
async fn what_anyone_sees_is_asked_for_again_and_answered_304_while_it_holds() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let stranger = site.stranger();
    let first = stranger.get("/").await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let again = stranger.saying("if-none-match", first.header("etag"));
    let held = again.get("/").await;
    assert_eq!((held.status.as_u16(), held.body.as_str()), (304, ""));
    assert!(held.headers.get("content-security-policy").is_none(), "the stored page keeps its own");
    ann.share("News", "public").await;
    assert_eq!(again.get("/").await.status, 200);
}

#[tokio::test]
async fn a_page_and_its_fragment_are_two_things_to_a_cache() {
    let site = site().await;
    let page = site.stranger().get("/").await;
    let fragment = site.stranger().htmx().get("/").await;
    assert_ne!(page.header("etag"), fragment.header("etag"));
    assert_eq!(fragment.header("vary"), "HX-Request, HX-Request-Type, Cookie");
}

#[tokio::test]
async fn a_restored_history_entry_and_a_full_request_get_whole_pages() {
    let site = site().await;
    let htmx = site.stranger().saying("HX-Request", "true");
    let etag = site.stranger().get("/").await.header("etag").to_owned();
    for person in [htmx.saying("HX-History-Restore-Request", "true"), htmx.saying("HX-Request-Type", "full")] {
        let page = person.saying("if-none-match", &etag).get("/").await;
        assert!(page.has("html > head > link"));
        assert_eq!(page.header("cache-control"), "no-store", "its nonce is for one document");
    }
    let fragment = htmx.get("/").await;
    assert!(!fragment.body.contains("<html"));
    assert_eq!(fragment.text("title"), "Thoughts");
}

#[tokio::test]
async fn what_nobody_lived_to_tell_of_is_not_shown_again_either() {
    if on_postgres() {
        eprintln!("skipped: there it is shown for ten seconds at most, and is read anew then");
        return;
    }
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("Gone", "public").await;
    let id: ThoughtId = path.rsplit('/').next().unwrap().parse().unwrap();
    assert!(ann.get("/").await.has("#thoughts article"));
    // As where a connection breaks between the write and the word of it.
    assert!(site.app.store.delete(id, site.clock.now()).await.unwrap());
    assert!(!ann.get("/").await.has("#thoughts article"));
}

#[tokio::test]
async fn a_page_that_is_shown_again_has_a_form_and_a_nonce_of_its_own() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let (first, again) = (ann.get("/").await, ann.get("/").await);
    for of in ["content-security-policy", "x-request-id"] {
        assert_ne!(first.header(of), again.header(of));
    }
    let once = |page: &Answer| page.attribute("[name=once]", "value");
    assert_ne!(once(&first), once(&again));
    ann.form(Method::POST, "/theme", &[("theme", "dark")]).await;
    assert_eq!(ann.get("/").await.attribute("html", "data-theme"), "dark");
}

/// A page as it comes to a person who takes it in these codings, and what it says once it is unpacked.
async fn packed(person: &Person, codings: &str) -> (Answer, usize) {
    let response = person.saying("accept-encoding", codings).open(Method::GET, "/", None, "").await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let mut body = String::new();
    GzDecoder::new(&*bytes).read_to_string(&mut body).unwrap();
    (Answer { status, headers, body }, bytes.len())
}

#[tokio::test]
async fn a_page_comes_packed_to_whoever_takes_it_so_with_a_nonce_of_its_own_each_time() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.share("One **and** the other, and another one still, and then some", "public").await;
    for person in [site.stranger(), ann.clone(), ann.htmx()] {
        let plain = person.get("/").await;
        let mut nonces = vec![plain.header("content-security-policy").to_owned()];
        for codings in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
            let (page, bytes) = packed(&person, codings).await;
            assert_eq!((page.header("content-encoding"), page.header("content-length")), ("gzip", &*bytes.to_string()));
            assert_eq!(page.header("vary"), "HX-Request, HX-Request-Type, Cookie, Accept-Encoding");
            assert!(bytes * 3 < page.body.len() * 2, "{bytes} of {}", page.body.len());
            assert_eq!(page.texts("article .words"), plain.texts("article .words"));
            let nonce = page.attribute("[hx-nonce]", "hx-nonce");
            assert!(page.header("content-security-policy").contains(&format!("'nonce-{nonce}'")));
            assert!(!page.body.contains(&plain.attribute("[hx-nonce]", "hx-nonce")));
            nonces.push(page.header("content-security-policy").to_owned());
        }
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), 4, "each is another");
    }
    for codings in ["gzip;q=0, br", "identity", ""] {
        let page = site.stranger().saying("accept-encoding", codings).get("/").await;
        assert!(page.headers.get("content-encoding").is_none() && page.has("article"), "{codings}");
    }
}

#[tokio::test]
async fn however_a_page_was_packed_it_is_held_against_the_same_etag() {
    let site = site().await;
    site.member("Ann").await.share("One and the other, and another one still", "public").await;
    let (stranger, plain) = (site.stranger(), site.stranger().get("/").await);
    let (page, _) = packed(&stranger, "gzip").await;
    assert_eq!(page.header("etag"), plain.header("etag"));
    let holds = stranger.saying("if-none-match", page.header("etag")).saying("accept-encoding", "gzip");
    let held = holds.get("/").await;
    assert_eq!((held.status.as_u16(), held.body.as_str()), (304, ""));
    assert!(held.headers.get("content-encoding").is_none());
    assert_eq!(held.header("vary"), page.header("vary"), "a cache takes the headers over");
}
