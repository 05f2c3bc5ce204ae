//! Searching: thoughts are found by what they say, by whoever may see them.

use crate::support::browser::{Browser, JavaScript};
use crate::support::fleet::fleet;
use crate::support::{Answer, Person, postgres, site};

/// The page on which somebody has looked for that.
async fn searched(person: &Person, typed: &str) -> Answer {
    let typed: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
    person.get(&format!("/search?q={typed}")).await
}

async fn found(person: &Person, typed: &str) -> Vec<String> {
    searched(person, typed).await.texts("article .words")
}

#[tokio::test]
async fn a_thought_is_found_as_soon_as_it_is_shared_by_its_words_in_any_script() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for text in ["Fish and chips", "Chips alone, with a café", "昨日は東京都に行きました", "대한민국"]
    {
        ann.share(text, "public").await;
    }
    let stranger = site.stranger();
    for (typed, expected) in [
        ("chips", vec!["Chips alone, with a café", "Fish and chips"]),
        ("chip FISH", vec!["Fish and chips"]),
        ("cafe", vec!["Chips alone, with a café"]),
        ("東京", vec!["昨日は東京都に行きました"]),
        ("민국", vec!["대한민국"]),
        ("shark", vec![]),
    ] {
        assert_eq!(found(&stranger, typed).await, expected, "{typed}");
    }
    let page = searched(&stranger, "chips").await;
    assert_eq!(page.attribute("#q", "value"), "chips");
    assert_eq!(page.text("title"), "“chips” · Search · Thoughts");
    assert!(page.has("html > body > main") && page.has("#navigation a[href='/search'][aria-current]"));
}

#[tokio::test]
async fn what_is_edited_deleted_and_put_back_is_found_as_it_is_now() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let thought = ann.share("before", "public").await;
    ann.form(reqwest::Method::PUT, &thought, &[("message", "after"), ("visibility", "public")]).await;
    assert_eq!((found(&ann, "before").await, found(&ann, "after").await), (vec![], vec!["after".to_owned()]));
    ann.form(reqwest::Method::DELETE, &thought, &[]).await;
    assert!(found(&ann, "after").await.is_empty());
    ann.post(&format!("{thought}/restore"), &[]).await;
    assert_eq!(found(&ann, "after").await, ["after"]);
}

#[tokio::test]
async fn what_is_found_is_read_a_page_at_a_time_by_real_links() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=45 {
        ann.share(&format!("Thought {number}"), "members").await;
    }
    let mut page = searched(&ann, "thought").await;
    let next = page.attribute("a[rel=next]", "hx-get");
    let items = ann.htmx().get(&next).await;
    assert_eq!(items.texts("li article .words").len(), 20);
    assert!(!items.has("main, nav, form.search, ol#thoughts"), "{}", items.body);
    let mut seen = page.texts("article .words");
    while page.has("a[rel=next]") {
        page = ann.get(&page.attribute("a[rel=next]", "href")).await;
        assert_eq!(page.attribute("#q", "value"), "thought");
        seen.extend(page.texts("article .words"));
    }
    let expected: Vec<String> = (1..=45).rev().map(|number| format!("Thought {number}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn htmx_gets_what_is_found_alone_while_somebody_types() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.share("Hello", "public").await;
    let typing = ann.htmx().saying("hx-target", "div#found");
    let part = searched(&typing, "hel").await;
    assert_eq!(part.texts("article .words"), ["Hello"]);
    assert_eq!(part.text("title"), "“hel” · Search · Thoughts");
    assert!(!part.has("main, nav, form.search, #q"), "{}", part.body);
    let whole = searched(&ann.htmx(), "hel").await;
    assert!(whole.has("#q") && whole.has("#navigation"), "{}", whole.body);
}

#[tokio::test]
async fn whoever_types_no_word_is_told_what_to_type_and_what_they_typed_is_only_text() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.share("Hello", "public").await;
    for (typed, said) in [("", "Type words"), ("  ", "Type words"), ("!?", "no letter and no digit")] {
        let page = searched(&ann, typed).await;
        assert!(page.text("#found").contains(said), "{typed}: {}", page.text("#found"));
        assert_eq!(page.attribute("#q", "value"), typed.trim());
    }
    let typed = "\"><script>alert(1)</script>";
    let page = searched(&ann, typed).await;
    assert_eq!(page.attribute("#q", "value"), typed);
    assert_eq!(page.text("#found"), "Nothing that you can see says that.");
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let long = searched(&ann, &"x".repeat(5000)).await;
    assert_eq!((long.status.as_u16(), long.attribute("#q", "value").len()), (200, 200));
}

#[tokio::test]
async fn what_is_shared_at_one_instance_is_found_at_the_other() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member("Ann").await;
    here.share("Hello", "members").await;
    assert_eq!(found(&there, "hello").await, ["Hello"]);
}

/// What an older binary has written has no words; here nobody can write them for a while.
#[tokio::test]
async fn readyz_says_so_while_thoughts_are_being_indexed_and_they_are_found_all_the_same() {
    let Some(fleet) = fleet().await else { return };
    let [ann, _] = fleet.member("Ann").await;
    ann.share("Hello", "public").await;
    assert_eq!(ann.get("/readyz").await.body, "ok\n");
    for statement in [
        "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.words = NULL; RETURN NEW; END'",
        "CREATE TRIGGER forget BEFORE UPDATE ON thoughts FOR EACH ROW EXECUTE FUNCTION forget()",
        "UPDATE thoughts SET record = record",
    ] {
        postgres::execute(&fleet.database, statement).await;
    }
    let ready = ann.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(ready.body.starts_with("ok\nthoughts up to 20"), "{}", ready.body);
    assert_eq!(found(&ann, "hello").await, ["Hello"]);
    postgres::execute(&fleet.database, "DROP TRIGGER forget ON thoughts").await;
    while ann.get("/readyz").await.body != "ok\n" {}
    assert_eq!(found(&ann, "hello").await, ["Hello"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_follows_what_is_typed_and_the_address_follows_both() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let ann = site.member("Ann").await;
    for text in ["Fish and chips", "Fishes", "Birds"] {
        ann.share(text, "public").await;
    }
    browser.goto(&format!("{}/", site.base)).await;
    browser.client.execute("window.stays = true", vec![]).await.unwrap();
    browser.click_text("nav//a", "Search").await;
    browser.see("#q:focus").await;
    browser.type_into("#q", "fish").await;
    browser.see_text("article//p", "Fish and chips").await;
    browser.see_text("div[@id='status']", "Thoughts found.").await;
    let state = "return [document.activeElement.id, document.getElementById('q').value, window.stays === true,
        location.pathname + location.search, document.title, document.querySelectorAll('article').length]";
    let state = browser.client.execute(state, vec![]).await.unwrap();
    let expected = serde_json::json!(["q", "fish", true, "/search?q=fish", "“fish” · Search · Thoughts", 2]);
    assert_eq!(state, expected);
    browser.type_into("#q", "es").await;
    browser.see_text("title", "“fishes” · Search").await;
    browser.client.back().await.unwrap();
    browser.see_text("main//h1", "Feed").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_without_scripts() {
    let Some(browser) = Browser::open(JavaScript::Off).await else { return };
    let site = site().await;
    site.member("Ann").await.share("Fish and chips", "public").await;
    browser.goto(&format!("{}/search", site.base)).await;
    browser.type_into("#q", "chips").await;
    browser.click(".search button").await;
    browser.see_text("article//p", "Fish and chips").await;
    assert_eq!(browser.url().await, format!("{}/search?q=chips", site.base));
    browser.close().await;
}
