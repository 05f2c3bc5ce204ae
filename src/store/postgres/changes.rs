//! What instances tell each other: written in the transaction that it tells of, so that nothing is told that did not
//! happen, and nothing that happened is left untold where an instance dies behind its commit.
//!
//! It costs the change a row, and no wait of its own: the statement goes out together with the last one of the
//! transaction. `NOTIFY` is none of the transaction: with it, PostgreSQL commits one transaction after the other, each
//! waiting for its own write to the disk (`PreCommit_Notify` holds a lock over all of the server). So others are woken
//! afterwards, by `following`, once for all that was committed meanwhile.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, Ordering};

use deadpool_postgres::ClientWrapper;
use tokio::sync::Notify;
use tokio_postgres::{Client, Row, Statement};

use super::doubts::{Doubts, Place};
use super::statements as sql;
use super::transaction::{Fault, Transaction, answer};
use super::values::{bytes, limit, number};
use crate::domain::change::Change;
use crate::store::codec::{decode, encode};
use crate::store::{Result, StoreError};

const WHAT: &str = "a change";

/// How many are read at once.
const PAGE: usize = 1000;

/// The name of an instance since its start.
pub(super) type Name = [u8; 16];

/// This instance, as the others hear of it.
pub(super) struct Teller {
    pub(super) name: Name,
    /// How many changes it has told.
    told: AtomicI64,
    /// Those of whose commit nobody knows an answer.
    pub(super) doubts: Doubts,
    /// Whoever waits for it wakes the others.
    pub(super) committed: Notify,
}

impl Teller {
    /// One with a new name, which the database makes.
    pub(super) async fn new(client: &ClientWrapper) -> Result<Self> {
        let row = client.query_one(sql::NEW_TELLER, &[]).await.map_err(Fault::from)?;
        Ok(Self {
            name: bytes("a new name", &row, 0)?,
            told: AtomicI64::new(0),
            doubts: Doubts::default(),
            committed: Notify::new(),
        })
    }
}

impl Transaction<'_> {
    /// Tells other instances of these changes, when this transaction is committed.
    pub(super) async fn announce(&self, changes: Vec<Change>) -> Result<(), Fault> {
        if changes.is_empty() {
            return Ok(());
        }
        let numbers: Vec<_> = changes.iter().map(|_| self.teller.told.fetch_add(1, Ordering::Relaxed)).collect();
        let records = changes.iter().map(|change| encode(WHAT, change)).collect::<Result<Vec<_>>>()?;
        let rows = self.rows(sql::ANNOUNCE, &[&&self.teller.name[..], &numbers, &records]).await?;
        let places = rows.iter().map(|row| Ok(Place { at: number(row, 0)?, number: number(row, 1)? }));
        let places = places.collect::<Result<Vec<_>>>()?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(places);
        Ok(())
    }
}

/// What another instance has told.
pub(super) struct Told {
    /// When, in milliseconds since 1970 by the database's clock.
    pub(super) at: i64,
    /// Who, and how many it had told before.
    pub(super) id: (Name, i64),
    record: Vec<u8>,
}

impl Told {
    fn read(row: &Row) -> Result<Self> {
        let record = row.try_get(3).map_err(Fault::from)?;
        Ok(Self { at: number(row, 0)?, id: (bytes(WHAT, row, 1)?, number(row, 2)?), record })
    }

    /// What changed. A newer instance may tell what this one does not understand: then anything may have.
    pub(super) fn change(&self) -> Change {
        decode(WHAT, &self.record).unwrap_or_else(|error: StoreError| {
            tracing::warn!(%error, "another instance tells what is not understood here");
            Change::Many
        })
    }
}

/// What time it is by the database's clock, in milliseconds since 1970.
pub(super) async fn now(client: &Client) -> Result<i64, Fault> {
    Ok(answer(client.query_one(sql::NOW, &[])).await?.try_get(0)?)
}

/// What came about, by now, of the changes of `me` that were in doubt. It is told once.
pub(super) async fn no_longer_in_doubt(client: &Client, me: &Teller) -> Result<Vec<Told>, Fault> {
    let places = me.doubts.places();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let (at, numbers): (Vec<_>, Vec<_>) = places.iter().map(|place| (place.at, place.number)).unzip();
    let rows = answer(client.query(sql::OWN_CHANGES, &[&&me.name[..], &at, &numbers])).await?;
    let told = rows.iter().map(Told::read).collect::<Result<Vec<_>>>()?;
    let found: Vec<_> = told.iter().map(|told| Place { at: told.at, number: told.id.1 }).collect();
    me.doubts.looked_for(&places, &found);
    Ok(told)
}

/// What others than `me` have told from `since` on, by [`sql::CHANGES`].
pub(super) async fn read(client: &Client, changes: &Statement, me: Name, since: i64) -> Result<Vec<Told>, Fault> {
    let mut all = Vec::new();
    let mut place = (since, (Name::default(), i64::MIN));
    loop {
        let (at, (teller, number)) = place;
        let rows = answer(client.query(changes, &[&at, &&teller[..], &number, &&me[..], &limit(PAGE)])).await?;
        for row in &rows {
            all.push(Told::read(row)?);
        }
        match all.last() {
            Some(last) if rows.len() == PAGE => place = (last.at, last.id),
            Some(_) | None => return Ok(all),
        }
    }
}
