//! Texts that wait for their writers: by id, by when they were kept.

use async_trait::async_trait;
use jiff::Timestamp;

use super::transaction::{Fault, Transaction, change};
use super::values::{column, first, limit};
use super::{PostgresStore, statements as sql};
use crate::domain::unsent::{Unsent, UnsentId};
use crate::store::codec::encode;
use crate::store::{Result, UnsentTexts};

const WHAT: &str = "a text that was not sent";

#[async_trait]
impl UnsentTexts for PostgresStore {
    async fn keep_unsent(&self, id: UnsentId, unsent: &Unsent) -> Result<()> {
        change!(self.database, to => async {
            // There is a bound to them, so one is kept after the other.
            to.row(sql::NOTE_LOCKED, &[&"unsent"]).await?;
            let too_many = to.rows(sql::UNSENT_TOO_MANY, &[&limit(Unsent::AT_MOST - 1)]).await?;
            to.change(sql::REMOVE_UNSENT, &[&column(&too_many, 0)?]).await?;
            put(&to, id.to_bytes(), unsent).await
        })
    }

    async fn unsent(&self, id: UnsentId) -> Result<Option<Unsent>> {
        first(WHAT, self.database.row(sql::UNSENT, &[&&id.to_bytes()[..]]).await?.as_ref())
    }

    async fn forget_unsent(&self, id: UnsentId) -> Result<()> {
        let ids = vec![id.to_bytes().to_vec()];
        change!(self.database, to => async { to.change(sql::REMOVE_UNSENT, &[&ids]).await.map(drop) })
    }

    async fn purge_unsent(&self, before: Timestamp, most: usize) -> Result<usize> {
        change!(self.database, to => async {
            let due = to.rows(sql::UNSENT_BEFORE, &[&before.as_millisecond(), &limit(most)]).await?;
            to.change(sql::REMOVE_UNSENT, &[&column(&due, 0)?]).await?;
            Ok(due.len())
        })
    }
}

/// Puts a text in the place of what may be there of it.
pub(super) async fn put(to: &Transaction<'_>, id: [u8; 16], unsent: &Unsent) -> Result<(), Fault> {
    let (member, at) = (unsent.member.to_bytes(), unsent.at.as_millisecond());
    to.change(sql::PUT_UNSENT, &[&&id[..], &&member[..], &at, &encode(WHAT, unsent)?]).await?;
    Ok(())
}
