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

/// Shares a thought in the member's name, and gives what `tell` makes of it, which it does while the store writes. The
/// same `once` value again gives the first thought again, as it is now.
///
/// # Errors
/// `Invalid` for a group that the member isn't in; `NotFound` where the first thought has been deleted since, or the
/// member has.
pub async fn share<T>(
    app: &App,
    member: &Member,
    new: NewThought,
    once: Option<&Once>,
    tell: impl Fn(&Authored) -> T,
) -> Result<T> {
    if !may_address(member, &new.visibility) {
        return Err(Invalid::new("visibility", "Choose a group that you are in.").into());
    }
    let authored = Authored { thought: Arc::new(begun(app, member, new)), author: Arc::new(member.author()) };
    let thought = &*authored.thought;
    let (shared, told) = tokio::join!(app.store.share(thought, once), async { tell(&authored) });
    match shared? {
        Shared::Now => {
            tracing::info!(thought = %thought.id, member = %member.id, "thought_shared");
            app.live.tell(&thought.became(What::Shared { to: thought.visibility.clone() }));
            Ok(told)
        }
        Shared::Already(first) => {
            let first = app.store.thought(first, &Reach::of(member)).await?;
            first.as_ref().map(tell).ok_or(Error::NotFound)
        }
        Shared::NoAuthor => Err(Error::NotFound),
    }
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
