//! Signing out: here first, then at the provider.

use crate::support::site;

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let before = ann.copy();
    let answer = ann.post("/logout", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    let there = answer.location().unwrap();
    for parameter in ["id_token_hint=", "post_logout_redirect_uri=", "state="] {
        assert!(there.contains(parameter), "{parameter} in {there}");
    }
    assert_eq!(before.get("/profile").await.status, 303, "the old id is dead before the provider is asked");
    let back = ann.follow(answer).await;
    assert_eq!(back.status, 200);
    assert_eq!(back.text("h1"), "You are signed out");
    assert!(back.text("main").contains("after ending its own"), "{}", back.text("main"));
}

#[tokio::test]
async fn coming_back_with_a_wrong_state_or_none_gives_the_same_page() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.post("/logout", &[]).await;
    for path in ["/logout?state=wrong", "/logout"] {
        let page = ann.get(path).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (200, "You are signed out"));
    }
}

#[tokio::test]
async fn a_link_to_sign_out_shows_a_button_and_ends_nothing() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let page = ann.get("/logout").await;
    assert_eq!(page.form("main button").0, "/logout");
    assert_eq!(ann.get("/profile").await.status, 200);
}
