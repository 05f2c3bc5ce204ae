//! When each job ran last, and what came of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// The last run of each job, by its name.
#[derive(Debug, Default)]
pub struct JobRuns(Mutex<BTreeMap<&'static str, JobRun>>);

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    /// How long after it the next one comes.
    pub every: Duration,
    /// When it was over; whole milliseconds.
    pub at: Timestamp,
    /// Why it failed, if it did: a line for the log or for an admin.
    pub error: Option<String>,
}

impl JobRuns {
    /// Notes a run.
    pub fn note(&self, job: &'static str, run: JobRun) {
        // Each entry is good by itself, whatever panicked beside it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job, run);
    }

    /// The last run of each, in the order of their names.
    pub fn all(&self) -> Vec<(&'static str, JobRun)> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().map(|(name, run)| (*name, run.clone())).collect()
    }
}
