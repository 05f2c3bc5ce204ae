//! Changing, deleting and putting back.

use jiff::SignedDuration;
use reqwest::Method;

use crate::support::site;

#[tokio::test]
async fn an_edit_changes_the_thought_and_keeps_what_it_said_before() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("First", "public").await;
    let answer = ann.form(Method::PUT, &path, &[("message", "Second"), ("visibility", "public")]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, Some(path.clone())));
    let page = site.stranger().get(&path).await;
    assert_eq!(page.text("article .words"), "Second");
    assert_eq!(page.texts(".history .words"), ["First"]);
}

#[tokio::test]
async fn a_form_can_edit_though_it_can_only_post() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("First", "public").await;
    let form = ann.get(&format!("{path}/edit")).await;
    assert_eq!(form.text("textarea"), "First");
    let (action, mut fields) = form.form("textarea");
    fields.extend([("message".into(), "Second".into()), ("visibility".into(), "public".into())]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(ann.post(&action, &fields).await.status, 303);
    assert_eq!(ann.get(&path).await.text("article .words"), "Second");
}

#[tokio::test]
async fn an_edit_that_can_not_be_taken_comes_back_as_it_was_typed() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("First", "public").await;
    let answer = ann.form(Method::PUT, &path, &[("message", " "), ("visibility", "private")]).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.attribute("option[selected]", "value"), "private");
    assert_eq!(ann.get(&path).await.text("article .words"), "First");
}

#[tokio::test]
async fn making_a_thought_private_takes_it_out_of_every_list() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let path = ann.share("First", "public").await;
    ann.form(Method::PUT, &path, &[("message", "First"), ("visibility", "private")]).await;
    assert_eq!(bob.get(&path).await.status, 404);
    assert!(!bob.get("/").await.has("article"));
    assert!(ann.get("/").await.has("article"));
}

#[tokio::test]
async fn only_the_author_edits_and_only_the_author_or_an_admin_deletes() {
    let site = site().await;
    let (ann, bob, admin) = (site.member("Ann").await, site.member("Bob").await, site.admin("Root").await);
    let path = ann.share("Mine", "public").await;
    let change = [("message", "Yours"), ("visibility", "public")];
    for person in [&bob, &admin] {
        assert_eq!(person.get(&format!("{path}/edit")).await.status, 403);
        assert_eq!(person.form(Method::PUT, &path, &change).await.status, 403);
    }
    assert_eq!(bob.form(Method::DELETE, &path, &[]).await.status, 403);
    assert_eq!(ann.get(&path).await.text("article .words"), "Mine");
    assert_eq!(admin.form(Method::DELETE, &path, &[]).await.status, 303);
    assert_eq!(ann.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_one_can_not_see_one_can_neither_edit_nor_delete_nor_tell_that_it_is_there() {
    let site = site().await;
    let (ann, admin) = (site.member("Ann").await, site.admin("Root").await);
    let path = ann.share("Mine", "private").await;
    let change = [("message", "Yours"), ("visibility", "public")];
    assert_eq!(admin.form(Method::PUT, &path, &change).await.status, 404);
    assert_eq!(admin.form(Method::DELETE, &path, &[]).await.status, 404);
    assert_eq!(admin.post(&format!("{path}/restore"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_deleted_thought_is_gone_for_others_and_can_be_put_back() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let path = ann.share("Oops", "public").await;
    let after = ann.follow(ann.post(&path, &[("_method", "delete")]).await).await;
    assert_eq!(after.status, 200);
    assert!(!after.has("#thoughts article"));
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(bob.post(&format!("{path}/restore"), &[]).await.status, 404);
    let (undo, _) = after.form(".deleted button");
    assert_eq!(ann.post(&undo, &[]).await.status, 303);
    assert_eq!(bob.get(&path).await.text("article .words"), "Oops");
}

#[tokio::test]
async fn htmx_gets_the_way_back_in_the_place_of_what_was_deleted() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("Oops", "public").await;
    let deleted = ann.htmx().form(Method::DELETE, &path, &[]).await;
    assert_eq!(deleted.status, 200);
    let restored = ann.htmx().post(&deleted.attribute("article.deleted form", "hx-post"), &[]).await;
    assert_eq!(restored.text("article .words"), "Oops");
}

#[tokio::test]
async fn a_deleted_thought_is_forgotten_after_thirty_days_and_not_before() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("Oops", "public").await;
    ann.form(Method::DELETE, &path, &[]).await;
    for (days, forgotten) in [(29, 0), (30, 0), (31, 1)] {
        let before = site.clock.now().saturating_add(SignedDuration::from_hours(24 * (days - 30))).unwrap();
        assert_eq!(site.app.store.purge_deleted(before, 100).await.unwrap(), forgotten, "{days}");
    }
    assert_eq!(ann.post(&format!("{path}/restore"), &[]).await.status, 404);
}

#[tokio::test]
async fn deleting_what_is_deleted_already_offers_the_way_back() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let path = ann.share("Oops", "public").await;
    for _ in 0..2 {
        assert!(ann.htmx().form(Method::DELETE, &path, &[]).await.has("article.deleted form"));
    }
    assert_eq!(bob.form(Method::DELETE, &path, &[]).await.status, 404);
}
