//! Looks at the whole tree as it was at one moment, while it goes on changing. sled has none of its own.
//!
//! All changes come through the writer, batch by batch. Before a batch is applied, each look that is open notes what was
//! at the keys that it changes; a look reads its notes before it reads the tree. So a look costs memory for what changes
//! while it is open, and writers next to nothing where there is none. That memory has a bound: a look that would need more
//! is over, and says so to whoever reads on.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use sled::{Db, IVec};

use super::draft::Changes;
use super::failed;
use super::keys::{self, Key, Span};
use super::records::decode;
use crate::cache::Usage;
use crate::store::copying::Kind;
use crate::store::{Result, StoreError};

/// Bytes that a look notes at most: what some 130,000 new thoughts change.
const BYTES: usize = 64 * 1024 * 1024;

/// What a note costs besides its key and record, in bytes, about.
const NOTE: usize = 128;

/// What was at the keys that have changed since a look was opened; `None` where there was nothing.
type Before = BTreeMap<Vec<u8>, Option<IVec>>;

/// What a look has noted.
struct Notes {
    /// What it reads; of all else nothing is noted.
    kinds: &'static [Kind],
    before: Before,
    bytes: usize,
    /// There were too many, and they were let go of.
    outrun: bool,
}

impl Notes {
    fn of(kinds: &'static [Kind]) -> Self {
        Self { kinds, before: Before::new(), bytes: 0, outrun: false }
    }

    /// Notes what is at `key`, before that changes.
    fn note(&mut self, db: &Db, key: &[u8], most: usize) -> sled::Result<()> {
        let is_read = self.kinds.iter().any(|kind| keys::is_of(*kind, key));
        if self.outrun || !is_read || self.before.contains_key(key) {
            return Ok(());
        }
        let was = db.get(key)?;
        self.bytes += key.len() + was.as_ref().map_or(0, |was| was.len()) + NOTE;
        self.before.insert(key.to_vec(), was);
        if self.bytes > most {
            *self = Self { outrun: true, ..Self::of(self.kinds) };
        }
        Ok(())
    }
}

/// The looks that are open, by number.
struct Open {
    next: u64,
    looks: BTreeMap<u64, Notes>,
    /// Bytes that each may note.
    most: usize,
}

impl Open {
    /// What was where this look has noted it.
    fn before(&self, number: u64) -> Result<Option<&Before>> {
        match self.looks.get(&number) {
            Some(Notes { outrun: true, .. }) => Err(StoreError::Busy(format!(
                "while all of it was read, more was written than the {} MB that are kept in memory of what was there. \
                 Do it again when less is written",
                self.most / 1024 / 1024
            ))),
            notes => Ok(notes.map(|notes| &notes.before)),
        }
    }
}

/// The looks that are open. The lock is held while a batch is applied and while a look reads a page: neither sees the
/// other half done.
#[derive(Clone)]
pub(super) struct Looks(Arc<Mutex<Open>>);

impl Default for Looks {
    fn default() -> Self {
        Self::noting(BYTES)
    }
}

impl Looks {
    /// Looks that note so many bytes at most, each.
    fn noting(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Open { next: 0, looks: BTreeMap::new(), most })))
    }

    /// Bytes that are noted by all of them, and that may be.
    pub(super) fn usage(&self) -> Usage {
        let open = self.lock();
        let bytes = open.looks.values().map(|notes| notes.bytes).sum::<usize>();
        let capacity = open.looks.len() * open.most;
        Usage { capacity: capacity as u64, bytes: Some(bytes as u64), asked: None }
    }

    /// Opens a look at records of these kinds as they are now.
    pub(super) fn open(&self, db: &Db, kinds: &'static [Kind]) -> Look {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        open.looks.insert(number, Notes::of(kinds));
        Look { db: db.clone(), looks: self.clone(), number }
    }

    /// Applies `changes`, after every open look has noted what they change. One after the other: sled begins a batch with a
    /// write to the disk, and that all of them are there or none is seen to by the journal. `undo` is what takes back those
    /// that were applied, should it fail on the way.
    pub(super) fn apply(&self, db: &Db, changes: Changes, undo: &mut Changes) -> sled::Result<()> {
        let mut open = self.lock();
        let most = open.most;
        for notes in open.looks.values_mut() {
            changes.keys().try_for_each(|key| notes.note(db, key, most))?;
        }
        for (key, record) in changes {
            let was = match record {
                Some(record) => db.insert(&key, record)?,
                None => db.remove(&key)?,
            };
            undo.set(key, was.map(|was| was.to_vec()));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // What a panic has left is whole: notes are added one by one, and one that is missing was never needed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records as they were when the look was opened, until it is dropped.
pub(super) struct Look {
    db: Db,
    looks: Looks,
    number: u64,
}

impl Look {
    /// The record that was at `key`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>> {
        let open = self.looks.lock();
        let bytes = match open.before(self.number)?.and_then(|before| before.get(key.as_bytes())) {
            Some(was) => was.clone(),
            None => self.db.get(key.as_bytes()).map_err(failed)?,
        };
        bytes.map(|bytes| decode(key.what(), &bytes)).transpose()
    }

    /// The first keys of `span` and what was there, `limit` of them at most, in order.
    pub(super) fn entries(&self, span: &Span, limit: usize) -> Result<Vec<(Vec<u8>, IVec)>> {
        let open = self.looks.lock();
        let nothing = Before::new();
        let before = open.before(self.number)?.unwrap_or(&nothing);
        let stored = self
            .db
            .range::<&[u8], _>(span.bounds())
            .filter(|entry| !entry.as_ref().is_ok_and(|(key, _)| before.contains_key(key.as_ref())))
            .map(|entry| entry.map(|(key, bytes)| (key.to_vec(), bytes)).map_err(failed));
        let mut entries: Vec<_> = stored.take(limit).collect::<Result<_>>()?;
        let changed = before.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>(span.bounds());
        let was = changed.filter_map(|(key, was)| Some((key.clone(), was.clone()?)));
        entries.extend(was.take(limit));
        entries.sort_unstable();
        entries.truncate(limit);
        Ok(entries)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.looks.lock().looks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(pairs: &[(&str, Option<&str>)]) -> Changes {
        let bytes = |text: &str| text.as_bytes().to_vec();
        pairs.iter().map(|(key, record)| (bytes(key), record.map(bytes))).collect()
    }

    #[test]
    fn a_look_that_would_need_too_much_memory_is_over_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let (db, looks) = (sled::open(folder.path()).unwrap(), Looks::noting(2 * NOTE));
        let apply = |pairs| looks.apply(&db, changes(pairs), &mut Changes::default()).unwrap();
        apply(&[("a", Some("1"))]);
        let outrun = looks.open(&db, &Kind::LASTING);
        apply(&[("a", Some("2")), ("l", Some("place")), ("s", Some("session"))]);
        let all = keys::all(Kind::ApiTokens);
        assert_eq!(outrun.entries(&all, 9).unwrap(), [(b"a".to_vec(), IVec::from(b"1"))]);
        assert!(looks.usage().bytes.is_some_and(|bytes| (1..2 * NOTE as u64).contains(&bytes)), "{:?}", looks.usage());
        let other = looks.open(&db, &Kind::LASTING);
        apply(&[("a2", Some("1"))]);
        assert!(matches!(outrun.entries(&all, 9), Err(StoreError::Busy(_))));
        assert_eq!(other.entries(&all, 9).unwrap(), [(b"a".to_vec(), IVec::from(b"2"))]);
        assert_eq!(looks.usage().capacity, 2 * 2 * NOTE as u64);
        drop((outrun, other));
        assert_eq!((looks.usage().bytes, looks.usage().capacity), (Some(0), 0));
    }

    #[test]
    fn what_was_applied_can_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let (db, looks) = (sled::open(folder.path()).unwrap(), Looks::default());
        let all = || db.iter().map(Result::unwrap).collect::<Vec<_>>();
        looks.apply(&db, changes(&[("a", Some("1")), ("b", Some("2"))]), &mut Changes::default()).unwrap();
        let before = all();
        let mut undo = Changes::default();
        let later = changes(&[("a", Some("3")), ("b", None), ("c", Some("4")), ("d", None)]);
        looks.apply(&db, later, &mut undo).unwrap();
        assert_ne!(all(), before);
        looks.apply(&db, undo, &mut Changes::default()).unwrap();
        assert_eq!(all(), before);
    }
}
