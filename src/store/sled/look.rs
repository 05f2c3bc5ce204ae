//! Looks at the whole tree as it was at one moment, while it goes on changing. sled has none of its own.
//!
//! All changes come through the writer, batch by batch. Before a batch is applied, each look that is open notes what was
//! at the keys that it changes; a look reads its notes before it reads the tree. So a look costs memory for what changes
//! while it is open, and writers next to nothing where there is none.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use sled::{Db, IVec};

use super::draft::Changes;
use super::failed;
use super::keys::{Key, Span};
use super::records::decode;
use crate::store::Result;

/// What was at the keys that have changed since a look was opened; `None` where there was nothing.
type Before = BTreeMap<Vec<u8>, Option<IVec>>;

/// The looks that are open, by number.
#[derive(Default)]
struct Open {
    next: u64,
    looks: BTreeMap<u64, Before>,
}

/// The looks that are open. The lock is held while a batch is applied and while a look reads a page: neither sees the
/// other half done.
#[derive(Clone, Default)]
pub(super) struct Looks(Arc<Mutex<Open>>);

impl Looks {
    /// Opens a look at the tree as it is now.
    pub(super) fn open(&self, db: &Db) -> Look {
        let mut open = self.lock();
        let number = open.next;
        open.next += 1;
        open.looks.insert(number, Before::new());
        Look { db: db.clone(), looks: self.clone(), number }
    }

    /// Applies `changes`, after every open look has noted what they change. One after the other: sled begins a batch with a
    /// write to the disk, and that all of them are there or none is seen to by the journal. `undo` is what takes back those
    /// that were applied, should it fail on the way.
    pub(super) fn apply(&self, db: &Db, changes: Changes, undo: &mut Changes) -> sled::Result<()> {
        let mut open = self.lock();
        for before in open.looks.values_mut() {
            for key in changes.keys() {
                if !before.contains_key(key) {
                    before.insert(key.to_vec(), db.get(key)?);
                }
            }
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

/// The tree as it was when the look was opened, until it is dropped.
pub(super) struct Look {
    db: Db,
    looks: Looks,
    number: u64,
}

impl Look {
    /// The record that was at `key`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>> {
        let open = self.looks.lock();
        let noted = open.looks.get(&self.number).and_then(|before| before.get(key.as_bytes()));
        let bytes = match noted {
            Some(was) => was.clone(),
            None => self.db.get(key.as_bytes()).map_err(failed)?,
        };
        bytes.map(|bytes| decode(key.what(), &bytes)).transpose()
    }

    /// The first keys of `span` and what was there, `limit` of them at most, in order.
    pub(super) fn entries(&self, span: &Span, limit: usize) -> Result<Vec<(Vec<u8>, IVec)>> {
        let open = self.looks.lock();
        let nothing = Before::new();
        let before = open.looks.get(&self.number).unwrap_or(&nothing);
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

    #[test]
    fn what_was_applied_can_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let (db, looks) = (sled::open(folder.path()).unwrap(), Looks::default());
        let changes = |pairs: &[(&str, Option<&str>)]| -> Changes {
            let bytes = |text: &str| text.as_bytes().to_vec();
            pairs.iter().map(|(key, record)| (bytes(key), record.map(bytes))).collect()
        };
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
