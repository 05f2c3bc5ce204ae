//! A connection that the pool has lent. Whoever asks by it may be gone before the database has answered, as where a
//! browser goes away, and whoever asked by it next would wait for that answer first. So the pool makes another in its
//! place, and the database is told to break off what nobody waits for any more.
//!
//! A commit is left to itself: one that waits for a standby would be seen without it, if it were broken off.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use deadpool_postgres::{ClientWrapper, Object};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::Error;

use super::connect::{SILENCE, Way};
use super::transaction::{Fault, answer};
use crate::store::{Result, StoreError};

/// A connection that goes back to the pool when it is dropped, unless an answer is to come still.
pub(super) struct Lent<'a> {
    /// `None` once it is not the pool's any more.
    client: Option<Object>,
    way: &'a Way,
    pub(super) asked: Asked,
}

/// What has no answer yet. What is dropped before it has one stays here.
#[derive(Default)]
pub(super) struct Asked {
    /// So many statements.
    statements: AtomicUsize,
    /// And a commit is among them.
    commits: AtomicBool,
}

impl Asked {
    /// What the database says; see [`answer`].
    pub(super) async fn answer<T>(&self, statement: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let answer = answer(statement).await;
        self.statements.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    /// The same to a commit.
    pub(super) async fn commit(&self, commit: impl Future<Output = Result<(), Error>>) -> Result<(), Fault> {
        self.commits.store(true, Ordering::Relaxed);
        let committed = self.answer(commit).await;
        self.commits.store(false, Ordering::Relaxed);
        committed
    }
}

impl<'a> Lent<'a> {
    /// One of the pool's, which leads that way.
    pub(super) fn new(client: Object, way: &'a Way) -> Self {
        Self { client: Some(client), way, asked: Asked::default() }
    }

    pub(super) fn client(&self) -> Result<&ClientWrapper> {
        self.client.as_deref().ok_or(StoreError::Closed)
    }

    /// The connection, and what it is asked.
    pub(super) fn parts(&mut self) -> Result<(&mut ClientWrapper, &Asked)> {
        Ok((self.client.as_deref_mut().ok_or(StoreError::Closed)?, &self.asked))
    }

    /// Keeps it for good.
    pub(super) fn keep(mut self) -> Result<ClientWrapper> {
        self.client.take().map(Object::take).ok_or(StoreError::Closed)
    }

    /// Ends it, and those that nobody uses just now: they lead to the same server.
    pub(super) fn give_up(mut self) {
        if let Some(client) = self.client.take() {
            if let Some(pool) = Object::pool(&client) {
                pool.retain(|_, _| false);
            }
            drop(Object::take(client));
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let (is_asked, commits) = (*self.asked.statements.get_mut() > 0, *self.asked.commits.get_mut());
        let Some(client) = self.client.take().filter(|_| is_asked) else { return };
        let (client, way) = (Object::take(client), self.way.clone());
        // A task for each connection that is left so, which ends within seconds whatever the database does. Where the
        // program ends just now there is none, and the connection ends too.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if commits {
                    // This is answered after it.
                    let _ = timeout(SILENCE, client.batch_execute("")).await;
                } else {
                    way.break_off(&client).await;
                }
            });
        }
    }
}
