//! Files for browsers: ours alone, under names that can be kept for ever, and small.

use crate::support::site;

#[tokio::test]
async fn files_have_hashed_names_and_are_kept_for_ever() {
    let site = site().await;
    let page = site.stranger().get("/").await;
    for (selector, attribute) in [("link[rel=stylesheet]", "href"), ("script", "src"), ("link[rel=icon]", "href")] {
        let file = site.stranger().get(&page.attribute(selector, attribute)).await;
        assert_eq!(file.status, 200);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    }
    assert_eq!(site.stranger().get("/static/thoughts-0000000000000000.css").await.status, 404);
    assert_eq!(site.stranger().get("/static/..%2fCargo.toml").await.status, 404);
}

#[tokio::test]
async fn files_come_compressed_in_the_way_the_browser_knows() {
    let site = site().await;
    let css = site.stranger().get("/").await.attribute("link[rel=stylesheet]", "href");
    for (accepted, coding) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        let file = site.stranger().saying("accept-encoding", accepted).get(&css).await;
        assert_eq!(file.header("content-encoding"), coding);
        assert_eq!(file.header("vary"), "Accept-Encoding");
    }
}

#[tokio::test]
async fn a_first_visit_is_light_and_asks_nobody_else() {
    let site = site().await;
    let stranger = site.stranger();
    let page = stranger.get("/").await;
    let mut bytes = page.body.len();
    for (selector, attribute) in [("link[rel=stylesheet]", "href"), ("script", "src"), ("link[rel=icon]", "href")] {
        let url = page.attribute(selector, attribute);
        assert!(url.starts_with("/static/"), "{url}");
        let file = stranger.saying("accept-encoding", "br").get(&url).await;
        bytes += file.header("content-length").parse::<usize>().unwrap();
    }
    assert!(bytes < 60_000, "{bytes} bytes");
}
