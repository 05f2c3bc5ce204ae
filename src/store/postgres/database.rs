//! The database while the store is open: who may have a connection, and what one statement reads.

use std::sync::Arc;

use deadpool_postgres::Pool;
use futures_util::future::try_join_all;
use tokio::sync::{RwLock, RwLockReadGuard, Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_postgres::Row;

use super::changes::Teller;
use super::connect::{self, Way};
use super::lent::Lent;
use super::transaction::{self, Turn, Value};
use crate::store::{Result, StoreError};

/// The database, as everything that asks it shares it.
pub(super) struct Database {
    pub(super) way: Way,
    pool: Pool,
    pub(super) teller: Arc<Teller>,
    /// Whether it is Citus.
    pub(super) citus: bool,
    /// Whether it searches; see `full_text`.
    pub(super) full_text: bool,
    /// How many more changes may be under way.
    changes: Semaphore,
    /// And how many more searches.
    searches: Semaphore,
    /// Whether it is closed; read by whatever is under way, which closing waits for.
    closed: RwLock<bool>,
}

impl Database {
    pub(super) fn new(way: Way, pool: Pool, teller: Teller, citus: bool, full_text: bool) -> Self {
        let (changes, searches) = (Semaphore::new(connect::FOR_CHANGES), Semaphore::new(connect::FOR_SEARCHES));
        Self { way, pool, teller: Arc::new(teller), citus, full_text, changes, searches, closed: RwLock::new(false) }
    }

    /// A connection, while the store is open.
    pub(super) async fn turn(&self) -> Result<Turn<'_>> {
        let open = self.admission().await?;
        let lent = Lent::new(self.pool.get().await.map_err(transaction::no_connection)?, &self.way);
        Ok(Turn { lent, teller: &self.teller, full_text: self.full_text, _open: open, _change: None })
    }

    /// The same, to change something.
    pub(super) async fn turn_to_change(&self) -> Result<Turn<'_>> {
        let permit = right(&self.changes).await?;
        Ok(Turn { _change: Some(permit), ..self.turn().await? })
    }

    /// The right to search, by one connection at a time.
    pub(super) async fn right_to_search(&self) -> Result<SemaphorePermit<'_>> {
        right(&self.searches).await
    }

    pub(super) async fn admission(&self) -> Result<RwLockReadGuard<'_, bool>> {
        let closed = self.closed.read().await;
        if *closed { Err(StoreError::Closed) } else { Ok(closed) }
    }

    /// Reads what one statement gives.
    pub(super) async fn rows(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Vec<Row>> {
        let turn = self.turn().await?;
        let client = turn.lent.client()?;
        let rows = turn.lent.asked.answer(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, with).await
        });
        rows.await.map_err(|fault| turn.failed(fault))
    }

    /// Reads what one statement gives for each of these, all asked at once over one connection.
    pub(super) async fn rows_for_each(
        &self,
        sql: &'static str,
        each: &[Vec<u8>],
        rest: [Value<'_>; 2],
    ) -> Result<Vec<Row>> {
        let turn = self.turn().await?;
        let client = turn.lent.client()?;
        let rows = turn.lent.asked.answer(async {
            let statement = client.prepare_cached(sql).await?;
            let [second, third] = rest;
            let asked = each.iter().map(async |first| client.query(&statement, &[first, second, third]).await);
            Ok(try_join_all(asked).await?.into_iter().flatten().collect())
        });
        rows.await.map_err(|fault| turn.failed(fault))
    }

    /// Reads what one statement gives, of which there is one row at most.
    pub(super) async fn row(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(sql, with).await?.into_iter().next())
    }

    /// Waits for what is under way, and lets nothing begin any more.
    pub(super) async fn close(&self) {
        *self.closed.write().await = true;
        self.pool.close();
    }
}

/// One of what there are so many of, which is waited for no longer than a connection.
async fn right(of: &Semaphore) -> Result<SemaphorePermit<'_>> {
    let permit = timeout(connect::WAIT, of.acquire()).await;
    permit.map_err(|_| transaction::no_turn())?.map_err(|_| StoreError::Closed)
}
