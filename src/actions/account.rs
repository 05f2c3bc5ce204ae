//! Deleting one's account.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Error, Result, sessions};
use crate::app::App;
use crate::domain::change::Change;
use crate::domain::member::Member;
use crate::domain::session::{End, Session};
use crate::telemetry::Event;

/// How long the providers may take before we go on without.
const PROVIDERS_WITHIN: Duration = Duration::from_secs(3);

/// How many refresh tokens are revoked; those of sessions begun earlier end in their own time.
const REVOKED_AT_MOST: usize = 20;

/// Deletes the member's own account: nobody else can be meant. They are nobody from then on, and nothing of theirs is
/// found; what is left on disk is forgotten by a job. Then their provider is told that what it issued for their
/// sessions is of no use any more.
///
/// # Errors
/// `NotFound` where it has been deleted meanwhile.
pub async fn delete(app: &App, member: &Member) -> Result<()> {
    let ended = app.store.delete_member(member.id).await?.ok_or(Error::NotFound)?;
    app.telemetry.event(Event::UserDeleted(member.id));
    sessions::ended(app, &ended, End::AccountDeleted);
    app.live.tell(&Change::Many);
    let told = join_all(ended.iter().take(REVOKED_AT_MOST).map(|session| revoke(app, session)));
    if tokio::time::timeout(PROVIDERS_WITHIN, told).await.is_err() {
        tracing::warn!(member = %member.id, "a provider took too long to revoke a deleted member's refresh tokens");
    }
    Ok(())
}

async fn revoke(app: &App, session: &Session) {
    let Some(provider) = app.providers.named(&session.provider) else { return };
    if let Some(refresh_token) = sessions::kept(app, session).and_then(|kept| kept.tokens.refresh_token) {
        provider.oidc.revoke(&refresh_token).await;
    }
}
