//! Who may see what: decided on the server, the same on every face.

use crate::support::{Person, Site, site};

/// A thought of Ann's for each audience: its words say which.
async fn shared(site: &Site) -> Vec<String> {
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    let mut paths = Vec::new();
    for visibility in ["public", "members", "group:friends", "private"] {
        paths.push(ann.share(visibility, visibility).await);
    }
    paths
}

async fn sees(person: &Person, paths: &[String], expected: &[&str]) {
    let newest_first: Vec<&str> = expected.iter().rev().copied().collect();
    for page in ["/", "/@ann"] {
        assert_eq!(person.get(page).await.texts("article .words"), newest_first, "{page}");
    }
    let listed = person.get("/api/thoughts").await.json();
    let messages: Vec<_> =
        listed["thoughts"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert_eq!(messages, newest_first);
    for (path, words) in paths.iter().zip(["public", "members", "group:friends", "private"]) {
        let visible = expected.contains(&words);
        let found = person.get(&format!("/search?q={words}")).await.texts("article .words");
        assert_eq!(found.contains(&words.to_owned()), visible, "searching for {words}");
        for answer in [person.get(path).await, person.htmx().get(path).await, person.get(&format!("/api{path}")).await]
        {
            assert_eq!(answer.status.as_u16(), if visible { 200 } else { 404 }, "{words}");
            assert!(visible || !answer.body.contains("group:friends"), "a refusal must not hold what it refuses");
        }
    }
}

#[tokio::test]
async fn anyone_sees_what_is_public() {
    let site = site().await;
    let paths = shared(&site).await;
    sees(&site.stranger(), &paths, &["public"]).await;
}

#[tokio::test]
async fn a_member_sees_what_is_for_members() {
    let site = site().await;
    let paths = shared(&site).await;
    sees(&site.member("Bob").await, &paths, &["public", "members"]).await;
}

#[tokio::test]
async fn whoever_is_in_a_group_sees_what_is_for_it() {
    let site = site().await;
    let paths = shared(&site).await;
    let bob = site.member_with("Bob", &[("groups", "work, friends")]).await;
    sees(&bob, &paths, &["public", "members", "group:friends"]).await;
}

#[tokio::test]
async fn an_author_sees_all_of_their_own_though_they_left_the_group() {
    let site = site().await;
    let paths = shared(&site).await;
    let ann = site.member("Ann").await;
    sees(&ann, &paths, &["public", "members", "group:friends", "private"]).await;
}

#[tokio::test]
async fn an_admin_sees_no_more_than_another_member() {
    let site = site().await;
    let paths = shared(&site).await;
    sees(&site.admin("Root").await, &paths, &["public", "members"]).await;
}

#[tokio::test]
async fn groups_are_read_again_at_the_next_sign_in() {
    let site = site().await;
    let paths = shared(&site).await;
    let bob = site.member_with("Bob", &[("groups", "friends")]).await;
    assert_eq!(bob.get(&paths[2]).await.status, 200);
    bob.sign_in("Bob").await;
    assert_eq!(bob.get(&paths[2]).await.status, 404);
}

#[tokio::test]
async fn nobody_reads_without_signing_in_where_the_configuration_says_so() {
    let site = Site::with(&[("THOUGHTS_ANONYMOUS", "none")]).await;
    let paths = shared(&site).await;
    let stranger = site.stranger();
    for path in ["/", "/@ann", &paths[0]] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.location().unwrap().starts_with("/login?return_to="));
    }
    assert_eq!(stranger.get("/api/thoughts").await.status, 401);
    assert_eq!(stranger.get("/healthz").await.status, 200);
}
