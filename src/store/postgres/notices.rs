//! How instances wake each other, and what there is in its place where they can't: the one seam for `LISTEN` and
//! `NOTIFY`, which are PostgreSQL's own.
//!
//! A notice says that there is something to read, and nothing else. Who gets none reads by the clock, all the same: so
//! a notice that is lost costs time and no change. Where the database knows no `LISTEN` (`CockroachDB`; `YugabyteDB`
//! says that it comes), that is all there is, a little more often. A pooler that gives each transaction another
//! connection (`PgBouncer` in transaction mode) takes `LISTEN` and passes nothing on: the clock is left there too. Run
//! by the tests: PostgreSQL 15, with notices and without.

use std::future::poll_fn;

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Error};

use super::connect::Carrier;
use super::transaction::{Fault, is_unknown};
use crate::store::StoreError;

/// What listens to notices of others.
pub(super) struct Notices(mpsc::Receiver<Result<(), Error>>);

impl Notices {
    /// Does the work of a connection, until its client is dropped or the database ends it; what it hears is kept in one
    /// place, for one notice says as much as a hundred.
    pub(super) fn of(mut connection: Carrier) -> Self {
        let (notice, notices) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    // Where there is one already, that is enough.
                    Ok(AsyncMessage::Notification(_)) => drop(notice.try_send(Ok(()))),
                    Ok(_) => {}
                    // Whoever listens takes it, or is gone.
                    Err(error) => return drop(notice.send(Err(error)).await),
                }
            }
        });
        Self(notices)
    }

    /// The next one; fails where the connection has ended.
    pub(super) async fn next(&mut self) -> Result<(), Fault> {
        match self.0.recv().await {
            Some(notice) => Ok(notice?),
            None => Err(StoreError::Failed("the connection has ended".to_owned()).into()),
        }
    }
}

/// Asks for notices. `false` where this database has none.
pub(super) async fn listen(client: &Client) -> Result<bool, Error> {
    match client.batch_execute("LISTEN thoughts_changes").await {
        Ok(()) => Ok(true),
        Err(error) if is_unknown(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives one to all who listen, this instance too.
pub(super) async fn notify(client: &Client) -> Result<(), Error> {
    match client.batch_execute("SELECT pg_notify('thoughts_changes', '')").await {
        Err(error) if !is_unknown(&error) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
