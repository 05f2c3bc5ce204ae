//! The embedded store: one sled tree in the data folder, for one process.
//!
//! Read in this order: `keys` (what is where), `records` (what a record is), `draft`, `writer` and `journal` (how a
//! change comes about and gets onto the disk), then `thoughts` with `feed`, `members` with `accounts`, `sessions` and
//! `api_tokens`, which are the store's methods, `search`, `open`, and `copying` with `look`, by which all of it is copied.
//!
//! Reads go straight to sled, or to what was read of it before (`cached`), and do not wait for the writer; each takes a
//! few records by key. They see a
//! write as soon as it is applied, which may be a moment before it is on disk and answered. No read but that of a
//! [`look`] is of one moment, so a read checks every thought it comes upon.

mod accounts;
mod api_tokens;
mod cached;
mod copying;
mod draft;
mod feed;
mod files;
mod journal;
mod keys;
mod look;
mod members;
mod open;
mod records;
mod salvage;
mod search;
mod sessions;
#[cfg(test)]
mod tests;
mod thoughts;
mod unsent;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sled::Db;

use self::cached::Cached;
use self::draft::Draft;
use self::files::Files;
use self::look::Looks;
pub use self::salvage::{Claim, Salvage, replace, undo_half_replaced};
use self::search::{Built, Index};
use self::writer::{Disk, Writer};
use super::{Following, Found, Result, Store, StoreError};
use crate::cache::Usage;
use crate::domain::id::{MemberId, ThoughtId};

/// The embedded store. Dropping it lets the writer finish what it was given; [`Store::close`] also waits for
/// that. The folder is free for another process when the store is dropped.
pub struct SledStore {
    folder: PathBuf,
    db: Db,
    looks: Looks,
    cached: Arc<Cached>,
    index: Arc<Index>,
    writer: Writer,
}

impl SledStore {
    /// Opens the store in `folder`, which is made if it isn't there. The data is in `folder/sled`.
    ///
    /// # Errors
    /// [`StoreError::Open`] with a line that names the folder and says what is wrong with it and what to do:
    /// in use by another process, not to be read or written, damaged, or of a newer layout.
    pub async fn open(folder: &Path) -> Result<Self> {
        Self::open_with(folder, search::MOST).await
    }

    /// The same, with so many thoughts in a segment of its index.
    async fn open_with(folder: &Path, segment: usize) -> Result<Self> {
        let (folder, opened) = (folder.to_owned(), folder.to_owned());
        let opening = tokio::task::spawn_blocking(move || {
            let db = open::open(&folder)?;
            let mut files = Files::of(&folder.join(open::SLED))?;
            let journal = open::catch_up(&folder, &db, &mut files)?;
            let of_index = Files::of(&folder.join(open::SLED))?;
            Ok::<_, StoreError>((db, Disk { folder, files, journal }, of_index))
        });
        let (db, disk, of_index) =
            opening.await.map_err(|e| StoreError::Failed(format!("opening was broken off: {e}")))??;
        let (looks, cached) = (Looks::default(), Arc::<Cached>::default());
        let index = Arc::new(Index::of(&db, segment, of_index)?);
        let writer = Writer::start(db.clone(), disk, looks.clone(), cached.clone(), index.clone())?;
        Ok(Self { folder: opened, db, looks, cached, index, writer })
    }

    /// What is in `folder`: a store is opened, and answers, unless that would change its layout. Where none is, that one could
    /// be made there has been tried, and nothing of it is left.
    ///
    /// # Errors
    /// Those of [`Self::open`], and [`StoreError::Full`] where there is no room.
    pub async fn try_out(folder: &Path) -> Result<Found> {
        let looked_into = folder.to_owned();
        let looking = tokio::task::spawn_blocking(move || open::look_into(&looked_into));
        let found = looking.await.map_err(|e| StoreError::Failed(format!("looking was broken off: {e}")))??;
        if found == Found::Store {
            let store = Self::open(folder).await?;
            store.ping().await?;
            store.close().await?;
        }
        Ok(found)
    }

    /// Notes that these members are gone, of whom there may be something in an older snapshot.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn note_gone(&self, members: BTreeSet<MemberId>) -> Result<()> {
        let note = move |draft: &mut Draft<'_>| members.iter().try_for_each(|id| draft.put(&keys::gone(*id), &()));
        self.writer.write(note).await
    }

    /// Reads. Here, and nowhere else, a closed store is noticed, and a panic of sled's on a damaged page
    /// becomes an error.
    fn read<T>(&self, work: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        if self.writer.is_closed() {
            return Err(StoreError::Closed);
        }
        unwinding(|| work(&self.db))
    }
}

fn unwinding<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    open::unwinding(work).unwrap_or_else(|panic| Err(StoreError::Failed(panic)))
}

#[async_trait]
impl Store for SledStore {
    async fn ping(&self) -> Result<()> {
        open::room(&self.folder)?;
        // Through the writer, which knows whether anything can still be written.
        self.writer.write(|draft| draft.must_get(&keys::layout()).map(drop)).await
    }

    async fn bytes(&self) -> Result<u64> {
        self.read(|db| db.size_on_disk().map_err(failed))
    }

    fn caches(&self) -> Vec<(&'static str, Usage)> {
        let own = [("copies", self.looks.usage()), ("sled", open::CACHE)];
        self.cached.usage().into_iter().chain(self.index.usage()).chain(own).collect()
    }

    fn version(&self) -> u64 {
        self.cached.version()
    }

    async fn index(&self, now: Timestamp) -> Result<bool> {
        // It can wait until there is; what is written there is needed more.
        if !open::has_room(&self.folder, search::ROOM)? {
            return Ok(false);
        }
        if self.writer.is_closed() {
            return Err(StoreError::Closed);
        }
        let (index, cached, db) = (self.index.clone(), self.cached.clone(), self.db.clone());
        // It takes longer than others should wait for.
        let building = tokio::task::spawn_blocking(move || unwinding(|| index.build(&db, &cached, now)));
        let built = building.await.map_err(|e| StoreError::Failed(format!("indexing was broken off: {e}")))?;
        let Built { segment, settled } = built?;
        if !settled.is_empty() {
            self.writer.write(move |draft| thoughts::settle(draft, &settled)).await?;
        }
        Ok(segment)
    }

    async fn unindexed(&self) -> Result<Option<ThoughtId>> {
        Ok(self.index.unindexed())
    }

    /// One process has the folder for itself.
    async fn follow(&self) -> Result<Option<Box<dyn Following>>> {
        Ok(None)
    }

    /// Reads are refused as well from then on.
    async fn close(&self) -> Result<()> {
        self.writer.close().await
    }
}

fn failed(e: sled::Error) -> StoreError {
    StoreError::Failed(e.to_string())
}
