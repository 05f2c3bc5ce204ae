//! The same pages, from a store in PostgreSQL, which runs on the same cores.

use std::sync::Arc;

use thoughts::store::Store;
use thoughts::store::postgres::PostgresStore;

use super::pages::beside;
use crate::load::{self, Ask, Side};
use crate::table::{Row, Table};
use crate::{Options, fill, postgres, site};

const CONNECTIONS: usize = 64;

/// The feed page of one instance against sled's, and of two at once against one.
pub async fn measure(options: &Options, table: &mut Table) {
    if !options.wants("PostgreSQL feed page") {
        return;
    }
    let Some(url) = postgres::database().await else { return };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url.parse().unwrap(), None).await.unwrap());
    fill::fill(&store, 1_000).await;
    // A session for each connection: what is asked of the database together is not the same each time.
    let cookies = fill::sign_in_often(store.as_ref(), CONNECTIONS as u8).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("THOUGHTS_STORE", url.as_str()), ("THOUGHTS_SECRET", "a secret that every instance has")];
    let instances = [site::start(folder.path(), &settings), site::start(folder.path(), &settings)];
    let filled = fill::of(1_000).await;
    let sled = site::on(&filled).await;
    let of_sled = Ask::get("/", &[("cookie", &filled.cookie)]);
    let ask = Ask { cookies, ..Ask::get("/", &[]) };
    let (ours, bare, ratio) =
        load::in_turn((&instances[0], &ask), (&sled, &of_sled), CONNECTIONS, options.time()).await;
    table.add(Row {
        what: "feed page, signed in, PostgreSQL, one instance".to_owned(),
        reach: "0.5 of sled's rate",
        found: format!("{ratio:.2}"),
        beside: beside(&ours, &bare).replace("the limit", "sled"),
        reached: ratio >= 0.5,
    });
    // Each has as many connections as the one alone: an instance asks the database for all who ask it at a time together.
    let side = |instance| Side::new((instance, &ask), CONNECTIONS);
    let mut alone = side(&instances[0]).await;
    let (mut one, mut other) = (side(&instances[0]).await, side(&instances[1]).await);
    let both = async |turn| {
        let (one, other) = tokio::join!(one.ask(turn), other.ask(turn));
        one + other
    };
    let ratio = load::ratio_in_turn(both, async |turn| alone.ask(turn).await, options.time()).await;
    let (one, alone) = (one.measured(), alone.measured());
    table.add(Row {
        what: format!(
            "the same, two instances on one database and on the same two cores, {CONNECTIONS} connections each"
        ),
        reach: "the sum of their cores, which are one's here",
        found: format!("{ratio:.2}"),
        beside: format!("each of them {}", beside(&one, &alone).replace("the limit", "one alone")),
        reached: ratio >= 0.95,
    });
}
