//! Deleting a thought, and undoing that.

use std::sync::Arc;

use crate::app::App;
use crate::domain::change::What;
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::policy::{Action, Reach, Viewer, may};
use crate::domain::thought::Authored;

use super::{Error, Result, read};

/// Deletes a thought; for [`RESTORABLE_DAYS`](crate::domain::thought::Thought::RESTORABLE_DAYS) it can be
/// restored. Gives it as it was.
///
/// # Errors
/// `NotFound` where the member can't see it, `Forbidden` where they are neither its author nor an admin.
pub async fn delete(app: &App, member: &Member, id: ThoughtId) -> Result<Authored> {
    let authored = read::thought(app, &Reach::of(member), id).await?;
    if !may(member, Action::Delete, &authored.thought) {
        return Err(Error::Forbidden("Only its author or an admin can delete a thought."));
    }
    if !app.store.delete(id, app.clock.now()).await? {
        return Err(Error::NotFound);
    }
    tracing::info!(thought = %id, author = %authored.author.id, member = %member.id, "thought_deleted");
    app.live.tell(&authored.thought.became(What::Deleted { from: authored.thought.visibility.clone() }));
    Ok(authored)
}

/// Puts a deleted thought back where it was, and gives it. One that isn't deleted is given as it is, so
/// that a second click does no harm.
pub async fn restore(app: &App, member: &Member, id: ThoughtId) -> Result<Authored> {
    let viewer = Viewer::Member(Arc::new(member.clone()));
    match read::restorable(app, &viewer, id).await {
        Ok(Authored { thought, author }) => {
            if app.store.restore(id).await? {
                tracing::info!(thought = %id, author = %author.id, member = %member.id, "thought_restored");
                app.live.tell(&thought.became(What::Restored { to: thought.visibility.clone() }));
            }
        }
        Err(Error::NotFound) => {}
        Err(error) => return Err(error),
    }
    let authored = read::thought(app, &Reach::of(member), id).await?;
    if may(member, Action::Restore, &authored.thought) {
        Ok(authored)
    } else {
        Err(Error::Forbidden("Only its author or an admin can restore a thought."))
    }
}
