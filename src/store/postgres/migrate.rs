//! The tables are brought to the layout of this binary when it opens them. Several instances may do so at once.
//!
//! To add one more: a file in `migrations/` and a line in [`MIGRATIONS`]. What an older binary could not work with any
//! more is done in two releases: instances of both run side by side for a while.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Transaction};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, IsolationLevel};

use super::full_text;
use super::transaction::{Fault, is_unknown};
use crate::store::{Found, Result, StoreError};

/// What leads from each layout to the next.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001_begin.sql"),
    include_str!("migrations/0002_changes.sql"),
    include_str!("migrations/0003_words.sql"),
];

/// The layout that has full-text search, where the database has it.
const FULL_TEXT: i64 = 3;

/// Names the turn to migrate among all advisory locks of the database: "thoughts" in ASCII.
const TURN: i64 = 0x7468_6f75_6768_7473;

/// How often it is tried where another instance was in the way.
const ATTEMPTS: u32 = 20;

/// How often it is tried where somebody holds the tables: for some two hours, which is longer than a backup reads them.
const PATIENT_ATTEMPTS: u32 = 1000;

/// How long the tables are left to others in between.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn run(client: &mut ClientWrapper) -> Result<()> {
    let (mut attempts, mut patient_attempts) = (0, 0);
    let version = loop {
        let error = match layout(client).await {
            Ok(version) => break version,
            Err(error) => error,
        };
        if is_held(&error) && patient_attempts < PATIENT_ATTEMPTS {
            if patient_attempts == 0 {
                tracing::warn!(%error, "the tables are held, by a backup perhaps: they are migrated once they are free");
            }
            patient_attempts += 1;
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        attempts += 1;
        match (is_anothers(&error), Fault::from(error)) {
            (true, _) | (false, Fault::Again) if attempts < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(u64::from(10 * attempts))).await;
            }
            (_, Fault::Again) => return Err(StoreError::Busy("another instance is migrating it".to_owned())),
            (_, Fault::Store(error) | Fault::Connection(error)) => return Err(error),
        }
    };
    is_known(version)
}

/// What there is of tables, in a layout that is known. Where there are none, they are made and taken back; tables that
/// are in use are not tried with.
pub(super) async fn rehearse(client: &mut ClientWrapper) -> Result<Found> {
    if let Some(version) = made(client).await.map_err(Fault::from)? {
        is_known(version)?;
        return Ok(if is_last(version) { Found::Store } else { Found::Older });
    }
    let tried = async {
        let transaction = client.transaction().await?;
        migrate(&transaction).await?;
        transaction.rollback().await
    };
    tried.await.map_err(Fault::from)?;
    Ok(Found::Nothing)
}

/// Whether nothing leads on from there, as far as this binary knows.
fn is_last(version: i64) -> bool {
    usize::try_from(version).is_ok_and(|version| version >= MIGRATIONS.len())
}

fn is_known(version: i64) -> Result<()> {
    let known = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(()),
        Ok(_) | Err(_) => Err(StoreError::Open(format!(
            "has layout {version}, and this Thoughts knows layouts up to {known}. Use the newer one that made it."
        ))),
    }
}

/// The layout that there is, if there is one.
async fn made(client: &ClientWrapper) -> std::result::Result<Option<i64>, Error> {
    let there: bool = client.query_one("SELECT to_regclass('layout') IS NOT NULL", &[]).await?.try_get(0)?;
    if there { client.query_one(VERSION, &[]).await?.try_get(0).map(Some) } else { Ok(None) }
}

/// The layout that there is now, which is the last one, or newer.
async fn layout(client: &mut ClientWrapper) -> std::result::Result<i64, Error> {
    // Who need not change anything needs no right to.
    if let Some(version) = made(client).await?
        && is_last(version)
    {
        return Ok(version);
    }
    // What is read behind the lock must be of after it.
    let beginning = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
    let transaction = beginning.start().await?;
    let (before, version) = migrate(&transaction).await?;
    transaction.commit().await?;
    if before < version {
        tracing::info!(version, "store_migrated");
    }
    Ok(version)
}

/// Whether another instance has made the same meanwhile, as it can where there are no turns.
fn is_anothers(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_OBJECT))
}

/// Whether somebody has held what was to be changed for as long as [`LOCK`] lets that be waited for.
fn is_held(error: &Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

const VERSION: &str = "SELECT coalesce(max(version), 0) FROM layout";

/// Whoever comes to a table while this waits for it waits behind it: for less than a statement may take.
const LOCK: &str = "SET LOCAL lock_timeout = 2000";

/// Gives the layout that there was, and the one that there is now.
async fn migrate(transaction: &Transaction<'_>) -> std::result::Result<(i64, i64), Error> {
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    take_turn(transaction).await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute("CREATE TABLE IF NOT EXISTS layout (version bigint PRIMARY KEY)").await?;
    let before: i64 = transaction.query_one(VERSION, &[]).await?.try_get(0)?;
    let mut version = before;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        version += 1;
        if version == FULL_TEXT {
            let made = full_text::make(transaction, migration).await?;
            tracing::info!(made, "full_text_search");
        } else {
            transaction.batch_execute(migration).await?;
        }
        transaction.execute("INSERT INTO layout (version) VALUES ($1)", &[&version]).await?;
    }
    Ok((before, version))
}

/// Waits until no other instance migrates; the turn ends with the transaction. The one seam for advisory locks: where
/// there are none (`YugabyteDB` before 2025.1) or they lock nothing (`CockroachDB`), instances that start at once get
/// in each other's way, all but one are taken back, and look again. That needs a database that takes back what
/// changes tables. Run by the tests: PostgreSQL 15, with these locks and without.
async fn take_turn(transaction: &Transaction<'_>) -> std::result::Result<(), Error> {
    transaction.batch_execute("SAVEPOINT turn").await?;
    match transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&TURN]).await {
        Err(error) if is_unknown(&error) => transaction.batch_execute("ROLLBACK TO SAVEPOINT turn").await,
        taken => taken.map(drop),
    }
}
