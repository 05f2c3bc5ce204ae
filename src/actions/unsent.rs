//! What someone had typed when they turned out to be signed out, or not to have signed in recently enough: kept, given
//! back to them alone, never sent by itself.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::app::App;
use crate::clock::random;
use crate::domain::id::MemberId;
use crate::domain::member::Member;
use crate::domain::session::{Ended, SessionHash};
use crate::domain::thought::Message;
use crate::domain::unsent::{Unsent, UnsentId};

/// What a form held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// Which form: the path that it is sent to, with the base path.
    pub form: String,
    /// Its fields by name, as they were typed.
    pub fields: HashMap<String, String>,
}

/// Fields in which nothing is typed: alone they are no loss.
const CHOSEN: [&str; 2] = ["visibility", "thought"];

impl Typed {
    /// Whether something was typed, and no more than a form of ours can hold.
    fn is_worth_keeping(&self) -> bool {
        let typed = |(name, value): (&String, &String)| !CHOSEN.contains(&name.as_str()) && !value.trim().is_empty();
        let bytes: usize = self.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.fields.iter().any(typed) && bytes <= 2 * Message::MAX_BYTES
    }
}

/// Keeps what was typed for whoever held the session that has ended. `None` where nobody knows whose that was, they
/// have deleted their account, or nothing was typed: then there is nobody to give it back to, or nothing.
pub async fn keep_of_ended(app: &App, ended: SessionHash, typed: &Typed) -> Result<Option<UnsentId>> {
    match app.store.ended_session(ended).await? {
        Some(Ended { member, .. }) if app.store.member(member).await?.is_some() => keep(app, member, typed).await,
        Some(_) | None => Ok(None),
    }
}

/// Keeps what this member has typed. `None` where nothing was.
pub async fn keep(app: &App, member: MemberId, typed: &Typed) -> Result<Option<UnsentId>> {
    if !typed.is_worth_keeping() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &[(&str, &str)]) -> Typed {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Typed { form: "/profile".to_owned(), fields }
    }

    #[test]
    fn what_was_only_chosen_is_not_worth_keeping() {
        assert!(!typed(&[]).is_worth_keeping());
        assert!(!typed(&[("visibility", "public"), ("message", " ")]).is_worth_keeping());
        assert!(typed(&[("visibility", "public"), ("message", "Hello")]).is_worth_keeping());
    }

    #[test]
    fn what_no_form_of_ours_can_hold_is_not_kept() {
        assert!(typed(&[("name", &"x".repeat(1000))]).is_worth_keeping());
        assert!(!typed(&[("name", &"x".repeat(2 * Message::MAX_BYTES))]).is_worth_keeping());
    }
}
