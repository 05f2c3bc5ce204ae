//! The store in PostgreSQL: for any number of instances on one database.
//!
//! Read in this order: `migrations/` (which tables there are), `statements` (everything that is asked of them),
//! `connect` (how the database is reached), `transaction` (how a change comes about), then the store's methods by
//! subject, `copying`, and `changes`, `following` and `notices`, by which instances hear of each other.
//!
//! A change locks the rows that it decides by and is tried again where the database could not order it beside another
//! one; PostgreSQL's default isolation is enough for that, and stricter ones do as well. Who is to be held still, like
//! the author of a thought that is being shared, is held by their row. A read is one statement, and so of one moment.
//! Bytes are records in `MessagePack`, as in the embedded store: a provider's texts may hold what PostgreSQL's may not
//! (U+0000), and a record can grow without a migration, while older and newer instances run side by side.

mod accounts;
mod api_tokens;
mod changes;
mod connect;
mod copying;
mod feed;
mod following;
mod hint;
mod members;
mod migrate;
mod notices;
mod sessions;
mod statements;
#[cfg(test)]
mod tests;
mod thoughts;
mod transaction;
mod unsent;
mod values;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use tokio::sync::{RwLock, RwLockReadGuard, Semaphore};
use tokio_postgres::{Config, Row};

use self::changes::Teller;
use self::connect::Way;
pub use self::connect::shown;
use self::following::Follower;
use self::transaction::{Fault, Turn, Value};
use super::{Following, Result, Store, StoreError};
use crate::cache::Usage;

/// The store in PostgreSQL.
pub struct PostgresStore {
    way: Way,
    pool: Pool,
    teller: Arc<Teller>,
    /// How many more changes may be under way.
    changes: Semaphore,
    /// Whether it is closed; read by whatever is under way, which closing waits for.
    closed: RwLock<bool>,
}

impl PostgresStore {
    /// Connects, and brings the tables to the layout of this binary. Certificates are checked against those of
    /// `root_certificate` (PEM), or else against the system's.
    ///
    /// # Errors
    /// [`StoreError::Open`] with a line that names the database, never its password, and says what is wrong.
    pub async fn open(config: &Config, root_certificate: Option<&Path>) -> Result<Self> {
        let way = Way::new(config, root_certificate)?;
        let pool = way.pool()?;
        let opened = async {
            let mut client = pool.get().await.map_err(transaction::no_connection)?;
            migrate::run(&mut client).await?;
            Teller::new(&client).await
        };
        let teller = opened.await.map_err(|error| cannot_open(error, config))?;
        let changes = Semaphore::new(connect::FOR_CHANGES);
        Ok(Self { way, pool, teller: Arc::new(teller), changes, closed: RwLock::new(false) })
    }

    /// Whether there are tables, in a layout that this binary has or can lead to its own, and the database takes writes.
    /// Where there are none, that they could be made has been tried, and was taken back.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn try_out(config: &Config, root_certificate: Option<&Path>) -> Result<bool> {
        let pool = Way::new(config, root_certificate)?.pool()?;
        let tried = async {
            let mut client = pool.get().await.map_err(transaction::no_connection)?;
            let row = client.query_one(statements::IS_READ_ONLY, &[]).await.map_err(Fault::from)?;
            takes_writes(Some(&row))?;
            migrate::rehearse(&mut client).await
        };
        tried.await.map_err(|error| cannot_open(error, config))
    }

    /// A connection, while the store is open.
    async fn turn(&self) -> Result<Turn<'_>> {
        let open = self.admission().await?;
        Ok(Turn { client: self.connection().await?, teller: &self.teller, _open: open, _change: None })
    }

    /// The same, to change something.
    async fn turn_to_change(&self) -> Result<Turn<'_>> {
        let permit = tokio::time::timeout(connect::WAIT, self.changes.acquire()).await;
        let permit = permit.map_err(|_| transaction::no_turn())?.map_err(|_| StoreError::Closed)?;
        Ok(Turn { _change: Some(permit), ..self.turn().await? })
    }

    async fn admission(&self) -> Result<RwLockReadGuard<'_, bool>> {
        let closed = self.closed.read().await;
        if *closed { Err(StoreError::Closed) } else { Ok(closed) }
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(transaction::no_connection)
    }

    /// Reads what one statement gives.
    async fn rows(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Vec<Row>> {
        let turn = self.turn().await?;
        let rows = transaction::answer(async {
            let statement = turn.client.prepare_cached(sql).await?;
            turn.client.query(&statement, with).await
        });
        rows.await.map_err(|fault| turn.failed(fault))
    }

    /// The same, of which there is one row at most.
    async fn row(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(sql, with).await?.into_iter().next())
    }
}

/// Why it can't be opened, with the database's name and without its password.
fn cannot_open(error: StoreError, config: &Config) -> StoreError {
    match error {
        StoreError::Open(why) => StoreError::Open(format!("the store {} {why}", shown(config))),
        StoreError::Failed(why) | StoreError::Full(why) | StoreError::Busy(why) => {
            StoreError::Open(format!("the store {} can't be opened: {why}", shown(config)))
        }
        StoreError::Corrupt { .. } | StoreError::Closed => error,
    }
}

/// What the database says of whether it can only be read.
fn takes_writes(row: Option<&Row>) -> Result<()> {
    match row.map(|row| row.try_get(0)).transpose().map_err(Fault::from)? {
        Some(false) => Ok(()),
        Some(true) | None => Err(StoreError::Failed("the database takes no writes: it is a standby".to_owned())),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<()> {
        let row = self.row(statements::IS_READ_ONLY, &[]).await?;
        takes_writes(row.as_ref())
    }

    async fn bytes(&self) -> Result<u64> {
        let row = self.row(statements::SIZE, &[]).await?;
        let size: Option<i64> = row.map(|row| row.try_get(0)).transpose().map_err(Fault::from)?;
        Ok(size.unwrap_or_default().unsigned_abs())
    }

    /// None: what another instance changes is seen by the next read.
    fn caches(&self) -> Vec<(&'static str, Usage)> {
        Vec::new()
    }

    /// Whoever is gone when a commit is answered counts nothing.
    fn version(&self) -> u64 {
        0
    }

    async fn follow(&self) -> Result<Option<Box<dyn Following>>> {
        let _open = self.admission().await?;
        Ok(Some(Box::new(Follower::start(self.way.clone(), self.teller.clone()).await)))
    }

    async fn close(&self) -> Result<()> {
        *self.closed.write().await = true;
        self.pool.close();
        Ok(())
    }
}
