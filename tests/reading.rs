//! The feed, a page at a time.

use crate::support::site;

#[tokio::test]
async fn a_page_has_twenty_thoughts_and_leads_to_the_next_by_a_real_link() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=45 {
        ann.share(&format!("Thought {number}"), "public").await;
    }
    let mut page = site.stranger().get("/").await;
    let mut seen = page.texts("article .words");
    assert_eq!(seen.len(), 20);
    while page.has("a[rel=next]") {
        page = site.stranger().get(&page.attribute("a[rel=next]", "href")).await;
        assert!(page.has("html > body > main"), "opened by itself it is a whole page");
        seen.extend(page.texts("article .words"));
    }
    let expected: Vec<String> = (1..=45).rev().map(|number| format!("Thought {number}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn htmx_gets_the_next_page_as_items_for_the_list() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=21 {
        ann.share(&format!("Thought {number}"), "public").await;
    }
    let next = ann.get("/").await.attribute("a[rel=next]", "hx-get");
    let items = ann.htmx().get(&next).await;
    assert_eq!(items.texts("li article .words"), ["Thought 1"]);
    assert!(!items.has("main, nav, form#composer, ol#thoughts"), "{}", items.body);
}

#[tokio::test]
async fn a_thought_shared_meanwhile_moves_nothing_on_the_next_page() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=21 {
        ann.share(&format!("Thought {number}"), "public").await;
    }
    let next = ann.get("/").await.attribute("a[rel=next]", "href");
    ann.share("Meanwhile", "public").await;
    assert_eq!(ann.get(&next).await.texts("article .words"), ["Thought 1"]);
}

#[tokio::test]
async fn a_members_page_holds_their_thoughts_alone() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    ann.share("Of Ann", "public").await;
    bob.share("Of Bob", "public").await;
    let page = site.stranger().get("/@bob").await;
    assert_eq!(page.texts("article .words"), ["Of Bob"]);
    assert_eq!(page.text("h1"), "Bob");
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for path in [
        "/nothing",
        "/@nobody",
        "/@NOBODY",
        "/thoughts/1",
        "/thoughts/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/?before=x",
        "/thoughts/%00",
    ] {
        let answer = ann.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.text("h1"), "Not found", "{path}");
        assert_eq!(answer.text(".note code"), answer.header("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn every_url_stands_below_the_base_path() {
    let site = crate::support::Site::with(&[("base path", "/notes")]).await;
    let ann = site.member("Ann").await;
    let origin = site.base.trim_end_matches("/notes");
    assert_eq!(ann.get(&format!("{origin}/")).await.status, 404);
    let shared = ann.post("/thoughts", &[("message", "Hello!"), ("visibility", "public")]).await;
    assert!(shared.location().unwrap().starts_with("/notes/thoughts/"));
    let page = ann.get("/").await;
    for attribute in ["href", "src", "action", "hx-post", "hx-delete"] {
        let selector = scraper::Selector::parse(&format!("[{attribute}]")).unwrap();
        for element in page.html().select(&selector) {
            let url = element.attr(attribute).unwrap();
            assert!(url.starts_with("/notes/") || url.starts_with('#'), "{attribute}={url}");
        }
    }
}
