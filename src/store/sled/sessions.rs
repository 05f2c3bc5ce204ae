//! Sessions: by hash, by member, by when they end.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::draft::Draft;
use super::records::{self, KeptSession, get};
use super::{SledStore, keys};
use crate::domain::id::MemberId;
use crate::domain::member::Identity;
use crate::domain::session::{End, Ended, ProviderLogout, Session, SessionHash};
use crate::store::{Result, Sessions, SignedIn};

#[async_trait]
impl Sessions for SledStore {
    async fn begin_session(
        &self,
        session: &Session,
        until: Timestamp,
        replaces: Option<SessionHash>,
    ) -> Result<Option<Session>> {
        let kept = KeptSession { session: session.clone(), until, refreshing_until: None };
        self.writer
            .write(move |draft| {
                let over = match replaces {
                    Some(hash) => end(draft, hash, End::Replaced, kept.session.created_at)?,
                    None => None,
                };
                put(draft, &kept)?;
                Ok(over)
            })
            .await
    }

    async fn signed_in(&self, hash: SessionHash) -> Result<Option<SignedIn>> {
        self.read(|db| {
            let Some(session) = self.cached.session(db, hash)? else { return Ok(None) };
            let known = self.cached.member(db, session.member)?;
            Ok(known.map(|known| SignedIn { session, member: known.member.clone() }))
        })
    }

    async fn session(&self, hash: SessionHash) -> Result<Option<Session>> {
        self.read(|db| Ok(self.cached.session(db, hash)?.map(Arc::unwrap_or_clone)))
    }

    async fn touch_session(&self, hash: SessionHash, at: Timestamp) -> Result<bool> {
        self.writer
            .write(move |draft| {
                let Some(mut kept) = draft.get(&keys::session(hash))? else { return Ok(false) };
                // Touches of several requests may come in any order.
                if kept.session.last_seen_at < at {
                    kept.session.last_seen_at = at;
                    draft.put(&keys::session(hash), &kept)?;
                }
                Ok(true)
            })
            .await
    }

    async fn begin_refresh(&self, hash: SessionHash, at: Timestamp, until: Timestamp) -> Result<bool> {
        self.writer
            .write(move |draft| match draft.get(&keys::session(hash))? {
                Some(kept) if kept.refreshing_until.is_none_or(|until| until <= at) => {
                    draft.put(&keys::session(hash), &KeptSession { refreshing_until: Some(until), ..kept })?;
                    Ok(true)
                }
                Some(_) | None => Ok(false),
            })
            .await
    }

    async fn end_refresh(&self, hash: SessionHash, sealed: Option<Vec<u8>>) -> Result<bool> {
        self.writer
            .write(move |draft| {
                let Some(mut kept) = draft.get(&keys::session(hash))? else { return Ok(false) };
                kept.refreshing_until = None;
                if let Some(sealed) = sealed {
                    kept.session.sealed = sealed;
                }
                draft.put(&keys::session(hash), &kept)?;
                Ok(true)
            })
            .await
    }

    async fn end_session(&self, hash: SessionHash, why: End, at: Timestamp) -> Result<Option<Session>> {
        self.writer.write(move |draft| end(draft, hash, why, at)).await
    }

    async fn ended_session(&self, hash: SessionHash) -> Result<Option<Ended>> {
        self.read(|db| get(db, &keys::ended(hash)))
    }

    async fn sessions_of(&self, member: MemberId) -> Result<Vec<Session>> {
        self.read(|db| {
            let sessions =
                records::keys(db, &keys::sessions_of(member)).map(|key| get(db, &keys::session(hash_in(&key?)?)));
            // One may have ended since its hash was read.
            sessions.filter_map(|kept| Some(kept.transpose()?.map(|kept| kept.session))).collect()
        })
    }

    async fn end_sessions_of(
        &self,
        member: MemberId,
        except: Option<SessionHash>,
        why: End,
        at: Timestamp,
    ) -> Result<Vec<Session>> {
        self.writer
            .write(move |draft| {
                let mut ended = Vec::new();
                for key in draft.keys(&keys::sessions_of(member), usize::MAX)? {
                    let hash = hash_in(&key)?;
                    if Some(hash) != except {
                        ended.extend(end(draft, hash, why, at)?);
                    }
                }
                Ok(ended)
            })
            .await
    }

    async fn end_sessions_at_provider(
        &self,
        logout: &ProviderLogout,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Vec<Session>>> {
        let logout = logout.clone();
        self.writer
            .write(move |draft| {
                let counted = keys::logout(&logout.iss, &logout.jti);
                if draft.holds(&counted)? {
                    return Ok(None);
                }
                draft.put(&counted, &())?;
                draft.put(&keys::logout_end(until, &logout.iss, &logout.jti), &())?;
                let mut ended = Vec::new();
                for hash in candidates(draft, &logout)? {
                    let session = draft.get(&keys::session(hash))?;
                    if session.is_some_and(|kept| logout.names(&kept.session)) {
                        ended.extend(end(draft, hash, End::ByProvider, at)?);
                    }
                }
                Ok(Some(ended))
            })
            .await
    }

    async fn purge_logouts(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.writer
            .write(move |draft| {
                let due = draft.keys(&keys::logout_ends_before(now), limit)?;
                for key in &due {
                    draft.remove(&keys::logout_of(keys::ending("the end of a provider's logout", key)?));
                    draft.remove_raw(key);
                }
                Ok(due.len())
            })
            .await
    }

    async fn purge_sessions(&self, before: Timestamp, limit: usize) -> Result<usize> {
        self.writer
            .write(move |draft| {
                let mut purged = 0;
                for key in draft.keys(&keys::session_ends_before(before), limit)? {
                    let hash = hash_in(&key)?;
                    take_out(draft, hash)?;
                    draft.remove(&keys::ended(hash));
                    draft.remove(&keys::ended_without_reason(hash));
                    draft.remove_raw(&key);
                    purged += 1;
                }
                Ok(purged)
            })
            .await
    }
}

/// Puts a session and all its places.
pub(super) fn put(draft: &mut Draft<'_>, kept: &KeptSession) -> Result<()> {
    let session = &kept.session;
    draft.put(&keys::session_of(session.member, session.created_at, session.hash), &())?;
    draft.put(&keys::session_end(kept.until, session.hash), &())?;
    if let Some(sid) = &session.sid {
        draft.put(&keys::session_at_provider(&session.iss, sid, session.hash), &())?;
    }
    draft.put(&keys::session(session.hash), kept)
}

/// Ends the member's sessions that were begun with this identity. Gives what they were.
pub(super) fn end_begun_with(
    draft: &mut Draft<'_>,
    member: MemberId,
    identity: &Identity,
    at: Timestamp,
) -> Result<Vec<Session>> {
    let mut ended = Vec::new();
    for key in draft.keys(&keys::sessions_of(member), usize::MAX)? {
        let hash = hash_in(&key)?;
        let session = draft.get(&keys::session(hash))?.map(|kept| kept.session);
        let with_it = session.is_some_and(|session| session.iss == identity.iss && session.sub == identity.sub);
        if with_it {
            ended.extend(end(draft, hash, End::Elsewhere, at)?);
        }
    }
    Ok(ended)
}

/// The sessions that a logout may be about: those of the provider's session where it names one, else those of
/// the member.
fn candidates(draft: &Draft<'_>, logout: &ProviderLogout) -> Result<Vec<SessionHash>> {
    let span = match (&logout.sid, &logout.sub) {
        (Some(sid), _) => keys::sessions_at_provider(&logout.iss, sid),
        (None, Some(sub)) => {
            let identity = Identity { iss: logout.iss.clone(), sub: sub.clone() };
            let Some(member) = draft.get(&keys::identity(&identity))? else { return Ok(Vec::new()) };
            keys::sessions_of(member)
        }
        (None, None) => return Ok(Vec::new()),
    };
    draft.keys(&span, usize::MAX)?.iter().map(|key| hash_in(key)).collect()
}

/// The hash that the key of a session's place ends in.
pub(super) fn hash_in(key: &[u8]) -> Result<SessionHash> {
    keys::ending("a session's place", key).map(SessionHash::from_bytes)
}

/// Ends a session, and notes whose it was.
fn end(draft: &mut Draft<'_>, hash: SessionHash, why: End, at: Timestamp) -> Result<Option<Session>> {
    let Some(session) = take_out(draft, hash)? else { return Ok(None) };
    draft.put(&keys::ended(hash), &Ended { member: session.member, why, at })?;
    Ok(Some(session))
}

/// Takes a session out, wherever it stands, but for its place in time: by that the note of whose it was is forgotten.
pub(super) fn take_out(draft: &mut Draft<'_>, hash: SessionHash) -> Result<Option<Session>> {
    let key = keys::session(hash);
    let Some(KeptSession { session, until: _, refreshing_until: _ }) = draft.get(&key)? else { return Ok(None) };
    draft.remove(&key);
    draft.remove(&keys::session_of(session.member, session.created_at, hash));
    if let Some(sid) = &session.sid {
        draft.remove(&keys::session_at_provider(&session.iss, sid, hash));
    }
    Ok(Some(session))
}
