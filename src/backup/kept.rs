//! The backups that the program makes by itself, beside an embedded store: the last three.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::{BackupError, PART, Reader, of_store, write};
use crate::clock::{is_name, name_of};
use crate::store::Store;

/// How many are kept.
const AT_MOST: usize = 3;

/// How long one is new.
const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What their names end in.
const EXTENSION: &str = "backup";

/// The backups in a store's folder.
pub struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Those beside the embedded store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self { folder: folder.join("snapshots") }
    }

    /// Their files, the newest first, whole or not.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn files(&self, now: Timestamp) -> io::Result<Vec<PathBuf>> {
        let mut files = self.with_extension(EXTENSION)?;
        // They are called after the time they were made at. One of a time to come was made before the clock was set right, and
        // so before all others.
        let now = self.named(now);
        files.sort_unstable_by(|one, other| (*one > now, other).cmp(&(*other > now, one)));
        Ok(files)
    }

    fn with_extension(&self, wanted: &str) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == wanted));
        Ok(files)
    }

    /// The newest one that is whole.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn newest(&self, now: Timestamp) -> io::Result<Option<Reader>> {
        Ok(self.files(now)?.iter().find_map(|path| Reader::verified(path).ok()))
    }

    /// Whether the newest is a day old, or there is none.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn is_due(&self, now: Timestamp) -> io::Result<bool> {
        let yesterday = self.named(now.saturating_sub(EVERY).unwrap_or(Timestamp::MIN));
        let (newest, now) = (self.files(now)?.into_iter().next(), self.named(now));
        Ok(newest.is_none_or(|newest| newest <= yesterday || newest > now))
    }

    fn named(&self, at: Timestamp) -> PathBuf {
        self.folder.join(format!("{}.{EXTENSION}", name_of(at)))
    }
}

/// Makes one more of `store` beside it, and lets go of the oldest where there are more than three.
///
/// # Errors
/// Where it can't be made; then the others stay.
pub async fn keep(kept: &Kept, store: &dyn Store, at: Timestamp) -> Result<(), BackupError> {
    let failed = |error| BackupError::File { path: kept.folder.clone(), verb: "made", error };
    DirBuilder::new().recursive(true).mode(0o700).create(&kept.folder).map_err(failed)?;
    // Whoever was making these was killed: what is called after a time is one server's alone.
    let left = kept.with_extension(PART).map_err(failed)?;
    for left in left.iter().filter(|path| path.file_prefix().and_then(OsStr::to_str).is_some_and(is_name)) {
        fs::remove_file(left).map_err(failed)?;
    }
    write(&kept.named(at), of_store(store, at).await?, |_| {}).await?;
    for old in kept.files(at).map_err(failed)?.iter().skip(AT_MOST) {
        fs::remove_file(old).map_err(failed)?;
    }
    Ok(())
}
