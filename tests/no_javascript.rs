//! The main job in a real browser, without scripts.

use crate::support::browser::{Browser, JavaScript};
use crate::support::site;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_shares_a_thought_and_sees_it_in_the_feed() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "Hello **without** scripts").await;
    browser.click("#composer .controls > button:last-child").await;
    browser.see_text("article//strong", "without").await;
    browser.click_text("a", "Back to the feed").await;
    browser.see_text("ol[@id='thoughts']//strong", "without").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thought_is_previewed_edited_deleted_and_put_back() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "*First*").await;
    browser.click_text("button", "Preview").await;
    browser.see_text("div//em", "First").await;
    browser.click("#composer .controls > button:last-child").await;
    browser.click_text("a", "Edit").await;
    browser.type_into("#message", " and second").await;
    browser.click_text("button", "Preview").await;
    browser.see_text("div[@id='preview']//p", "and second").await;
    browser.click_text("button", "Save").await;
    browser.see_text("article//p", "and second").await;
    browser.click_text("button", "Delete").await;
    browser.click_text("button", "Undo").await;
    browser.see_text("article//p", "and second").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_out() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.click_text("button", "Sign out").await;
    browser.see_text("h1", "You are signed out").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_through_a_sign_in() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "Long and dear").await;
    site.member("Ann").await.form(reqwest::Method::DELETE, "/profile/sessions", &[]).await;
    browser.click("#composer .controls > button:last-child").await;
    // The provider still knows who this is, and asks only whether to go on.
    browser.click_text("button", "Continue as").await;
    browser.see_text("p", "You were signed out before this was sent").await;
    browser.click("#composer .controls > button:last-child").await;
    browser.see_text("article//p", "Long and dear").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_through_a_sign_out_in_another_tab() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "Long and dear").await;
    let here = browser.client.window().await.unwrap();
    let there = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(there).await.unwrap();
    browser.goto(&format!("{}/profile", site.base)).await;
    browser.click_text("button", "Sign out").await;
    browser.see_text("h1", "You are signed out").await;
    browser.client.switch_to_window(here).await.unwrap();
    browser.click("#composer .controls > button:last-child").await;
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("p", "You were signed out before this was sent").await;
    browser.close().await;
}
