//! Sharing a thought.

use std::sync::Arc;

use crate::app::App;
use crate::domain::Invalid;
use crate::domain::change::What;
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::policy::{Reach, may_address};
use crate::domain::thought::{Authored, NewThought, Once, Thought};
use crate::store::Shared;

use super::{Error, Result};

/// What has become of a thought that was to be shared.
#[derive(Clone, Copy)]
pub enum Outcome<'a> {
    /// It is shared: by this sending, or by an earlier one with the same `once` value.
    Shared(&'a Authored),
    /// An earlier sending has shared it, and it has been deleted since.
    Deleted(&'a Authored),
}

/// Shares a thought in the member's name, and gives what `tell` makes of it, which it does while the store writes. The
/// same `once` value again gives the first thought again, as it is now.
///
/// # Errors
/// `Invalid` for a group that the member isn't in; `NotFound` where the member has been deleted since.
pub async fn share<T>(
    app: &App,
    member: &Member,
    new: NewThought,
    once: Option<&Once>,
    tell: impl Fn(Outcome<'_>) -> T,
) -> Result<T> {
    if !may_address(member, &new.visibility) {
        return Err(Invalid::new("visibility", "Choose a group that you are in.").into());
    }
    let authored = Authored { thought: Arc::new(begun(app, member, new)), author: Arc::new(member.author()) };
    let thought = &*authored.thought;
    let (shared, told) = tokio::join!(app.store.share(thought, once), async { tell(Outcome::Shared(&authored)) });
    match shared? {
        Shared::Now => {
            tracing::info!(thought = %thought.id, member = %member.id, "thought_shared");
            app.live.tell(&thought.became(What::Shared { to: thought.visibility.clone() }));
            Ok(told)
        }
        Shared::Already(first) => again(app, member, first, tell).await,
        Shared::NoAuthor => Err(Error::NotFound),
    }
}

/// Tells of the thought that an earlier sending has shared. Whoever sends its `once` value again is its author, and may know
/// that it is deleted.
async fn again<T>(app: &App, member: &Member, first: ThoughtId, tell: impl Fn(Outcome<'_>) -> T) -> Result<T> {
    if let Some(authored) = app.store.thought(first, &Reach::of(member)).await? {
        return Ok(tell(Outcome::Shared(&authored)));
    }
    let deleted = app.store.deleted(first).await?.ok_or(Error::NotFound)?;
    Ok(tell(Outcome::Deleted(&deleted)))
}

fn begun(app: &App, member: &Member, new: NewThought) -> Thought {
    let now = app.clock.now();
    Thought {
        id: ThoughtId::from(app.ids.next(now)),
        author: member.id,
        message: new.message,
        visibility: new.visibility,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        version: 0,
    }
}
