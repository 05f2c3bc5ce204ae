//! What is done in another way where the database is Citus, whose tables may be spread over servers: the one seam for it.
//!
//! `deploy/citus.sql` spreads them, and says by what. Nearly every statement is the same then: it names a row by what its
//! table is spread by, or asks all servers for little. Four things are not. A statement is planned with its values
//! ([`super::connect::BEGIN`]), for where they lie depends on them. A page of a feed takes two steps, for the thoughts do
//! not lie where the lists do. Sessions are found before their members are. And the room it takes is that on all servers.
//! `docs/growing.md` says how it was run.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::database::Database;
use super::feed::{Place, merged};
use super::statements as sql;
use super::transaction::Fault;
use super::values::{bytes, limit};
use crate::store::Result;

/// The room that the database takes on all servers.
pub(super) const SIZE: &str = "SELECT sum(result::bigint)::bigint \
    FROM run_command_on_all_nodes('SELECT pg_database_size(current_database())')";

const PLACE: &str = "a place in a list";

/// Whether the database is one, in SQL.
macro_rules! is_citus {
    () => {
        "to_regclass('pg_dist_partition') IS NOT NULL"
    };
}
pub(super) use is_citus;

/// Whether this database is one.
pub(super) async fn is_there(client: &Client) -> Result<bool> {
    let row = client.query_one(concat!("SELECT ", is_citus!()), &[]).await.map_err(Fault::from)?;
    Ok(row.try_get(0).map_err(Fault::from)?)
}

/// The first so many places of these lists behind `before`, newest first, with what stands there: first the places, each
/// list's from the server where it lies, then the thoughts from wherever they are.
pub(super) async fn ends(database: &Database, lists: &[Vec<u8>], before: &[u8], wanted: usize) -> Result<Vec<Place>> {
    let ends = database.rows_for_each(sql::LIST_END, lists, [&before, &limit(wanted)]).await?;
    let places = ends.iter().map(|row| Ok((bytes(PLACE, row, 0)?, ()))).collect::<Result<Vec<_>>>()?;
    let places: Vec<[u8; 16]> = merged(places, wanted).into_iter().map(|(place, ())| place).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<_> = places.iter().map(|place| place.to_vec()).collect();
    let thoughts = database.rows(sql::THOUGHTS_AT, &[&wanted]).await?;
    let thoughts = thoughts.into_iter().map(|row| Ok((bytes(PLACE, &row, 0)?, row)));
    let mut thoughts = thoughts.collect::<Result<HashMap<[u8; 16], _>>>()?;
    Ok(places.into_iter().map(|place| (place, thoughts.remove(&place))).collect())
}
