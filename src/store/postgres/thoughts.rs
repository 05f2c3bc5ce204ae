//! Thoughts: sharing, editing, deleting, and what comes of it in the lists.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::try_join;

use super::transaction::{Fault, Transaction, change};
use super::values::{bytes, column, first, limit, record, records};
use super::{PostgresStore, feed, full_text, statements as sql};
use crate::domain::change::What;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::Member;
use crate::domain::page::{Page, TrashPlace};
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::domain::thought::{Authored, NewThought, Once, Revision, Thought};
use crate::store::codec::encode;
use crate::store::lists::List;
use crate::store::{Result, Scope, Shared, StoreError, Thoughts, names};

pub(super) const WHAT: &str = "a thought";
const REVISION: &str = "a revision";

#[async_trait]
impl Thoughts for PostgresStore {
    async fn share(&self, thought: &Thought, once: Option<&Once>) -> Result<Shared> {
        change!(self.database, to => share(&to, thought, once))
    }

    async fn thought(&self, id: ThoughtId, reach: &Reach) -> Result<Option<Authored>> {
        let found = self.authored(id).await?;
        Ok(found.filter(|Authored { thought, .. }| {
            thought.deleted_at.is_none() && reach.admits(thought.author, &thought.visibility)
        }))
    }

    async fn feed(
        &self,
        scope: Scope,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>> {
        feed::page(self, scope, reach, before, limit).await
    }

    async fn search(
        &self,
        query: &Query,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>> {
        full_text::search(self, query, reach, before, limit).await
    }

    async fn edit(&self, id: ThoughtId, change: &NewThought, at: Timestamp) -> Result<Option<Thought>> {
        change!(self.database, to => edit(&to, id, change, at))
    }

    async fn revisions(&self, id: ThoughtId) -> Result<Vec<Revision>> {
        records(REVISION, &self.database.rows(sql::REVISIONS, &[&&id.to_bytes()[..]]).await?)
    }

    async fn delete(&self, id: ThoughtId, at: Timestamp) -> Result<bool> {
        change!(self.database, to => delete(&to, id, at))
    }

    async fn deleted(&self, id: ThoughtId) -> Result<Option<Authored>> {
        Ok(self.authored(id).await?.filter(|found| found.thought.deleted_at.is_some()))
    }

    async fn restore(&self, id: ThoughtId) -> Result<bool> {
        change!(self.database, to => restore(&to, id))
    }

    async fn trash(
        &self,
        reach: &Reach,
        before: Option<TrashPlace>,
        limit: usize,
    ) -> Result<Page<Authored, TrashPlace>> {
        feed::trash(self, reach, before, limit).await
    }

    async fn purge_deleted(&self, before: Timestamp, limit: usize) -> Result<usize> {
        change!(self.database, to => purge_deleted(&to, before, limit))
    }

    async fn purge_once(&self, before: Timestamp, limit: usize) -> Result<usize> {
        change!(self.database, to => purge_once(&to, before, limit))
    }
}

impl PostgresStore {
    /// A thought, deleted or not, unless its author was deleted.
    async fn authored(&self, id: ThoughtId) -> Result<Option<Authored>> {
        let Some(row) = self.database.row(sql::THOUGHT, &[&&id.to_bytes()[..]]).await? else { return Ok(None) };
        let author: Member = record("a member", &row, 1)?;
        Ok(Some(Authored { thought: Arc::new(record(WHAT, &row, 0)?), author: Arc::new(author.author()) }))
    }
}

async fn share(to: &Transaction<'_>, thought: &Thought, once: Option<&Once>) -> Result<Shared, Fault> {
    let author = thought.author.to_bytes();
    if to.row(sql::MEMBER_HELD, &[&&author[..]]).await?.is_none() {
        return Ok(Shared::NoAuthor);
    }
    if let Some(once) = once {
        let (hash, id, at) = (names::once(once), thought.id.to_bytes(), thought.created_at.as_millisecond());
        if to.change(sql::ADD_ONCE, &[&&author[..], &&hash[..], &&id[..], &at]).await? == 0 {
            // Who used it may have been forgotten just now.
            let row = to.row(sql::ONCE, &[&&author[..], &&hash[..]]).await?.ok_or(Fault::Again)?;
            return Ok(Shared::Already(ThoughtId::from_bytes(bytes("a once value", &row, 0)?)));
        }
    }
    if write(to, [sql::ADD_THOUGHT, sql::ADD_THOUGHT_WITH_WORDS], thought).await? == 0 {
        return Err(StoreError::Failed(format!("there is a thought {} already", thought.id)).into());
    }
    let shared = thought.became(What::Shared { to: thought.visibility.clone() });
    try_join!(list(to, thought), to.announce(vec![shared]))?;
    Ok(Shared::Now)
}

/// The thought, which nobody else changes before this transaction has ended.
async fn locked(to: &Transaction<'_>, id: ThoughtId) -> Result<Option<Thought>, Fault> {
    let row = to.row(sql::THOUGHT_LOCKED, &[&&id.to_bytes()[..]]).await?;
    Ok(first(WHAT, row.as_ref())?)
}

async fn edit(
    to: &Transaction<'_>,
    id: ThoughtId,
    change: &NewThought,
    at: Timestamp,
) -> Result<Option<Thought>, Fault> {
    let Some(was) = locked(to, id).await?.filter(|thought| thought.deleted_at.is_none()) else { return Ok(None) };
    if was.message == change.message && was.visibility == change.visibility {
        return Ok(Some(was));
    }
    let now = Thought {
        message: change.message.clone(),
        visibility: change.visibility.clone(),
        edited_at: Some(at),
        version: was.version + 1,
        ..was.clone()
    };
    if was.visibility != now.visibility {
        unlist(to, std::slice::from_ref(&was)).await?;
        list(to, &now).await?;
    }
    if was.message != now.message {
        let since = was.edited_at.unwrap_or(was.created_at);
        put_revision(to, id, &Revision { version: was.version, message: was.message, since }).await?;
    }
    let edited = now.became(What::Edited { from: was.visibility, to: now.visibility.clone() });
    try_join!(write(to, PUT, &now), to.announce(vec![edited]))?;
    Ok(Some(now))
}

async fn delete(to: &Transaction<'_>, id: ThoughtId, at: Timestamp) -> Result<bool, Fault> {
    let Some(was) = locked(to, id).await?.filter(|thought| thought.deleted_at.is_none()) else { return Ok(false) };
    unlist(to, std::slice::from_ref(&was)).await?;
    let deleted = was.became(What::Deleted { from: was.visibility.clone() });
    let now = Thought { deleted_at: Some(at), ..was };
    try_join!(write(to, PUT, &now), to.announce(vec![deleted]))?;
    Ok(true)
}

async fn restore(to: &Transaction<'_>, id: ThoughtId) -> Result<bool, Fault> {
    let Some(was) = locked(to, id).await?.filter(|thought| thought.deleted_at.is_some()) else { return Ok(false) };
    if to.row(sql::MEMBER_HELD, &[&&was.author.to_bytes()[..]]).await?.is_none() {
        return Ok(false);
    }
    let now = Thought { deleted_at: None, ..was };
    write(to, PUT, &now).await?;
    let restored = now.became(What::Restored { to: now.visibility.clone() });
    try_join!(list(to, &now), to.announce(vec![restored]))?;
    Ok(true)
}

async fn purge_deleted(to: &Transaction<'_>, before: Timestamp, most: usize) -> Result<usize, Fault> {
    let before = before.as_millisecond();
    let due = to.rows(sql::TRASHED_BEFORE, &[&before, &limit(most)]).await?;
    // Without those that are restored at this moment.
    let gone = to.rows(sql::REMOVE_TRASHED, &[&column(&due, 0)?, &before]).await?;
    to.change(sql::REMOVE_REVISIONS, &[&column(&gone, 0)?]).await?;
    Ok(gone.len())
}

async fn purge_once(to: &Transaction<'_>, before: Timestamp, most: usize) -> Result<usize, Fault> {
    let due = to.rows(sql::ONCE_BEFORE, &[&before.as_millisecond(), &limit(most)]).await?;
    to.change(sql::REMOVE_ONCE, &[&column(&due, 0)?, &column(&due, 1)?]).await?;
    Ok(due.len())
}

/// Forgets the first of what this member has written, deleted or not. `false` where there is nothing.
pub(super) async fn purge_of(to: &Transaction<'_>, author: MemberId, most: usize) -> Result<bool, Fault> {
    let ids = column(&to.rows(sql::THOUGHTS_OF, &[&&author.to_bytes()[..], &limit(most)]).await?, 0)?;
    // Where they stand is what they say as they go: an edit may have been under way.
    let gone: Vec<Thought> = records(WHAT, &to.rows(sql::REMOVE_THOUGHTS, &[&ids]).await?)?;
    unlist(to, &gone).await?;
    to.change(sql::REMOVE_REVISIONS, &[&ids]).await?;
    Ok(!ids.is_empty())
}

/// Puts a thought and its places, in the stead of what may be there of it.
pub(super) async fn put(to: &Transaction<'_>, thought: &Thought) -> Result<(), Fault> {
    if let Some(was) = locked(to, thought.id).await? {
        unlist(to, &[was]).await?;
    }
    write(to, PUT, thought).await?;
    if thought.deleted_at.is_none() {
        list(to, thought).await?;
    }
    Ok(())
}

/// Puts what a version of a thought said.
pub(super) async fn put_revision(to: &Transaction<'_>, id: ThoughtId, revision: &Revision) -> Result<(), Fault> {
    let (version, record) = (i64::from(revision.version), encode(REVISION, revision)?);
    to.change(sql::PUT_REVISION, &[&&id.to_bytes()[..], &version, &record]).await?;
    Ok(())
}

const PUT: [&str; 2] = [sql::PUT_THOUGHT, sql::PUT_THOUGHT_WITH_WORDS];

/// Writes a thought by the one statement, or by the other where there is full-text search.
async fn write(to: &Transaction<'_>, how: [&'static str; 2], thought: &Thought) -> Result<u64, Fault> {
    let (id, author, record) = (thought.id.to_bytes(), thought.author.to_bytes(), encode(WHAT, thought)?);
    let (id, author) = (&id[..], &author[..]);
    let deleted_at = thought.deleted_at.map(Timestamp::as_millisecond);
    let [without, with_words] = how;
    if to.full_text {
        to.change(with_words, &[&id, &author, &deleted_at, &record, &full_text::lexemes(thought)]).await
    } else {
        to.change(without, &[&id, &author, &deleted_at, &record]).await
    }
}

/// Puts a thought into every list it belongs to.
async fn list(to: &Transaction<'_>, thought: &Thought) -> Result<(), Fault> {
    let lists: Vec<_> = List::of(thought).map(List::name).collect();
    to.change(sql::LIST, &[&lists, &&thought.id.to_bytes()[..]]).await?;
    Ok(())
}

/// Takes thoughts out of all of them.
async fn unlist(to: &Transaction<'_>, thoughts: &[Thought]) -> Result<(), Fault> {
    let places =
        thoughts.iter().flat_map(|thought| List::of(thought).map(|list| (list.name(), thought.id.to_bytes().to_vec())));
    let (lists, ids): (Vec<_>, Vec<_>) = places.unzip();
    to.change(sql::UNLIST, &[&lists, &ids]).await?;
    Ok(())
}
