//! What is remembered: traits that speak of thoughts, members and sessions, and the stores that keep them.
//!
//! # The contract of every store
//! - A write is answered when it is on disk (or committed), and is then found by every read that begins later.
//! - A write happens whole or not at all: after a crash the lists agree with the thoughts.
//! - A read takes a [`Reach`] and gives nothing outside it; the store itself knows no roles.
//! - Lists are read by key range, newest first; their cost does not grow with what is stored.
//! - What isn't there is `None`, `false` or an empty list; a [`StoreError`] means that the store failed.
//! - Times are whole milliseconds, and come from the caller: a store has no clock.
//! - What is written by one instance is read by every other at once, where several may use a store; and whoever
//!   [follows](Store::follow) hears of it.
//!
//! `suite/` holds all of this as tests that each store passes as they are.
//!
//! # How to add one more
//! A method: say here in prose what it promises, test that in `suite/`, then write it in every store. A
//! store: a folder beside `sled/` with the traits implemented, `store_suite!` called on it in its tests, and
//! an arm in `app::open_store`.

mod codec;
pub mod copying;
mod lists;
mod names;
pub mod postgres;
mod search;
pub mod sled;
#[cfg(test)]
mod suite;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use self::copying::Copying;
use crate::cache::Usage;
use crate::domain::api_token::{ApiToken, ApiTokenHash};
use crate::domain::change::Change;
use crate::domain::id::{ApiTokenId, MemberId, ThoughtId};
use crate::domain::member::{Handle, Identity, Linked, Member, Profile, Stays};
use crate::domain::page::{Page, TrashPlace};
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::domain::session::{End, Ended, ProviderLogout, Session, SessionHash};
use crate::domain::thought::{Authored, NewThought, Once, Revision, Thought};
use crate::domain::unsent::{Unsent, UnsentId};

/// What is found where a store is to be, when it is tried and nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A store, which opens and answers.
    Store,
    /// A store of a layout of before. Whatever opens it brings it to the layout of this binary, and there is no way back.
    Older,
    /// Nothing yet, and a store could be made there.
    Nothing,
}

/// Why a store could not do what was asked. The text is for the log and for whoever starts the program;
/// people at a page are told only that it was our fault.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store can't be opened: in use, unreadable, of a newer layout. The text says what to do.
    #[error("{0}")]
    Open(String),
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Failed(String),
    /// There is no room to write in. What is stored can be read on.
    #[error("no room is left: {0}")]
    Full(String),
    /// A record can't be read back: whose, and why.
    #[error("the store holds a record that can't be read: {what}: {why}")]
    Corrupt {
        /// Which record, in words, without what it holds.
        what: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// It is too busy to answer in time; the same may be asked again in a moment.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// The store has been closed, as it is when the program stops.
    #[error("the store is closed")]
    Closed,
}

/// Every store's answer.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Which list of thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everybody's.
    Everyone,
    /// One member's.
    By(MemberId),
}

/// What became of a thought that was to be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// It was stored.
    Now,
    /// The same `once` value of the same author had already stored this one; nothing was stored now.
    Already(ThoughtId),
    /// There is no such author, any more; nothing was stored.
    NoAuthor,
}

/// What became of an API token that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was stored.
    Now,
    /// The same `once` value of the same member had already made one; nothing was stored now.
    Already,
    /// The member has [`ApiToken::AT_MOST`] already; nothing was stored.
    TooMany,
    /// There is no such member, any more.
    NoMember,
}

/// What became of an identity that was to be taken from a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// It is nobody's from now on.
    Now {
        /// The sessions begun with it, which have ended.
        ended: Vec<Session>,
    },
    /// It stays as it was.
    Not(Stays),
}

/// Thoughts and the lists of them.
#[async_trait]
pub trait Thoughts: Send + Sync {
    /// Stores a thought, unless its author has already used `once`, or was deleted.
    async fn share(&self, thought: &Thought, once: Option<&Once>) -> Result<Shared>;

    /// The thought, if it is within reach and not deleted.
    async fn thought(&self, id: ThoughtId, reach: &Reach) -> Result<Option<Authored>>;

    /// A page of `limit` thoughts of `scope` within reach, newest first, all of them older than `before`.
    async fn feed(
        &self,
        scope: Scope,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>>;

    /// A page of `limit` thoughts within reach that say what is looked for, as they are now; newest first, all of them
    /// older than `before`. Where no index has them (yet), so many are looked at and no more: such a page may hold fewer,
    /// or none, and have a next one.
    async fn search(
        &self,
        query: &Query,
        reach: &Reach,
        before: Option<ThoughtId>,
        limit: usize,
    ) -> Result<Page<Authored>>;

    /// Gives a thought that exists and isn't deleted another message and visibility; what it said stays
    /// readable as a [`Revision`]. Gives the thought as it is now. Where nothing differs, nothing is
    /// written and the thought is given as it was.
    async fn edit(&self, id: ThoughtId, change: &NewThought, at: Timestamp) -> Result<Option<Thought>>;

    /// What a thought said before, newest first.
    async fn revisions(&self, id: ThoughtId) -> Result<Vec<Revision>>;

    /// Takes a thought out of every list and marks it deleted. `false` if there was none to delete.
    async fn delete(&self, id: ThoughtId, at: Timestamp) -> Result<bool>;

    /// The thought, if it is deleted and not yet purged, whoever asks: the caller decides who may know.
    async fn deleted(&self, id: ThoughtId) -> Result<Option<Authored>>;

    /// A page of deleted thoughts that are not purged yet, the latest deleted first, all of them behind `before`. Looks
    /// at `limit` of them and gives those within reach, so that what is out of reach costs nobody a long search: a page
    /// may hold fewer, or none, and have a next one.
    async fn trash(
        &self,
        reach: &Reach,
        before: Option<TrashPlace>,
        limit: usize,
    ) -> Result<Page<Authored, TrashPlace>>;

    /// Puts a deleted thought back where it was. `false` if there was none to restore, or its author was deleted.
    async fn restore(&self, id: ThoughtId) -> Result<bool>;

    /// Forgets for good up to `limit` thoughts that were deleted before `before`, with their revisions.
    /// Gives how many.
    async fn purge_deleted(&self, before: Timestamp, limit: usize) -> Result<usize>;

    /// Forgets up to `limit` of the `once` values used before `before`. Gives how many.
    async fn purge_once(&self, before: Timestamp, limit: usize) -> Result<usize>;
}

/// Members.
#[async_trait]
pub trait Members: Send + Sync {
    /// The member this identity belongs to, brought up to date with `profile`; or else a new one called
    /// `id`, with the first of `handle`'s spellings ([`Handle::numbered`]) that is free.
    async fn admit(
        &self,
        identity: &Identity,
        profile: &Profile,
        handle: &Handle,
        id: MemberId,
        at: Timestamp,
    ) -> Result<Member>;

    /// Brings a member up to date with `profile`; an update of a record that exists, never an insert. Gives the member
    /// as they are now, or `None` if there is none.
    async fn update_member(&self, id: MemberId, profile: &Profile) -> Result<Option<Member>>;

    /// Gives the member one identity more to sign in with, unless it is another's. What they are called and what they
    /// belong to stays as it is. `None` if there is no such member.
    async fn link(&self, member: MemberId, identity: &Identity) -> Result<Option<Linked>>;

    /// Takes an identity from the member, unless it is the last one, and in the same step ends the sessions that were
    /// begun with it, at `at` and as [`End::Elsewhere`]. Who signs in with it from then on is a new member. `None` if
    /// there is no such member.
    async fn unlink(&self, member: MemberId, identity: &Identity, at: Timestamp) -> Result<Option<Unlinked>>;

    /// The member called this.
    async fn member(&self, id: MemberId) -> Result<Option<Member>>;

    /// The member with this handle.
    async fn member_by_handle(&self, handle: &Handle) -> Result<Option<Member>>;

    /// A page of `limit` members, whoever came last first, all of them with ids before `before`.
    async fn members(&self, before: Option<MemberId>, limit: usize) -> Result<Page<Member, MemberId>>;
}

/// What is left when a member goes.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Takes a member out, for good and in one step: who they were is forgotten with their identities, their sessions
    /// and API tokens end, and from then on nothing of theirs is found. Their thoughts and everything else of theirs
    /// may be on disk until [`Accounts::purge_members`] has come to them, and until then nobody is given their handle.
    /// Gives the sessions that ended, of which nothing is noted, or `None` where there is no such member.
    async fn delete_member(&self, id: MemberId) -> Result<Option<Vec<Session>>>;

    /// One step of forgetting what deleted members have left: their thoughts, deleted ones and revisions included,
    /// their `once` values, the texts that wait for them, their handles. It looks at some `limit` records, and goes on
    /// where the last one ended, in this process or an earlier one. `false` where there was nothing to do.
    async fn purge_members(&self, limit: usize) -> Result<bool>;
}

/// API tokens. None of these methods can bring back a token that was revoked.
#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// Stores a new token, unless its member has already used `once` for one (`once` values of thoughts are others),
    /// has as many as a member may have, or was deleted.
    async fn create_api_token(&self, token: &ApiToken, once: Option<&Once>) -> Result<Created>;

    /// The token known by this hash, expired or not.
    async fn api_token(&self, hash: ApiTokenHash) -> Result<Option<ApiToken>>;

    /// Notes that a token was used at `at`; an update of a record that exists, never an insert. `false` if it was
    /// revoked.
    async fn touch_api_token(&self, hash: ApiTokenHash, at: Timestamp) -> Result<bool>;

    /// A member's tokens, the latest made first, expired or not.
    async fn api_tokens_of(&self, member: MemberId) -> Result<Vec<ApiToken>>;

    /// Takes away one of this member's tokens and gives what it was; `None` where it is none of theirs.
    async fn revoke_api_token(&self, member: MemberId, id: ApiTokenId) -> Result<Option<ApiToken>>;
}

/// Somebody who is signed in, as far as the store can tell: whether the session is good still is asked of its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Through which session.
    pub session: Arc<Session>,
    /// Who it is.
    pub member: Arc<Member>,
}

/// Sessions. None of these methods can bring back a session that has ended. Whatever ends one notes whose it was, why
/// and when ([`Sessions::ended_session`]), in the same step.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a new session and, in the same step, ends the one it replaces, as [`End::Replaced`] at the time the new
    /// one begins. `until` is when it ends at the latest, whatever happens. Gives the one that ended.
    async fn begin_session(
        &self,
        session: &Session,
        until: Timestamp,
        replaces: Option<SessionHash>,
    ) -> Result<Option<Session>>;

    /// The session known by this hash, and the member whose it is.
    async fn signed_in(&self, hash: SessionHash) -> Result<Option<SignedIn>>;

    /// The session known by this hash.
    async fn session(&self, hash: SessionHash) -> Result<Option<Session>>;

    /// Notes that a session was used at `at`; an update of a record that exists, never an insert. `false`
    /// if it has ended.
    async fn touch_session(&self, hash: SessionHash, at: Timestamp) -> Result<bool>;

    /// Takes the turn to refresh a session's tokens at `at`; it lasts until it is given back, and no longer than
    /// `until`. `false` where the session has ended, or another has the turn.
    async fn begin_refresh(&self, hash: SessionHash, at: Timestamp, until: Timestamp) -> Result<bool>;

    /// Gives the turn to refresh back, and keeps what is `sealed` now, where there is anything new; an update of a
    /// record that exists, never an insert. `false` if the session has ended.
    async fn end_refresh(&self, hash: SessionHash, sealed: Option<Vec<u8>>) -> Result<bool>;

    /// Ends a session and gives what it was; `None` where it has ended before.
    async fn end_session(&self, hash: SessionHash, why: End, at: Timestamp) -> Result<Option<Session>>;

    /// Whose session this was that has ended, why and when; known until it is purged. What ended it first counts.
    async fn ended_session(&self, hash: SessionHash) -> Result<Option<Ended>>;

    /// A member's sessions, the most recently begun first.
    async fn sessions_of(&self, member: MemberId) -> Result<Vec<Session>>;

    /// Ends all of a member's sessions, save `except`. Gives what they were.
    async fn end_sessions_of(
        &self,
        member: MemberId,
        except: Option<SessionHash>,
        why: End,
        at: Timestamp,
    ) -> Result<Vec<Session>>;

    /// Ends every session that `logout` names, as [`End::ByProvider`] at `at`, in one step with noting its `jti`, which
    /// is remembered until `until`. Gives what they were, or `None` and ends nothing where this issuer has used that
    /// `jti` already.
    async fn end_sessions_at_provider(
        &self,
        logout: &ProviderLogout,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Vec<Session>>>;

    /// Forgets up to `limit` of the `jti` whose time to be remembered ended before `now`. Gives how many.
    async fn purge_logouts(&self, now: Timestamp, limit: usize) -> Result<usize>;

    /// Forgets up to `limit` sessions whose `until` lies before `before`, with what is noted of those that ended earlier.
    /// Gives how many.
    async fn purge_sessions(&self, before: Timestamp, limit: usize) -> Result<usize>;
}

/// Texts that wait for their writers to sign in again.
#[async_trait]
pub trait UnsentTexts: Send + Sync {
    /// Keeps a text; where there are [`Unsent::AT_MOST`], the oldest goes.
    async fn keep_unsent(&self, id: UnsentId, unsent: &Unsent) -> Result<()>;

    /// The text kept under this id.
    async fn unsent(&self, id: UnsentId) -> Result<Option<Unsent>>;

    /// Forgets a text.
    async fn forget_unsent(&self, id: UnsentId) -> Result<()>;

    /// Forgets up to `limit` texts kept before `before`. Gives how many.
    async fn purge_unsent(&self, before: Timestamp, limit: usize) -> Result<usize>;
}

/// How other instances are heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// By notices, at once.
    Notices,
    /// By looking again and again: this store gives no notices.
    TheClock,
    /// Not at all, for now; what they change meanwhile is heard later.
    CutOff {
        /// Why: a line for the log.
        why: String,
    },
}

/// What is heard of other instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// They changed this: each of them in its order, and one after another as far as one waited for the other.
    Changes(Vec<Change>),
    /// How they are heard from now on.
    By(Hearing),
    /// They were not heard for so long that what they changed meanwhile is not known any more.
    Lost,
}

/// Hears what other instances change: every [`Change`] that their actions tell, once each, and none that did not come
/// about. What this instance itself changes is not heard.
#[async_trait]
pub trait Following: Send {
    /// The next that is heard, whenever that is. It goes on by itself where the store was out of reach.
    async fn next(&mut self) -> Heard;
}

/// A whole store.
#[async_trait]
pub trait Store: Thoughts + Members + Accounts + Sessions + ApiTokens + UnsentTexts + Copying {
    /// Asks the store for an answer, for `/readyz`.
    async fn ping(&self) -> Result<()>;

    /// How much room all of it takes where it is kept, in bytes, as far as the store knows without counting: what was
    /// written or forgotten a moment ago may not show yet.
    async fn bytes(&self) -> Result<u64>;

    /// What the store keeps in memory to be quick: each cache by name.
    fn caches(&self) -> Vec<(&'static str, Usage)>;

    /// Counts what this process has changed of thoughts and members, each once it can be read, whether or not anybody was
    /// left to tell of it. It stays 0 where the store can't know by itself what is committed.
    fn version(&self) -> u64;

    /// Does a piece of what is left to do for thoughts to be found quickly. `false` where nothing is. Without it searching
    /// finds the same, and takes longer.
    async fn index(&self, now: Timestamp) -> Result<bool>;

    /// The thoughts from about this one back are not in the index yet, if there are such.
    async fn unindexed(&self) -> Result<Option<ThoughtId>>;

    /// Follows what other instances change, from now on; `None` where no other process can use this store. What was
    /// written before this returns may be heard or not.
    async fn follow(&self) -> Result<Option<Box<dyn Following>>>;

    /// Answers what is under way, puts all of it on disk, and refuses what comes later with
    /// [`StoreError::Closed`].
    async fn close(&self) -> Result<()>;
}
