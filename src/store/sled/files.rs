//! The files that sled writes. What it has written survives the program; what is on disk for good survives a power cut.
//!
//! sled has the kernel begin to write its log out (`sync_file_range(2)`), and leaves the log's length and the disk's own
//! cache alone. What is too large for a piece of the log (some 128 KB: one long thought, or a few that stand side by side)
//! has a file of its own in `blobs`, of which sled has nothing written out. It is called by its place in the log, a number
//! that grows. Where the log names one that is not whole, sled takes that for the log's end, and begins to write there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::{self, StoreError};

/// sled's files, as one thread that writes sees to them. What it finds of another's may be half written yet, and is not
/// looked at again: so each has its own.
pub(super) struct Files {
    log: File,
    blobs: PathBuf,
    /// The number of the latest blob that is on disk for good, with all before it.
    latest: Option<i64>,
}

impl Files {
    /// Those in sled's `folder`, of which nothing is known to be on disk for good.
    ///
    /// # Errors
    /// `Open` where there is no log, or it can't be opened.
    pub(super) fn of(folder: &Path) -> store::Result<Self> {
        let path = folder.join("db");
        let log = File::open(&path)
            .map_err(|e| StoreError::Open(format!("the store's file `{}` can't be opened: {e}", path.display())))?;
        Ok(Self { log, blobs: folder.join("blobs"), latest: None })
    }

    /// Has all that sled has written, by a flush before this, on disk for good: what the log names before the log.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let new = self.new_blobs()?;
        for number in &new {
            match File::open(self.blobs.join(number.to_string())).and_then(|blob| blob.sync_all()) {
                // sled has taken it away since: what it held stands elsewhere.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                synced => synced?,
            }
        }
        if let Some(latest) = new.into_iter().max() {
            File::open(&self.blobs)?.sync_all()?;
            self.latest = Some(latest);
        }
        self.log.sync_data()
    }

    /// The numbers of the blobs that have come since it was last seen to.
    fn new_blobs(&self) -> io::Result<Vec<i64>> {
        let entries = match fs::read_dir(&self.blobs) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let number = |name: &OsStr| name.to_str()?.parse().ok();
        let numbers = entries.map(|entry| Ok(number(&entry?.file_name())));
        let numbers: Vec<Option<i64>> = numbers.collect::<io::Result<_>>()?;
        Ok(numbers.into_iter().flatten().filter(|number| Some(*number) > self.latest).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_for_the_log_is_seen_to_once() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let mut files = Files::of(folder.path()).unwrap();
        let large = |key: &str| {
            db.insert(key, vec![7; 200_000]).unwrap();
            db.flush().unwrap();
        };
        assert!(files.new_blobs().unwrap().is_empty());
        for key in ["a", "b"] {
            large(key);
            assert!(!files.new_blobs().unwrap().is_empty(), "{key} is beside the log");
            files.sync().unwrap();
            assert!(files.new_blobs().unwrap().is_empty(), "{key}");
        }
        // Whoever begins knows of none that they are on disk.
        assert!(!Files::of(folder.path()).unwrap().new_blobs().unwrap().is_empty());
    }
}
