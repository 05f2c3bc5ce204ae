//! How soon it answers, and what it needs when it does nothing.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::writes;
use crate::fill::Filled;
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
    let mut taken = first_answer(folder.path()).await;
    for _ in 0..4 {
        taken = taken.min(first_answer(folder.path()).await);
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
    let killed = killed_under_writers(&fill::of(largest).await).await;
    let taken = first_answer(killed.path()).await;
    add(table, &format!("start to first answer, {largest} thoughts, after SIGKILL"), "under 2 s", taken, 2000);
}

/// A copy of a store, whose server was killed while 32 shared what they could.
async fn killed_under_writers(filled: &Filled) -> TempDir {
    let copy = tempfile::tempdir_in(fill::kept()).unwrap();
    let everything = filled.folder.join(".");
    assert!(Command::new("cp").arg("-r").args([&everything, copy.path()]).status().unwrap().success());
    let mut server = site::start(copy.path(), &[]);
    let mut share = writes::share(&filled.cookie);
    share.status = load::once(server.port, &share).await.status();
    assert!(share.status.is_success(), "{}", share.status);
    let writers = load::drive(&server, &share, 32, Duration::from_mins(1));
    // They are broken off in the middle of it, and so is the server.
    let _ = tokio::time::timeout(Duration::from_secs(2), writers).await;
    server.kill();
    copy
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

/// How long it takes from its start until it has answered a request.
async fn first_answer(folder: &Path) -> Duration {
    let begun = Instant::now();
    let server = site::start(folder, &[]);
    while TcpStream::connect(("127.0.0.1", server.port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    load::once(server.port, &Ask::get("/", &[])).await;
    begun.elapsed()
}
