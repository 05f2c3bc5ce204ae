//! Members: by identity, by handle, by id.

use async_trait::async_trait;
use jiff::Timestamp;

use super::draft::Draft;
use super::records::{self, get};
use super::sessions;
use super::{SledStore, keys};
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Identity, Linked, Member, Profile};
use crate::domain::page::Page;
use crate::store::{Members, Result, StoreError, Unlinked};

#[async_trait]
impl Members for SledStore {
    async fn admit(
        &self,
        identity: &Identity,
        profile: &Profile,
        handle: &Handle,
        id: MemberId,
        at: Timestamp,
    ) -> Result<Member> {
        let (identity, profile, handle) = (identity.clone(), profile.clone(), handle.clone());
        self.writer
            .write(move |draft| {
                if let Some(known) = draft.get(&keys::identity(&identity))? {
                    return update(draft, known, profile);
                }
                let handle = free(draft, &handle)?;
                let member = Member::new(id, identity, handle, profile, at);
                put(draft, &member)?;
                Ok(member)
            })
            .await
    }

    async fn update_member(&self, id: MemberId, profile: &Profile) -> Result<Option<Member>> {
        let profile = profile.clone();
        self.writer
            .write(
                move |draft| {
                    if draft.holds(&keys::member(id))? { update(draft, id, profile).map(Some) } else { Ok(None) }
                },
            )
            .await
    }

    async fn link(&self, member: MemberId, identity: &Identity) -> Result<Option<Linked>> {
        let identity = identity.clone();
        self.writer.write(move |draft| link(draft, member, &identity)).await
    }

    async fn unlink(&self, member: MemberId, identity: &Identity, at: Timestamp) -> Result<Option<Unlinked>> {
        let identity = identity.clone();
        self.writer.write(move |draft| unlink(draft, member, &identity, at)).await
    }

    async fn member(&self, id: MemberId) -> Result<Option<Member>> {
        self.read(|db| Ok(self.cached.member(db, id)?.map(|known| Member::clone(&known.member))))
    }

    async fn member_by_handle(&self, handle: &Handle) -> Result<Option<Member>> {
        self.read(|db| match get(db, &keys::handle(handle))? {
            // Who was deleted has the handle for a while longer, and is nobody.
            Some(id) => Ok(self.cached.member(db, id)?.map(|known| Member::clone(&known.member))),
            None => Ok(None),
        })
    }

    async fn members(&self, before: Option<MemberId>, limit: usize) -> Result<Page<Member, MemberId>> {
        self.read(|db| {
            let newest = records::values(db, &keys::members_before(before)).rev().take(limit.saturating_add(1));
            Ok(Page::cut(newest.collect::<Result<_>>()?, limit, |member: &Member| member.id))
        })
    }
}

fn update(draft: &mut Draft<'_>, id: MemberId, profile: Profile) -> Result<Member> {
    let was = draft.must_get(&keys::member(id))?;
    let mut now = was.clone();
    now.take(profile);
    if now != was {
        draft.put(&keys::member(id), &now)?;
    }
    Ok(now)
}

/// Puts a member and all that leads to them, in the place of what may be there of them.
pub(super) fn put(draft: &mut Draft<'_>, member: &Member) -> Result<()> {
    if let Some(was) = draft.get(&keys::member(member.id))? {
        draft.remove(&keys::handle(&was.handle));
        was.identities.iter().for_each(|identity| draft.remove(&keys::identity(identity)));
    }
    for identity in &member.identities {
        draft.put(&keys::identity(identity), &member.id)?;
    }
    draft.put(&keys::handle(&member.handle), &member.id)?;
    draft.put(&keys::member(member.id), member)
}

fn link(draft: &mut Draft<'_>, id: MemberId, identity: &Identity) -> Result<Option<Linked>> {
    let Some(mut member) = draft.get(&keys::member(id))? else { return Ok(None) };
    let linked = member.link(identity, draft.get(&keys::identity(identity))?);
    if linked == Linked::Now {
        draft.put(&keys::identity(identity), &id)?;
        draft.put(&keys::member(id), &member)?;
    }
    Ok(Some(linked))
}

fn unlink(draft: &mut Draft<'_>, id: MemberId, identity: &Identity, at: Timestamp) -> Result<Option<Unlinked>> {
    let Some(mut member) = draft.get(&keys::member(id))? else { return Ok(None) };
    if let Err(stays) = member.unlink(identity) {
        return Ok(Some(Unlinked::Not(stays)));
    }
    draft.remove(&keys::identity(identity));
    draft.put(&keys::member(id), &member)?;
    let ended = sessions::end_begun_with(draft, id, identity, at)?;
    Ok(Some(Unlinked::Now { ended }))
}

/// The first spelling of `handle` that nobody has.
fn free(draft: &Draft<'_>, handle: &Handle) -> Result<Handle> {
    for n in 1..=u32::MAX {
        let spelling = handle.numbered(n);
        if !draft.holds(&keys::handle(&spelling))? {
            return Ok(spelling);
        }
    }
    Err(StoreError::Failed(format!("every spelling of the handle {handle} is taken")))
}
