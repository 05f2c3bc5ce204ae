//! A write in the making: it reads the store as the writes before it will leave it, and says what it changes.
//!
//! Writes that wait for the disk together make one entry of the journal, and see each other's changes here before sled has
//! them.

use std::collections::{BTreeMap, btree_map};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::{Batch, Db};

use super::failed;
use super::keys::{Key, Span};
use super::records::{self, decode, encode, missing};
use crate::store::Result;

/// What writes change: the record to be at a key, or `None` where there is to be none.
#[derive(Default)]
pub(super) struct Changes {
    records: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    size: usize,
}

impl Changes {
    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of the keys and records that change; what changes twice counts twice.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// What changes, in the order of the keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.records.iter().map(|(key, record)| (key.as_slice(), record.as_deref()))
    }

    /// The keys at which something changes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.records.keys().map(Vec::as_slice)
    }

    /// Adds later changes to these.
    pub(super) fn extend(&mut self, later: Self) {
        self.size += later.size;
        self.records.extend(later.records);
    }

    /// Changes what is at `key`, in the place of what was to be there.
    pub(super) fn set(&mut self, key: Vec<u8>, record: Option<Vec<u8>>) {
        self.size += key.len() + record.as_ref().map_or(0, Vec::len);
        self.records.insert(key, record);
    }
}

impl IntoIterator for Changes {
    type Item = (Vec<u8>, Option<Vec<u8>>);
    type IntoIter = btree_map::IntoIter<Vec<u8>, Option<Vec<u8>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.records.into_iter()
    }
}

impl FromIterator<(Vec<u8>, Option<Vec<u8>>)> for Changes {
    fn from_iter<I: IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>>(records: I) -> Self {
        let mut changes = Self::default();
        for (key, record) in records {
            changes.set(key, record);
        }
        changes
    }
}

impl From<Changes> for Batch {
    fn from(changes: Changes) -> Self {
        let mut batch = Self::default();
        for (key, record) in changes {
            match record {
                Some(record) => batch.insert(key, record),
                None => batch.remove(key),
            }
        }
        batch
    }
}

/// A write in the making. It sees what the writes before it change, and not what it changes itself.
pub(super) struct Draft<'a> {
    db: &'a Db,
    before: &'a Changes,
    own: Changes,
}

impl<'a> Draft<'a> {
    /// A write that changes nothing yet, on top of those `before`.
    pub(super) fn on(db: &'a Db, before: &'a Changes) -> Self {
        Self { db, before, own: Changes::default() }
    }

    /// What it changes.
    pub(super) fn into_changes(self) -> Changes {
        self.own
    }

    /// The record at `key`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<Option<T>> {
        match self.before.records.get(key.as_bytes()) {
            Some(Some(bytes)) => decode(key.what(), bytes).map(Some),
            Some(None) => Ok(None),
            None => records::get(self.db, key),
        }
    }

    /// Whether there is a record at `key`.
    pub(super) fn holds<T>(&self, key: &Key<T>) -> Result<bool> {
        match self.before.records.get(key.as_bytes()) {
            Some(record) => Ok(record.is_some()),
            None => self.db.contains_key(key.as_bytes()).map_err(failed),
        }
    }

    /// The record at a `key` that another record says is there.
    pub(super) fn must_get<T: DeserializeOwned>(&self, key: &Key<T>) -> Result<T> {
        self.get(key)?.ok_or_else(|| missing(key))
    }

    /// The first keys of `span`, `limit` of them at most, in order.
    pub(super) fn keys(&self, span: &Span, limit: usize) -> Result<Vec<Vec<u8>>> {
        let stored = records::keys(self.db, span)
            .filter(|key| !key.as_ref().is_ok_and(|key| self.before.records.contains_key(key.as_ref())))
            .map(|key| key.map(|key| key.to_vec()));
        let mut keys: Vec<_> = stored.take(limit).collect::<Result<_>>()?;
        let changed = self.before.records.range::<[u8], _>(span.bounds());
        keys.extend(changed.filter(|(_, record)| record.is_some()).map(|(key, _)| key.clone()).take(limit));
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }

    /// Puts `record` at `key`, in the place of what may be there.
    pub(super) fn put<T: Serialize>(&mut self, key: &Key<T>, record: &T) -> Result<()> {
        self.own.set(key.as_bytes().to_vec(), Some(encode(key.what(), record)?));
        Ok(())
    }

    /// Takes away what may be at `key`.
    pub(super) fn remove<T>(&mut self, key: &Key<T>) {
        self.remove_raw(key.as_bytes());
    }

    /// Takes away what is at a key that was read out of the store.
    pub(super) fn remove_raw(&mut self, key: &[u8]) {
        self.own.set(key.to_vec(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::ThoughtId;
    use crate::store::Scope;
    use crate::store::lists::{Audience, List};
    use crate::store::sled::keys::{listed, listed_before};
    use ulid::Ulid;

    const PUBLIC: List<'_> = List::For(Scope::Everyone, Audience::Public);

    fn place(id: u128) -> Key<()> {
        listed(PUBLIC, ThoughtId::from(Ulid(id)))
    }

    #[test]
    fn a_write_sees_what_is_stored_and_what_the_writes_before_it_change() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let mut before = Changes::default();
        for round in [vec![(1, true), (3, true), (5, true)], vec![(3, false), (2, true), (9, true), (9, false)]] {
            db.apply_batch(Batch::from(std::mem::take(&mut before))).unwrap();
            let mut draft = Draft::on(&db, &before);
            for (id, there) in round {
                if there { draft.put(&place(id), &()).unwrap() } else { draft.remove(&place(id)) }
            }
            let changes = draft.into_changes();
            before.extend(changes);
        }
        let draft = Draft::on(&db, &before);
        let seen: Vec<u128> = (0..=9).filter(|id| draft.get(&place(*id)).unwrap().is_some()).collect();
        assert_eq!(seen, [1, 2, 5]);
        assert!((0..=9).all(|id| draft.holds(&place(id)).unwrap() == seen.contains(&id)));
        let list = listed_before(PUBLIC, None);
        for limit in 0..=4 {
            let expected: Vec<_> = seen.iter().take(limit).map(|id| place(*id).as_bytes().to_vec()).collect();
            assert_eq!(draft.keys(&list, limit).unwrap(), expected);
        }
    }
}
