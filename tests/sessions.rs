//! Sessions: kept on the server, ended at once.

use std::time::Duration;

use reqwest::Method;

use crate::support::program::{Server, store_in, thoughts};
use crate::support::site::client;
use crate::support::{Person, Site, Upstream, site};

#[tokio::test]
async fn the_browser_holds_an_id_and_no_token() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let mut shown = ann.cookie_header();
    for path in ["/", "/profile", "/share-thought", "/api/me"] {
        let answer = ann.get(path).await;
        shown.push_str(&answer.body);
        shown.extend(answer.headers.values().map(|value| value.to_str().unwrap()));
    }
    let tokens = site.provider.issued_tokens();
    assert!(tokens.len() >= 3, "an access, a refresh and an ID token");
    for token in tokens {
        assert!(!shown.contains(&token));
    }
}

#[tokio::test]
async fn signing_in_again_makes_a_new_id_and_the_old_one_is_dead() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let before = ann.copy();
    ann.sign_in("Bob").await;
    assert_ne!(ann.cookie("thoughts"), before.cookie("thoughts"));
    assert_eq!(before.get("/profile").await.status, 303);
    assert_eq!(ann.get("/api/me").await.json()["name"], "Bob");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h")]).await;
    let ann = site.member("Ann").await;
    site.clock.advance(Duration::from_mins(59));
    assert_eq!(ann.get("/profile").await.status, 200);
    site.clock.advance(Duration::from_mins(59));
    assert_eq!(ann.get("/profile").await.status, 200, "the use an hour ago was noted");
    site.clock.advance(Duration::from_hours(1));
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn a_session_ends_in_any_case_after_its_longest_time() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h"), ("THOUGHTS_SESSION_MAX", "2h")]).await;
    let ann = site.member("Ann").await;
    for _ in 0..3 {
        site.clock.advance(Duration::from_mins(39));
        assert_eq!(ann.get("/profile").await.status, 200);
    }
    site.clock.advance(Duration::from_mins(3));
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn the_browser_holds_the_id_for_an_hour_longer_for_what_is_typed_as_the_session_ends() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h"), ("THOUGHTS_SESSION_MAX", "2h")]).await;
    let answer = site.stranger().sign_in("Ann").await;
    let mut cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session = cookies.find(|cookie| cookie.starts_with("thoughts=")).unwrap();
    assert!(session.contains("Max-Age=10800"), "{session}");
}

#[tokio::test]
async fn one_can_end_one_of_ones_own_sessions_at_once() {
    let site = site().await;
    let (phone, laptop) = (site.member("Ann").await, site.member("Ann").await);
    let list = laptop.get("/profile").await;
    assert_eq!(list.texts(".sessions li").len(), 2);
    let (action, _) = list.form(".sessions li:not(:has(.for)) button");
    assert_eq!(laptop.post(&action, &[("_method", "delete")]).await.status, 303);
    assert_eq!(phone.get("/profile").await.status, 303);
    assert_eq!(laptop.get("/profile").await.texts(".sessions li").len(), 1);
}

#[tokio::test]
async fn one_can_end_all_the_others() {
    let site = site().await;
    let (one, two, three) = (site.member("Ann").await, site.member("Ann").await, site.member("Ann").await);
    assert_eq!(three.form(Method::DELETE, "/profile/sessions", &[]).await.status, 303);
    for (person, status) in [(one, 303), (two, 303), (three, 200)] {
        assert_eq!(person.get("/profile").await.status, status);
    }
}

#[tokio::test]
async fn one_can_not_end_anothers_session() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let (action, _) = ann.get("/profile").await.form(".sessions button");
    assert_eq!(bob.form(Method::DELETE, &action, &[]).await.status, 404);
    assert_eq!(ann.get("/profile").await.status, 200);
}

#[tokio::test]
async fn a_cookie_that_can_not_be_read_is_a_stranger_and_is_taken_back() {
    let site = site().await;
    for value in ["", "garbage", "%00", "%FF"] {
        let person = site.stranger();
        person.set_cookie("thoughts", value);
        let answer = person.get("/").await;
        assert_eq!(answer.status, 200, "{value:?}");
        assert_eq!(person.cookie("thoughts"), None, "{value:?}");
    }
}

#[tokio::test]
async fn the_profile_shows_what_the_provider_says_and_where_one_is_signed_in() {
    let site = site().await;
    let ann = site.stranger().saying("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0");
    ann.sign_in("Ann").await;
    let profile = ann.get("/profile").await;
    assert!(profile.texts(".claims dt").contains(&"sub".to_owned()));
    assert!(profile.text(".sessions li").contains("Firefox on Linux"));
    assert!(profile.has("a[href='/@ann']"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_rotates_signs_nobody_out() {
    const OLD: &str = "the old secret of thirty-two bytes or more";
    const NEW: &str = "the new secret of thirty-two bytes or more";
    let (site, upstream, folder) = (site().await, Upstream::start(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("thoughts.toml"), upstream.table("")).unwrap();
    let serve = |secrets: &str| {
        let command = thoughts(&["serve"], &[("THOUGHTS_SECRET", secrets)]);
        let server = Server::start_by(command, &store_in(folder.path()), folder.path(), site.provider.issuer(), "info");
        site.provider.set_clients(vec![client(&server.base)]);
        server
    };
    let server = serve(OLD);
    let ann = Person::new(&server.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    assert_eq!(server.stop(), Some(0));
    for (secrets, call) in [(format!("{NEW},{OLD}"), 200), (NEW.to_owned(), 401)] {
        let server = serve(&secrets);
        let ann = ann.at(&server.base);
        assert_eq!(ann.get("/profile").await.status, 200);
        assert_eq!(ann.get("/api/upstream/notes/v1/x").await.status, call, "what it sealed opens while it is listed");
        assert_eq!(server.stop(), Some(0));
    }
}

#[tokio::test]
async fn the_answer_to_an_old_id_does_not_take_back_a_new_one() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let old = ann.copy();
    ann.sign_in("Ann").await;
    old.get("/").await;
    assert!(old.cookie("thoughts").is_some(), "another tab may have put the new id in its place by now");
}

#[tokio::test]
async fn ending_the_session_in_use_is_signing_out() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let (action, _) = ann.get("/profile").await.form(".sessions li:has(.for) button");
    let answer = ann.post(&action, &[("_method", "delete")]).await;
    assert!(answer.location().unwrap().contains("id_token_hint="));
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(ann.get("/profile").await.status, 303);
}
