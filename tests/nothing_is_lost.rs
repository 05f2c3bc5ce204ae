//! A form that is sent after its session has ended: the text comes through the sign-in, to the same person alone.

use std::time::Duration;

use reqwest::Method;

use crate::support::{Person, Site, site};

const FIELDS: [(&str, &str); 2] = [("message", "Long and *dear*"), ("visibility", "private")];

/// Ann, whose session has been ended from elsewhere while she wrote.
async fn signed_out(site: &Site) -> Person {
    let (ann, laptop) = (site.member("Ann").await, site.member("Ann").await);
    laptop.form(Method::DELETE, "/profile/sessions", &[]).await;
    ann
}

#[tokio::test]
async fn the_text_waits_in_the_form_and_is_not_shared_by_itself() {
    let site = site().await;
    let ann = signed_out(&site).await;
    let refused = ann.post("/thoughts", &FIELDS).await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fshare-thought");
    let form = ann.follow(ann.sign_in_with("Ann", &[], "/share-thought").await).await;
    assert_eq!(form.text("textarea"), "Long and *dear*");
    assert_eq!(form.attribute("option[selected]", "value"), "private");
    assert!(!ann.get("/").await.has("#thoughts article"));
    ann.share("Long and *dear*", "private").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "", "it has been sent");
}

#[tokio::test]
async fn a_session_that_ran_out_loses_nothing_either() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h")]).await;
    let ann = site.member("Ann").await;
    site.clock.advance(Duration::from_hours(2));
    ann.post("/thoughts", &FIELDS).await;
    ann.sign_in("Ann").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "Long and *dear*");
}

#[tokio::test]
async fn a_session_whose_longest_time_is_over_loses_nothing_for_an_hour() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h"), ("THOUGHTS_SESSION_MAX", "2h")]).await;
    let ann = site.member("Ann").await;
    site.clock.advance(Duration::from_mins(2 * 60 + 59));
    site.runs("purge sessions").await;
    ann.post("/thoughts", &FIELDS).await;
    ann.sign_in("Ann").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "Long and *dear*");
}

#[tokio::test]
async fn a_sign_out_in_another_tab_loses_nothing_either() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.post("/logout", &[]).await;
    let refused = ann.post("/thoughts", &FIELDS).await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fshare-thought");
    ann.sign_in("Ann").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "Long and *dear*");
}

#[tokio::test]
async fn what_is_typed_once_another_has_signed_in_is_never_kept_for_who_signed_out_before() {
    let site = site().await;
    let browser = site.member("Ann").await;
    browser.post("/logout", &[]).await;
    browser.sign_in("Bob").await;
    // As a browser does when a cookie's time is up.
    browser.forget_cookie("thoughts");
    browser.post("/thoughts", &FIELDS).await;
    browser.sign_in("Ann").await;
    assert_eq!(browser.get("/share-thought").await.text("textarea"), "");
}

#[tokio::test]
async fn an_edit_comes_back_in_its_own_form() {
    let site = site().await;
    let (ann, laptop) = (site.member("Ann").await, site.member("Ann").await);
    let path = laptop.share("Before", "public").await;
    let (action, mut fields) = ann.get(&format!("{path}/edit")).await.form("textarea");
    laptop.form(Method::DELETE, "/profile/sessions", &[]).await;
    fields.extend([("message".into(), "After".into()), ("visibility".into(), "members".into())]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let refused = ann.post(&action, &fields).await;
    assert!(refused.location().unwrap().ends_with("%2Fedit"), "{:?}", refused.location());
    ann.sign_in("Ann").await;
    assert_eq!(ann.get(&format!("{path}/edit")).await.text("textarea"), "After");
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "");
    assert_eq!(ann.get(&path).await.text("article .words"), "Before");
}

#[tokio::test]
async fn an_edit_that_names_its_thought_by_the_address_alone_comes_back_in_its_own_form_too() {
    let site = Site::with(&[("base path", "/notes")]).await;
    let (ann, laptop) = (site.member("Ann").await, site.member("Ann").await);
    let path = laptop.share("Before", "public").await;
    let path = path.strip_prefix("/notes").unwrap();
    laptop.form(Method::DELETE, "/profile/sessions", &[]).await;
    let refused = ann.form(Method::PUT, path, &[("message", "After"), ("visibility", "members")]).await;
    assert!(refused.location().unwrap().ends_with("%2Fedit"), "{:?}", refused.location());
    ann.sign_in("Ann").await;
    assert_eq!(ann.get(&format!("{path}/edit")).await.text("textarea"), "After");
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "");
}

#[tokio::test]
async fn nobody_else_sees_it_in_the_same_browser_or_another() {
    let site = site().await;
    let ann = signed_out(&site).await;
    ann.post("/thoughts", &FIELDS).await;
    ann.sign_in("Bob").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "");
    assert_eq!(site.member("Ann").await.get("/share-thought").await.text("textarea"), "", "it is bound to its browser");
}

#[tokio::test]
async fn it_waits_for_an_hour() {
    let site = site().await;
    let ann = signed_out(&site).await;
    ann.post("/thoughts", &FIELDS).await;
    let hour = site.clock.now().saturating_add(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(site.app.store.purge_unsent(hour, 10).await.unwrap(), 1);
    ann.sign_in("Ann").await;
    assert_eq!(ann.get("/share-thought").await.text("textarea"), "");
}

#[tokio::test]
async fn whoever_never_had_a_session_leaves_nothing_behind() {
    let site = site().await;
    let stranger = site.stranger();
    let refused = stranger.post("/thoughts", &FIELDS).await;
    assert_eq!(refused.status, 303);
    assert!(refused.headers.get("set-cookie").is_none());
    stranger.set_cookie("thoughts", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert!(stranger.post("/thoughts", &FIELDS).await.headers.get("set-cookie").is_none());
}
