//! Editing a thought.

use std::sync::Arc;

use crate::app::App;
use crate::domain::Invalid;
use crate::domain::change::What;
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::policy::{Action, Reach, may, may_address};
use crate::domain::thought::{Authored, NewThought};

use super::{Error, Result, read};

/// The thought, for its author to change.
///
/// # Errors
/// `NotFound` where the member can't see it, `Forbidden` where it is another's.
pub async fn editable(app: &App, member: &Member, id: ThoughtId) -> Result<Authored> {
    let authored = read::thought(app, &Reach::of(member), id).await?;
    if may(member, Action::Edit, &authored.thought) {
        Ok(authored)
    } else {
        Err(Error::Forbidden("Only its author can change a thought."))
    }
}

/// Changes what a thought says and whom it is for. A group that it is already shared with stays allowed,
/// though its author may have left that group since.
pub async fn edit(app: &App, member: &Member, id: ThoughtId, change: &NewThought) -> Result<Authored> {
    let before = editable(app, member, id).await?;
    if change.visibility != before.thought.visibility && !may_address(member, &change.visibility) {
        return Err(Invalid::new("visibility", "Choose a group that you are in.").into());
    }
    let thought = app.store.edit(id, change, app.clock.now()).await?.ok_or(Error::NotFound)?;
    tracing::info!(thought = %id, member = %member.id, version = thought.version, "thought_edited");
    if thought != *before.thought {
        let (from, to) = (before.thought.visibility.clone(), thought.visibility.clone());
        app.live.tell(&thought.became(What::Edited { from, to }));
    }
    Ok(Authored { thought: Arc::new(thought), author: before.author })
}
