//! Members who were deleted: taken out in one write, and what they left is forgotten in many small ones. Where that
//! stands is itself a record, so that a restart goes on with it.

use async_trait::async_trait;

use super::draft::Draft;
use super::keys::{self, List};
use super::records::Leaving;
use super::{SledStore, api_tokens, sessions, thoughts, unsent};
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::session::Session;
use crate::store::{Accounts, Result};

#[async_trait]
impl Accounts for SledStore {
    async fn delete_member(&self, id: MemberId) -> Result<Option<Vec<Session>>> {
        self.writer
            .write(move |draft| {
                let Some(member) = draft.get(&keys::member(id))? else { return Ok(None) };
                for identity in &member.identities {
                    draft.remove(&keys::identity(identity));
                }
                draft.remove(&keys::member(id));
                draft.put(&keys::leaving(id), &Leaving { handle: member.handle, trash_seen: None })?;
                api_tokens::revoke_all(draft, id)?;
                end_sessions(draft, id).map(Some)
            })
            .await
    }

    async fn purge_members(&self, limit: usize) -> Result<bool> {
        self.writer
            .write(move |draft| {
                let Some(place) = draft.keys(&keys::leaving_members(), 1)?.pop() else { return Ok(false) };
                let id = MemberId::from_bytes(keys::ending("a member who was deleted", &place)?);
                let leaving = draft.must_get(&keys::leaving(id))?;
                let under_way = purge_thoughts(draft, id, limit)?
                    || purge_once_values(draft, id, limit)?
                    || purge_trash(draft, id, &leaving, limit)?;
                if !under_way {
                    finish(draft, id, &leaving)?;
                }
                Ok(true)
            })
            .await
    }
}

/// Ends all of a member's sessions; nothing notes whose they were.
fn end_sessions(draft: &mut Draft<'_>, member: MemberId) -> Result<Vec<Session>> {
    let mut ended = Vec::new();
    for key in draft.keys(&keys::sessions_of(member), usize::MAX)? {
        let hash = sessions::hash_in(&key)?;
        ended.extend(sessions::take_out(draft, hash)?);
    }
    Ok(ended)
}

/// Forgets the first of the thoughts that are not deleted. `false` where there is none.
fn purge_thoughts(draft: &mut Draft<'_>, author: MemberId, limit: usize) -> Result<bool> {
    let places = draft.keys(&keys::listed_before(List::Own(author), None), limit)?;
    for place in &places {
        let id = ThoughtId::from_bytes(keys::ending("a place in a list", place)?);
        let thought = draft.must_get(&keys::thought(id))?;
        thoughts::unlist(draft, &thought);
        thoughts::forget(draft, id)?;
    }
    Ok(!places.is_empty())
}

/// Forgets the first of the `once` values. Their places in time name nobody, and are forgotten in their time.
fn purge_once_values(draft: &mut Draft<'_>, member: MemberId, limit: usize) -> Result<bool> {
    let values = draft.keys(&keys::once_values_of(member), limit)?;
    for value in &values {
        draft.remove_raw(value);
    }
    Ok(!values.is_empty())
}

/// Looks through the next places in the trash, which is everybody's, and forgets what is this author's. `false` at
/// its end. Nobody can put anything of theirs there any more.
fn purge_trash(draft: &mut Draft<'_>, author: MemberId, leaving: &Leaving, limit: usize) -> Result<bool> {
    let places = draft.keys(&keys::trashed_after(leaving.trash_seen.as_deref()), limit)?;
    for place in &places {
        let id = ThoughtId::from_bytes(keys::ending("a place in the trash", place)?);
        if draft.get(&keys::thought(id))?.is_some_and(|thought| thought.author == author) {
            thoughts::forget(draft, id)?;
            draft.remove_raw(place);
        }
    }
    let Some(last) = places.into_iter().last() else { return Ok(false) };
    draft.put(&keys::leaving(author), &Leaving { handle: leaving.handle.clone(), trash_seen: Some(last) })?;
    Ok(true)
}

/// Forgets the little that is left, which is bounded: the texts that wait, and what was begun by requests that were
/// under way when the member went; then who it was, but for the id, so that no older snapshot brings them back.
fn finish(draft: &mut Draft<'_>, member: MemberId, leaving: &Leaving) -> Result<()> {
    unsent::forget_of(draft, member)?;
    api_tokens::revoke_all(draft, member)?;
    end_sessions(draft, member)?;
    draft.remove(&keys::handle(&leaving.handle));
    draft.remove(&keys::leaving(member));
    draft.put(&keys::gone(member), &())
}
