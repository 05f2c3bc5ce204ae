//! Copying: every record read out in its order, in one transaction that sees one moment, and put back with the places by
//! which it is found.

use std::slice;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::following::FOLLOWS;
use super::transaction::{Fault, Transaction, change};
use super::values::{bytes, first, limit, number, record, time};
use super::{PostgresStore, accounts, api_tokens, members, sessions, statements as sql, thoughts, unsent};
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::Handle;
use crate::domain::session::SessionHash;
use crate::store::codec::encode;
use crate::store::copying::{Copying, Filling, Kind, Record, Snapshot, UsedOnce};
use crate::store::{Result, StoreError};

/// What a store that is being filled notes.
const FILLING: &str = "filling";

/// A snapshot lasts as long as whoever reads it needs. Citus takes one on each server when that is first asked, here, and
/// for each connection to it, of which there is one.
const BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL citus.max_adaptive_executor_pool_size = 1; \
    SELECT 1 FROM thoughts LIMIT 1";

/// The connections to this database whose name ends so.
const SERVED_BY: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% ' || $1::text";

#[async_trait]
impl Copying for PostgresStore {
    async fn snapshot(&self, kinds: &'static [Kind]) -> Result<Box<dyn Snapshot>> {
        let turn = self.database.turn().await?;
        turn.lent.client()?.batch_execute(BEGIN).await.map_err(Fault::from)?;
        let mut kinds = kinds.iter();
        // It is the snapshot's alone from here on: when that is dropped, the connection ends.
        let client = turn.lent.keep()?;
        Ok(Box::new(PostgresSnapshot { client, kind: kinds.next().copied(), kinds, after: Place::default() }))
    }

    async fn fill(&self, records: Vec<Record>, so_far: &Filling) -> Result<()> {
        change!(self.database, to => async {
            for record in &records {
                put(&to, record).await?;
            }
            to.change(sql::PUT_NOTE, &[&FILLING, &encode(FILLING, so_far)?]).await.map(drop)
        })
    }

    async fn filling(&self) -> Result<Option<Filling>> {
        first(FILLING, self.database.row(sql::NOTE, &[&FILLING]).await?.as_ref())
    }

    async fn filled(&self) -> Result<()> {
        change!(self.database, to => async { to.change(sql::REMOVE_NOTE, &[&FILLING]).await.map(drop) })
    }

    async fn served_by(&self) -> Result<usize> {
        let turn = self.database.turn().await?;
        let row = turn.lent.client()?.query_one(SERVED_BY, &[&FOLLOWS]).await.map_err(Fault::from)?;
        Ok(usize::try_from(number(&row, 0)?).unwrap_or(usize::MAX))
    }
}

/// Where a kind's last record stood: a time or a version, and one or two keys.
struct Place {
    number: i64,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Default for Place {
    fn default() -> Self {
        Self { number: i64::MIN, first: Vec::new(), second: Vec::new() }
    }
}

struct PostgresSnapshot {
    client: ClientWrapper,
    /// What is being read.
    kind: Option<Kind>,
    /// What is read after it.
    kinds: slice::Iter<'static, Kind>,
    after: Place,
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn next(&mut self, limit: usize) -> Result<Vec<Record>> {
        while let Some(kind) = self.kind {
            let rows = self.rows(kind, limit).await?;
            let Some(last) = rows.last() else {
                self.kind = self.kinds.next().copied();
                self.after = Place::default();
                continue;
            };
            self.after = place(kind, last)?;
            return rows.iter().map(|row| read(kind, row)).collect();
        }
        Ok(Vec::new())
    }
}

impl PostgresSnapshot {
    async fn rows(&self, kind: Kind, most: usize) -> Result<Vec<Row>> {
        let Place { number, first, second } = &self.after;
        let most = limit(most);
        let rows = async {
            let statement = self.client.prepare_cached(statement(kind)).await?;
            match kind {
                Kind::Members
                | Kind::Leaving
                | Kind::Thoughts
                | Kind::ApiTokens
                | Kind::Sessions
                | Kind::UnsentTexts => self.client.query(&statement, &[first, &most]).await,
                Kind::Revisions => self.client.query(&statement, &[first, number, &most]).await,
                Kind::OnceValues => self.client.query(&statement, &[number, first, second, &most]).await,
                Kind::EndedSessions | Kind::Logouts => self.client.query(&statement, &[number, first, &most]).await,
            }
        };
        rows.await.map_err(|error| Fault::from(error).into())
    }
}

fn statement(kind: Kind) -> &'static str {
    match kind {
        Kind::Members => sql::ALL_MEMBERS,
        Kind::Leaving => sql::ALL_LEAVING,
        Kind::Thoughts => sql::ALL_THOUGHTS,
        Kind::Revisions => sql::ALL_REVISIONS,
        Kind::OnceValues => sql::ALL_ONCE,
        Kind::ApiTokens => sql::ALL_API_TOKENS,
        Kind::Sessions => sql::ALL_SESSIONS,
        Kind::EndedSessions => sql::ALL_ENDED,
        Kind::Logouts => sql::ALL_LOGOUTS,
        Kind::UnsentTexts => sql::ALL_UNSENT,
    }
}

fn place(kind: Kind, row: &Row) -> Result<Place> {
    let key = |column| row.try_get(column).map_err(|error| StoreError::from(Fault::from(error)));
    Ok(match kind {
        Kind::Members | Kind::Leaving | Kind::Thoughts | Kind::ApiTokens | Kind::Sessions | Kind::UnsentTexts => {
            Place { first: key(0)?, ..Place::default() }
        }
        Kind::Revisions => Place { first: key(0)?, number: number(row, 1)?, ..Place::default() },
        Kind::OnceValues => Place { number: number(row, 0)?, first: key(1)?, second: key(2)? },
        Kind::EndedSessions | Kind::Logouts => Place { number: number(row, 0)?, first: key(1)?, ..Place::default() },
    })
}

fn read(kind: Kind, row: &Row) -> Result<Record> {
    let what = kind.as_str();
    Ok(match kind {
        Kind::Members => Record::Member(record(what, row, 1)?),
        Kind::Leaving => {
            let handle: &str = row.try_get(1).map_err(Fault::from)?;
            let handle: Handle =
                handle.parse().map_err(|_| StoreError::Corrupt { what, why: "no handle".to_owned() })?;
            Record::Leaving { member: MemberId::from_bytes(bytes(what, row, 0)?), handle }
        }
        Kind::Thoughts => Record::Thought(record(what, row, 1)?),
        Kind::Revisions => {
            Record::Revision { thought: ThoughtId::from_bytes(bytes(what, row, 0)?), revision: record(what, row, 2)? }
        }
        Kind::OnceValues => Record::Once(UsedOnce {
            at: time(what, row, 0)?,
            member: MemberId::from_bytes(bytes(what, row, 1)?),
            hash: bytes(what, row, 2)?,
            made: ThoughtId::from_bytes(bytes(what, row, 3)?),
        }),
        Kind::ApiTokens => Record::ApiToken(record(what, row, 1)?),
        Kind::Sessions => Record::Session { session: record(what, row, 1)?, until: time(what, row, 2)? },
        Kind::EndedSessions => Record::Ended {
            until: time(what, row, 0)?,
            hash: SessionHash::from_bytes(bytes(what, row, 1)?),
            ended: record(what, row, 2)?,
        },
        Kind::Logouts => Record::Logout { until: time(what, row, 0)?, name: bytes(what, row, 1)? },
        Kind::UnsentTexts => Record::Unsent { id: bytes(what, row, 0)?, unsent: record(what, row, 1)? },
    })
}

/// Puts a record and all its places, in the stead of what may be there of it.
async fn put(to: &Transaction<'_>, record: &Record) -> Result<(), Fault> {
    match record {
        Record::Member(member) => members::put(to, member).await,
        Record::Leaving { member, handle } => {
            to.change(sql::PUT_HANDLE, &[&handle.as_str(), &&member.to_bytes()[..]]).await?;
            accounts::put_leaving(to, *member, handle).await
        }
        Record::Thought(thought) => thoughts::put(to, thought).await,
        Record::Revision { thought, revision } => thoughts::put_revision(to, *thought, revision).await,
        Record::Once(UsedOnce { member, hash, made, at }) => {
            let (member, made, at) = (member.to_bytes(), made.to_bytes(), at.as_millisecond());
            to.change(sql::PUT_ONCE, &[&&member[..], &&hash[..], &&made[..], &at]).await.map(drop)
        }
        Record::ApiToken(token) => api_tokens::put(to, token).await,
        Record::Session { session, until } => sessions::put(to, session, *until).await,
        Record::Ended { hash, ended, until } => sessions::put_ended(to, *hash, ended, until.as_millisecond()).await,
        Record::Logout { name, until } => {
            to.change(sql::PUT_LOGOUT, &[&&name[..], &until.as_millisecond()]).await.map(drop)
        }
        Record::Unsent { id, unsent } => unsent::put(to, *id, unsent).await,
    }
}
