//! What is sent over the wire, and what is installed.

use std::collections::BTreeSet;

use scraper::{Html, Selector};

use crate::load::{self, Ask};
use crate::table::{Row, Table};
use crate::{Options, fill, site};

const ENCODING: (&str, &str) = ("accept-encoding", "br, gzip");

/// The binary, a first visit and the next page.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("binary first visit next page") {
        return;
    }
    let binary = std::fs::metadata(site::PROGRAM).unwrap().len() as f64 / 1e6;
    table.add(Row {
        what: "release binary, stripped".to_owned(),
        reach: "under 20 MB",
        found: format!("{binary:.1} MB"),
        beside: String::new(),
        reached: binary < 20.0,
    });
    let filled = fill::of(1_000).await;
    let server = site::on(&filled).await;
    let cookie = filled.cookie.as_str();
    let page = load::once(server.port, &Ask::get("/", &[("cookie", cookie), ENCODING])).await;
    let plain = load::once(server.port, &Ask::get("/", &[("cookie", cookie)])).await;
    let html = Html::parse_document(std::str::from_utf8(plain.body()).unwrap());
    let mut files = BTreeSet::new();
    for selector in ["link[href][rel=stylesheet]", "link[href][rel=icon]", "script[src]"] {
        let found = Selector::parse(selector).unwrap();
        files.extend(html.select(&found).filter_map(|one| one.attr("src").or(one.attr("href"))).map(str::to_owned));
    }
    let mut first = page.body().len();
    for file in &files {
        first += load::once(server.port, &Ask::get(file.as_str(), &[ENCODING])).await.body().len();
    }
    add(table, "first visit, everything", "under 60 KB compressed", first, 60_000);
    let thought = Ask::get(format!("/thoughts/{}", filled.middle()), &[("cookie", cookie), ENCODING]);
    add(table, "the next page", "under 6 KB compressed", load::once(server.port, &thought).await.body().len(), 6_000);
}

fn add(table: &mut Table, what: &str, reach: &'static str, bytes: usize, most: usize) {
    table.add(Row {
        what: what.to_owned(),
        reach,
        found: format!("{:.1} KB", bytes as f64 / 1000.0),
        beside: String::new(),
        reached: bytes < most,
    });
}
