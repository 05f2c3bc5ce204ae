//! What someone had typed when they turned out to be signed out: kept, given back to them alone, never sent by itself.

use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::app::App;
use crate::clock::random;
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::session::SessionHash;
use crate::domain::thought::Message;
use crate::domain::unsent::{Unsent, UnsentId};

/// What a form held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// Its text, as it was typed.
    pub message: String,
    /// Whom it was for.
    pub visibility: String,
    /// The thought that it was to change; none where it was a new one.
    pub thought: Option<ThoughtId>,
}

/// Keeps what was typed for whoever held the session that has ended. `None` where nobody knows whose that was, they
/// have deleted their account, or nothing was typed: then there is nobody to give it back to, or nothing.
pub async fn keep(app: &App, ended: SessionHash, typed: &Typed) -> Result<Option<UnsentId>> {
    if typed.message.trim().is_empty() || typed.message.len() > 2 * Message::MAX_BYTES {
        return Ok(None);
    }
    let Some(member) = app.store.ended_session(ended).await? else { return Ok(None) };
    if app.store.member(member).await?.is_none() {
        return Ok(None);
    }
    let id = UnsentId::new(random());
    let sealed = app.keys.seal(typed, &id.to_bytes()).map_err(Error::from)?;
    app.store.keep_unsent(id, &Unsent { member, sealed, at: app.clock.now() }).await?;
    tracing::info!(%member, "unsent_text_kept");
    Ok(Some(id))
}

/// What this member had typed, if it is kept under this id and is theirs.
pub async fn find(app: &App, member: &Member, id: UnsentId) -> Result<Option<Typed>> {
    let unsent = app.store.unsent(id).await?.filter(|unsent| unsent.member == member.id);
    Ok(unsent.and_then(|unsent| app.keys.open(&unsent.sealed, &id.to_bytes())))
}

/// Forgets it: it has been sent.
pub async fn forget(app: &App, id: UnsentId) -> Result<()> {
    Ok(app.store.forget_unsent(id).await?)
}
