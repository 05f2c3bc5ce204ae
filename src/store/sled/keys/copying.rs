//! The keys by which everything is copied.

use jiff::Timestamp;

use super::{Key, OnceName, Span, logout_ends, once_uses};
use crate::domain::id::MemberId;
use crate::store::copying::{Filling, Kind};
use crate::store::{Result, StoreError};

/// That the store is being filled.
pub(in crate::store::sled) fn filling() -> Key<Filling> {
    Key::new(b'F', "a fill under way")
}

/// The keys at which a kind of record is read, in its order; where the time counts, the places in time.
pub(in crate::store::sled) fn all(kind: Kind) -> Span {
    Key::<()>::new(space(kind), kind.as_str()).and_below()
}

/// Whether this key is read where that kind of record is: by itself, or for what its place in time stands for.
pub(in crate::store::sled) fn is_of(kind: Kind, key: &[u8]) -> bool {
    let beside = match kind {
        Kind::OnceValues => Some(&b'o'),
        Kind::EndedSessions => Some(&b'X'),
        Kind::Members
        | Kind::Leaving
        | Kind::Thoughts
        | Kind::Revisions
        | Kind::ApiTokens
        | Kind::Sessions
        | Kind::Logouts
        | Kind::UnsentTexts => None,
    };
    key.first().is_some_and(|first| *first == space(kind) || Some(first) == beside)
}

fn space(kind: Kind) -> u8 {
    match kind {
        Kind::Members => b'm',
        Kind::Leaving => b'g',
        Kind::Thoughts => b't',
        Kind::Revisions => b'r',
        Kind::OnceValues => b'O',
        Kind::ApiTokens => b'a',
        Kind::Sessions => b's',
        Kind::EndedSessions => b'e',
        Kind::Logouts => b'J',
        Kind::UnsentTexts => b'u',
    }
}

/// Whose `once` value it is, and its hash.
pub(in crate::store::sled) fn once_parts(name: &OnceName) -> (MemberId, [u8; 32]) {
    let (mut member, mut hash) = ([0; 16], [0; 32]);
    member.copy_from_slice(&name[..16]);
    hash.copy_from_slice(&name[16..]);
    (MemberId::from_bytes(member), hash)
}

/// The reverse of [`once_parts`].
pub(in crate::store::sled) fn once_joined(member: MemberId, hash: [u8; 32]) -> OnceName {
    let mut name = [0; 48];
    name[..16].copy_from_slice(&member.to_bytes());
    name[16..].copy_from_slice(&hash);
    name
}

/// The place in time of a `once` value, by its name.
pub(in crate::store::sled) fn once_of_used(at: Timestamp, name: OnceName) -> Key<()> {
    once_uses().with(super::time(at)).with(name)
}

/// Until when a provider's logout is remembered, by its name.
pub(in crate::store::sled) fn logout_end_of(until: Timestamp, name: [u8; 32]) -> Key<()> {
    logout_ends().with(super::time(until)).with(name)
}

/// The time that stands first in a place in time.
///
/// # Errors
/// `Corrupt` where the key is too short, or that is no time.
pub(in crate::store::sled) fn time_in(what: &'static str, key: &[u8]) -> Result<Timestamp> {
    let bytes = key.get(1..).and_then(|rest| rest.first_chunk());
    let bytes = bytes.ok_or_else(|| StoreError::Corrupt { what, why: "its key has no time".to_owned() })?;
    super::moment(what, *bytes)
}
