//! Members: by identity, by handle, by id.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::try_join;

use super::transaction::{Fault, Transaction, change};
use super::values::{LAST, bytes, first, limit, records};
use super::{PostgresStore, sessions, statements as sql};
use crate::domain::change::Change;
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Identity, Linked, Member, Profile};
use crate::domain::page::Page;
use crate::store::codec::encode;
use crate::store::names::of_issuer;
use crate::store::{Members, Result, StoreError, Unlinked};

const WHAT: &str = "a member";

#[async_trait]
impl Members for PostgresStore {
    async fn admit(
        &self,
        identity: &Identity,
        profile: &Profile,
        handle: &Handle,
        id: MemberId,
        at: Timestamp,
    ) -> Result<Member> {
        change!(self.database, to => admit(&to, identity, profile, handle, id, at))
    }

    async fn update_member(&self, id: MemberId, profile: &Profile) -> Result<Option<Member>> {
        change!(self.database, to => update(&to, id, profile))
    }

    async fn link(&self, member: MemberId, identity: &Identity) -> Result<Option<Linked>> {
        change!(self.database, to => link(&to, member, identity))
    }

    async fn unlink(&self, member: MemberId, identity: &Identity, at: Timestamp) -> Result<Option<Unlinked>> {
        change!(self.database, to => unlink(&to, member, identity, at))
    }

    async fn member(&self, id: MemberId) -> Result<Option<Member>> {
        first(WHAT, self.database.row(sql::MEMBER, &[&&id.to_bytes()[..]]).await?.as_ref())
    }

    async fn member_by_handle(&self, handle: &Handle) -> Result<Option<Member>> {
        first(WHAT, self.database.row(sql::MEMBER_BY_HANDLE, &[&handle.as_str()]).await?.as_ref())
    }

    async fn members(&self, before: Option<MemberId>, most: usize) -> Result<Page<Member, MemberId>> {
        let before = before.map_or_else(|| LAST.to_vec(), |id| id.to_bytes().to_vec());
        let newest = self.database.rows(sql::MEMBERS_PAGE, &[&before, &limit(most.saturating_add(1))]).await?;
        Ok(Page::cut(records(WHAT, &newest)?, most, |member: &Member| member.id))
    }
}

/// What an identity is known by.
pub(super) fn name(identity: &Identity) -> Vec<u8> {
    of_issuer(&identity.iss, &identity.sub).to_vec()
}

/// Whose this identity is.
pub(super) async fn whose(to: &Transaction<'_>, identity: &Identity) -> Result<Option<MemberId>, Fault> {
    let row = to.row(sql::WHOSE_IDENTITY, &[&name(identity)]).await?;
    Ok(row.map(|row| bytes("an identity", &row, 0)).transpose()?.map(MemberId::from_bytes))
}

/// The member, whom nobody else changes before this transaction has ended.
async fn locked(to: &Transaction<'_>, id: MemberId) -> Result<Option<Member>, Fault> {
    Ok(first(WHAT, to.row(sql::MEMBER_LOCKED, &[&&id.to_bytes()[..]]).await?.as_ref())?)
}

async fn admit(
    to: &Transaction<'_>,
    identity: &Identity,
    profile: &Profile,
    handle: &Handle,
    id: MemberId,
    at: Timestamp,
) -> Result<Member, Fault> {
    if let Some(known) = whose(to, identity).await? {
        // They may have been deleted since.
        return update(to, known, profile).await?.ok_or(Fault::Again);
    }
    if to.change(sql::ADD_IDENTITY, &[&name(identity), &&id.to_bytes()[..]]).await? == 0 {
        return Err(Fault::Again);
    }
    let handle = take_handle(to, handle, id).await?;
    let member = Member::new(id, identity.clone(), handle, profile.clone(), at);
    write(to, &member).await?;
    Ok(member)
}

/// Gives the member the first spelling of `handle` that nobody has. More and more of them are looked at in one step:
/// many people are called the same.
async fn take_handle(to: &Transaction<'_>, handle: &Handle, id: MemberId) -> Result<Handle, Fault> {
    let (mut from, mut many) = (1, 1);
    while let Some(end) = u32::checked_add(from, many) {
        let spellings: Vec<_> = (from..end).map(|n| handle.numbered(n)).collect();
        let texts: Vec<_> = spellings.iter().map(Handle::as_str).collect();
        let rows = to.rows(sql::TAKEN_HANDLES, &[&texts]).await?;
        let taken: BTreeSet<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        for spelling in spellings.into_iter().filter(|spelling| !taken.contains(spelling.as_str())) {
            if to.change(sql::ADD_HANDLE, &[&spelling.as_str(), &&id.to_bytes()[..]]).await? == 1 {
                return Ok(spelling);
            }
        }
        (from, many) = (end, (many * 8).min(4096));
    }
    Err(StoreError::Failed(format!("every spelling of the handle {handle} is taken")).into())
}

async fn update(to: &Transaction<'_>, id: MemberId, profile: &Profile) -> Result<Option<Member>, Fault> {
    let Some(was) = locked(to, id).await? else { return Ok(None) };
    let mut now = was.clone();
    now.take(profile.clone());
    if now != was {
        try_join!(write(to, &now), to.announce(vec![Change::MemberKnownAnew { member: id }]))?;
    }
    Ok(Some(now))
}

async fn write(to: &Transaction<'_>, member: &Member) -> Result<(), Fault> {
    to.change(sql::PUT_MEMBER, &[&&member.id.to_bytes()[..], &encode(WHAT, member)?]).await?;
    Ok(())
}

/// Puts a member and all that leads to them, in the place of what may be there of them.
pub(super) async fn put(to: &Transaction<'_>, member: &Member) -> Result<(), Fault> {
    if let Some(was) = locked(to, member.id).await? {
        to.change(sql::REMOVE_HANDLE, &[&was.handle.as_str()]).await?;
        forget_identities(to, &was.identities).await?;
    }
    let id = member.id.to_bytes();
    for identity in &member.identities {
        to.change(sql::PUT_IDENTITY, &[&name(identity), &&id[..]]).await?;
    }
    to.change(sql::PUT_HANDLE, &[&member.handle.as_str(), &&id[..]]).await?;
    write(to, member).await
}

/// Makes these identities nobody's.
pub(super) async fn forget_identities(to: &Transaction<'_>, identities: &[Identity]) -> Result<(), Fault> {
    let names: Vec<_> = identities.iter().map(name).collect();
    to.change(sql::REMOVE_IDENTITIES, &[&names]).await?;
    Ok(())
}

async fn link(to: &Transaction<'_>, id: MemberId, identity: &Identity) -> Result<Option<Linked>, Fault> {
    let Some(mut member) = locked(to, id).await? else { return Ok(None) };
    let linked = member.link(identity, whose(to, identity).await?);
    if linked == Linked::Now {
        if to.change(sql::ADD_IDENTITY, &[&name(identity), &&id.to_bytes()[..]]).await? == 0 {
            return Err(Fault::Again);
        }
        write(to, &member).await?;
    }
    Ok(Some(linked))
}

async fn unlink(
    to: &Transaction<'_>,
    id: MemberId,
    identity: &Identity,
    at: Timestamp,
) -> Result<Option<Unlinked>, Fault> {
    let Some(mut member) = locked(to, id).await? else { return Ok(None) };
    if let Err(stays) = member.unlink(identity) {
        return Ok(Some(Unlinked::Not(stays)));
    }
    forget_identities(to, std::slice::from_ref(identity)).await?;
    write(to, &member).await?;
    Ok(Some(Unlinked::Now { ended: sessions::end_begun_with(to, id, identity, at).await? }))
}
