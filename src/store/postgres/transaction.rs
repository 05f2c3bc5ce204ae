//! A change: one transaction, tried again where the database asks for that, and answered when it is committed. And what
//! may go wrong with any statement.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio::sync::{RwLockReadGuard, SemaphorePermit};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::changes::Teller;
use super::connect;
use super::doubts::Place;
use super::hint::hint;
use super::lent::{Asked, Lent};
use crate::store::{Result, StoreError};

/// How often a change is begun at most.
const ATTEMPTS: u32 = 12;

/// What stands for a `$1`.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// Why a step of a change did not come about.
pub(super) enum Fault {
    /// Another change was in the way; the same may succeed now.
    Again,
    /// The store failed.
    Store(StoreError),
    /// The same, and the connection is of no use any more: it is silent, or leads to a server that takes no writes.
    Connection(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.code() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => Self::Again,
            Some(&SqlState::QUERY_CANCELED) => Self::Store(too_long("a statement")),
            Some(&SqlState::TOO_MANY_CONNECTIONS) => Self::Store(StoreError::Busy(text_of(&error))),
            Some(&SqlState::DISK_FULL) => Self::Store(StoreError::Full(text_of(&error))),
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Self::Connection(StoreError::Failed(text_of(&error))),
            Some(_) | None => Self::Store(StoreError::Failed(text_of(&error))),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Again => Self::Busy("others changed the same again and again".to_owned()),
            Fault::Store(error) | Fault::Connection(error) => error,
        }
    }
}

/// What the database says, unless it says nothing for too long.
pub(super) async fn answer<T>(statement: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
    match tokio::time::timeout(connect::SILENCE, statement).await {
        Ok(answer) => answer.map_err(Fault::from),
        Err(_) => Err(Fault::Connection(StoreError::Failed(format!(
            "the database has said nothing for {} s",
            connect::SILENCE.as_secs()
        )))),
    }
}

/// Whether the database does not know what it was asked for: PostgreSQL has it, and others have not.
pub(super) fn is_unknown(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            &SqlState::FEATURE_NOT_SUPPORTED
                | &SqlState::SYNTAX_ERROR
                | &SqlState::UNDEFINED_FUNCTION
                | &SqlState::UNDEFINED_OBJECT
        )
    )
}

/// What went wrong, what that came from, and what to do about it, where that is known.
pub(super) fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !words.iter().any(|said| said.contains(&text)) {
            words.push(text);
        }
        source = error.source();
    }
    let said = words.join(": ");
    match hint(error) {
        Some(hint) => format!("{said}. {hint}"),
        None => said,
    }
}

/// Why the pool gave no connection.
pub(super) fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => no_turn(),
        PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
            StoreError::Failed(connect::NO_ANSWER.to_owned())
        }
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => Fault::from(error).into(),
        PoolError::PostCreateHook(HookError::Message(why)) => StoreError::Failed(why.into_owned()),
        PoolError::Closed => StoreError::Closed,
        PoolError::NoRuntimeSpecified => StoreError::Failed(text_of(&error)),
    }
}

/// That others had all connections for too long.
pub(super) fn no_turn() -> StoreError {
    StoreError::Busy(format!("no connection was free for {} s", connect::WAIT.as_secs()))
}

/// That this was broken off.
pub(super) fn too_long(what: &str) -> StoreError {
    StoreError::Busy(format!("{what} took more than {} s", connect::STATEMENT.as_secs()))
}

/// A connection, while the store is open.
pub(super) struct Turn<'a> {
    pub(super) lent: Lent<'a>,
    pub(super) teller: &'a Teller,
    pub(super) full_text: bool,
    pub(super) _open: RwLockReadGuard<'a, bool>,
    /// The right to change something, which there are fewer of than connections.
    pub(super) _change: Option<SemaphorePermit<'a>>,
}

impl Turn<'_> {
    pub(super) async fn begin(&mut self) -> Result<Transaction<'_>, Fault> {
        let (client, asked) = self.lent.parts()?;
        let inner = asked.answer(client.transaction()).await?;
        Ok(Transaction { inner, asked, teller: self.teller, full_text: self.full_text, told: Mutex::default() })
    }

    /// What is told of a fault. Where the connection is of no use any more it ends here.
    pub(super) fn failed(self, fault: Fault) -> StoreError {
        if matches!(fault, Fault::Connection(_)) {
            self.lent.give_up();
        }
        fault.into()
    }
}

/// What is under way; nothing of it is there before it is committed.
pub(super) struct Transaction<'a> {
    inner: deadpool_postgres::Transaction<'a>,
    asked: &'a Asked,
    pub(super) teller: &'a Teller,
    /// Whether the database searches.
    pub(super) full_text: bool,
    /// Where stands what it tells others.
    pub(super) told: Mutex<Vec<Place>>,
}

impl Transaction<'_> {
    /// What a statement gives.
    pub(super) async fn rows(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let rows = self.asked.answer(async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.query(&statement, with).await
        });
        rows.await
    }

    /// The same, of which there is one row at most.
    pub(super) async fn row(&self, sql: &'static str, with: &[Value<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, with).await?.into_iter().next())
    }

    /// Changes something; gives how many rows that were.
    pub(super) async fn change(&self, sql: &'static str, with: &[Value<'_>]) -> Result<u64, Fault> {
        let changed = self.asked.answer(async {
            let statement = self.inner.prepare_cached(sql).await?;
            self.inner.execute(&statement, with).await
        });
        changed.await
    }

    /// Commits what was done, or takes it back. Nothing where it has to be done again, which `attempts` counts. Where a
    /// commit is not answered, or nobody waits for the answer any more, it is not known whether it came about: who sends
    /// the same `once` value again finds out, and what it tells is looked for.
    pub(super) async fn settle<T>(self, done: Result<T, Fault>, attempts: &mut u32) -> Option<Result<T, Fault>> {
        let settled = match done {
            Ok(done) => {
                let told = self.told.into_inner().unwrap_or_else(PoisonError::into_inner);
                let committing = self.teller.doubts.committing(told);
                let committed = self.asked.commit(self.inner.commit()).await;
                match committed {
                    Ok(()) => {
                        if committing.answered() {
                            self.teller.committed.notify_one();
                        }
                    }
                    Err(Fault::Again) => _ = committing.answered(),
                    Err(Fault::Store(_) | Fault::Connection(_)) => {}
                }
                committed.map(|()| done)
            }
            // A transaction that is dropped is rolled back.
            Err(fault) => Err(fault),
        };
        *attempts += 1;
        match settled {
            Err(Fault::Again) if *attempts < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(u64::from(*attempts * *attempts))).await;
                None
            }
            settled => Some(settled),
        }
    }
}

/// Changes something: `change!(store, transaction => future)`, where the future may be made more than once.
macro_rules! change {
    ($store:expr, $transaction:ident => $work:expr) => {{
        let mut attempts = 0;
        loop {
            let mut turn = $store.turn_to_change().await?;
            let settled = match turn.begin().await {
                Ok($transaction) => {
                    let done = { $work.await };
                    $transaction.settle(done, &mut attempts).await
                }
                Err(fault) => Some(Err(fault)),
            };
            match settled {
                Some(Ok(answer)) => break Ok(answer),
                Some(Err(fault)) => break Err(turn.failed(fault)),
                None => {}
            }
        }
    }};
}

pub(super) use change;
