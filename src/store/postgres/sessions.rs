//! Sessions: by hash, by member, by their provider's session, by when they end.

use std::cmp::Reverse;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::database::Database;
use super::questions::Questions;
use super::transaction::{Fault, Transaction, change};
use super::values::{bytes, column, first, limit, number, record, records};
use super::{PostgresStore, members, statements as sql};
use crate::domain::change::Change;
use crate::domain::id::MemberId;
use crate::domain::member::Identity;
use crate::domain::session::{End, Ended, ProviderLogout, Session, SessionHash};
use crate::store::codec::encode;
use crate::store::names::of_issuer;
use crate::store::{Result, Sessions, SignedIn};

const WHAT: &str = "a session";
const ENDED: &str = "an ended session";

#[async_trait]
impl Sessions for PostgresStore {
    async fn begin_session(
        &self,
        session: &Session,
        until: Timestamp,
        replaces: Option<SessionHash>,
    ) -> Result<Option<Session>> {
        change!(self.database, to => begin(&to, session, until, replaces))
    }

    async fn signed_in(&self, hash: SessionHash) -> Result<Option<SignedIn>> {
        self.signed_in.answer(hash).await
    }

    async fn session(&self, hash: SessionHash) -> Result<Option<Session>> {
        first(WHAT, self.database.row(sql::SESSION, &[&&hash.to_bytes()[..]]).await?.as_ref())
    }

    async fn touch_session(&self, hash: SessionHash, at: Timestamp) -> Result<bool> {
        change!(self.database, to => update(&to, hash, |session| {
            // Touches of several requests may come in any order.
            let newer = session.last_seen_at < at;
            session.last_seen_at = session.last_seen_at.max(at);
            newer
        }))
    }

    async fn begin_refresh(&self, hash: SessionHash, at: Timestamp, until: Timestamp) -> Result<bool> {
        let (hash, at, until) = (hash.to_bytes(), at.as_millisecond(), until.as_millisecond());
        change!(self.database, to => async { Ok(to.change(sql::BEGIN_REFRESH, &[&&hash[..], &at, &until]).await? == 1) })
    }

    async fn end_refresh(&self, hash: SessionHash, sealed: Option<Vec<u8>>) -> Result<bool> {
        change!(self.database, to => async {
            let there = to.change(sql::END_REFRESH, &[&&hash.to_bytes()[..]]).await? == 1;
            if let Some(sealed) = sealed.clone() {
                let keep = move |session: &mut Session| {
                    session.sealed = sealed;
                    true
                };
                update(&to, hash, keep).await?;
            }
            Ok(there)
        })
    }

    async fn end_session(&self, hash: SessionHash, why: End, at: Timestamp) -> Result<Option<Session>> {
        change!(self.database, to => async { Ok(end(&to, &[hash], why, at).await?.pop()) })
    }

    async fn ended_session(&self, hash: SessionHash) -> Result<Option<Ended>> {
        first(ENDED, self.database.row(sql::ENDED, &[&&hash.to_bytes()[..]]).await?.as_ref())
    }

    async fn sessions_of(&self, member: MemberId) -> Result<Vec<Session>> {
        records(WHAT, &self.database.rows(sql::SESSIONS_OF, &[&&member.to_bytes()[..]]).await?)
    }

    async fn end_sessions_of(
        &self,
        member: MemberId,
        except: Option<SessionHash>,
        why: End,
        at: Timestamp,
    ) -> Result<Vec<Session>> {
        change!(self.database, to => end_of(&to, member, why, at, |session| Some(session.hash) != except))
    }

    async fn end_sessions_at_provider(
        &self,
        logout: &ProviderLogout,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Vec<Session>>> {
        change!(self.database, to => end_at_provider(&to, logout, at, until))
    }

    async fn purge_logouts(&self, now: Timestamp, most: usize) -> Result<usize> {
        change!(self.database, to => async {
            let due = to.rows(sql::LOGOUTS_DUE, &[&now.as_millisecond(), &limit(most)]).await?;
            to.change(sql::REMOVE_LOGOUTS, &[&column(&due, 0)?]).await?;
            Ok(due.len())
        })
    }

    async fn purge_sessions(&self, before: Timestamp, most: usize) -> Result<usize> {
        change!(self.database, to => purge(&to, before, most))
    }
}

/// Who is signed in, asked of this database.
pub(super) fn signed_in(database: Arc<Database>) -> Questions<SessionHash, SignedIn> {
    Questions::new(move |hashes: Vec<SessionHash>| {
        let database = database.clone();
        async move {
            let hashes: Vec<_> = hashes.iter().map(|hash| hash.to_bytes().to_vec()).collect();
            let statement = if database.citus { sql::SIGNED_IN_APART } else { sql::SIGNED_IN };
            let rows = database.rows(statement, &[&hashes]).await?;
            rows.iter().map(|row| Ok((SessionHash::from_bytes(bytes(WHAT, row, 0)?), read_signed_in(row)))).collect()
        }
    })
}

fn read_signed_in(row: &Row) -> Result<SignedIn> {
    let (session, member) = (record(WHAT, row, 1)?, record("a member", row, 2)?);
    Ok(SignedIn { session: Arc::new(session), member: Arc::new(member) })
}

async fn begin(
    to: &Transaction<'_>,
    session: &Session,
    until: Timestamp,
    replaces: Option<SessionHash>,
) -> Result<Option<Session>, Fault> {
    let over = end(to, replaces.as_slice(), End::Replaced, session.created_at).await?.pop();
    put(to, session, until).await?;
    Ok(over)
}

/// Puts a session in the place of what may be there of it.
pub(super) async fn put(to: &Transaction<'_>, session: &Session, until: Timestamp) -> Result<(), Fault> {
    let (hash, member) = (session.hash.to_bytes(), session.member.to_bytes());
    let at_provider = session.sid.as_ref().map(|sid| of_issuer(&session.iss, sid).to_vec());
    let (begun, until) = (session.created_at.as_millisecond(), until.as_millisecond());
    let record = encode(WHAT, session)?;
    to.change(sql::PUT_SESSION, &[&&hash[..], &&member[..], &begun, &until, &at_provider, &record]).await?;
    Ok(())
}

/// Has `change` alter a session, and writes it where it says so. `false` if it has ended.
async fn update(
    to: &Transaction<'_>,
    hash: SessionHash,
    change: impl FnOnce(&mut Session) -> bool + Send,
) -> Result<bool, Fault> {
    let hash = hash.to_bytes();
    let row = to.row(sql::SESSION_LOCKED, &[&&hash[..]]).await?;
    let Some(mut session) = first(WHAT, row.as_ref())? else { return Ok(false) };
    if change(&mut session) {
        to.change(sql::UPDATE_SESSION, &[&&hash[..], &encode(WHAT, &session)?]).await?;
    }
    Ok(true)
}

/// Ends sessions, and notes whose they were. Gives those that had not ended before, the latest first.
async fn end(to: &Transaction<'_>, hashes: &[SessionHash], why: End, at: Timestamp) -> Result<Vec<Session>, Fault> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let hashes: Vec<_> = hashes.iter().map(|hash| hash.to_bytes().to_vec()).collect();
    let rows = to.rows(sql::REMOVE_SESSIONS, &[&hashes]).await?;
    let mut sessions = taken_out(&rows)?;
    for (session, ends_at) in &sessions {
        put_ended(to, session.hash, &Ended { member: session.member, why, at }, *ends_at).await?;
    }
    sessions.sort_by_key(|(session, _)| (Reverse(session.created_at), session.hash));
    let told: Vec<_> =
        sessions.iter().map(|(session, _)| Change::SessionEnded { session: session.hash, why }).collect();
    to.announce(told).await?;
    Ok(sessions.into_iter().map(|(session, _)| session).collect())
}

/// Notes of a session that it has ended, until it would have ended in any case.
pub(super) async fn put_ended(
    to: &Transaction<'_>,
    hash: SessionHash,
    ended: &Ended,
    ends_at: i64,
) -> Result<(), Fault> {
    to.change(sql::PUT_ENDED, &[&&hash.to_bytes()[..], &ends_at, &encode(ENDED, ended)?]).await.map(drop)
}

fn taken_out(rows: &[Row]) -> Result<Vec<(Session, i64)>> {
    rows.iter().map(|row| Ok((record(WHAT, row, 1)?, number(row, 0)?))).collect()
}

/// Ends those of a member's sessions that `which` chooses.
async fn end_of(
    to: &Transaction<'_>,
    member: MemberId,
    why: End,
    at: Timestamp,
    which: impl Fn(&Session) -> bool + Send + Sync,
) -> Result<Vec<Session>, Fault> {
    let rows = to.rows(sql::SESSIONS_OF, &[&&member.to_bytes()[..]]).await?;
    end(to, &chosen(&rows, which)?, why, at).await
}

fn chosen(rows: &[Row], which: impl Fn(&Session) -> bool) -> Result<Vec<SessionHash>> {
    let sessions: Vec<Session> = records(WHAT, rows)?;
    Ok(sessions.iter().filter(|session| which(session)).map(|session| session.hash).collect())
}

/// Ends the member's sessions that were begun with this identity. Gives what they were.
pub(super) async fn end_begun_with(
    to: &Transaction<'_>,
    member: MemberId,
    identity: &Identity,
    at: Timestamp,
) -> Result<Vec<Session>, Fault> {
    let with_it = |session: &Session| session.iss == identity.iss && session.sub == identity.sub;
    end_of(to, member, End::Elsewhere, at, with_it).await
}

/// Ends all of a deleted member's sessions; nothing notes whose they were.
pub(super) async fn end_unnoted(to: &Transaction<'_>, member: MemberId) -> Result<Vec<Session>, Fault> {
    let rows = to.rows(sql::REMOVE_SESSIONS_OF, &[&&member.to_bytes()[..]]).await?;
    Ok(taken_out(&rows)?.into_iter().map(|(session, _)| session).collect())
}

async fn end_at_provider(
    to: &Transaction<'_>,
    logout: &ProviderLogout,
    at: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<Session>>, Fault> {
    let name = of_issuer(&logout.iss, &logout.jti);
    if to.change(sql::ADD_LOGOUT, &[&&name[..], &until.as_millisecond()]).await? == 0 {
        return Ok(None);
    }
    // Those of the provider's session where it names one, else those of the member.
    let candidates = match (&logout.sid, &logout.sub) {
        (Some(sid), _) => to.rows(sql::SESSIONS_AT_PROVIDER, &[&&of_issuer(&logout.iss, sid)[..]]).await?,
        (None, Some(sub)) => {
            let identity = Identity { iss: logout.iss.clone(), sub: sub.clone() };
            match members::whose(to, &identity).await? {
                Some(member) => to.rows(sql::SESSIONS_OF, &[&&member.to_bytes()[..]]).await?,
                None => Vec::new(),
            }
        }
        (None, None) => Vec::new(),
    };
    let named = chosen(&candidates, |session| logout.names(session))?;
    Ok(Some(end(to, &named, End::ByProvider, at).await?))
}

async fn purge(to: &Transaction<'_>, before: Timestamp, most: usize) -> Result<usize, Fault> {
    let due = to.rows(sql::SESSIONS_DUE, &[&before.as_millisecond(), &limit(most)]).await?;
    let gone = to.rows(sql::REMOVE_SESSIONS, &[&column(&due, 0)?]).await?.len();
    let ended = to.rows(sql::ENDED_DUE, &[&before.as_millisecond(), &limit(most - due.len().min(most))]).await?;
    to.change(sql::REMOVE_ENDED, &[&column(&ended, 0)?]).await?;
    Ok(gone + ended.len())
}
