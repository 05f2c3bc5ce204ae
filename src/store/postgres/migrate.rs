//! The tables are brought to the layout of this binary when it opens them. Several instances may do so at once.
//!
//! To add one more: a file in `migrations/` and a line in [`MIGRATIONS`]. What an older binary could not work with any
//! more is done in two releases: instances of both run side by side for a while.

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::{Error, IsolationLevel};

use super::transaction::Fault;
use crate::store::{Result, StoreError};

/// What leads from each layout to the next.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_begin.sql")];

/// Names the turn to migrate among all advisory locks of the database: "thoughts" in ASCII.
const TURN: i64 = 0x7468_6f75_6768_7473;

pub(super) async fn run(client: &mut ClientWrapper) -> Result<()> {
    let migrated = async {
        // Who need not change anything needs no right to.
        let there: bool = client.query_one("SELECT to_regclass('layout') IS NOT NULL", &[]).await?.try_get(0)?;
        if there {
            let version: i64 = client.query_one(VERSION, &[]).await?.try_get(0)?;
            if usize::try_from(version).is_ok_and(|version| version >= MIGRATIONS.len()) {
                return Ok(version);
            }
        }
        // What is read behind the lock must be of after it.
        let beginning = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
        let transaction = beginning.start().await?;
        let version = migrate(&transaction).await?;
        transaction.commit().await?;
        Ok::<_, Error>(version)
    };
    let version = migrated.await.map_err(|error| match Fault::from(error) {
        Fault::Again => StoreError::Busy("another instance is migrating it".to_owned()),
        Fault::Store(error) | Fault::Connection(error) => error,
    })?;
    let known = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(()),
        Ok(_) | Err(_) => Err(StoreError::Open(format!(
            "has layout {version}, and this Thoughts knows layouts up to {known}. Use the newer one that made it."
        ))),
    }
}

const VERSION: &str = "SELECT coalesce(max(version), 0) FROM layout";

/// Gives the layout that there is now.
async fn migrate(transaction: &Transaction<'_>) -> std::result::Result<i64, Error> {
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    take_turn(transaction).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS layout (version bigint PRIMARY KEY)").await?;
    let mut version: i64 = transaction.query_one(VERSION, &[]).await?.try_get(0)?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        transaction.batch_execute(migration).await?;
        version += 1;
        transaction.execute("INSERT INTO layout (version) VALUES ($1)", &[&version]).await?;
        tracing::info!(version, "store_migrated");
    }
    Ok(version)
}

/// Waits until no other instance migrates; the turn ends with the transaction. Where there are no advisory locks
/// (`YugabyteDB` before 2025.1) or they lock nothing (`CockroachDB`), this is the place for something else; until then
/// the first start there is for one instance alone.
async fn take_turn(transaction: &Transaction<'_>) -> std::result::Result<(), Error> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&TURN]).await.map(drop)
}
