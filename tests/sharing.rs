//! Sharing a thought: what is taken, what is given back, and that twice is once.

use reqwest::Method;

use crate::support::site;

#[tokio::test]
async fn a_shared_thought_is_shown_at_its_own_address_and_in_the_feed() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("Hello, **world**!", "public").await;
    assert_eq!(ann.get(&path).await.text("article .words strong"), "world");
    assert_eq!(site.stranger().get("/").await.texts("article .words"), ["Hello, world!"]);
}

#[tokio::test]
async fn htmx_gets_the_emptied_form_the_new_thought_and_a_word_about_it() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let answer = ann.htmx().post("/thoughts", &[("message", "Hello!"), ("visibility", "members")]).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.text("form#composer textarea"), "");
    assert!(answer.has("form#composer textarea[autofocus]"));
    assert_eq!(answer.text("[hx-swap-oob='afterbegin:#thoughts'] article .words"), "Hello!");
    assert_eq!(answer.text("[hx-swap-oob='innerHTML:#status']"), "Shared.");
    assert!(answer.has("title"));
}

#[tokio::test]
async fn a_thought_that_can_not_be_taken_comes_back_as_it_was_typed_with_a_word_at_the_field() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let too_long = "x".repeat(10_001);
    for person in [ann.clone(), ann.htmx()] {
        let answer = person.post("/thoughts", &[("message", &too_long), ("visibility", "private")]).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.text("textarea"), too_long);
        assert_eq!(answer.attribute("option[selected]", "value"), "private");
        assert!(answer.text("#message-note[role=alert]").contains("10001"));
    }
    assert!(!ann.get("/").await.has("article"));
}

#[tokio::test]
async fn ten_thousand_characters_are_counted_as_a_person_counts_them() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.share(&"👩‍👩‍👧‍👦".repeat(10_000), "public").await;
}

#[tokio::test]
async fn a_visibility_that_is_none_is_refused() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for visibility in ["", "everyone", "group:", "group:strangers"] {
        let answer = ann.post("/thoughts", &[("message", "Hello!"), ("visibility", visibility)]).await;
        assert_eq!(answer.status, 422, "{visibility:?}");
    }
    assert!(!ann.get("/").await.has("article"));
}

#[tokio::test]
async fn the_same_form_sent_twice_gives_the_first_answer_twice() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let once = ann.get("/share-thought").await.attribute("input[name=once]", "value");
    let fields = [("message", "Once"), ("visibility", "public"), ("once", once.as_str())];
    let (first, second) = tokio::join!(ann.post("/thoughts", &fields), ann.post("/thoughts", &fields));
    assert_eq!(first.status, 303);
    assert_eq!(first.location(), second.location());
    assert_eq!(ann.get("/").await.texts("article .words"), ["Once"]);
}

#[tokio::test]
async fn the_same_form_sent_again_gives_the_first_answer_though_its_thought_was_deleted_and_does_not_show_it() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let fields = [("message", "Once"), ("visibility", "public"), ("once", "one")];
    let first = ann.post("/thoughts", &fields).await.location().unwrap();
    ann.form(Method::DELETE, &first, &[]).await;
    let again = ann.post("/thoughts", &fields).await;
    assert_eq!((again.status.as_u16(), again.location()), (303, Some(first.clone())));
    let fragment = ann.htmx().post("/thoughts", &fields).await;
    assert_eq!((fragment.status.as_u16(), fragment.header("location")), (201, first.as_str()));
    assert!(fragment.has("form#composer") && !fragment.body.contains("Once"), "{}", fragment.body);
    assert!(fragment.text("[hx-swap-oob='innerHTML:#status']").contains("deleted since"));
    assert!(!ann.get("/").await.has("article"));
}

#[tokio::test]
async fn the_same_once_value_of_another_member_is_another_thought() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    for person in [&ann, &bob] {
        person.post("/thoughts", &[("message", "Mine"), ("visibility", "public"), ("once", "one")]).await;
    }
    assert_eq!(ann.get("/").await.texts("article .words").len(), 2);
}

#[tokio::test]
async fn the_preview_shows_what_it_will_look_like_and_stores_nothing() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let fields = [("message", "*Soon*"), ("visibility", "public")];
    let fragment = ann.htmx().post("/thoughts/preview", &fields).await;
    assert_eq!(fragment.text(".words em"), "Soon");
    assert!(fragment.text(".note").contains("6 of 10,000"), "{}", fragment.body);
    let page = ann.post("/thoughts/preview", &fields).await;
    assert_eq!((page.text("textarea"), page.text(".preview .words em")), ("*Soon*".into(), "Soon".into()));
    assert!(!ann.get("/").await.has("article"));
}

#[tokio::test]
async fn what_is_typed_can_not_become_markup_that_acts() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let typed = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) \
                 <div hx-get=/logout hx-trigger=load hx-swap-oob=true id=main>x</div> ![i](https://evil.example/i.png)";
    let page = ann.get(&ann.share(typed, "public").await).await;
    assert!(!page.has(".words script, .words img, .words [onerror], .words [hx-get], .words [hx-swap-oob]"));
    assert!(!page.has(".words a[href^='javascript']"));
    assert!(page.has(".words[hx-ignore]"));
}

#[tokio::test]
async fn a_name_that_a_provider_gives_is_text() {
    let site = site().await;
    let ann = site.member("<b hx-get=/x>Ann</b>").await;
    ann.share("Hello!", "public").await;
    let page = ann.get("/").await;
    assert_eq!(page.text("article .name"), "<b hx-get=/x>Ann</b>");
}
