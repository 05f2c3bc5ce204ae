//! Every key there is but those of the index for searching, which has a tree of its own (`search/`). All of them live in one
//! tree, so that a write is one batch and needs no transaction over several trees; the first byte says what a key is of, and
//! its Rust type what its record holds.
//!
//! | first byte | the rest of the key | record |
//! | --- | --- | --- |
//! | `L` | | the layout's version |
//! | `C` | | the number of the journal's last entry that is in the tree for good, with all before it |
//! | `F` | | that the store is being filled, and from what |
//! | `t` | thought | the thought, deleted or not |
//! | `r` | thought, version | what that version said |
//! | `l` | list, thought | in this list; no deleted thought is in any |
//! | `d` | deleted at, thought | in the trash |
//! | `o` | author, SHA-256 of the `once` value | the thought it stored, or the API token |
//! | `O` | used at, author, SHA-256 of the `once` value | due to be forgotten |
//! | `m` | member | the member |
//! | `i` | SHA-256 of issuer and subject | the member with this identity |
//! | `h` | handle | the member with this handle |
//! | `s` | session hash | the session and when it ends |
//! | `S` | member, begun at (latest first), session hash | this member's |
//! | `p` | SHA-256 of issuer and the provider's `sid`, session hash | begun through that provider session |
//! | `X` | session hash | whose session this was, which has ended, why and when |
//! | `x` | session hash | the same as it was noted before reasons were: only forgotten, in its time |
//! | `e` | ends at, session hash | due to be forgotten, though it may have ended before |
//! | `u` | id | a text that waits for its writer |
//! | `U` | kept at, id | due to be forgotten |
//! | `j` | SHA-256 of issuer and `jti` | a provider's logout that has counted |
//! | `J` | until, SHA-256 of issuer and `jti` | due to be forgotten |
//! | `a` | SHA-256 of the secret | the API token |
//! | `A` | member, API token (latest first) | the SHA-256 of its secret |
//! | `g` | member | who was deleted, and how far what they left is purged |
//! | `q` | thought | that it has changed since the index for searching (`search/`) knew it, and how often again |
//! | `G` | member | who was deleted, and that all of it is: a snapshot may still have them |
//!
//! Thoughts and members are 16 bytes, hashes 32, times 8, versions 4, all of them big-endian, so that keys
//! sort as what they stand for. What a list is called stands in `store/lists.rs`.
//!
//! To add one more: a row above, a byte nobody has, a function below; and where it changes what an older
//! binary would find, the layout's version in `open.rs`.

mod accounts;
mod copying;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::ops::Bound;

use jiff::Timestamp;

pub(super) use self::accounts::*;
pub(super) use self::copying::*;
use super::records::KeptSession;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::{Handle, Identity, Member};
use crate::domain::session::{Ended, SessionHash};
use crate::domain::thought::{Once, Revision, Thought};
use crate::domain::unsent::{Unsent, UnsentId};
pub(super) use crate::store::lists::List;
use crate::store::names::{self, of_issuer};
use crate::store::{Result, StoreError};

/// A key whose record is a `T`.
pub(super) struct Key<T> {
    bytes: Vec<u8>,
    what: &'static str,
    holds: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    fn new(space: u8, what: &'static str) -> Self {
        Self { bytes: vec![space], what, holds: PhantomData }
    }

    fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(part.as_ref());
        self
    }

    /// The key as the tree knows it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the record is, in words.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// All keys that begin with this one.
    fn and_below(self) -> Span {
        let end = match self.bytes.iter().rposition(|&byte| byte < u8::MAX) {
            Some(last) => {
                let mut end = self.bytes[..=last].to_vec();
                end[last] += 1;
                Bound::Excluded(end)
            }
            None => Bound::Unbounded,
        };
        Span { what: self.what, start: self.bytes, end }
    }

    /// All keys from this one up to, and without, those that begin with `end`.
    fn up_to(self, end: Self) -> Span {
        Span { what: self.what, start: self.bytes, end: Bound::Excluded(end.bytes) }
    }
}

/// Keys that lie side by side.
pub(super) struct Span {
    what: &'static str,
    start: Vec<u8>,
    end: Bound<Vec<u8>>,
}

impl Span {
    /// The rest of them behind this key, or all.
    pub(super) fn after(mut self, key: Option<&[u8]>) -> Self {
        if let Some(key) = key {
            // No other key comes between a key and the same with a zero byte more.
            self.start = [key, &[0]].concat();
        }
        self
    }

    /// What their records are, in words.
    pub(super) fn what(&self) -> &'static str {
        self.what
    }

    /// As the tree takes it.
    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (Bound::Included(&self.start), self.end.as_ref().map(Vec::as_slice))
    }
}

/// Which layout the tree has.
pub(super) fn layout() -> Key<u32> {
    Key::new(b'L', "the layout's version")
}

/// Up to which entry of the journal the tree is on disk.
pub(super) fn checkpoint() -> Key<u64> {
    Key::new(b'C', "the number of an entry of the journal")
}

/// A thought.
pub(super) fn thought(id: ThoughtId) -> Key<Thought> {
    Key::new(b't', "a thought").with(id.to_bytes())
}

/// The thoughts from this one on, deleted or not, the oldest first.
pub(super) fn thoughts_from(from: ThoughtId) -> Span {
    thought(from).up_to(Key::new(b't' + 1, "a thought"))
}

/// The same, up to, and without, another one.
pub(super) fn thoughts_between(from: ThoughtId, end: ThoughtId) -> Span {
    thought(from).up_to(thought(end))
}

/// That a thought has changed since the index knew it, and how often.
pub(super) fn to_reindex(id: ThoughtId) -> Key<u64> {
    Key::new(b'q', "a thought that has changed").with(id.to_bytes())
}

/// The thoughts from one up to, and without, another that have changed since the index knew them.
pub(super) fn all_to_reindex(from: ThoughtId, end: ThoughtId) -> Span {
    to_reindex(from).up_to(to_reindex(end))
}

/// What a version of a thought said.
pub(super) fn revision(id: ThoughtId, version: u32) -> Key<Revision> {
    Key::new(b'r', "a revision").with(id.to_bytes()).with(version.to_be_bytes())
}

/// Everything a thought has said before, oldest first.
pub(super) fn revisions(id: ThoughtId) -> Span {
    Key::<Revision>::new(b'r', "a revision").with(id.to_bytes()).and_below()
}

/// A thought's place in a list.
pub(super) fn listed(list: List<'_>, id: ThoughtId) -> Key<()> {
    places(list).with(id.to_bytes())
}

/// The places of a list, oldest first, as far as they are older than `before`.
pub(super) fn listed_before(list: List<'_>, before: Option<ThoughtId>) -> Span {
    match before {
        Some(id) => places(list).up_to(listed(list, id)),
        None => places(list).and_below(),
    }
}

fn places(list: List<'_>) -> Key<()> {
    Key::new(b'l', "a place in a list").with(list.name())
}

/// A deleted thought's place in the trash.
pub(super) fn trashed(at: Timestamp, id: ThoughtId) -> Key<()> {
    trash().with(time(at)).with(id.to_bytes())
}

/// What was deleted before `before`, the longest deleted first.
pub(super) fn trashed_before(before: Timestamp) -> Span {
    trash().up_to(trash().with(time(before)))
}

fn trash() -> Key<()> {
    Key::new(b'd', "a place in the trash")
}

/// The thought that an author's `once` value has stored.
pub(super) fn once(author: MemberId, value: &Once) -> Key<ThoughtId> {
    once_of(once_name(author, value))
}

/// The same key, from what its place in time ends in.
pub(super) fn once_of(name: OnceName) -> Key<ThoughtId> {
    Key::new(b'o', "a once value").with(name)
}

/// The place in time of a `once` value's use.
pub(super) fn once_used(at: Timestamp, author: MemberId, value: &Once) -> Key<()> {
    once_of_used(at, once_name(author, value))
}

/// The `once` values used before `before`, oldest use first; each key ends in an [`OnceName`].
pub(super) fn once_used_before(before: Timestamp) -> Span {
    once_uses().up_to(once_uses().with(time(before)))
}

fn once_uses() -> Key<()> {
    Key::new(b'O', "a use of a once value")
}

/// Whose `once` value it is (16 bytes), and the SHA-256 of it.
pub(super) type OnceName = [u8; 48];

fn once_name(author: MemberId, value: &Once) -> OnceName {
    once_joined(author, names::once(value))
}

/// A member.
pub(super) fn member(id: MemberId) -> Key<Member> {
    Key::new(b'm', "a member").with(id.to_bytes())
}

/// The members with ids before `before`, or all of them, whoever came first first.
pub(super) fn members_before(before: Option<MemberId>) -> Span {
    let all = Key::new(b'm', "a member");
    match before {
        Some(id) => all.up_to(member(id)),
        None => all.and_below(),
    }
}

/// The member with this identity.
pub(super) fn identity(identity: &Identity) -> Key<MemberId> {
    Key::new(b'i', "an identity").with(of_issuer(&identity.iss, &identity.sub))
}

/// The member with this handle.
pub(super) fn handle(handle: &Handle) -> Key<MemberId> {
    Key::new(b'h', "a handle").with(handle.as_str())
}

/// Whose session this was, which has ended, why and when.
pub(super) fn ended(hash: SessionHash) -> Key<Ended> {
    Key::new(b'X', "an ended session").with(hash.to_bytes())
}

/// Whose session this was, as it was noted before reasons were.
pub(super) fn ended_without_reason(hash: SessionHash) -> Key<MemberId> {
    Key::new(b'x', "an ended session").with(hash.to_bytes())
}

/// A text that waits for its writer.
pub(super) fn unsent(id: UnsentId) -> Key<Unsent> {
    unsent_of(id.to_bytes())
}

/// The same key, from what its place in time ends in.
pub(super) fn unsent_of(id: [u8; 16]) -> Key<Unsent> {
    Key::new(b'u', "a text that was not sent").with(id)
}

/// The place in time of such a text.
pub(super) fn unsent_kept(at: Timestamp, id: [u8; 16]) -> Key<()> {
    unsent_places().with(time(at)).with(id)
}

/// The places of those texts, the oldest first; each key ends in a 16-byte id.
pub(super) fn unsent_texts() -> Span {
    unsent_places().and_below()
}

/// The same, as far as they were kept before `before`.
pub(super) fn unsent_before(before: Timestamp) -> Span {
    unsent_places().up_to(unsent_places().with(time(before)))
}

fn unsent_places() -> Key<()> {
    Key::new(b'U', "the place of a text that was not sent")
}

/// A session's place among those that were begun through one session of the provider.
pub(super) fn session_at_provider(iss: &str, sid: &str, hash: SessionHash) -> Key<()> {
    at_provider(iss, sid).with(hash.to_bytes())
}

/// The sessions begun through one session of the provider; each key ends in a session hash.
pub(super) fn sessions_at_provider(iss: &str, sid: &str) -> Span {
    at_provider(iss, sid).and_below()
}

fn at_provider(iss: &str, sid: &str) -> Key<()> {
    Key::new(b'p', "a session's place at its provider").with(of_issuer(iss, sid))
}

/// A provider's logout that has counted.
pub(super) fn logout(iss: &str, jti: &str) -> Key<()> {
    logout_of(of_issuer(iss, jti))
}

/// The same key, from what its place in time ends in.
pub(super) fn logout_of(name: [u8; 32]) -> Key<()> {
    Key::new(b'j', "a provider's logout").with(name)
}

/// Until when a provider's logout is remembered.
pub(super) fn logout_end(until: Timestamp, iss: &str, jti: &str) -> Key<()> {
    logout_end_of(until, of_issuer(iss, jti))
}

/// The logouts that are remembered no longer at `now`; each key ends in its 32-byte name.
pub(super) fn logout_ends_before(now: Timestamp) -> Span {
    logout_ends().up_to(logout_ends().with(time(now)))
}

fn logout_ends() -> Key<()> {
    Key::new(b'J', "the end of a provider's logout")
}

/// A session.
pub(super) fn session(hash: SessionHash) -> Key<KeptSession> {
    Key::new(b's', "a session").with(hash.to_bytes())
}

/// A session's place among its member's.
pub(super) fn session_of(member: MemberId, begun: Timestamp, hash: SessionHash) -> Key<()> {
    sessions(member).with(time(begun).map(|byte| !byte)).with(hash.to_bytes())
}

/// A member's sessions, the latest first.
pub(super) fn sessions_of(member: MemberId) -> Span {
    sessions(member).and_below()
}

fn sessions(member: MemberId) -> Key<()> {
    Key::new(b'S', "a member's session").with(member.to_bytes())
}

/// The place in time at which a session ends.
pub(super) fn session_end(until: Timestamp, hash: SessionHash) -> Key<()> {
    session_ends().with(time(until)).with(hash.to_bytes())
}

/// The sessions that end before `before`, the earliest first.
pub(super) fn session_ends_before(before: Timestamp) -> Span {
    session_ends().up_to(session_ends().with(time(before)))
}

fn session_ends() -> Key<()> {
    Key::new(b'e', "a session's end")
}

/// What a key ends in: an identifier, a hash.
///
/// # Errors
/// `Corrupt` when the key is too short to be one of ours.
pub(super) fn ending<const N: usize>(what: &'static str, key: &[u8]) -> Result<[u8; N]> {
    let too_short = || StoreError::Corrupt { what, why: format!("its key has only {} bytes", key.len()) };
    key.last_chunk().copied().ok_or_else(too_short)
}

/// The reverse of [`time`].
fn moment(what: &'static str, bytes: [u8; 8]) -> Result<Timestamp> {
    let millisecond = (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed();
    Timestamp::from_millisecond(millisecond).map_err(|e| StoreError::Corrupt { what, why: e.to_string() })
}

/// What a batch changes, as far as it may be kept in memory.
pub(super) enum Changed {
    /// A thought.
    Thought(ThoughtId),
    /// A member.
    Member(MemberId),
    /// A session.
    Session(SessionHash),
    /// What stands in some list.
    List,
}

/// What it is whose key this is.
pub(super) fn changed(key: &[u8]) -> Option<Changed> {
    let (space, rest) = key.split_first()?;
    match space {
        b't' => rest.try_into().ok().map(|id| Changed::Thought(ThoughtId::from_bytes(id))),
        b'm' => rest.try_into().ok().map(|id| Changed::Member(MemberId::from_bytes(id))),
        b's' => rest.try_into().ok().map(|hash| Changed::Session(SessionHash::from_bytes(hash))),
        b'l' => Some(Changed::List),
        _ => None,
    }
}

/// Milliseconds, so that earlier times sort before later ones, those before 1970 too.
fn time(at: Timestamp) -> [u8; 8] {
    (at.as_millisecond().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}
