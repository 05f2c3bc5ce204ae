//! Reading: always through the viewer's reach.

use jiff::Timestamp;

use crate::app::App;
use crate::domain::id::ThoughtId;
use crate::domain::member::{Handle, Member};
use crate::domain::page::{PAGE_SIZE, Page};
use crate::domain::policy::{Action, Reach, Viewer, may};
use crate::domain::search::Query;
use crate::domain::thought::{Authored, Revision};
use crate::store::Scope;

use super::{Error, Result};

/// A page of everybody's thoughts that this viewer may see, newest first.
pub async fn feed(app: &App, viewer: &Viewer, before: Option<ThoughtId>) -> Result<Page<Authored>> {
    Ok(app.store.feed(Scope::Everyone, &viewer.reach(), before, PAGE_SIZE).await?)
}

/// A page of the thoughts that say what somebody looks for and that this viewer may see, newest first. It may hold fewer than
/// there are, or none, and have a next one: see [`Thoughts::search`](crate::store::Thoughts::search).
pub async fn search(app: &App, viewer: &Viewer, query: &Query, before: Option<ThoughtId>) -> Result<Page<Authored>> {
    Ok(app.store.search(query, &viewer.reach(), before, PAGE_SIZE).await?)
}

/// A member, and a page of those of their thoughts that this viewer may see.
pub async fn member_page(
    app: &App,
    viewer: &Viewer,
    handle: &Handle,
    before: Option<ThoughtId>,
) -> Result<(Member, Page<Authored>)> {
    let member = app.store.member_by_handle(handle).await?.ok_or(Error::NotFound)?;
    let page = app.store.feed(Scope::By(member.id), &viewer.reach(), before, PAGE_SIZE).await?;
    Ok((member, page))
}

/// Whether there is an answer to be had; and, while thoughts are still being made quick to find, up to when those were shared
/// that are not yet.
pub async fn readiness(app: &App) -> Result<Option<Timestamp>> {
    app.store.ping().await?;
    let unindexed = app.store.unindexed().await?.map(|id| i64::try_from(id.millisecond()).unwrap_or(i64::MAX));
    Ok(unindexed.map(|millisecond| Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)))
}

/// One thought.
pub async fn thought(app: &App, reach: &Reach, id: ThoughtId) -> Result<Authored> {
    app.store.thought(id, reach).await?.ok_or(Error::NotFound)
}

/// One thought, and what it said before, newest first: whoever can read the thought can read that.
pub async fn thought_with_revisions(app: &App, reach: &Reach, id: ThoughtId) -> Result<(Authored, Vec<Revision>)> {
    let authored = thought(app, reach, id).await?;
    let revisions = if authored.thought.version == 0 { Vec::new() } else { app.store.revisions(id).await? };
    Ok((authored, revisions))
}

/// A deleted thought, for whoever may restore it: to them it is shown as deleted, to others it isn't there.
pub async fn restorable(app: &App, viewer: &Viewer, id: ThoughtId) -> Result<Authored> {
    let member = viewer.member().ok_or(Error::NotFound)?;
    let authored = app.store.deleted(id).await?.ok_or(Error::NotFound)?;
    let within_reach = Reach::of(member).admits(authored.author.id, &authored.thought.visibility);
    if within_reach && may(member, Action::Restore, &authored.thought) { Ok(authored) } else { Err(Error::NotFound) }
}
