//! The main job in a real browser, with scripts.

use crate::support::browser::{Browser, JavaScript};
use crate::support::site;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_shares_a_thought_and_sees_it_in_the_feed() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann Smith").await;
    let before = browser.client.execute("window.stays = true; return document.title", vec![]).await.unwrap();
    assert_eq!(before, "Thoughts");
    browser.type_into("#message", "Hello from **Chromium**").await;
    browser.see_text("div[@id='preview']//strong", "Chromium").await;
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//strong", "Chromium").await;
    browser.see_text("div[@id='status']", "Shared.").await;
    let state = "return [document.activeElement.id, document.getElementById('message').value, window.stays === true]";
    let state = browser.client.execute(state, vec![]).await.unwrap();
    assert_eq!(state, serde_json::json!(["message", "", true]), "the cursor is in the emptied form of the same page");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_swap_the_main_part_push_the_address_and_move_the_focus_to_the_heading() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.client.execute("window.stays = true", vec![]).await.unwrap();
    browser.click("#navigation a.me").await;
    browser.see_text("h2", "Where you are signed in").await;
    let state = "return [location.pathname, document.activeElement.tagName, window.stays === true, document.title,
        document.querySelector('#navigation a[aria-current]').textContent.trim().endsWith('Profile')]";
    let state = browser.client.execute(state, vec![]).await.unwrap();
    assert_eq!(state, serde_json::json!(["/profile", "H1", true, "Profile · Thoughts", true]));
    browser.client.back().await.unwrap();
    browser.see("#composer").await;
    assert_eq!(browser.url().await, format!("{}/", site.base));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_there_for_want_of_scripts_is_not_shown() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    let shown = "return document.getElementById('composer').innerText.includes('Preview')";
    assert_eq!(browser.client.execute(shown, vec![]).await.unwrap(), false, "in a whole page");
    browser.type_into("#message", "Hello").await;
    browser.click("#composer .controls > button").await;
    browser.see_text("div[@id='status']", "Shared.").await;
    assert_eq!(browser.client.execute(shown, vec![]).await.unwrap(), false, "in a fragment");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_thought_can_be_put_back_where_it_was() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Ann").await.share("Oops", "public").await;
    browser.sign_in(&site.base, "Ann").await;
    browser.click_text("button", "Delete").await;
    browser.click_text("article//button", "Undo").await;
    browser.see_text("article//p", "Oops").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_thoughts_come_as_one_scrolls() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=45 {
        ann.share(&format!("Thought {number}"), "public").await;
    }
    browser.goto(&format!("{}/", site.base)).await;
    for number in [20, 1] {
        let scroll = "window.scrollTo(0, document.body.scrollHeight)";
        browser.client.execute(scroll, vec![]).await.unwrap();
        browser.see_text("article//p", &format!("Thought {number}")).await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_out_is_not_there_when_one_goes_back() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Ann").await.share("For members", "members").await;
    browser.sign_in(&site.base, "Bob").await;
    browser.see_text("article//p", "For members").await;
    browser.click_text("button", "Sign out").await;
    browser.see_text("h1", "You are signed out").await;
    browser.click_text("a", "To the feed").await;
    browser.see_text("p", "Sign in to write").await;
    for _ in 0..4 {
        browser.client.back().await.unwrap();
        browser.see("body").await;
        assert!(!browser.source().await.contains("For members"), "at {}", browser.url().await);
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_that_a_person_typed_is_inert_though_the_sanitizer_failed() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    // As if a sanitizer had let it through: put where typed words stand, and given to htmx as an answer would be.
    let typed = r#"<a id="bait" hx-get="/profile" hx-trigger="load" hx-target="body">bait</a>
        <div id="navigation" hx-swap-oob="true">stolen</div><script>window.stolen = true</script>"#;
    let swap = "const [text, done] = arguments;
        htmx.swap({ text, target: document.getElementById('preview'), swap: 'innerHTML', sourceElement: document.body, request: {} })
            .then(() => done(document.getElementById('navigation').textContent + String(window.stolen)))";
    let after = browser.client.execute_async(swap, vec![typed.into()]).await.unwrap();
    let after = after.as_str().unwrap();
    assert!(after.contains("Profile") && after.ends_with("undefined"), "{after}");
    let bait = "return document.getElementById('bait').hasAttribute('hx-get')";
    assert_eq!(browser.client.execute(bait, vec![]).await.unwrap(), false);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_beside_the_form_and_what_was_typed_stays() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "Long and dear").await;
    // More than any form of ours can hold, where nobody has to lay it out.
    let stuff =
        "const much = document.createElement('input'); much.type = 'hidden'; much.name = 'much'; much.id = 'much';
        much.value = 'x'.repeat(3_000_000); document.getElementById('composer').append(much)";
    browser.client.execute(stuff, vec![]).await.unwrap();
    browser.click("#composer .controls > button").await;
    browser.see_text("div[@id='panel']//strong", "Too long").await;
    let typed = "return document.getElementById('message').value";
    assert_eq!(browser.client.execute(typed, vec![]).await.unwrap(), "Long and dear");
    browser.client.execute("document.getElementById('much').remove()", vec![]).await.unwrap();
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Long and dear").await;
    let panel = "return document.getElementById('panel').textContent";
    assert_eq!(browser.client.execute(panel, vec![]).await.unwrap(), "", "it is over once something has worked");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_goes_to_a_page_and_back_and_links_still_swap() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Ann").await.share("Hello!", "public").await;
    browser.goto(&format!("{}/", site.base)).await;
    browser.client.execute("window.stays = true", vec![]).await.unwrap();
    for _ in 0..2 {
        browser.click("article a.name").await;
        browser.see_text("h1", "Ann").await;
        browser.client.back().await.unwrap();
        browser.see_text("p", "Sign in to write").await;
    }
    let state = "return [window.stays === true, document.body.hasAttribute('hx-boost:inherited'), document.activeElement.tagName]";
    let state = browser.client.execute(state, vec![]).await.unwrap();
    assert_eq!(state, serde_json::json!([true, true, "H1"]));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_happens_is_announced_anew_and_focus_is_never_lost() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Ann").await.share("Oops", "public").await;
    browser.sign_in(&site.base, "Ann").await;
    browser.click_text("button", "Delete").await;
    browser.see_text("div[@id='status']", "Deleted.").await;
    let focused = "return document.activeElement.textContent.trim()";
    assert_eq!(browser.client.execute(focused, vec![]).await.unwrap(), "Undo");
    browser.click_text("article//button", "Undo").await;
    browser.see_text("div[@id='status']", "Restored.").await;
    let state = "const region = document.getElementById('status');
        return [document.activeElement.tagName, getComputedStyle(region).visibility]";
    let state = browser.client.execute(state, vec![]).await.unwrap();
    assert_eq!(state, serde_json::json!(["ARTICLE", "visible"]));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_main_job_breaks_its_own_policy() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    let watch = "window.broken = []; document.addEventListener('securitypolicyviolation', (e) => window.broken.push(e.violatedDirective))";
    browser.client.execute(watch, vec![]).await.unwrap();
    browser.type_into("#message", "Hello **there**").await;
    browser.see_text("div[@id='preview']//strong", "there").await;
    browser.click("#composer .controls > button").await;
    browser.click_text("a", "Edit").await;
    browser.see_text("h1", "Edit your thought").await;
    browser.click("#navigation a.me").await;
    browser.see_text("h2", "Where you are signed in").await;
    let broken = browser.client.execute("return window.broken", vec![]).await.unwrap();
    assert_eq!(broken, serde_json::json!([]));
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_outlives_a_reload_and_is_gone_once_it_is_shared() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    browser.sign_in(&site.base, "Ann").await;
    browser.type_into("#message", "Half a thought").await;
    browser.client.refresh().await.unwrap();
    let typed = "return document.getElementById('message')?.value";
    browser.see("form[data-draft]").await;
    assert_eq!(browser.client.execute(typed, vec![]).await.unwrap(), "Half a thought");
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Half a thought").await;
    browser.client.refresh().await.unwrap();
    browser.see("form[data-draft]").await;
    assert_eq!(browser.client.execute(typed, vec![]).await.unwrap(), "");
    browser.close().await;
}
