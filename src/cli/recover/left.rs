//! The folders of a recovery, and what is done about those that a killed one has left beside the store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{is_name, name_of};
use crate::store::StoreError;
use crate::store::sled::{Claim, undo_half_replaced};

/// What the folder is called in which the new store is made, up to the time.
const SCRATCH: &str = "recover-";

/// What the folder is called in which the damaged store is kept, up to the time.
const ASIDE: &str = "damaged-";

/// The folders of one recovery, called after the time at which it began.
pub(super) struct Run {
    /// Where the new store is made.
    pub(super) scratch: PathBuf,
    /// Where the damaged one is kept.
    pub(super) aside: PathBuf,
}

impl Run {
    /// Those of the recovery of this time, of the store in `folder`.
    fn of(folder: &Path, time: &str) -> Self {
        Self { scratch: folder.join(format!("{SCRATCH}{time}")), aside: folder.join(format!("{ASIDE}{time}")) }
    }

    /// Those of the recovery that begins now; where one of the same second has left its damaged store, those of the next.
    pub(super) fn begin(folder: &Path, now: Timestamp) -> Self {
        let mut seconds =
            (0..).map(|later| now.saturating_add(SignedDuration::from_secs(later)).unwrap_or(Timestamp::MAX));
        let free = |at: Timestamp| Some(Self::of(folder, &name_of(at))).filter(|run| !run.aside.exists());
        seconds.find_map(free).unwrap_or_else(|| Self::of(folder, &name_of(now)))
    }

    /// Where the new store is until it is whole.
    pub(super) fn new_store(&self) -> PathBuf {
        self.scratch.join("new")
    }
}

/// Puts the damaged store back where one of these was killed between putting it aside and the new one in its place, and
/// claims it.
pub(super) fn put_back(folder: &Path, runs: &[Run]) -> Result<Option<Claim>, StoreError> {
    let mut undone = runs.iter().map(|run| undo_half_replaced(folder, &run.new_store(), &run.aside));
    undone.find_map(Result::transpose).transpose()
}

/// Takes away what these have left.
pub(super) fn clear(runs: Vec<Run>) -> io::Result<()> {
    for run in runs {
        fs::remove_dir_all(run.scratch)?;
        // What holds a damaged store stays.
        let _ = fs::remove_dir(run.aside);
    }
    Ok(())
}

/// The recoveries that have not come to their end. What is called otherwise is somebody else's.
pub(super) fn runs(folder: &Path) -> io::Result<Vec<Run>> {
    let mut runs = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(runs),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let time = name.to_str().and_then(|name| name.strip_prefix(SCRATCH)).filter(|time| is_name(time));
        if let Some(time) = time.filter(|_| entry.path().is_dir()) {
            runs.push(Run::of(folder, time));
        }
    }
    Ok(runs)
}
