//! Sharing a thought, answered after it is on disk.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use url::form_urlencoded::Serializer;

use super::pages::beside;
use crate::load::{self, Ask, Side, TURNS};
use crate::process::Process;
use crate::table::{Row, Table, short};
use crate::{Options, fill, limit, site};

/// What is synced at a time.
const PIECE: [u8; 4096] = [1; 4096];

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
    assert!(answer.status().is_success(), "{}", answer.status());
    ask.status = answer.status();
    let limit = limit::start(&answer);
    // All of it, and not the median: a write that waits long for the disk counts.
    let (ours, bare, _) = load::in_turn((&server, &ask), (&limit, &ask), 32, options.time()).await;
    let ratio = ours.rate / bare.rate;
    table.add(Row {
        what: "share a thought, 32 connections".to_owned(),
        reach: "0.50 of the limit's rate, which waits for sled as well",
        found: format!("{ratio:.2}"),
        beside: beside(&ours, &bare),
        reached: ratio >= 0.5,
    });
    one_at_a_time(options, table, [&server, &limit], &ask, folder.path()).await;
}

/// One connection against one `fdatasync` of 4 KB after the other on the same disk, over a file that has its length: what
/// makes it longer is more than one write. Beside it stands the limit on one connection, which waits for sled as well.
async fn one_at_a_time(
    options: &Options,
    table: &mut Table,
    [server, limit]: [&Process; 2],
    ask: &Ask,
    folder: &std::path::Path,
) {
    let (mut ours, mut bare) = (Side::new((server, ask), 1).await, Side::new((limit, ask), 1).await);
    let mut file = File::create(folder.join("syncs")).unwrap();
    file.write_all(&vec![0; 256 * PIECE.len()]).unwrap();
    file.sync_all().unwrap();
    let (mut syncs, mut seconds) = (0_u32, 0.0);
    let turn = options.time() / TURNS;
    for _ in 0..TURNS {
        bare.ask(turn).await;
        ours.ask(turn).await;
        let begun = Instant::now();
        while begun.elapsed() < turn {
            file.write_all_at(&PIECE, u64::from(syncs % 256) * PIECE.len() as u64).unwrap();
            file.sync_data().unwrap();
            syncs += 1;
        }
        seconds += begun.elapsed().as_secs_f64();
    }
    let (ours, bare, syncs) = (ours.measured(), bare.measured(), f64::from(syncs) / seconds);
    let ratio = ours.rate / syncs;
    table.add(Row {
        what: "share a thought, one at a time".to_owned(),
        reach: "0.7 of one fsync after the other",
        found: format!("{ratio:.2}"),
        beside: format!("{}; {} fsyncs/s", beside(&ours, &bare), short(syncs)),
        reached: ratio >= 0.7,
    });
}

/// A thought to share, another one each time.
pub fn share(cookie: &str) -> Ask {
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
