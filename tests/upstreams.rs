//! Another service's API is called with the member's access token, which the browser never sees.

use std::time::Duration;

use futures_util::stream;
use reqwest::Method;
use thoughts::demo::Fault;

use crate::support::{Answer, Person, Site, Upstream};

const RESOURCE: &str = "https://notes.example/";

/// A site with an upstream called `notes`, and Ada signed in.
async fn notes(more: &str) -> (Upstream, Site, Person) {
    let upstream = Upstream::start();
    let site = Site::with_file(&upstream.table(more)).await;
    let ada = site.member("Ada").await;
    (upstream, site, ada)
}

/// The problem in an answer: its status and what it says.
fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.body);
    (answer.status.as_u16(), answer.json()["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_call_goes_with_the_members_token_and_comes_back_without_it() {
    let (upstream, site, ada) = notes("methods = ['GET', 'POST']").await;
    let answer = ada.get("/api/upstream/notes/v1/mine?page=2").await;
    assert_eq!((answer.status.as_u16(), answer.json()["notes"].as_i64()), (200, Some(2)));
    let posted = ada.json(Method::POST, "/api/upstream/notes/v1/new", &serde_json::json!({"a": 1})).await;
    assert_eq!(posted.status, 200);
    let [get, post] = &upstream.seen()[..] else { panic!("{:?}", upstream.seen()) };
    assert_eq!((get.method.as_str(), get.path.as_str()), ("GET", "/base/v1/mine?page=2"));
    assert_eq!((post.method.as_str(), post.body.as_str()), ("POST", r#"{"a":1}"#));
    assert_eq!(post.header("content-type"), Some("application/json"));
    assert!(site.provider.access_token_is_good(get.token(), None));
    for token in site.provider.issued_tokens() {
        assert!(!format!("{:?}{}", answer.headers, answer.body).contains(&token));
    }
}

#[tokio::test]
async fn what_is_between_browser_and_us_does_not_reach_the_upstream() {
    let (upstream, site, ada) = notes("").await;
    let said = ada.saying("X-Api-Version", "3").saying("Origin", &site.app.origin).saying("Connection", "X-Mine");
    said.saying("X-Mine", "1").saying("Authorization", "Basic eDp5").get("/api/upstream/notes/v1/x").await;
    let seen = &upstream.seen()[0];
    assert_eq!(seen.header("x-api-version"), Some("3"));
    for name in ["cookie", "origin", "x-mine", "connection"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert!(seen.header("authorization").unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn what_an_upstream_sets_does_not_reach_the_browser() {
    let (_upstream, _site, ada) = notes("").await;
    let answer = ada.get("/api/upstream/notes/v1/headers").await;
    for name in ["set-cookie", "access-control-allow-origin", "hx-redirect"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
    assert_eq!((answer.header("x-note"), answer.header("cache-control")), ("kept", "private, no-store"));
}

#[tokio::test]
async fn a_page_of_an_upstream_can_do_nothing_on_our_origin() {
    let (_upstream, _site, ada) = notes("").await;
    let answer = ada.get("/api/upstream/notes/v1/page").await;
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn an_upstreams_own_refusal_is_passed_back() {
    let (_upstream, _site, ada) = notes("").await;
    let answer = ada.get("/api/upstream/notes/v1/missing").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, r#"{"error":"no such note"}"#));
}

#[tokio::test]
async fn a_redirect_is_a_refusal_and_the_token_does_not_go_with_it() {
    let (upstream, _site, ada) = notes("").await;
    let (status, detail) = problem(&ada.get("/api/upstream/notes/v1/redirect").await);
    assert!(status == 502 && detail.contains("redirect"), "{detail}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn nothing_reaches_what_is_not_declared() {
    let (upstream, _site, ada) = notes("").await;
    for path in ["/v2/a", "/v1%2f..%2f..%2fsecret", "/v1/%2e%2e/secret", "/v1/a%5c..%5cb", "//evil.example/v1/"] {
        let (status, _) = problem(&ada.get(&format!("/api/upstream/notes{path}")).await);
        assert_eq!(status, 404, "{path}");
    }
    assert_eq!(problem(&ada.get("/api/upstream/others/v1/a").await).0, 404);
    let wrong = ada.send(Method::DELETE, "/api/upstream/notes/v1/a", None, "").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET"));
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn another_sites_page_can_not_call_in_the_members_name() {
    let (upstream, _site, ada) = notes("").await;
    let (status, _) = problem(&ada.saying("Sec-Fetch-Site", "cross-site").get("/api/upstream/notes/v1/a").await);
    assert_eq!(status, 403);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn bodies_have_a_limit_both_ways() {
    let (_upstream, _site, ada) = notes("methods = ['GET', 'POST']\nmax_bytes = 1000").await;
    let much = "x".repeat(1001);
    let (status, detail) = problem(&ada.send(Method::POST, "/api/upstream/notes/v1/a", None, &much).await);
    assert_eq!((status, detail.as_str()), (413, "A body may have 1000 bytes."));
    let (status, detail) = problem(&ada.get("/api/upstream/notes/v1/long").await);
    assert!(status == 502 && detail.contains("1000 bytes"), "{detail}");
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let (_upstream, site, ada) = notes("methods = ['POST']").await;
    let (says, said) = tokio::sync::mpsc::channel::<&'static str>(1);
    let body = stream::unfold(said, async |mut said| Some((Ok::<_, std::io::Error>(said.recv().await?), said)));
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let request =
        browser.post(format!("{}/api/upstream/notes/v1/echo", site.base)).header("cookie", ada.cookie_header());
    let both = async {
        says.send("one").await.unwrap();
        let mut answer = request.body(reqwest::Body::wrap_stream(body)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        // Each part comes back before the next is said.
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "one");
        says.send("two").await.unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "two");
        drop(says);
        assert_eq!(answer.chunk().await.unwrap(), None);
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), both).await.is_ok(), "one waits for the other");
}

#[tokio::test]
async fn an_upstream_that_is_slow_or_gone_is_told_as_such() {
    let (upstream, site, ada) = notes("timeout = '50ms'").await;
    let (status, detail) = problem(&ada.get("/api/upstream/notes/v1/silent").await);
    assert_eq!((status, detail.as_str()), (504, "the upstream `notes` took more than 0.05 s to answer."));
    let origin = upstream.origin.clone();
    drop(upstream);
    let gone = loop {
        let answer = ada.get("/api/upstream/notes/v1/a").await;
        if answer.status != 200 {
            break answer;
        }
    };
    let (status, detail) = problem(&gone);
    assert!(status == 502 && !detail.contains(&origin), "where it is is nobody's business: {detail}");
    assert_eq!(ada.get("/profile").await.status, 200);
    drop(site);
}

#[tokio::test]
async fn a_token_that_the_upstream_does_not_take_is_no_sign_out() {
    let (_upstream, _site, ada) = notes("").await;
    let (status, detail) = problem(&ada.get("/api/upstream/notes/v1/refused").await);
    assert!(status == 502 && detail.contains("401"), "{detail}");
    assert_eq!(ada.get("/profile").await.status, 200);
}

#[tokio::test]
async fn an_upstream_with_a_resource_gets_a_token_for_it_alone() {
    let (upstream, site, ada) = notes(&format!("resource = '{RESOURCE}'")).await;
    for _ in 0..2 {
        assert_eq!(ada.get("/api/upstream/notes/v1/a").await.status, 200);
    }
    let tokens: Vec<_> = upstream.seen().iter().map(|seen| seen.token().to_owned()).collect();
    assert!(site.provider.access_token_is_good(&tokens[0], Some(RESOURCE)));
    assert!(!site.provider.access_token_is_good(&tokens[0], None));
    assert_eq!(tokens[0], tokens[1], "it is kept");
}

#[tokio::test]
async fn the_profile_shows_what_an_upstream_says_as_html() {
    let (_upstream, site, ada) = notes("profile_path = '/v1/me'").await;
    let profile = ada.get("/profile").await;
    assert!(profile.has("a[href='/profile/upstreams/notes']") && profile.has("[hx-get='/profile/upstreams/notes']"));
    let part = ada.htmx().get("/profile/upstreams/notes").await;
    assert_eq!(part.text("dd"), "<b>Ada</b>");
    assert!(!part.has("b") && !part.has("h1"), "{}", part.body);
    let page = ada.get("/profile/upstreams/notes").await;
    assert_eq!(page.text("h1"), "What notes says");
    site.provider.faults().on(Fault::RefreshInvalidGrant);
    assert_eq!(ada.get("/profile/upstreams/notes").await.status, 200, "the token is good still");
}
