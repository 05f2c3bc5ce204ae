//! The keys of API tokens, and of members who were deleted.

use jiff::Timestamp;

use super::{Key, OnceName, Span, ending, moment, once_joined, once_of_used, trash, trashed};
use crate::domain::api_token::{ApiToken, ApiTokenHash};
use crate::domain::id::{ApiTokenId, MemberId, ThoughtId};
use crate::domain::page::TrashPlace;
use crate::domain::thought::Once;
use crate::store::Result;
use crate::store::names;
use crate::store::sled::records::Leaving;

/// An API token.
pub(in crate::store::sled) fn api_token(hash: ApiTokenHash) -> Key<ApiToken> {
    Key::new(b'a', "an API token").with(hash.to_bytes())
}

/// An API token's place among its member's.
pub(in crate::store::sled) fn api_token_of(member: MemberId, id: ApiTokenId) -> Key<ApiTokenHash> {
    api_tokens(member).with(id.to_bytes().map(|byte| !byte))
}

/// The places of a member's API tokens, the latest made first.
pub(in crate::store::sled) fn api_tokens_of(member: MemberId) -> Span {
    api_tokens(member).and_below()
}

/// The API token whose place this is.
pub(in crate::store::sled) fn api_token_at(place: &[u8]) -> Result<ApiTokenId> {
    let bytes: [u8; 16] = ending("an API token's place", place)?;
    Ok(ApiTokenId::from_bytes(bytes.map(|byte| !byte)))
}

fn api_tokens(member: MemberId) -> Key<ApiTokenHash> {
    Key::new(b'A', "an API token's place").with(member.to_bytes())
}

/// The API token that a member's `once` value has made.
pub(in crate::store::sled) fn api_token_once(member: MemberId, value: &Once) -> Key<ApiTokenId> {
    Key::new(b'o', "a once value").with(api_token_once_name(member, value))
}

/// The place in time of its use, among those of thoughts.
pub(in crate::store::sled) fn api_token_once_used(at: Timestamp, member: MemberId, value: &Once) -> Key<()> {
    once_of_used(at, api_token_once_name(member, value))
}

fn api_token_once_name(member: MemberId, value: &Once) -> OnceName {
    once_joined(member, names::api_token_once(value))
}

/// All of a member's `once` values.
pub(in crate::store::sled) fn once_values_of(member: MemberId) -> Span {
    Key::<()>::new(b'o', "a once value").with(member.to_bytes()).and_below()
}

/// What is left of a member who was deleted.
pub(in crate::store::sled) fn leaving(member: MemberId) -> Key<Leaving> {
    Key::new(b'g', "a member who was deleted").with(member.to_bytes())
}

/// All who were deleted and have left something; each key ends in 16 bytes of a member.
pub(in crate::store::sled) fn leaving_members() -> Span {
    Key::<Leaving>::new(b'g', "a member who was deleted").and_below()
}

/// That there is nothing left of a member who was deleted.
pub(in crate::store::sled) fn gone(member: MemberId) -> Key<()> {
    Key::new(b'G', "a member who is gone").with(member.to_bytes())
}

/// All of whom nothing is left; each key ends in 16 bytes of a member.
pub(in crate::store::sled) fn gone_members() -> Span {
    Key::<()>::new(b'G', "a member who is gone").and_below()
}

/// The places in the trash of what was deleted before this one, or all of them, the longest deleted first.
pub(in crate::store::sled) fn trashed_until(before: Option<TrashPlace>) -> Span {
    match before {
        Some(place) => trash().up_to(trashed(place.at, place.id)),
        None => trash().and_below(),
    }
}

/// The place in the trash that this key stands for.
pub(in crate::store::sled) fn trash_place(key: &[u8]) -> Result<TrashPlace> {
    let what = "a place in the trash";
    let id: [u8; 16] = ending(what, key)?;
    let at = ending(what, &key[..key.len() - id.len()])?;
    Ok(TrashPlace { at: moment(what, at)?, id: ThoughtId::from_bytes(id) })
}

/// The places in the trash behind this one, or all of them.
pub(in crate::store::sled) fn trashed_after(place: Option<&[u8]>) -> Span {
    trash().and_below().after(place)
}
