//! Sessions: finding out who is asking, seeing one's own, ending them. Whatever ends a session goes through [`end`],
//! [`end_all`] or [`ended`], so that it is logged, and told to whom it concerns, in one place.

use crate::app::App;
use crate::domain::change::Change;
use crate::domain::id::MemberId;
use crate::domain::member::Member;
use crate::domain::session::{End, Session, SessionHash};
use crate::oidc::Tokens;
use crate::store::SignedIn;
use crate::telemetry::Event;

use super::sign_in::Kept;
use super::{Error, Result};

/// What a request does with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is a person's, who is there.
    Counts,
    /// A page makes it by itself, whether or not anyone is there: a tab left open keeps no session alive.
    Watches,
}

/// Who holds this session, if it is good: notes the use, if it is one, at most once a minute, by an update that can't
/// bring an ended session back.
pub async fn resume(app: &App, hash: SessionHash, how: Use) -> Result<Option<SignedIn>> {
    let Some(signed_in) = app.store.signed_in(hash).await? else { return Ok(None) };
    let session = &signed_in.session;
    let now = app.clock.now();
    if !app.limits.admit(session, now) {
        // It has expired whether or not that can be written down; it is purged in its time.
        if let Err(error) = end(app, hash, End::Expired).await {
            tracing::warn!(session = %hash, %error, "an expired session was not removed");
        }
        return Ok(None);
    }
    if how == Use::Counts && app.limits.touch_is_due(session, now) {
        match app.store.touch_session(hash, now).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // A disk that is full must not keep members from reading.
            Err(error) => tracing::warn!(%error, "a session's use was not noted"),
        }
    }
    Ok(Some(signed_in))
}

/// Why this session has ended, if it has and that is still known.
pub async fn why_ended(app: &App, hash: SessionHash) -> Result<Option<End>> {
    Ok(app.store.ended_session(hash).await?.map(|ended| ended.why))
}

/// The member's sessions that are still good, the most recently begun first.
pub async fn own(app: &App, member: &Member) -> Result<Vec<Session>> {
    let now = app.clock.now();
    let sessions = app.store.sessions_of(member.id).await?;
    Ok(sessions.into_iter().filter(|session| app.limits.admit(session, now)).collect())
}

/// Ends one of the member's own sessions.
///
/// # Errors
/// `NotFound` where there is no such session, or it is another's.
pub async fn end_own(app: &App, member: MemberId, hash: SessionHash) -> Result<()> {
    match app.store.session(hash).await? {
        Some(session) if session.member == member => {
            end(app, hash, End::Elsewhere).await?;
            Ok(())
        }
        Some(_) | None => Err(Error::NotFound),
    }
}

/// Ends all of a member's sessions save `except`: the member's own others, or all of them for an admin. Gives how many.
pub async fn end_all(app: &App, member: MemberId, except: Option<SessionHash>, why: End) -> Result<usize> {
    let sessions = app.store.end_sessions_of(member, except, why, app.clock.now()).await?;
    ended(app, &sessions, why);
    Ok(sessions.len())
}

/// Ends a session here. Gives the tokens it held, with which the provider can be told.
pub async fn sign_out(app: &App, session: &Session) -> Result<Option<Tokens>> {
    let ended = end(app, session.hash, End::SignedOut).await?;
    Ok(ended.and_then(|session| kept(app, &session)).map(|kept| kept.tokens))
}

/// Ends a session, and gives what it was; `None` where it had ended before.
pub(super) async fn end(app: &App, hash: SessionHash, why: End) -> Result<Option<Session>> {
    let session = app.store.end_session(hash, why, app.clock.now()).await?;
    ended(app, session.as_slice(), why);
    Ok(session)
}

/// The store has ended these sessions, in one step with something else.
pub(super) fn ended(app: &App, sessions: &[Session], why: End) {
    for session in sessions {
        app.live.tell(&Change::SessionEnded { session: session.hash, why });
        app.telemetry.event(Event::SessionEnded(session, why));
    }
}

/// What was sealed with a session: its tokens, and what the provider said. `None` where no key opens it
/// any more.
pub fn kept(app: &App, session: &Session) -> Option<Kept> {
    app.keys.open(&session.sealed, &session.hash.to_bytes())
}
