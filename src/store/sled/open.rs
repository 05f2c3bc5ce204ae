//! Opening a folder, or saying in one line why not and what to do.
//!
//! sled makes an empty store wherever it finds none, also where there was one whose files are gone. So a
//! plain file beside it, [`MARK`], says that a store was made here: with it, a store that is empty all of a
//! sudden is refused rather than begun anew.

use std::any::Any;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

use sled::{Config, Db, Mode};

use super::draft::Changes;
use super::files::Files;
use super::journal::{Journal, Replay, Unusable};
use super::records::{encode, get};
use super::writer::GROUP_BYTES;
use super::{failed, keys};
use crate::cache::Usage;
use crate::store::{self, Found, StoreError};

/// The version of the layout that this binary reads and writes; what it is stands in `keys.rs`. Since the second there is
/// a journal; since the third, what changes leaves marks for the index.
pub(super) const LAYOUT: u32 = 3;

/// The folder inside the given one that is sled's own.
pub(super) const SLED: &str = "sled";

/// The file that says that a store was made in this folder.
pub(super) const MARK: &str = "store";

/// Pages kept in memory, in bytes as sled counts them: it takes two to three times as many. How many it holds it tells
/// nobody.
pub(super) const CACHE: Usage = Usage { capacity: 16 * 1024 * 1024, bytes: None, asked: None };

/// How long a store that is just being let go is waited for: a program that is being replaced, or sled's own
/// threads, which keep the lock for a moment after the store was dropped.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(25);

/// Opens the store in `folder`, which is made if it isn't there. Blocks.
pub(super) fn open(folder: &Path) -> store::Result<Db> {
    let say = |why: String| StoreError::Open(format!("the store in `{}` {why}", folder.display()));
    let mark = folder.join(MARK);
    let made = mark.try_exists().map_err(|e| say(access(&e)))?;
    if made && !folder.join(SLED).join("db").exists() {
        return Err(say(LOST.to_owned()));
    }
    make(&folder.join(SLED)).map_err(|e| say(access(&e)))?;
    let db = sled_in(&folder.join(SLED)).map_err(say)?;
    // A damaged page may show itself only now, by a panic too.
    match unwinding(|| prepare(&db, &folder.join(SLED), made)) {
        Ok(Ok(())) => {}
        Ok(Err(Unfit::Refused(why))) => return Err(say(why)),
        Ok(Err(Unfit::Unreadable(e))) => return Err(say(unreadable(&e.to_string()))),
        Err(panic) => return Err(say(unreadable(&panic))),
    }
    if !made {
        let text = "Thoughts keeps a store in the folder beside this file. Both belong together.\n";
        fs::write(&mark, text).map_err(|e| say(access(&e)))?;
    }
    Ok(db)
}

/// What is in `folder`: a store, or part of one. Where none is, its folder is made and taken away again. Blocks.
pub(super) fn look_into(folder: &Path) -> store::Result<Found> {
    let say = |e: &io::Error| StoreError::Open(format!("the store in `{}` {}", folder.display(), access(e)));
    // What stands below a file can't be looked for; that it can't be made either says the same with what to do.
    let there = |path: &Path| path.try_exists().or_else(|e| if is_access(&e) { Ok(false) } else { Err(e) });
    if there(&folder.join(MARK)).map_err(|e| say(&e))? || there(&folder.join(SLED)).map_err(|e| say(&e))? {
        return Ok(if is_older(folder) { Found::Older } else { Found::Store });
    }
    let above = folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    let trial = above.join(format!(".thoughts-check-{}", process::id()));
    make(&trial).and_then(|()| fs::remove_dir(&trial)).map_err(|e| say(&e))?;
    room(above).map(|()| Found::Nothing)
}

/// Whether a store in `folder` has a layout of before. What is wrong with one that can't be read is told when it is opened.
fn is_older(folder: &Path) -> bool {
    let folder = folder.join(SLED);
    // sled makes a store where it finds none.
    let db = folder.join("db").exists().then(|| sled_in(&folder).ok()).flatten();
    let layout = db.and_then(|db| unwinding(|| get(&db, &keys::layout())).ok()?.ok()?);
    layout.is_some_and(|layout| (1..LAYOUT).contains(&layout))
}

/// Bytes that must be free before anything more is written: as much as sled may need to write down what it was given.
/// Where a write of its own fails, sled can't be trusted to read any more.
const SPARE: u64 = 4 * 1024 * 1024;

/// Whether there is room to write in `folder`.
///
/// # Errors
/// `Full` where there is not.
pub(super) fn room(folder: &Path) -> store::Result<()> {
    let free = free(folder)?;
    if free >= SPARE {
        return Ok(());
    }
    Err(StoreError::Full(format!(
        "{free} bytes are free where `{}` is, and {SPARE} are needed. Make room, and it is written again.",
        folder.display()
    )))
}

/// Whether so many bytes are free beyond those that must be.
pub(super) fn has_room(folder: &Path, bytes: u64) -> store::Result<bool> {
    Ok(free(folder)? >= SPARE + bytes)
}

fn free(folder: &Path) -> store::Result<u64> {
    fs2::available_space(folder)
        .map_err(|e| StoreError::Failed(format!("how much room `{}` has can't be seen: {e}", folder.display())))
}

/// Why a store that sled has opened is of no use to us.
enum Unfit {
    Refused(String),
    Unreadable(StoreError),
}

impl From<StoreError> for Unfit {
    fn from(e: StoreError) -> Self {
        Self::Unreadable(e)
    }
}

/// Brings the store in `folder` to our layout, or refuses it.
fn prepare(db: &Db, folder: &Path, made: bool) -> Result<(), Unfit> {
    match get(db, &keys::layout())? {
        Some(LAYOUT) => Ok(()),
        // Nothing that is stored changes. A layout that changes records is brought up to date after a snapshot of it.
        Some(1) => begin(db, folder),
        Some(2) => note_layout(db),
        Some(layout) if layout > LAYOUT => Err(Unfit::Refused(format!(
            "has layout {layout}, which a newer Thoughts has written, and this one knows layouts up to {LAYOUT}. \
             Start the newer Thoughts, or give another folder."
        ))),
        Some(layout) => Err(Unfit::Refused(unreadable(&format!("there is no layout {layout}")))),
        None if made || !db.is_empty() => Err(Unfit::Refused(LOST.to_owned())),
        None => begin(db, folder),
    }
}

/// Makes the journal, and notes the layout that has one.
fn begin(db: &Db, folder: &Path) -> Result<(), Unfit> {
    Journal::create(folder).map_err(|e| Unfit::Refused(access(&e)))?;
    note_layout(db)
}

fn note_layout(db: &Db) -> Result<(), Unfit> {
    let key = keys::layout();
    db.insert(key.as_bytes(), encode(key.what(), &LAYOUT)?).map_err(failed)?;
    db.flush().map_err(failed)?;
    Ok(())
}

/// The journal of the store in `folder`, when all that it has is in `db` and on disk. Blocks.
pub(super) fn catch_up(folder: &Path, db: &Db, files: &mut Files) -> store::Result<Journal> {
    let say = |why: String| StoreError::Open(format!("the store in `{}` {why}", folder.display()));
    let (journal, replay) = Journal::open(&folder.join(SLED)).map_err(|unusable| match unusable {
        Unusable::Missing(_) => say(LOST.to_owned()),
        Unusable::Damaged(_) => say(unreadable(&unusable.to_string())),
        Unusable::Io(e) => say(access(&e)),
    })?;
    match unwinding(|| goes_on_from(&journal, db)) {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return Err(say(LOST.to_owned())),
        Ok(Err(e)) => return Err(say(unreadable(&e.to_string()))),
        Err(panic) => return Err(say(unreadable(&panic))),
    }
    match unwinding(|| put_back(replay, db, files, &journal)) {
        Ok(Ok(())) => Ok(journal),
        Ok(Err(sled::Error::Io(e))) if is_access(&e) => Err(say(access(&e))),
        Ok(Err(e)) => Err(say(unreadable(&e.to_string()))),
        Err(panic) => Err(say(unreadable(&panic))),
    }
}

/// Whether the journal has all that was changed since the store was last put on disk. Where sled's own file has lost its end,
/// sled begins with what it finds, and says nothing.
pub(super) fn goes_on_from(journal: &Journal, db: &Db) -> store::Result<bool> {
    // One that an earlier version has served says nothing of it.
    Ok(get(db, &keys::checkpoint())?.is_none_or(|number| journal.goes_on_from(number)))
}

/// Puts what a journal has into the store, and the store onto the disk.
pub(super) fn put_back(replay: Replay, db: &Db, files: &mut Files, journal: &Journal) -> sled::Result<()> {
    let mut together = Changes::default();
    for changes in replay.into_changes() {
        together.extend(changes);
        if together.size() >= GROUP_BYTES {
            db.apply_batch(std::mem::take(&mut together).into())?;
        }
    }
    db.apply_batch(together.into())?;
    checkpoint(db, files, journal)
}

/// Has sled put all that it was given on disk, and note up to which entry of the journal that is.
pub(super) fn checkpoint(db: &Db, files: &mut Files, journal: &Journal) -> sled::Result<()> {
    let key = keys::checkpoint();
    let number = encode(key.what(), &journal.last()).map_err(|e| sled::Error::Unsupported(e.to_string()))?;
    db.insert(key.as_bytes(), number)?;
    db.flush()?;
    Ok(files.sync()?)
}

const LOST: &str = "has lost what it held: files are missing or damaged. Nothing was changed. \
    Put its files back, or run `thoughts recover`, which keeps them.";

const IN_USE: &str = "is in use by another process. Stop the other Thoughts, or give this one another folder.";

/// sled's store in `folder`, or what is wrong with it.
pub(super) fn sled_in(folder: &Path) -> Result<Db, String> {
    let config =
        Config::default().path(folder).cache_capacity(CACHE.capacity).flush_every_ms(None).mode(Mode::HighThroughput);
    once_free(|| match unwinding(|| config.open()) {
        Ok(Ok(db)) => Some(Ok(db)),
        Ok(Err(sled::Error::Io(e))) if is_locked(&e) => None,
        Ok(Err(sled::Error::Io(e))) if is_access(&e) => Some(Err(access(&e))),
        Ok(Err(e)) => Some(Err(unreadable(&e.to_string()))),
        Err(panic) => Some(Err(unreadable(&panic))),
    })
}

/// Has the lock that sled takes on its file, or says why not. Blocks.
pub(super) fn lock(file: &File) -> Result<(), String> {
    once_free(|| match fs2::FileExt::try_lock_exclusive(file) {
        Ok(()) => Some(Ok(())),
        Err(e) if e.kind() == fs2::lock_contended_error().kind() => None,
        Err(e) => Some(Err(access(&e))),
    })
}

/// What comes of this; it is tried again for a moment where nothing does, for somebody else has the store.
fn once_free<T>(mut attempt: impl FnMut() -> Option<Result<T, String>>) -> Result<T, String> {
    for tries in 1.. {
        match attempt() {
            Some(outcome) => return outcome,
            None if tries == TRIES => break,
            None => thread::sleep(BETWEEN_TRIES),
        }
    }
    Err(IN_USE.to_owned())
}

/// Makes the folder, for its owner alone.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// sled wraps what the lock said in an error of its own, and gives no kind to it.
fn is_locked(e: &io::Error) -> bool {
    e.to_string().contains("could not acquire lock")
}

/// Whether the trouble is with the folder rather than with what stands in it.
fn is_access(e: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(e.kind(), NotADirectory | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

fn access(e: &io::Error) -> String {
    format!("can't be read and written: {e}. Give a folder that this user may read and write, on a disk with room.")
}

fn unreadable(why: &str) -> String {
    // What sled's text ends in where it was built without backtraces.
    let why: Vec<_> = why.trim_end_matches(" backtrace ()").split_whitespace().collect();
    format!(
        "can't be read: {}. Its files are damaged, or are not a store of Thoughts. \
         Run `thoughts recover`: it makes a new store of the newest snapshot and what can be read, and keeps these files.",
        why.join(" ").trim_end_matches('.')
    )
}

/// sled meets some damage with a panic; here that is one more thing that can be wrong.
pub(super) fn unwinding<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text_of(panic.as_ref()))
}

/// What a panic said.
pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("sled gave up").to_owned()
}
