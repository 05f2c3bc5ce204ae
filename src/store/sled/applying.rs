//! Gives sled what changes, on a thread of its own: the writer waits for the disk meanwhile.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use sled::Db;

use super::cached::Cached;
use super::draft::Changes;
use super::look::Looks;

/// The way to the thread and back. When it is dropped, the thread has ended and let go of the store.
pub(super) struct Applying {
    /// There until the thread is to end.
    batches: Option<SyncSender<Changes>>,
    applied: Receiver<Applied>,
    thread: Option<JoinHandle<()>>,
}

/// What became of a batch: what sled said, or with what it panicked; and what takes back that part of it which sled has.
struct Applied {
    outcome: thread::Result<sled::Result<()>>,
    undo: Changes,
}

/// A batch that is being applied.
#[must_use = "the next is not to begin before it has ended"]
pub(super) struct Begun<'a>(&'a Receiver<Applied>);

impl Applying {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, where it has no thread to give.
    pub(super) fn start(db: Db, looks: Looks, cached: Arc<Cached>) -> io::Result<Self> {
        // There is never more than one under way.
        let (batches, to_apply) = sync_channel::<Changes>(1);
        let (tell, applied) = sync_channel(1);
        let thread = thread::Builder::new().name("store-applying".to_owned()).spawn(move || {
            for changes in to_apply {
                let mut undo = Changes::default();
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    cached.apply(changes, |changes| looks.apply(&db, changes, &mut undo))
                }));
                if tell.send(Applied { outcome, undo }).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { batches: Some(batches), applied, thread: Some(thread) })
    }

    /// Has a batch applied.
    pub(super) fn begin(&self, changes: Changes) -> Begun<'_> {
        // Where the thread is gone, the end of the batch says so.
        let _ = self.batches.as_ref().map(|batches| batches.send(changes));
        Begun(&self.applied)
    }
}

impl Drop for Applying {
    fn drop(&mut self) {
        self.batches = None;
        // What panics there is caught there.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Begun<'_> {
    /// Waits until it is applied; `undo` is then what takes it back.
    ///
    /// # Errors
    /// sled's.
    ///
    /// # Panics
    /// As sled does.
    pub(super) fn end(self, undo: &mut Changes) -> sled::Result<()> {
        let Ok(applied) = self.0.recv() else {
            return Err(sled::Error::ReportableBug("the thread that applies changes has ended".to_owned()));
        };
        *undo = applied.undo;
        applied.outcome.unwrap_or_else(|panic| resume_unwind(panic))
    }
}
