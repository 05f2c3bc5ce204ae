//! API tokens: a member lets a program in, to as much as they like, for as long as they like.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::program::{Server, files};
use crate::support::{Answer, Person, Site, site};

/// Makes a token by the form, and gives its secret.
pub async fn made(person: &Person, scope: &str) -> String {
    let page = create(person, &[("scope", scope)]).await;
    assert_eq!(page.status, 201, "{}", page.body);
    page.text(".secret")
}

/// Sends the form as it stands on the page, with these fields instead.
async fn create(person: &Person, fields: &[(&str, &str)]) -> Answer {
    let (action, hidden) = person.get("/profile/api-tokens").await.form("#name");
    let mut all = vec![("name", "Backup script"), ("scope", "read write"), ("expires", "30")];
    all.extend(hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    all.extend(fields);
    person.post(&action, &all).await
}

/// Where the latest token of this person is revoked.
pub async fn latest(person: &Person) -> String {
    person.get("/profile").await.form(".tokens li:first-child button").0
}

pub async fn revoke_latest(person: &Person) {
    let answer = person.post(&latest(person).await, &[("_method", "delete")]).await;
    assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some("/profile")));
}

/// A program with this token, which keeps no cookies.
fn program(site: &Site, token: &str) -> Person {
    site.stranger().saying("authorization", &format!("Bearer {token}"))
}

/// The refusal of a token, to the letter.
pub fn challenged(answer: &Answer, status: u16, challenge: &str, called: &str) {
    assert_eq!(answer.status, status, "{called}: {}", answer.body);
    assert_eq!(answer.header("www-authenticate"), challenge, "{called}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{called}");
    assert_eq!(answer.header("cache-control"), "no-store", "{called}");
}

fn invalid(answer: &Answer, called: &str) {
    challenged(answer, 401, r#"Bearer error="invalid_token""#, called);
}

#[tokio::test]
async fn a_program_does_in_a_members_name_what_they_can_do() {
    let site = site().await;
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    let script = program(&site, &made(&ann, "read write").await);
    let me = script.get("/api/me").await.json();
    assert_eq!((&me["handle"], &me["groups"]), (&json!("ann"), &json!(["friends"])));
    let thought = json!({ "message": "By a script", "visibility": "group:friends" });
    let created = script.json(Method::POST, "/api/thoughts", &thought).await;
    assert_eq!(created.status, 201);
    let path = created.location().unwrap();
    assert_eq!(script.json(Method::PUT, &path, &json!({ "message": "Changed" })).await.status, 200);
    assert_eq!(script.get("/api/thoughts").await.json()["thoughts"][0]["message"], "Changed");
    assert_eq!(ann.get(&path).await.json()["author"]["handle"], "ann");
    assert_eq!(script.send(Method::DELETE, &path, None, "").await.status, 204);
    assert!(script.cookie_header().is_empty(), "a program is given no cookie");
}

#[tokio::test]
async fn a_program_sees_no_more_than_its_member() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let private = format!("/api{}", ann.share("For me", "private").await);
    let (anns, bobs) = (made(&ann, "read").await, made(&bob, "read write").await);
    assert_eq!(program(&site, &anns).get(&private).await.status, 200);
    assert_eq!(program(&site, &bobs).get(&private).await.status, 404);
    let members = format!("/api{}", ann.share("For members", "members").await);
    assert_eq!(program(&site, &bobs).send(Method::DELETE, &members, None, "").await.status, 403);
}

#[tokio::test]
async fn a_bad_token_is_refused_whatever_else_would_do() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let good = made(&ann, "read").await;
    let unknown = format!("thoughts_{}", "A".repeat(43));
    for bad in ["", "x", "thoughts_", &unknown, &good[9..], &format!("{good}A"), &ann.cookie("thoughts").unwrap()] {
        for (person, who) in [(ann.clone(), "with a session"), (site.stranger(), "without")] {
            let person = person.saying("authorization", &format!("Bearer {bad}"));
            invalid(&person.get("/api/me").await, &format!("{bad:?} {who}"));
            invalid(&person.get("/api/thoughts").await, &format!("{bad:?} {who}, where anyone may read"));
            invalid(&person.get("/api/nothing").await, &format!("{bad:?} {who}, where there is nothing"));
            assert_eq!(person.get("/").await.status, 200, "a page looks at no token");
        }
    }
    let twice = program(&site, &good).saying("authorization", &format!("Bearer {good}"));
    invalid(&twice.get("/api/me").await, "two at once");
    assert_eq!(ann.saying("authorization", "Basic YTpi").get("/api/me").await.status, 200, "a proxy's affair");
}

#[tokio::test]
async fn a_token_counts_and_not_the_session_beside_it() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let both = bob.saying("authorization", &format!("Bearer {}", made(&ann, "read").await));
    assert_eq!(both.get("/api/me").await.json()["handle"], "ann");
    let thought = json!({ "message": "Hi", "visibility": "public" });
    assert_eq!(both.json(Method::POST, "/api/thoughts", &thought).await.status, 403, "its scope counts as well");
}

#[tokio::test]
async fn a_token_for_reading_changes_nothing() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = format!("/api{}", ann.share("Mine", "public").await);
    let script = program(&site, &made(&ann, "read").await);
    assert_eq!(script.get(&path).await.status, 200);
    for (method, path) in [(Method::POST, "/api/thoughts"), (Method::PUT, &path), (Method::DELETE, &path)] {
        let answer = script.json(method.clone(), path, &json!({ "message": "Hi", "visibility": "public" })).await;
        challenged(&answer, 403, r#"Bearer error="insufficient_scope", scope="read write""#, method.as_str());
    }
    let form = script.post(&path, &[("_method", "delete")]).await;
    assert_eq!((form.status.as_u16(), ann.get(&path).await.json()["message"].clone()), (403, json!("Mine")));
}

#[tokio::test]
async fn where_a_request_comes_from_matters_to_a_cookie_and_not_to_a_token() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let script = program(&site, &made(&ann, "read write").await);
    let thought = json!({ "message": "Hi", "visibility": "public" });
    for (name, value) in [("origin", "https://app.example"), ("sec-fetch-site", "cross-site")] {
        assert_eq!(
            script.saying(name, value).json(Method::POST, "/api/thoughts", &thought).await.status,
            201,
            "{name}"
        );
        assert_eq!(ann.saying(name, value).json(Method::POST, "/api/thoughts", &thought).await.status, 403, "{name}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once_and_stays_off_the_list() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let script = program(&site, &made(&ann, "read").await);
    assert_eq!(script.get("/api/me").await.status, 200);
    let answer = ann.htmx().form(Method::DELETE, &latest(&ann).await, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text("#status, [hx-swap-oob='innerHTML:#status']").contains("Token revoked."));
    assert!(!answer.has(".tokens") && !answer.has("html[lang]"), "{}", answer.body);
    invalid(&script.get("/api/me").await, "revoked");
}

#[tokio::test]
async fn one_revokes_ones_own_tokens_alone() {
    let site = site().await;
    let (ann, root) = (site.member("Ann").await, site.admin("Root").await);
    let script = program(&site, &made(&ann, "read").await);
    assert_eq!(root.form(Method::DELETE, &latest(&ann).await, &[]).await.status, 404);
    assert_eq!(script.get("/api/me").await.status, 200);
}

#[tokio::test]
async fn a_token_expires_when_it_was_said_to_and_says_so() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "400d"), ("THOUGHTS_SESSION_MAX", "800d")]).await;
    let ann = site.member("Ann").await;
    let month = create(&ann, &[("expires", "30")]).await.text(".secret");
    let forever = create(&ann, &[("expires", "never"), ("name", "For good")]).await.text(".secret");
    site.clock.advance(Duration::from_hours(30 * 24 - 1));
    assert_eq!(program(&site, &month).get("/api/me").await.status, 200);
    site.clock.advance(Duration::from_hours(1));
    let refused = program(&site, &month).get("/api/me").await;
    invalid(&refused, "expired");
    assert!(refused.json()["detail"].as_str().unwrap().contains("has expired"));
    assert_eq!(program(&site, &forever).get("/api/me").await.status, 200);
    let rows = ann.get("/profile").await.texts(".tokens li");
    assert!(rows[0].contains("For good") && rows[0].contains("never expires"), "{rows:?}");
    assert!(rows[1].contains("Expired") && rows[1].contains("Remove"), "{rows:?}");
}

#[tokio::test]
async fn the_list_says_when_a_token_was_used_to_the_minute() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let script = program(&site, &made(&ann, "read").await);
    assert!(ann.get("/profile").await.text(".tokens li").contains("never used"));
    let mut noted = Vec::new();
    for seconds in [0, 59, 1] {
        site.clock.advance(Duration::from_secs(seconds));
        script.get("/api/me").await;
        noted.push(ann.get("/profile").await.attribute(".tokens .meta span:nth-child(2) time", "datetime"));
    }
    assert!(noted[0] == noted[1] && noted[1] != noted[2], "{noted:?}");
}

#[tokio::test]
async fn the_secret_is_shown_once_by_page_and_by_fragment_and_kept_by_nobody() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for person in [ann.clone(), ann.htmx()] {
        let answer = create(&person, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "private, no-store"));
        let secret = answer.text(".secret");
        assert!(secret.starts_with("thoughts_") && secret.len() == 52, "{secret}");
        assert_eq!(answer.body.matches(&secret).count(), 1);
        assert!(answer.headers.iter().all(|(_, value)| !value.to_str().unwrap().contains(&secret)));
        for path in ["/profile", "/profile/api-tokens", "/api/me"] {
            assert!(!ann.get(path).await.body.contains(&secret), "{path}");
        }
    }
}

#[tokio::test]
async fn a_form_that_is_sent_again_makes_no_second_token_and_does_not_show_the_first() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let (action, hidden) = ann.get("/profile/api-tokens").await.form("#name");
    let once = hidden.iter().find(|(name, _)| name == "once").unwrap().1.clone();
    let fields = [("name", "x"), ("scope", "read"), ("expires", "30"), ("once", &once)];
    let secret = ann.post(&action, &fields).await.text(".secret");
    for person in [ann.clone(), ann.htmx()] {
        let again = person.post(&action, &fields).await;
        assert_eq!((again.status.as_u16(), again.text("h1").as_str()), (200, "This token was made already"));
        assert!(!again.body.contains(&secret) && !again.has(".secret"));
    }
    assert_eq!(ann.get("/profile").await.texts(".tokens li").len(), 1);
    revoke_latest(&ann).await;
    ann.post(&action, &fields).await;
    assert!(!ann.get("/profile").await.has(".tokens li"), "a reload brings nothing back");
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_as_it_was_filled_in() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let long = "x".repeat(61);
    for (fields, note) in [
        ([("name", " "), ("scope", "read")], "#name-note"),
        ([("name", &long), ("scope", "read")], "#name-note"),
        ([("name", "<b>"), ("scope", "all")], "#scope-note"),
        ([("name", "<b>"), ("expires", "31")], "#expires-note"),
    ] {
        for person in [ann.clone(), ann.htmx()] {
            let answer = create(&person, &fields).await;
            assert_eq!(answer.status, 422, "{fields:?}");
            assert!(answer.has(&format!("form {note}[role=alert]")), "{fields:?}: {}", answer.body);
            assert_eq!(answer.attribute("#name", "value"), fields[0].1);
        }
    }
    assert!(!ann.get("/profile").await.has(".tokens"));
}

#[tokio::test]
async fn a_member_has_fifty_tokens_and_is_told_so() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for _ in 0..50 {
        made(&ann, "read").await;
    }
    let answer = create(&ann, &[]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text("#name-note").contains("50 tokens"), "{}", answer.text("#name-note"));
    revoke_latest(&ann).await;
    made(&ann, "read").await;
}

#[tokio::test]
async fn no_api_token_is_in_the_log_or_in_the_data() {
    let site = site().await;
    let (server, folder, ann) = Server::that_logs_everything(&site).await;
    let secret = made(&ann, "read write").await;
    let script = Person::new(&server.base).saying("authorization", &format!("Bearer {secret}"));
    let thought = json!({ "message": "Hi", "visibility": "public" });
    assert_eq!(script.json(Method::POST, "/api/thoughts", &thought).await.status, 201);
    revoke_latest(&ann).await;
    assert_eq!(script.get("/api/me").await.status, 401);
    let said = server.until_it_says("authn_token_fail").await;
    for event in ["authn_token_created", "authn_token_revoked", "authn_token_fail", "cause=\"unknown\""] {
        assert!(said.contains(event), "{event}");
    }
    let mut kept = said.into_bytes();
    kept.extend(files(folder.path()));
    let random = &secret["thoughts_".len()..];
    assert!(!kept.windows(random.len()).any(|bytes| bytes == random.as_bytes()), "the secret is written down as it is");
}
