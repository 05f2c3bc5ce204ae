//! Members who were deleted: taken out in one change, and what they left is forgotten in many small ones.

use async_trait::async_trait;

use super::transaction::{Fault, Transaction, change};
use super::values::{bytes, column, first, limit};
use super::{PostgresStore, members, sessions, statements as sql, thoughts};
use crate::domain::change::Change;
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Member};
use crate::domain::session::{End, Session};
use crate::store::{Accounts, Result};

#[async_trait]
impl Accounts for PostgresStore {
    async fn delete_member(&self, id: MemberId) -> Result<Option<Vec<Session>>> {
        change!(self.database, to => delete(&to, id))
    }

    async fn purge_members(&self, limit: usize) -> Result<bool> {
        change!(self.database, to => purge(&to, limit))
    }
}

async fn delete(to: &Transaction<'_>, id: MemberId) -> Result<Option<Vec<Session>>, Fault> {
    // Whoever is sharing a thought in their name holds them until that is done.
    let row = to.row(sql::REMOVE_MEMBER, &[&&id.to_bytes()[..]]).await?;
    let Some(member) = first::<Member>("a member", row.as_ref())? else { return Ok(None) };
    members::forget_identities(to, &member.identities).await?;
    put_leaving(to, id, &member.handle).await?;
    to.change(sql::REMOVE_API_TOKENS_OF, &[&&id.to_bytes()[..]]).await?;
    let ended = sessions::end_unnoted(to, id).await?;
    let why = End::AccountDeleted;
    let told = ended.iter().map(|session| Change::SessionEnded { session: session.hash, why });
    to.announce(told.chain([Change::Many]).collect()).await?;
    Ok(Some(ended))
}

/// Notes who was deleted, whose handle nobody is given until everything else is gone.
pub(super) async fn put_leaving(to: &Transaction<'_>, id: MemberId, handle: &Handle) -> Result<(), Fault> {
    to.change(sql::PUT_LEAVING, &[&&id.to_bytes()[..], &handle.as_str()]).await?;
    Ok(())
}

async fn purge(to: &Transaction<'_>, limit: usize) -> Result<bool, Fault> {
    let Some(row) = to.row(sql::NEXT_LEAVING, &[]).await? else { return Ok(false) };
    let id = MemberId::from_bytes(bytes("a member who was deleted", &row, 0)?);
    // Another instance may be at it: then it is asked again who is next.
    let row = to.row(sql::LEAVING_LOCKED, &[&&id.to_bytes()[..]]).await?.ok_or(Fault::Again)?;
    let handle: String = row.try_get(0)?;
    if !thoughts::purge_of(to, id, limit).await? && !purge_once_values(to, id, limit).await? {
        finish(to, id, &handle).await?;
    }
    Ok(true)
}

/// Forgets the first of the `once` values. `false` where there is none.
async fn purge_once_values(to: &Transaction<'_>, member: MemberId, most: usize) -> Result<bool, Fault> {
    let values = to.rows(sql::ONCE_OF, &[&&member.to_bytes()[..], &limit(most)]).await?;
    to.change(sql::REMOVE_ONCE, &[&column(&values, 0)?, &column(&values, 1)?]).await?;
    Ok(!values.is_empty())
}

/// Forgets the little that is left, which is bounded: the texts that wait, and what was begun by requests that were
/// under way when the member went; then that there was somebody.
async fn finish(to: &Transaction<'_>, member: MemberId, handle: &str) -> Result<(), Fault> {
    let id = member.to_bytes();
    to.change(sql::REMOVE_UNSENT_OF, &[&&id[..]]).await?;
    to.change(sql::REMOVE_API_TOKENS_OF, &[&&id[..]]).await?;
    sessions::end_unnoted(to, member).await?;
    to.change(sql::REMOVE_HANDLE, &[&handle]).await?;
    to.change(sql::REMOVE_LEAVING, &[&&id[..]]).await?;
    Ok(())
}
