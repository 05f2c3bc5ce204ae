//! Sharing a thought, answered after it is on disk.

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use url::form_urlencoded::Serializer;

use super::pages::beside;
use crate::load::{self, Ask};
use crate::process::Process;
use crate::table::{Row, Table, short};
use crate::{Options, fill, limit, site};

/// Many at once, and one after the other.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("share a thought") {
        return;
    }
    // Beside the other stores, so that it is on the same disk.
    std::fs::create_dir_all(fill::kept()).unwrap();
    let folder = tempfile::tempdir_in(fill::kept()).unwrap();
    let filled = fill::empty(folder.path()).await;
    let server = site::on(&filled).await;
    let mut ask = share(&filled.cookie);
    let answer = load::once(server.port, &ask).await;
    ask.status = answer.status();
    let limit = limit::start(&answer);
    let (ours, bare) = load::in_turn((&server, &ask), (&limit, &ask), 32, options.time()).await;
    let ratio = ours.rate / bare.rate;
    table.add(Row {
        what: "share a thought, 32 connections".to_owned(),
        reach: "0.50 of the limit's rate, which waits for sled as well",
        found: format!("{ratio:.2}"),
        beside: beside(&ours, &bare),
        reached: ratio >= 0.5,
    });
    one_at_a_time(options, table, &server, &ask, folder.path()).await;
}

/// One connection against one `fdatasync` of 4 KB after the other on the same disk.
async fn one_at_a_time(options: &Options, table: &mut Table, server: &Process, ask: &Ask, folder: &std::path::Path) {
    let ours = load::drive(server, ask, 1, options.time()).await;
    let mut file = File::create(folder.join("syncs")).unwrap();
    let (begun, mut syncs) = (Instant::now(), 0.0);
    while begun.elapsed() < options.time() {
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        syncs += 1.0;
    }
    let bare = syncs / begun.elapsed().as_secs_f64();
    let ratio = ours.rate / bare;
    table.add(Row {
        what: "share a thought, one at a time".to_owned(),
        reach: "0.7 of one fsync after the other",
        found: format!("{ratio:.2}"),
        beside: format!("{}/s, p99 {} ms; {} fsyncs/s", short(ours.rate), short(ours.p99), short(bare)),
        reached: ratio >= 0.7,
    });
}

fn share(cookie: &str) -> Ask {
    let body = Serializer::new(String::new())
        .extend_pairs([
            ("visibility", "public"),
            ("message", "A thought that is shared to measure how long that takes"),
        ])
        .finish();
    let mut ask = Ask::get(
        "/thoughts",
        &[
            ("cookie", cookie),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("hx-request", "true"),
            ("hx-request-type", "partial"),
        ],
    );
    ask.method = "POST";
    ask.body = format!("{body}&once=bench-{{n}}");
    ask
}
