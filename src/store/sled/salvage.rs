//! What can still be read of a store that can't be opened, or not be trusted. It is read from a copy of its files: what
//! is there stays as it is.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use async_trait::async_trait;
use sled::Db;

use super::copying::record;
use super::files::Files;
use super::journal::Journal;
use super::keys::Span;
use super::look::{Look, Looks};
use super::{keys, open};
use crate::domain::id::MemberId;
use crate::store::copying::{Kind, Record, Snapshot};
use crate::store::{Result, StoreError};

/// The records of a damaged store, as far as they can be read.
pub struct Salvage {
    look: Option<Look>,
    /// What is being read, by its place among [`Kind::ALL`].
    kind: usize,
    /// The last key of this kind that was read.
    after: Option<Vec<u8>>,
    lost: u64,
    why: Option<String>,
    /// Whether it is as new as it was when it was last served, as far as is known.
    is_as_new: bool,
}

/// Keeps other processes out, until this is dropped.
pub struct Claim(#[expect(dead_code, reason = "the lock is held for as long as the file is open")] Option<File>);

impl Claim {
    /// Claims the store in `folder`, as whoever serves it does, wherever its files are moved to meanwhile. One whose file is
    /// missing has nothing that could be in use.
    ///
    /// # Errors
    /// `Open` where another process has it.
    pub fn of(folder: &Path) -> Result<Self> {
        Self::lock(&folder.join(open::SLED).join("db"), folder)
    }

    /// Claims the right to recover what is in `folder`, whether there is a store or none. Whoever serves has no need of it.
    ///
    /// # Errors
    /// `Open` where another process recovers it.
    pub fn to_recover(folder: &Path) -> Result<Self> {
        Self::lock(folder, folder)
    }

    fn lock(path: &Path, folder: &Path) -> Result<Self> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(None)),
            Err(error) => return Err(StoreError::Open(format!("`{}` can't be opened: {error}", path.display()))),
        };
        open::lock(&file).map_err(|why| StoreError::Open(format!("the store in `{}` {why}", folder.display())))?;
        Ok(Self(Some(file)))
    }
}

impl Salvage {
    /// Copies the files of the store in `folder` to `scratch`, which must not be there yet, and opens what it can of them.
    ///
    /// # Errors
    /// Where they can't be copied.
    pub fn of(folder: &Path, scratch: &Path) -> io::Result<Self> {
        copy(&folder.join(open::SLED), scratch)?;
        let (look, why) = match open::sled_in(scratch) {
            Ok(db) => {
                let why = caught_up(scratch, &db).err();
                (Some(Looks::default().open(&db, &Kind::ALL)), why)
            }
            Err(why) => (None, Some(why)),
        };
        let is_as_new = why.is_none();
        Ok(Self { look, kind: 0, after: None, lost: 0, why, is_as_new })
    }

    /// Whether it says of itself that it is not whole: something was being put into it.
    pub fn is_half_filled(&self) -> bool {
        let filling = catch_unwind(AssertUnwindSafe(|| self.look.as_ref()?.get(&keys::filling()).ok()?));
        matches!(filling, Ok(Some(_)))
    }

    /// Who was deleted, as far as that can be read.
    pub fn gone(&self) -> BTreeSet<MemberId> {
        let Some(look) = &self.look else { return BTreeSet::new() };
        let members = |span: &Span| {
            let entries = look.entries(span, usize::MAX)?;
            let ids = entries.iter().map(|(key, _)| keys::ending(span.what(), key).map(MemberId::from_bytes));
            ids.collect::<Result<Vec<_>>>()
        };
        let spans = [keys::leaving_members(), keys::gone_members()];
        let read = spans.iter().map(|span| catch_unwind(AssertUnwindSafe(|| members(span))));
        read.filter_map(|members| members.ok()?.ok()).flatten().collect()
    }

    /// How many records could not be read, as far as that can be known.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Why not everything could be read, if anything is known of that.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// The next records of one kind; none at its end, and where it can't be read any further.
    fn page(&mut self, kind: Kind, limit: usize) -> Option<Vec<Record>> {
        let look = self.look.as_ref()?;
        let span = keys::all(kind).after(self.after.as_deref());
        // sled meets some damage with a panic.
        let read = catch_unwind(AssertUnwindSafe(|| look.entries(&span, limit)));
        let entries = match read {
            Ok(Ok(entries)) => entries,
            Ok(Err(error)) => {
                self.why = Some(error.to_string());
                return None;
            }
            Err(panic) => {
                self.why = Some(open::text_of(panic.as_ref()));
                return None;
            }
        };
        let (last, _) = entries.last()?;
        self.after = Some(last.clone());
        let mut records = Vec::new();
        for (key, bytes) in &entries {
            match catch_unwind(AssertUnwindSafe(|| record(look, kind, key, bytes))) {
                Ok(Ok(record)) => records.extend(record),
                Ok(Err(error)) => {
                    self.lost += 1;
                    self.why = Some(error.to_string());
                }
                Err(panic) => {
                    self.lost += 1;
                    self.why = Some(open::text_of(panic.as_ref()));
                }
            }
        }
        Some(records)
    }
}

#[async_trait]
impl Snapshot for Salvage {
    async fn next(&mut self, limit: usize) -> Result<Vec<Record>> {
        while let Some(kind) = Kind::ALL.get(self.kind) {
            // What has ended since must not be good again.
            let opens_something = matches!(kind, Kind::Sessions | Kind::ApiTokens);
            let page = if opens_something && !self.is_as_new { None } else { self.page(*kind, limit) };
            match page {
                Some(records) if records.is_empty() => {}
                Some(records) => return Ok(records),
                None => {
                    self.kind += 1;
                    self.after = None;
                }
            }
        }
        Ok(Vec::new())
    }
}

/// Puts the journal's changes into the copy of a store. One that is not whole, or does not go on from where the store ends,
/// is left out: of what it has, newer changes may stand in the store already.
fn caught_up(scratch: &Path, db: &Db) -> std::result::Result<(), String> {
    let left_out = |why: &dyn fmt::Display| {
        format!(
            "its journal was left out, and what was changed last with it, and so were sessions and API tokens, which may \
             have ended since: people sign in anew and make new tokens. The journal: {why}"
        )
    };
    let (journal, replay) = Journal::open(scratch).map_err(|why| left_out(&why))?;
    let mut files = Files::of(scratch).map_err(|why| left_out(&why))?;
    match catch_unwind(AssertUnwindSafe(|| open::goes_on_from(&journal, db))) {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err(left_out(&"the store has lost what was changed before it begins")),
        Ok(Err(why)) => return Err(left_out(&why)),
        Err(panic) => return Err(left_out(&open::text_of(panic.as_ref()))),
    }
    catch_unwind(AssertUnwindSafe(|| open::put_back(replay, db, &mut files, &journal)))
        .map_err(|panic| left_out(&open::text_of(panic.as_ref())))?
        .map_err(|why| left_out(&why))
}

/// Puts a new store into the stead of the one in `folder`, which is kept in `aside`.
///
/// # Errors
/// Where files can't be moved. What was there is then where it was, or in `aside`.
pub fn replace(folder: &Path, new: &Path, aside: &Path) -> Result<()> {
    fs::create_dir_all(aside).map_err(unmoved(aside))?;
    // First, so that whoever serves is told of a store that is missing, and begins no other, where this is killed between
    // the next two steps.
    fs::rename(new.join(open::MARK), folder.join(open::MARK)).map_err(unmoved(new))?;
    sync(folder)?;
    let store = folder.join(open::SLED);
    if store.exists() {
        fs::rename(&store, aside.join(open::SLED)).map_err(unmoved(&store))?;
        sync(aside)?;
    }
    fs::rename(new.join(open::SLED), &store).map_err(unmoved(new))?;
    sync(folder)
}

/// Takes back a [`replace`] that was killed between its steps: what is in `aside` is put back, where the new store is still
/// in `new` and there is none in `folder`. It is claimed from then on. `None` where there is nothing to take back.
///
/// # Errors
/// `Open` where files can't be moved, another process has what is in `aside`, or another store was made in `folder`.
pub fn undo_half_replaced(folder: &Path, new: &Path, aside: &Path) -> Result<Option<Claim>> {
    let (store, put_aside) = (folder.join(open::SLED), aside.join(open::SLED));
    if !put_aside.exists() || !new.join(open::SLED).exists() {
        return Ok(None);
    }
    if store.join("db").exists() {
        return Err(StoreError::Open(format!(
            "a recovery of `{}` was broken off when it had put the damaged store aside, in `{}`, and since then another \
             store was made in its place. Nothing was changed. Move one of them to another folder, or delete it.",
            folder.display(),
            aside.display()
        )));
    }
    let claim = Claim::of(aside)?;
    // An empty folder gives way to what is called like it.
    fs::rename(&put_aside, store).map_err(unmoved(&put_aside))?;
    sync(folder)?;
    sync(aside)?;
    Ok(Some(claim))
}

/// Has what was moved into this folder, or out of it, stay so when the power is cut.
fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unmoved(folder))
}

fn unmoved(what: &Path) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Open(format!("`{}` can't be moved: {error}", what.display()))
}

pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // As the store itself: for its owner alone.
    open::make(to)?;
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
