//! An upstream called through us, against a bare reverse proxy on the same HTTP client.

use crate::load::{self, Ask};
use crate::table::{Row, Table, short};
use crate::{Options, limit};

use super::pages::beside;
use super::sign_in::WithProvider;

/// A small JSON answer, 64 connections.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("upstream call") {
        return;
    }
    let answer = hyper::Response::builder().header("content-type", "application/json");
    let upstream = limit::start(&answer.body(vec![b' '; 1000].into()).unwrap());
    let proxy = limit::proxy(upstream.port);
    let folder = tempfile::tempdir().unwrap();
    let file = format!("[[upstream]]\nname = 'one'\nurl = 'http://127.0.0.1:{}'\nprefix = '/'\n", upstream.port);
    let both = WithProvider::start(folder.path(), &file).await;
    let cookie = both.person("Ann").await.cookie_header();
    let mut ask = Ask::get("/api/upstream/one/hello", &[("cookie", &cookie), ("sec-fetch-site", "same-origin")]);
    ask.length = Some(1000);
    let bare = Ask { path: "/hello".to_owned(), ..ask.clone() };
    let (ours, bare, ratio) = load::in_turn((&both.server, &ask), (&proxy, &bare), 64, options.time()).await;
    table.add(Row {
        what: "upstream call through us".to_owned(),
        reach: "0.5 of a bare reverse proxy on the same client",
        found: short(ratio),
        beside: beside(&ours, &bare).replace("the limit", "the bare proxy"),
        reached: ratio >= 0.5,
    });
}
