//! The store in PostgreSQL: for any number of instances on one database.
//!
//! Read in this order: `migrations/` (which tables there are), `statements` (everything that is asked of them),
//! `connect` (how the database is reached), `database` (who may have a connection), `lent` (what becomes of it where they
//! go away), `transaction` (how a change comes about), `questions` (what is asked at every request is asked together), then
//! the store's methods by subject, `copying`, `full_text`, and `changes`, `doubts`, `following` and `notices`, by which
//! instances hear of each other.
//!
//! A change locks the rows that it decides by and is tried again where the database could not order it beside another
//! one; PostgreSQL's default isolation is enough for that, and stricter ones do as well. Who is to be held still, like
//! the author of a thought that is being shared, is held by their row. A read is one statement, and so of one moment.
//! Bytes are records in `MessagePack`, as in the embedded store: a provider's texts may hold what PostgreSQL's may not
//! (U+0000), and a record can grow without a migration, while older and newer instances run side by side.

mod accounts;
mod api_tokens;
mod changes;
mod citus;
mod connect;
mod copying;
mod database;
mod doubts;
mod feed;
mod following;
mod full_text;
mod hint;
mod lent;
mod members;
mod migrate;
mod notices;
mod questions;
mod sessions;
mod statements;
#[cfg(test)]
mod tests;
mod thoughts;
mod transaction;
mod unsent;
mod values;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::{Config, Row};

use self::changes::Teller;
use self::connect::Way;
pub use self::connect::shown;
use self::database::Database;
use self::following::Follower;
use self::questions::Questions;
use self::transaction::Fault;
use super::{Following, Found, Result, SignedIn, Store, StoreError};
use crate::cache::Usage;
use crate::domain::id::ThoughtId;
use crate::domain::session::SessionHash;

/// The store in PostgreSQL.
pub struct PostgresStore {
    database: Arc<Database>,
    /// Who is signed in: asked at every request.
    signed_in: Questions<SessionHash, SignedIn>,
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
        let opening = async {
            let mut client = pool.get().await.map_err(transaction::no_connection)?;
            migrate::run(&mut client).await?;
            Ok((Teller::new(&client).await?, citus::is_there(&client).await?, full_text::is_there(&client).await?))
        };
        let (teller, citus, full_text) = opened(opening, config, &way).await?;
        let database = Arc::new(Database::new(way, pool, teller, citus, full_text));
        let signed_in = sessions::signed_in(database.clone());
        Ok(Self { database, signed_in })
    }

    /// What is in the database, which takes writes: tables, in a layout that this binary has or can lead to its own. Where
    /// there are none, that they could be made has been tried, and was taken back.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub async fn try_out(config: &Config, root_certificate: Option<&Path>) -> Result<Found> {
        let way = Way::new(config, root_certificate)?;
        let pool = way.pool()?;
        let trying = async {
            let mut client = pool.get().await.map_err(transaction::no_connection)?;
            let row = client.query_one(statements::IS_READ_ONLY, &[]).await.map_err(Fault::from)?;
            takes_writes(Some(&row))?;
            migrate::rehearse(&mut client).await
        };
        opened(trying, config, &way).await
    }
}

/// What comes of opening it, or why it can't be opened, with the database's name and without its password.
async fn opened<T>(opening: impl Future<Output = Result<T>>, config: &Config, way: &Way) -> Result<T> {
    match opening.await {
        Err(StoreError::Open(why)) => Err(StoreError::Open(format!("the store {} {why}", shown(config)))),
        Err(StoreError::Failed(why) | StoreError::Full(why) | StoreError::Busy(why)) => {
            let why = way.why_none_of_several().await.unwrap_or(why);
            Err(StoreError::Open(format!("the store {} can't be opened: {why}", shown(config))))
        }
        Err(error @ (StoreError::Corrupt { .. } | StoreError::Closed)) => Err(error),
        Ok(opened) => Ok(opened),
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
        let row = self.database.row(statements::IS_READ_ONLY, &[]).await?;
        takes_writes(row.as_ref())
    }

    async fn bytes(&self) -> Result<u64> {
        let size = if self.database.citus { citus::SIZE } else { statements::SIZE };
        let row = self.database.row(size, &[]).await?;
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

    async fn index(&self, _now: Timestamp) -> Result<bool> {
        full_text::index(self).await
    }

    async fn unindexed(&self) -> Result<Option<ThoughtId>> {
        full_text::unindexed(self).await
    }

    async fn follow(&self) -> Result<Option<Box<dyn Following>>> {
        let _open = self.database.admission().await?;
        Ok(Some(Box::new(Follower::start(self.database.way.clone(), self.database.teller.clone()).await)))
    }

    async fn close(&self) -> Result<()> {
        self.database.close().await;
        Ok(())
    }
}
