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

/// Shares a thought in the member's name. The same `once` value again gives the first thought again, as it
/// is now.
///
/// # Errors
/// `Invalid` for a group that the member isn't in; `NotFound` where the first thought has been deleted since, or the
/// member has.
pub async fn share(app: &App, member: &Member, new: NewThought, once: Option<&Once>) -> Result<Authored> {
    if !may_address(member, &new.visibility) {
        return Err(Invalid::new("visibility", "Choose a group that you are in.").into());
    }
    let now = app.clock.now();
    let thought = Thought {
        id: ThoughtId::from(app.ids.next(now)),
        author: member.id,
        message: new.message,
        visibility: new.visibility,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        version: 0,
    };
    match app.store.share(&thought, once).await? {
        Shared::Now => {
            tracing::info!(thought = %thought.id, member = %member.id, "thought_shared");
            app.live.tell(&thought.became(What::Shared { to: thought.visibility.clone() }));
            Ok(Authored { thought: Arc::new(thought), author: Arc::new(member.author()) })
        }
        Shared::Already(first) => app.store.thought(first, &Reach::of(member)).await?.ok_or(Error::NotFound),
        Shared::NoAuthor => Err(Error::NotFound),
    }
}
