//! What a stolen or forgotten session must not do asks for a recent sign-in, and comes back to the form as it was.

use std::time::Duration;

use reqwest::Method;
use thoughts::demo::Fault;

use crate::support::browser::{Browser, JavaScript};
use crate::support::{Answer, Person, Site, site};

const OTHERS: &str = "/profile/sessions";

/// Ann at her laptop, who signed in there and on her phone some time ago.
async fn some_time_ago(site: &Site) -> (Person, Person) {
    let (phone, laptop) = (site.member("Ann").await, site.member("Ann").await);
    site.clock.advance(Duration::from_mins(5));
    (phone, laptop)
}

/// The same person, whose browser says from which page it sends a form.
fn on_profile(person: &Person) -> Person {
    person.saying("referer", &format!("{}/profile", person.base))
}

async fn end_others(person: &Person) -> Answer {
    on_profile(person).post(OTHERS, &[("_method", "delete")]).await
}

/// Goes where a refusal leads, as far as the provider's page, and signs in there; gives the callback's URL.
async fn sign_in_again(person: &Person, refused: &Answer, name: &str) -> String {
    let login = person.get(&refused.location().unwrap()).await;
    assert_eq!(login.status, 303, "{}", login.body);
    person.at_provider(&login.location().unwrap(), name, &[]).await
}

/// Holds that both are signed in as Ann, as before.
async fn nothing_has_changed(phone: &Person, laptop: &Person) {
    for person in [phone, laptop] {
        assert_eq!(person.get("/api/me").await.json()["name"], "Ann");
        assert_eq!(person.get("/profile").await.texts(".sessions li").len(), 2);
    }
}

#[tokio::test]
async fn a_recent_sign_in_is_asked_for_nothing_more() {
    let site = site().await;
    for fault in [None, Some(Fault::IdTokenNoAuthTime)] {
        if let Some(fault) = fault {
            site.provider.faults().on(fault);
        }
        let (phone, laptop) = (site.member("Ann").await, site.member("Ann").await);
        site.clock.advance(Duration::from_secs(299));
        assert_eq!(end_others(&laptop).await.location().unwrap(), "/profile", "{fault:?}");
        assert_eq!(phone.get("/profile").await.status, 303, "{fault:?}");
        site.provider.faults().clear();
    }
}

#[tokio::test]
async fn an_older_one_is_asked_to_sign_in_again_comes_back_to_the_form_and_can_then_go_on() {
    let site = site().await;
    let (phone, laptop) = some_time_ago(&site).await;
    let list = laptop.get("/profile").await;
    let (one, _) = list.form(".sessions li:not(:has(.for)) button");
    for path in [OTHERS, &one] {
        let refused = on_profile(&laptop).post(path, &[("_method", "delete")]).await;
        assert_eq!(refused.status, 303);
        assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fprofile&for=confirm");
    }
    let refused = end_others(&laptop).await;
    let login = laptop.get(&refused.location().unwrap()).await;
    assert!(login.location().unwrap().contains("max_age=60"), "{:?}", login.location());

    let before = laptop.copy();
    let callback = sign_in_again(&laptop, &refused, "Ann").await;
    let back = laptop.get(&callback).await;
    assert_eq!((back.status.as_u16(), back.location().as_deref()), (303, Some("/profile")));
    assert_eq!(phone.get("/profile").await.status, 200, "nothing is done by itself");
    assert_ne!(laptop.cookie("thoughts"), before.cookie("thoughts"), "the session has a new id");
    assert_eq!(before.get("/profile").await.status, 303, "and the old one is dead");
    assert_eq!(laptop.get("/profile").await.texts("button[aria-label^='End the session of']").len(), 2);

    assert_eq!(end_others(&laptop).await.location().unwrap(), "/profile");
    assert_eq!(phone.get("/profile").await.status, 303);
    assert_eq!(laptop.get("/profile").await.status, 200);
}

#[tokio::test]
async fn a_new_session_on_an_old_sign_in_at_the_provider_is_not_recent() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenAuthTimeOld);
    let ann = site.member("Ann").await;
    assert!(end_others(&ann).await.location().unwrap().ends_with("&for=confirm"));
}

#[tokio::test]
async fn who_just_goes_on_at_the_provider_has_not_signed_in_again() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let login = laptop.get(&end_others(&laptop).await.location().unwrap()).await;
    let page = laptop.get(&login.location().unwrap()).await;
    assert!(!page.has("button[value=continue]"), "the demo provider asks for the name again");
}

#[tokio::test]
async fn ending_the_session_in_use_needs_no_recent_sign_in() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let (action, _) = laptop.get("/profile").await.form(".sessions li:has(.for) button");
    assert!(laptop.post(&action, &[("_method", "delete")]).await.location().unwrap().contains("id_token_hint="));
}

#[tokio::test]
async fn a_provider_that_does_not_say_when_or_let_an_old_sign_in_do_is_refused_and_nothing_has_changed() {
    let site = site().await;
    for (fault, heading) in [
        (Fault::IdTokenNoAuthTime, "Your provider does not say when you signed in"),
        (Fault::IdTokenAuthTimeOld, "That did not confirm who you are"),
    ] {
        let (phone, laptop) = some_time_ago(&site).await;
        let callback = sign_in_again(&laptop, &end_others(&laptop).await, "Ann").await;
        let cookie = laptop.cookie("thoughts");
        site.provider.faults().on(fault);
        let page = laptop.get(&callback).await;
        site.provider.faults().clear();
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (502, heading), "{fault}");
        assert_eq!(page.text(".note code"), page.header("x-request-id"), "{fault}");
        assert_eq!(page.attribute(".message a.button", "href"), "/login?return_to=%2Fprofile&for=confirm", "{fault}");
        assert_eq!(laptop.cookie("thoughts"), cookie, "{fault}");
        nothing_has_changed(&phone, &laptop).await;
        assert!(end_others(&laptop).await.location().unwrap().ends_with("&for=confirm"), "{fault}");
        for person in [phone, laptop] {
            person.post("/logout", &[]).await;
        }
    }
}

#[tokio::test]
async fn somebody_else_does_not_confirm_who_one_is() {
    let site = site().await;
    let (phone, laptop) = some_time_ago(&site).await;
    let callback = sign_in_again(&laptop, &end_others(&laptop).await, "Bob").await;
    let page = laptop.get(&callback).await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (403, "You signed in as somebody else"));
    assert!(page.text("main").contains("Nothing was changed"), "{}", page.text("main"));
    assert_eq!(page.text(".note code"), page.header("x-request-id"));
    nothing_has_changed(&phone, &laptop).await;
    assert!(end_others(&laptop).await.location().unwrap().ends_with("&for=confirm"));
}

#[tokio::test]
async fn what_one_session_asked_for_confirms_no_other() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let callback = sign_in_again(&laptop, &end_others(&laptop).await, "Ann").await;
    // The same browser, where somebody else has signed in meanwhile, some time ago too.
    laptop.sign_in("Bob").await;
    site.clock.advance(Duration::from_mins(6));
    let page = laptop.get(&callback).await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (403, "This sign-in can't be finished"));
    assert_eq!(laptop.get("/api/me").await.json()["name"], "Bob");
    // And where nobody is signed in any more.
    let (_, laptop) = some_time_ago(&site).await;
    let callback = sign_in_again(&laptop, &end_others(&laptop).await, "Ann").await;
    laptop.forget_cookie("thoughts");
    assert_eq!(laptop.get(&callback).await.status, 403);
    assert_eq!(laptop.cookie("thoughts"), None);
}

#[tokio::test]
async fn a_second_tab_that_asked_too_goes_on_with_what_the_first_has_confirmed() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let one = sign_in_again(&laptop, &end_others(&laptop).await, "Ann").await;
    let refused = end_others(&laptop).await;
    let other = sign_in_again(&laptop, &refused, "Ann").await;
    assert_eq!(laptop.get(&one).await.location().unwrap(), "/profile");
    let cookie = laptop.cookie("thoughts");
    assert_eq!(laptop.get(&other).await.location().unwrap(), "/profile");
    assert_eq!(laptop.get(&refused.location().unwrap()).await.location().unwrap(), "/profile", "nor a third");
    assert_eq!(laptop.cookie("thoughts"), cookie);
}

#[tokio::test]
async fn through_htmx_it_is_offered_beside_the_form() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let htmx = laptop.htmx().saying("HX-Current-URL", &format!("{}/profile", laptop.base));
    let answer = htmx.form(Method::DELETE, OTHERS, &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("hx-retarget")), (401, "#panel"));
    assert_eq!(answer.attribute("a.button", "href"), "/login?return_to=%2Fprofile&for=confirm");
    assert!(!answer.body.contains("Firefox") && !answer.has(".sessions"));
}

#[tokio::test]
async fn who_signs_in_for_the_first_time_after_all_signs_in() {
    let site = site().await;
    let stranger = site.stranger();
    let login = stranger.get("/login?return_to=%2Fprofile&for=confirm").await;
    assert!(!login.location().unwrap().contains("max_age"));
    let callback = stranger.at_provider(&login.location().unwrap(), "Ann", &[]).await;
    assert_eq!(stranger.get(&callback).await.location().unwrap(), "/profile");
}

#[tokio::test]
async fn what_was_typed_into_the_form_is_kept_for_its_writer_alone() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let nothing = end_others(&laptop).await;
    assert!(nothing.headers.get("set-cookie").is_none(), "a button holds no text");
    on_profile(&laptop).post(OTHERS, &[("_method", "delete"), ("name", "My backup script")]).await;
    assert!(laptop.cookie("thoughts-unsent").is_some());
    let hour = site.clock.now().saturating_add(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(site.app.store.purge_unsent(hour, 10).await.unwrap(), 1);
}

#[tokio::test]
async fn without_the_page_it_came_from_one_comes_back_to_the_profile() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let refused = laptop.form(Method::DELETE, OTHERS, &[]).await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fprofile&for=confirm");
    let elsewhere = laptop.saying("referer", "https://evil.example/profile").form(Method::DELETE, OTHERS, &[]).await;
    assert_eq!(elsewhere.location().unwrap(), "/login?return_to=%2F&for=confirm");
}

#[tokio::test]
async fn a_program_that_does_not_navigate_is_shown_the_button() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let prefetch = laptop.saying("sec-purpose", "prefetch").get("/login?return_to=%2Fprofile&for=confirm").await;
    assert_eq!((prefetch.status.as_u16(), prefetch.text("h1").as_str()), (200, "Sign in again"));
    assert_eq!(prefetch.attribute("input[name=for]", "value"), "confirm");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_with_scripts_one_is_asked_comes_back_and_ends_all_others() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let phone = site.member("Ann").await;
    browser.sign_in(&site.base, "Ann").await;
    site.clock.advance(Duration::from_mins(5));
    browser.goto(&format!("{}/profile", site.base)).await;
    browser.click_text("button", "End all others").await;
    browser.click_text("a", "Sign in again").await;
    browser.type_into("input[name=name]", "Ann").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("h2", "Where you are signed in").await;
    assert_eq!(browser.url().await, format!("{}/profile", site.base));
    assert_eq!(phone.get("/profile").await.status, 200, "nothing is done by itself");
    browser.click_text("button", "End all others").await;
    browser.see_text("div[@id='status']", "All other sessions ended.").await;
    assert_eq!(phone.get("/profile").await.status, 303);
    browser.close().await;
}

#[tokio::test]
async fn making_an_api_token_and_deleting_the_account_come_back_to_the_form_as_it_was() {
    let site = site().await;
    let (_, laptop) = some_time_ago(&site).await;
    let token = [("name", "Backup"), ("scope", "read"), ("expires", "30")];
    let leaving = [("_method", "delete"), ("handle", "ann")];
    for (page, path, sent, field) in [
        ("/profile/api-tokens", "/profile/api-tokens", &token[..], ("name", "Backup")),
        ("/profile/delete", "/profile", &leaving[..], ("handle", "ann")),
    ] {
        let refused = laptop.saying("referer", &format!("{}{page}", laptop.base)).post(path, sent).await;
        assert_eq!(refused.status, 303, "{page}");
        let callback = sign_in_again(&laptop, &refused, "Ann").await;
        let back = laptop.get(&callback).await;
        assert_eq!(back.location().unwrap(), page);
        let form = laptop.get(page).await;
        assert_eq!(form.attribute(&format!("input[name={}]", field.0), "value"), field.1, "{page}");
        let done = laptop.post(path, sent).await;
        assert!(matches!(done.status.as_u16(), 201 | 303), "{page}: {} {}", done.status, done.body);
        site.clock.advance(Duration::from_mins(5));
    }
    assert_eq!(laptop.get("/profile").await.status, 303, "the account is gone");
}
