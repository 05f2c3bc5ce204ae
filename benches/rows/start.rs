//! How soon it answers, and what it needs when it does nothing.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::load::{self, Ask};
use crate::table::{Row, Table};
use crate::{Options, fill, site};

/// An empty store, and the largest one after SIGKILL.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("start memory idle") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The first start makes the store and the secret, which is another thing.
    drop(site::start(folder.path(), &[]));
    let mut taken = first_answer(folder.path(), false).await;
    for _ in 0..4 {
        taken = taken.min(first_answer(folder.path(), false).await);
    }
    add(table, "start to first answer, empty store", "under 100 ms", taken, 100);
    let server = site::start(folder.path(), &[]);
    load::once(server.port, &Ask::get("/", &[])).await;
    let memory = server.memory();
    table.add(Row {
        what: "memory, idle, empty store".to_owned(),
        reach: "under 25 MB",
        found: format!("{memory:.1} MB"),
        beside: String::new(),
        reached: memory < 25.0,
    });
    drop(server);
    let largest = options.sizes().last().copied().unwrap_or_default();
    let filled = fill::of(largest).await;
    let taken = first_answer(&filled.folder, true).await;
    add(table, &format!("start to first answer, {largest} thoughts, after SIGKILL"), "under 2 s", taken, 2000);
}

fn add(table: &mut Table, what: &str, reach: &'static str, taken: Duration, most: u128) {
    table.add(Row {
        what: what.to_owned(),
        reach,
        found: format!("{} ms", taken.as_millis()),
        beside: String::new(),
        reached: taken.as_millis() < most,
    });
}

/// How long it takes from its start until it has answered a request; after it was killed, if so wanted.
async fn first_answer(folder: &std::path::Path, killed: bool) -> Duration {
    if killed {
        site::start(folder, &[]).kill();
    }
    let begun = Instant::now();
    let server = site::start(folder, &[]);
    while TcpStream::connect(("127.0.0.1", server.port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    load::once(server.port, &Ask::get("/", &[])).await;
    begun.elapsed()
}
