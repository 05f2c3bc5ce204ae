//! What stands at the keys.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sled::{Db, IVec};

use super::failed;
use super::keys::{Key, Span};
use crate::domain::member::Handle;
use crate::domain::session::Session;
pub(super) use crate::store::codec::{decode, encode};
use crate::store::{Result, StoreError};

/// A session, and what has to be known to take it out of the store again.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptSession {
    /// The session.
    pub(super) session: Session,
    /// When it ends at the latest; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub(super) until: Timestamp,
    /// Whoever refreshes its tokens has the turn until then; whole milliseconds.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub(super) refreshing_until: Option<Timestamp>,
}

/// What is left of a member who was deleted, and how far that is purged.
#[derive(Serialize, Deserialize)]
pub(super) struct Leaving {
    /// Theirs until everything else is gone.
    pub(super) handle: Handle,
    /// The last place in the trash that was looked at, if one was.
    pub(super) trash_seen: Option<Vec<u8>>,
}

/// The record at `key`.
pub(super) fn get<T: DeserializeOwned>(db: &Db, key: &Key<T>) -> Result<Option<T>> {
    match db.get(key.as_bytes()).map_err(failed)? {
        Some(bytes) => decode(key.what(), &bytes).map(Some),
        None => Ok(None),
    }
}

/// The keys of `span` in order, from either end.
pub(super) fn keys(db: &Db, span: &Span) -> impl DoubleEndedIterator<Item = Result<IVec>> + use<> {
    db.range::<&[u8], _>(span.bounds()).keys().map(|key| key.map_err(failed))
}

/// The records of `span` in order, from either end.
pub(super) fn values<T: DeserializeOwned>(db: &Db, span: &Span) -> impl DoubleEndedIterator<Item = Result<T>> + use<T> {
    let what = span.what();
    db.range::<&[u8], _>(span.bounds()).values().map(move |bytes| decode(what, &bytes.map_err(failed)?))
}

/// The keys of `span` in order, with their records.
pub(super) fn entries<T: DeserializeOwned>(db: &Db, span: &Span) -> impl Iterator<Item = Result<(IVec, T)>> + use<T> {
    let what = span.what();
    db.range::<&[u8], _>(span.bounds()).map(move |entry| {
        let (key, bytes) = entry.map_err(failed)?;
        Ok((key, decode(what, &bytes)?))
    })
}

/// What another record says is there and is not.
pub(super) fn missing<T>(key: &Key<T>) -> StoreError {
    StoreError::Corrupt { what: key.what(), why: "it is missing".to_owned() }
}
