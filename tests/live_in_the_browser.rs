//! What changes, seen in a real browser while one looks; and what becomes of a tab whose session has ended.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use thoughts::demo::LogoutTarget;
use thoughts::domain::session::End;

use crate::support::browser::{Browser, JavaScript};
use crate::support::{Person, Site, site};

/// Counts from now on what breaks: an error of ours, or of the page's own policy.
async fn watch(browser: &Browser) {
    let watch = "window.broken = []; for (const event of ['error', 'unhandledrejection', 'htmx:error', 'htmx:security:strip'])
        addEventListener(event, (e) => window.broken.push(event + ' ' + (e.message ?? e.reason ?? JSON.stringify(e.detail?.error?.message))));
        document.addEventListener('securitypolicyviolation', (e) => window.broken.push(e.violatedDirective));";
    browser.client.execute(watch, vec![]).await.unwrap();
}

async fn nothing_broke(browser: &Browser) {
    assert_eq!(browser.client.execute("return window.broken", vec![]).await.unwrap(), json!([]));
}

/// Waits until the page listens.
pub async fn listens(browser: &Browser) {
    let listens = "const done = arguments[0]; const look = () =>
        document.getElementById('live')?._htmx?.sse?.status === 200 ? done() : setTimeout(look, 20); look()";
    browser.client.execute_async(listens, vec![]).await.unwrap();
}

async fn is(browser: &Browser, script: &str, expected: serde_json::Value) {
    let is = browser.client.execute(&format!("return {script}"), vec![]).await.unwrap();
    assert_eq!(is, expected, "{script}");
}

/// Ann's window with her feed, whose stream is open.
async fn ann_looks(browser: &Browser, site: &Site) {
    browser.sign_in(&site.base, "Ann").await;
    listens(browser).await;
    watch(browser).await;
}

async fn edit(person: &Person, path: &str, message: &str, visibility: &str) {
    let fields = [("message", message), ("visibility", visibility)];
    assert_eq!(person.form(Method::PUT, path, &fields).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_thoughts_are_offered_and_come_when_they_are_asked_for() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let bob = site.member("Bob").await;
    bob.share("Old", "public").await;
    ann_looks(&browser, &site).await;
    bob.share("Not for Ann", "private").await;
    bob.share("New", "members").await;
    browser.see_text("a[@id='offer']", "1 new thought").await;
    let second = bob.share("Newer", "public").await;
    bob.share("Newest", "public").await;
    browser.see_text("a[@id='offer']", "3 new thoughts").await;
    browser.see_text("div[@id='status']", "3 new thoughts").await;
    bob.form(Method::DELETE, &second, &[]).await;
    browser.see_text("a[@id='offer']", "2 new thoughts").await;
    is(&browser, "document.querySelectorAll('#thoughts article').length", json!(1)).await;
    browser.click("#offer").await;
    browser.see_text("ol[@id='thoughts']//p", "Newest").await;
    is(
        &browser,
        "[document.querySelectorAll('#thoughts article').length, document.getElementById('offer')]",
        json!([3, null]),
    )
    .await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_shares_oneself_is_not_offered() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let bob = site.member("Bob").await;
    ann_looks(&browser, &site).await;
    browser.type_into("#message", "Mine").await;
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Mine").await;
    bob.share("Bob's", "public").await;
    browser.see_text("a[@id='offer']", "1 new thought").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_thought_changes_where_it_stands_and_the_focus_stays() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("First", "public").await;
    ann_looks(&browser, &site).await;
    let focus = "const link = document.querySelector('#thoughts article footer a'); link.focus(); window.link = link;
        window.at = scrollY";
    browser.client.execute(focus, vec![]).await.unwrap();
    edit(&ann, &path, "Second **now**", "public").await;
    browser.see_text("ol[@id='thoughts']//strong", "now").await;
    browser.see("#thoughts time[data-local]").await;
    is(
        &browser,
        "[document.activeElement === window.link, scrollY === window.at, document.title]",
        json!([true, true, "Thoughts"]),
    )
    .await;
    browser.click("#thoughts .meta a").await;
    browser.see_text("h1", "Thought by Ann").await;
    edit(&ann, &path, "Third", "public").await;
    browser.see_text("main//article//p", "Third").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_thought_leaves_a_line_and_comes_back_when_it_is_put_back() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let bob = site.member("Bob").await;
    let (first, second) = (bob.share("Deleted soon", "public").await, bob.share("Hidden soon", "public").await);
    browser.goto(&format!("{}/", site.base)).await;
    listens(&browser).await;
    watch(&browser).await;
    let before = browser.client.execute("return document.body.scrollHeight", vec![]).await.unwrap();
    bob.form(Method::DELETE, &first, &[]).await;
    edit(&bob, &second, "Hidden now", "members").await;
    browser.see(".gone + .x, li:nth-child(2) .gone").await;
    browser.see("li:nth-child(1) .gone").await;
    assert!(!browser.source().await.contains("soon"));
    is(&browser, "document.body.scrollHeight", before).await;
    bob.post(&format!("{first}/restore"), &[]).await;
    browser.see_text("ol[@id='thoughts']//p", "Deleted soon").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thought_that_one_deletes_oneself_still_offers_the_way_back() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Ann").await.share("Oops", "public").await;
    ann_looks(&browser, &site).await;
    browser.click_text("button", "Delete").await;
    browser.click_text("article//button", "Undo").await;
    browser.see_text("article//p", "Oops").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_tab_pauses_and_is_told_afterwards() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let bob = site.member("Bob").await;
    ann_looks(&browser, &site).await;
    let turn = async |hidden: bool| {
        let turn = "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });
            document.dispatchEvent(new Event('visibilitychange'))";
        browser.client.execute(turn, vec![json!(hidden)]).await.unwrap();
    };
    turn(true).await;
    site.streams(0).await;
    bob.share("Meanwhile", "public").await;
    turn(false).await;
    browser.see_text("a[@id='offer']", "1 new thought").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_whose_session_ends_covers_itself_and_who_signs_in_again_goes_on() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    site.member("Bob").await.share("For members", "members").await;
    ann_looks(&browser, &site).await;
    browser.type_into("#message", "Long and dear").await;
    site.member("Ann").await.form(Method::DELETE, "/profile/sessions", &[]).await;
    browser.see_text("div[@id='cover']//p", "ended this session").await;
    is(
        &browser,
        "[document.activeElement.id, document.querySelector('main').checkVisibility({ visibilityProperty: true }),
            document.querySelector('main').inert, document.title, document.body.innerText.includes('For members')]",
        json!(["cover-link", false, true, "Signed out · Thoughts", false]),
    )
    .await;
    let here = browser.client.window().await.unwrap();
    browser.click("#cover-link").await;
    let windows = browser.client.windows().await.unwrap();
    let other = windows.into_iter().find(|window| *window != here).unwrap();
    browser.client.switch_to_window(other).await.unwrap();
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("a", "Profile").await;
    browser.client.switch_to_window(here).await.unwrap();
    browser.see("body:not(.covered)").await;
    is(
        &browser,
        "[document.getElementById('message').value, document.activeElement.id]",
        json!(["Long and dear", "message"]),
    )
    .await;
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Long and dear").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_in_one_tab_covers_the_other_and_another_member_gets_a_page_of_their_own() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    ann_looks(&browser, &site).await;
    let here = browser.client.window().await.unwrap();
    let other = browser.client.new_window(true).await.unwrap().handle;
    browser.client.switch_to_window(other).await.unwrap();
    browser.goto(&format!("{}/", site.base)).await;
    browser.click_text("button", "Sign out").await;
    browser.see_text("h1", "You are signed out").await;
    browser.client.switch_to_window(here.clone()).await.unwrap();
    browser.see_text("div[@id='cover']//p", "signed out in another tab").await;
    browser
        .client
        .switch_to_window(browser.client.windows().await.unwrap().into_iter().find(|w| *w != here).unwrap())
        .await
        .unwrap();
    browser.sign_in(&site.base, "Bob").await;
    browser.client.switch_to_window(here).await.unwrap();
    browser.see("#navigation a.me").await;
    browser.see_text("form[@data-writer='bob']", "Share").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_is_told_twice_to_listen_has_one_stream_and_no_cache_stands_before_it() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let bob = site.member("Bob").await;
    ann_looks(&browser, &site).await;
    let end = "const done = arguments[0], live = document.getElementById('live');
        live.addEventListener('htmx:sse:before:connection', (event) => event.preventDefault(), { once: true });
        live.addEventListener('htmx:sse:close', () => done(), { once: true });
        live._htmx.sse.reader.cancel()";
    browser.client.execute_async(end, vec![]).await.unwrap();
    site.streams(0).await;
    browser.network().await;
    // As where a tab comes to the front just when another one has signed in.
    let twice = "for (const _ of [1, 2]) htmx.trigger(document.getElementById('live'), 'listen')";
    browser.client.execute(twice, vec![]).await.unwrap();
    listens(&browser).await;
    bob.share("New", "public").await;
    browser.see_text("a[@id='offer']", "1 new thought").await;
    assert_eq!(site.app.live.streams(), 1);
    let events = browser.network().await;
    let asked = |told: &serde_json::Value| told["request"]["url"].as_str().is_some_and(|url| url.contains("/events?"));
    let (_, stream) = events.iter().find(|(_, told)| asked(told)).unwrap();
    let sent = |(event, told): &&(String, serde_json::Value)| {
        event == "Network.requestWillBeSentExtraInfo" && told["requestId"] == stream["requestId"]
    };
    let (_, sent) = events.iter().find(sent).unwrap();
    // What browsers say where their cache is left out, as they do of their own for an EventSource.
    assert_eq!(sent["headers"]["Cache-Control"], "no-cache", "{sent}");
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_says_why_its_session_ended() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h")]).await;
    ann_looks(&browser, &site).await;
    let sid = site.provider.sessions()[0].sid.clone();
    site.provider.back_channel_logout(LogoutTarget::Sid(sid)).await;
    browser.see_text("div[@id='cover']//p", "service that you sign in with").await;
    browser.click("#cover-link").await;
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("p", "Your last session here was ended by the service").await;
    listens(&browser).await;
    site.clock.advance(Duration::from_hours(1));
    browser.see_text("div[@id='cover']//p", "not used for too long").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_offers_to_sign_in_goes_by_itself_once_one_has() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    ann_looks(&browser, &site).await;
    browser.type_into("#message", "Long and dear").await;
    // Its preview is refused too, once the session has ended, and puts up the same panel anew.
    browser.see_text("div[@id='preview']//p", "Long and dear").await;
    // As where something on the way lets no stream through.
    let cut = "const live = document.getElementById('live'); live.remove(); live._htmx.sse.reader.cancel()";
    browser.client.execute(cut, vec![]).await.unwrap();
    site.streams(0).await;
    site.member("Ann").await.form(Method::DELETE, "/profile/sessions", &[]).await;
    browser.click("#composer .controls > button").await;
    browser.see_text("div[@id='panel']//a", "Sign in").await;
    let here = browser.client.window().await.unwrap();
    browser.click("#panel a").await;
    let windows = browser.client.windows().await.unwrap();
    let other = windows.into_iter().find(|window| *window != here).unwrap();
    browser.client.switch_to_window(other).await.unwrap();
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("a", "Profile").await;
    browser.client.switch_to_window(here).await.unwrap();
    browser.see("#panel:empty").await;
    browser.see_text("div[@id='status']", "signed in again").await;
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Long and dear").await;
    nothing_broke(&browser).await;
    browser.close().await;
}

#[tokio::test]
async fn whose_session_somebody_else_has_ended_is_told_so_once() {
    let site = site().await;
    for signs_in_first in [false, true] {
        for (why, words) in [(End::ByAdmin, "by an admin"), (End::NotAllowed, "may not come in any more")] {
            let ann = site.member("Ann").await;
            let id = ann.get("/api/me").await;
            assert_eq!(id.status, 200);
            let member = site.app.store.member_by_handle(&"ann".parse().unwrap()).await.unwrap().unwrap();
            site.app.store.end_sessions_of(member.id, None, why, site.clock.now()).await.unwrap();
            if signs_in_first {
                ann.sign_in("Ann").await;
            }
            let first = ann.get("/").await;
            assert!(first.text(".notice").contains(words), "{why:?}: {}", first.body);
            assert!(!ann.get("/").await.has(".notice"), "{why:?}: once");
            ann.sign_in("Ann").await;
            assert!(!ann.get("/").await.has(".notice"), "{why:?}: not again after signing in");
        }
    }
    let ann = site.member("Ann").await;
    ann.copy().post("/logout", &[]).await;
    assert!(!ann.get("/").await.has(".notice"), "who has signed out knows");
}
