//! The main job without a browser: sign in, share, see; and the theme.

use crate::support::site;

#[tokio::test]
async fn a_stranger_signs_in_shares_a_thought_and_sees_it_in_the_feed() {
    let site = site().await;
    let ann = site.stranger();
    let feed = ann.get("/").await;
    assert!(!feed.has("form#composer"));
    assert_eq!(feed.attribute("#navigation a.button", "href"), "/login?return_to=%2F");
    ann.sign_in("Ann").await;
    let feed = ann.get("/").await;
    let (action, mut fields) = feed.form("textarea");
    fields.extend([("message".into(), "My first thought".into()), ("visibility".into(), "public".into())]);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let shared = ann.follow(ann.post(&action, &fields).await).await;
    assert_eq!(shared.text("article .words"), "My first thought");
    assert_eq!(site.stranger().get("/").await.text("article .words"), "My first thought");
}

#[tokio::test]
async fn the_navigation_is_the_viewers_and_what_it_leads_to_is_guarded_all_the_same() {
    let site = site().await;
    let stranger = site.stranger().get("/").await;
    assert!(!stranger.has("#navigation a[href='/share-thought'], #navigation a[href='/profile']"));
    let ann = site.member("Ann").await.get("/").await;
    assert!(ann.has("#navigation a[href='/share-thought']") && ann.has("#navigation a[href='/profile']"));
    assert_eq!(site.stranger().get("/share-thought").await.status, 303);
}

#[tokio::test]
async fn the_colours_are_the_systems_until_one_chooses() {
    let site = site().await;
    let ann = site.stranger();
    assert!(!ann.get("/").await.has("html[data-theme]"));
    let back = ann.saying("referer", &format!("{}/@x", site.base)).post("/theme", &[("theme", "dark")]).await;
    assert_eq!(back.location().unwrap(), "/@x");
    assert!(ann.get("/").await.has("html[data-theme=dark]"));
    ann.post("/theme", &[("theme", "auto")]).await;
    assert!(!ann.get("/").await.has("html[data-theme]"));
}
