//! Thoughts: sharing, editing, deleting, and what comes of it in the lists.

use async_trait::async_trait;
use jiff::Timestamp;

use super::draft::Draft;
use super::keys::{self, List};
use super::records;
use super::search::Rest;
use super::{SledStore, feed};
use crate::domain::id::ThoughtId;
use crate::domain::page::{Page, TrashPlace};
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::domain::thought::{Authored, NewThought, Once, Revision, Thought};
use crate::store::search::look_through;
use crate::store::{Result, Scope, Shared, StoreError, Thoughts};

#[async_trait]
impl Thoughts for SledStore {
    async fn share(&self, thought: &Thought, once: Option<&Once>) -> Result<Shared> {
        let (thought, once) = (thought.clone(), once.cloned());
        let index = self.index.clone();
        self.writer.write(move |draft| share(draft, &thought, once.as_ref(), index.is_behind(thought.id))).await
    }

    async fn thought(&self, id: ThoughtId, reach: &Reach) -> Result<Option<Authored>> {
        self.read(|db| feed::shown(db, &self.cached, id, reach))
    }

    async fn feed(
        &self,
        scope: Scope,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>> {
        self.read(|db| feed::page(db, &self.cached, scope, reach, before, limit))
    }

    async fn search(
        &self,
        query: &Query,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>> {
        let (mut found, mut before) = (Vec::new(), before.unwrap_or(ThoughtId::LAST));
        let wanted = limit.saturating_add(1);
        loop {
            let find = |db: &_| self.index.find(db, &self.cached, (query, reach), before, wanted, &mut found);
            match self.read(find)? {
                Rest::Nothing => return Ok(Page::cut(found, limit, |item| item.thought.id)),
                Rest::Before(older) => before = older,
                Rest::Unindexed(older) => return look_through(self, query, reach, Some(older), found, limit).await,
            }
            tokio::task::yield_now().await;
        }
    }

    async fn edit(&self, id: ThoughtId, change: &NewThought, at: Timestamp) -> Result<Option<Thought>> {
        let change = change.clone();
        self.writer.write(move |draft| edit(draft, id, change, at)).await
    }

    async fn revisions(&self, id: ThoughtId) -> Result<Vec<Revision>> {
        self.read(|db| records::values(db, &keys::revisions(id)).rev().collect())
    }

    async fn delete(&self, id: ThoughtId, at: Timestamp) -> Result<bool> {
        self.writer.write(move |draft| delete(draft, id, at)).await
    }

    async fn deleted(&self, id: ThoughtId) -> Result<Option<Authored>> {
        self.read(|db| {
            let thought = self.cached.thought(db, id)?.filter(|thought| thought.deleted_at.is_some());
            thought.map_or(Ok(None), |thought| feed::authored(db, &self.cached, thought))
        })
    }

    async fn trash(
        &self,
        reach: &Reach,
        before: Option<TrashPlace>,
        limit: usize,
    ) -> Result<Page<Authored, TrashPlace>> {
        self.read(|db| feed::trash(db, &self.cached, reach, before, limit))
    }

    async fn restore(&self, id: ThoughtId) -> Result<bool> {
        self.writer.write(move |draft| restore(draft, id)).await
    }

    async fn purge_deleted(&self, before: Timestamp, limit: usize) -> Result<usize> {
        self.writer.write(move |draft| purge_deleted(draft, before, limit)).await
    }

    async fn purge_once(&self, before: Timestamp, limit: usize) -> Result<usize> {
        self.writer.write(move |draft| purge_once(draft, before, limit)).await
    }
}

/// A thought that `is_behind` what the index has, as where the clock was set back, is found at the next start by a mark.
fn share(draft: &mut Draft<'_>, thought: &Thought, once: Option<&Once>, is_behind: bool) -> Result<Shared> {
    if !draft.holds(&keys::member(thought.author))? {
        return Ok(Shared::NoAuthor);
    }
    if let Some(once) = once {
        let key = keys::once(thought.author, once);
        if let Some(id) = draft.get(&key)? {
            return Ok(Shared::Already(id));
        }
        draft.put(&key, &thought.id)?;
        draft.put(&keys::once_used(thought.created_at, thought.author, once), &())?;
    }
    let key = keys::thought(thought.id);
    if draft.holds(&key)? {
        return Err(StoreError::Failed(format!("there is a thought {} already", thought.id)));
    }
    draft.put(&key, thought)?;
    list(draft, thought)?;
    if is_behind {
        mark(draft, thought.id)?;
    }
    Ok(Shared::Now)
}

fn edit(draft: &mut Draft<'_>, id: ThoughtId, change: NewThought, at: Timestamp) -> Result<Option<Thought>> {
    let Some(was) = draft.get(&keys::thought(id))?.filter(|thought| thought.deleted_at.is_none()) else {
        return Ok(None);
    };
    if was.message == change.message && was.visibility == change.visibility {
        return Ok(Some(was));
    }
    let now = Thought {
        message: change.message,
        visibility: change.visibility,
        edited_at: Some(at),
        version: was.version + 1,
        ..was.clone()
    };
    if was.visibility != now.visibility {
        unlist(draft, &was);
        list(draft, &now)?;
    }
    if was.message != now.message {
        let since = was.edited_at.unwrap_or(was.created_at);
        let revision = Revision { version: was.version, message: was.message, since };
        draft.put(&keys::revision(id, revision.version), &revision)?;
    }
    draft.put(&keys::thought(id), &now)?;
    mark(draft, id)?;
    Ok(Some(now))
}

fn delete(draft: &mut Draft<'_>, id: ThoughtId, at: Timestamp) -> Result<bool> {
    let Some(mut thought) = draft.get(&keys::thought(id))?.filter(|thought| thought.deleted_at.is_none()) else {
        return Ok(false);
    };
    unlist(draft, &thought);
    thought.deleted_at = Some(at);
    draft.put(&keys::thought(id), &thought)?;
    draft.put(&keys::trashed(at, id), &())?;
    mark(draft, id)?;
    Ok(true)
}

fn restore(draft: &mut Draft<'_>, id: ThoughtId) -> Result<bool> {
    let Some(mut thought) = draft.get(&keys::thought(id))? else { return Ok(false) };
    let Some(deleted_at) = thought.deleted_at.take() else { return Ok(false) };
    if !draft.holds(&keys::member(thought.author))? {
        return Ok(false);
    }
    draft.remove(&keys::trashed(deleted_at, id));
    draft.put(&keys::thought(id), &thought)?;
    list(draft, &thought)?;
    mark(draft, id)?;
    Ok(true)
}

fn purge_deleted(draft: &mut Draft<'_>, before: Timestamp, limit: usize) -> Result<usize> {
    let mut purged = 0;
    for place in draft.keys(&keys::trashed_before(before), limit)? {
        let id = ThoughtId::from_bytes(keys::ending("a place in the trash", &place)?);
        forget(draft, id)?;
        draft.remove_raw(&place);
        purged += 1;
    }
    Ok(purged)
}

/// Takes away a thought with everything it has said.
pub(super) fn forget(draft: &mut Draft<'_>, id: ThoughtId) -> Result<()> {
    for revision in draft.keys(&keys::revisions(id), usize::MAX)? {
        draft.remove_raw(&revision);
    }
    draft.remove(&keys::thought(id));
    mark(draft, id)
}

/// The index is to know it anew.
fn mark(draft: &mut Draft<'_>, id: ThoughtId) -> Result<()> {
    let key = keys::to_reindex(id);
    let times = draft.get(&key)?.map_or(0, |times| times + 1);
    draft.put(&key, &times)
}

/// Takes away the marks that the index has caught up with, unless they were set again meanwhile.
pub(super) fn settle(draft: &mut Draft<'_>, marks: &[(ThoughtId, u64)]) -> Result<()> {
    for (id, times) in marks {
        let key = keys::to_reindex(*id);
        if draft.get(&key)? == Some(*times) {
            draft.remove(&key);
        }
    }
    Ok(())
}

fn purge_once(draft: &mut Draft<'_>, before: Timestamp, limit: usize) -> Result<usize> {
    let mut purged = 0;
    for place in draft.keys(&keys::once_used_before(before), limit)? {
        draft.remove(&keys::once_of(keys::ending("a use of a once value", &place)?));
        draft.remove_raw(&place);
        purged += 1;
    }
    Ok(purged)
}

/// Puts a thought and its places, in the stead of what may be there of it.
pub(super) fn put(draft: &mut Draft<'_>, thought: &Thought) -> Result<()> {
    if let Some(was) = draft.get(&keys::thought(thought.id))? {
        match was.deleted_at {
            Some(at) => draft.remove(&keys::trashed(at, was.id)),
            None => unlist(draft, &was),
        }
        mark(draft, was.id)?;
    }
    draft.put(&keys::thought(thought.id), thought)?;
    match thought.deleted_at {
        Some(at) => draft.put(&keys::trashed(at, thought.id), &()),
        None => list(draft, thought),
    }
}

/// Puts a thought into every list it belongs to.
fn list(draft: &mut Draft<'_>, thought: &Thought) -> Result<()> {
    for list in List::of(thought) {
        draft.put(&keys::listed(list, thought.id), &())?;
    }
    Ok(())
}

/// Takes a thought out of all of them.
pub(super) fn unlist(draft: &mut Draft<'_>, thought: &Thought) {
    for list in List::of(thought) {
        draft.remove(&keys::listed(list, thought.id));
    }
}
