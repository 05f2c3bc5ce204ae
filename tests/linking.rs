//! Several providers, one member: linking a second one while signed in, unlinking, and never by e-mail.

use std::time::Duration;

use reqwest::Method;

use crate::support::browser::{Browser, JavaScript};
use crate::support::{Answer, Person, Site};

/// Signs in by the provider of this name, in its own browser.
async fn by(site: &Site, provider: &str, name: &str) -> Person {
    let person = site.stranger();
    let login = person.get(&format!("/login?provider={provider}")).await;
    let callback = person.at_provider(&login.location().unwrap(), name, &[]).await;
    let answer = person.get(&callback).await;
    assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some("/")), "{}", answer.body);
    person
}

/// Starts linking the second provider, and gives the callback's URL once this name was typed there.
async fn to_link(person: &Person, name: &str) -> String {
    let started = person.post("/profile/providers/other", &[]).await;
    assert_eq!(started.status, 303, "{}", started.body);
    person.at_provider(&started.location().unwrap(), name, &[]).await
}

async fn link(person: &Person, name: &str) -> Answer {
    person.get(&to_link(person, name).await).await
}

async fn unlink(person: &Person, provider: &str) -> Answer {
    person.form(Method::DELETE, &format!("/profile/providers/{provider}"), &[]).await
}

async fn handle(person: &Person) -> String {
    person.get("/api/me").await.json()["handle"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_linked_provider_signs_the_same_member_in() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    let cookie = ann.cookie("thoughts");
    let answer = link(&ann, "Ann Elsewhere").await;
    assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some("/profile")));
    assert_eq!(ann.cookie("thoughts"), cookie, "the session is the one it was");
    assert_eq!(ann.get("/api/me").await.json()["name"], "Ann", "and what she is called");
    let profile = ann.get("/profile").await;
    assert!(!profile.has("button[aria-label='Link other']") && profile.has("button[aria-label='Unlink other']"));

    assert_eq!(handle(&by(&site, "other", "Ann Elsewhere").await).await, "ann");
    assert_eq!(handle(&by(&site, "main", "Ann").await).await, "ann");
    assert_eq!(ann.get("/profile").await.texts("button[aria-label^='End the session of']").len(), 3);
}

#[tokio::test]
async fn the_provider_signed_in_with_last_says_what_one_is_called() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    link(&ann, "Ann Elsewhere").await;
    by(&site, "other", "Ann Elsewhere").await;
    assert_eq!(ann.get("/api/me").await.json()["name"], "Ann Elsewhere");
    by(&site, "main", "Ann").await;
    assert_eq!(ann.get("/api/me").await.json()["name"], "Ann");
}

#[tokio::test]
async fn the_same_e_mail_at_two_providers_is_two_members() {
    let site = Site::with_two_providers("").await;
    let (one, other) = (by(&site, "main", "Ann").await, by(&site, "other", "Ann").await);
    let email = |answer: Answer| answer.json()["email"].clone();
    assert_eq!(email(one.get("/api/me").await), email(other.get("/api/me").await));
    assert_eq!((handle(&one).await.as_str(), handle(&other).await.as_str()), ("ann", "ann2"));
}

#[tokio::test]
async fn an_account_of_another_member_is_not_linked_and_nobody_is_made_one() {
    let site = Site::with_two_providers("").await;
    let (ann, bob) = (by(&site, "main", "Ann").await, by(&site, "other", "Bob").await);
    let page = link(&ann, "Bob").await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (409, "This account belongs to another member"));
    assert_eq!(page.text(".note code"), page.header("x-request-id"));
    assert!(page.text("main").contains("Nothing was changed"), "{}", page.text("main"));
    assert_eq!((handle(&ann).await.as_str(), handle(&bob).await.as_str()), ("ann", "bob"));
    assert_eq!(handle(&by(&site, "other", "Bob").await).await, "bob");
    assert!(ann.get("/profile").await.has("button[aria-label='Link other']"));
}

#[tokio::test]
async fn whom_the_configuration_keeps_out_can_not_be_linked() {
    let site = Site::with_two_providers("allow = ['groups=staff']").await;
    let ann = by(&site, "main", "Ann").await;
    let page = link(&ann, "Ann").await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (403, "You are not on the list"));
    assert!(ann.get("/profile").await.has("button[aria-label='Link other']"));
}

#[tokio::test]
async fn who_declines_at_the_provider_has_linked_nothing() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    let callback = to_link(&ann, "Ann").await;
    let state =
        url::Url::parse(&callback).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let page = ann
        .get(&format!("/callback?error=access_denied&state={state}&iss={}", site.other.as_ref().unwrap().issuer()))
        .await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (403, "Nothing was linked"));
    assert_eq!(page.attribute(".message a.button", "href"), "/profile");
    assert_eq!(handle(&ann).await, "ann");
}

#[tokio::test]
async fn an_unlinked_provider_signs_in_a_new_member_and_its_sessions_end() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    link(&ann, "Ann Elsewhere").await;
    let elsewhere = by(&site, "other", "Ann Elsewhere").await;
    assert_eq!(unlink(&ann, "other").await.location().unwrap(), "/profile");
    assert_eq!(elsewhere.get("/profile").await.status, 303);
    assert_eq!(handle(&ann).await, "ann");
    assert_ne!(handle(&by(&site, "other", "Ann Elsewhere").await).await, "ann");
    assert_eq!(unlink(&ann, "other").await.status, 404);
}

#[tokio::test]
async fn the_last_one_and_the_one_in_use_stay() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    let last = unlink(&ann, "main").await;
    assert_eq!(last.status, 403);
    assert!(last.text("main").contains("the only way you can sign in"), "{}", last.text("main"));
    link(&ann, "Ann").await;
    let in_use = unlink(&ann, "main").await;
    assert_eq!(in_use.status, 403);
    assert!(in_use.text("main").contains("You are signed in with this one"), "{}", in_use.text("main"));
    assert!(!ann.get("/profile").await.has("button[aria-label='Unlink main']"));
    assert_eq!(unlink(&by(&site, "other", "Ann").await, "main").await.location().unwrap(), "/profile");
    assert_eq!(ann.get("/profile").await.status, 303, "her session began with what is unlinked now");
    assert_eq!(handle(&by(&site, "other", "Ann").await).await, "ann");
}

#[tokio::test]
async fn linking_and_unlinking_need_a_recent_sign_in() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    link(&ann, "Ann").await;
    site.clock.advance(Duration::from_mins(5));
    for (method, name) in [(Method::POST, "main"), (Method::POST, "other"), (Method::DELETE, "other")] {
        let answer = ann.form(method.clone(), &format!("/profile/providers/{name}"), &[]).await;
        assert_eq!(answer.location().unwrap(), "/login?return_to=%2Fprofile&for=confirm", "{method} {name}");
    }
    assert!(ann.get("/profile").await.has("button[aria-label='Unlink other']"));
    let login = ann.get("/login?return_to=%2Fprofile&for=confirm").await;
    assert!(login.location().unwrap().starts_with(site.provider.issuer()), "with the provider of the session, unasked");
}

#[tokio::test]
async fn either_provider_confirms_the_session_that_was_begun_with_it_alone() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    link(&ann, "Ann").await;
    let elsewhere = by(&site, "other", "Ann").await;
    site.clock.advance(Duration::from_mins(5));
    let login = elsewhere.get("/login?return_to=%2Fprofile&for=confirm&provider=main").await;
    assert!(login.location().unwrap().starts_with(site.other.as_ref().unwrap().issuer()));
}

#[tokio::test]
async fn linking_starts_by_a_form_of_ours_alone() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    assert_eq!(ann.get("/profile/providers/other").await.status, 405);
    let evil = ann.saying("origin", "https://evil.example");
    assert_eq!(evil.post("/profile/providers/other", &[]).await.status, 403);
    let login = ann.get("/login?provider=other&for=link&return_to=%2Fprofile").await;
    let callback = ann.at_provider(&login.location().unwrap(), "Eve", &[]).await;
    ann.get(&callback).await;
    assert_eq!(handle(&ann).await, "eve", "that is a sign-in like any other");
    assert_eq!(by(&site, "main", "Ann").await.get("/profile").await.texts("button[aria-label^='Unlink']").len(), 0);
}

#[tokio::test]
async fn another_sessions_sign_in_links_nothing() {
    let site = Site::with_two_providers("").await;
    let (ann, eve) = (by(&site, "main", "Ann").await, by(&site, "main", "Eve").await);
    // Eve has Ann's browser open the end of a sign-in that Eve began.
    let callback = to_link(&eve, "Eve").await;
    ann.get(&callback).await;
    assert!(ann.get("/profile").await.has("button[aria-label='Link other']"));
    // Even with the note of it in Ann's browser.
    let note = eve.cookie_header();
    let note = note
        .split("; ")
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| name.starts_with("thoughts-sign-in-"));
    note.for_each(|(name, value)| ann.set_cookie(name, value));
    let page = ann.get(&callback).await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (403, "This sign-in can't be finished"));
    assert!(ann.get("/profile").await.has("button[aria-label='Link other']"));
    assert_eq!(handle(&ann).await, "ann");
    assert_eq!(site.other.as_ref().unwrap().issued_tokens().len(), 0, "no code was redeemed");
}

#[tokio::test]
async fn a_provider_that_is_linked_or_unknown_is_not_gone_to() {
    let site = Site::with_two_providers("").await;
    let ann = by(&site, "main", "Ann").await;
    assert_eq!(ann.post("/profile/providers/main", &[]).await.location().unwrap(), "/profile");
    assert_eq!(ann.post("/profile/providers/nobody", &[]).await.status, 404);
    assert_eq!(unlink(&ann, "nobody").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_with_scripts_a_provider_is_linked_and_unlinked() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = Site::with_two_providers("").await;
    browser.goto(&format!("{}/login?provider=main", site.base)).await;
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.click("#navigation a.me").await;
    browser.click("button[aria-label='Link other']").await;
    browser.type_into("input[name=name]", "Ann Elsewhere").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.click("button[aria-label='Unlink other']").await;
    browser.see_text("div[@id='status']", "Unlinked.").await;
    browser.see("button[aria-label='Link other']").await;
    browser.close().await;
}
