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
    /// Notes a run, and says whether it is news: it failed and the one before did not, or for another reason; or it did not
    /// fail any more.
    pub fn note(&self, job: &'static str, run: JobRun) -> bool {
        let error = run.error.clone();
        // Each entry is good by itself, whatever panicked beside it.
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job, run);
        before.and_then(|before| before.error) != error
    }

    /// The last run of each, in the order of their names.
    pub fn all(&self) -> Vec<(&'static str, JobRun)> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().map(|(name, run)| (*name, run.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_is_news_once_and_so_is_one_that_works_again() {
        let runs = JobRuns::default();
        let note = |job, error: Option<&str>| {
            runs.note(
                job,
                JobRun { every: Duration::from_secs(1), at: Timestamp::UNIX_EPOCH, error: error.map(str::to_owned) },
            )
        };
        assert!(!note("a", None), "nobody needs to hear of a first run that goes well");
        assert!(note("a", Some("away")));
        assert!(!note("a", Some("away")), "it is known");
        assert!(note("b", Some("away")), "another job");
        assert!(note("a", Some("full")), "another reason");
        assert!(note("a", None));
        assert!(!note("a", None));
    }
}
