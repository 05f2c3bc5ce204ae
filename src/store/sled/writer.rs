//! The writer: one thread that makes all changes, so that a write reads, decides and changes with nobody in
//! between, and many writers share one wait for the disk. The journal and sled have a group's changes only when all of it
//! is decided, so that a write that fails on the way leaves nothing behind.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use sled::Db;
use tokio::sync::{mpsc, oneshot, watch};

use super::cached::Cached;
use super::draft::{Changes, Draft};
use super::files::Files;
use super::journal::{Journal, Place};
use super::look::Looks;
use super::open::{checkpoint, room, text_of};
use super::search::Index;
use crate::store::{Result, StoreError};

/// Writes that wait for the writer at most; who comes then waits until there is room.
const QUEUE: usize = 1024;

/// Writes that share a flush at most.
const GROUP: usize = 1024;

/// Bytes from which on a flush takes no further write: half of what sled writes in one piece.
pub(super) const GROUP_BYTES: usize = 256 * 1024;

/// A write, to be run on the writer's thread.
type Job = Box<dyn FnOnce(&mut Changing) -> Answer + Send>;

/// Tells whoever waits for a write what became of it, once it is known whether it is on disk.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

/// What a flush said: why nothing more can be written, if so.
type Flushed = Result<()>;

enum Request {
    Write(Job),
    Close,
}

/// The way to the writer. When it is dropped, the writer finishes what it has been given and ends.
pub(super) struct Writer {
    requests: mpsc::Sender<Request>,
    /// What the last flush said; closed when the thread has let go of the store.
    ended: watch::Receiver<Flushed>,
}

impl Writer {
    /// Starts the writer.
    ///
    /// Its thread is owned by nobody but the queue: it ends when it is told to close or when the last sender
    /// is gone, in both cases after everything queued has been answered. The queue is bounded by [`QUEUE`],
    /// and what one flush answers by [`GROUP`].
    pub(super) fn start(db: Db, disk: Disk, looks: Looks, cached: Arc<Cached>, index: Arc<Index>) -> Result<Self> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let (tell, ended) = watch::channel(Ok(()));
        thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let changing = Changing { db, disk, looks, cached, index, changes: Changes::default(), broken: None };
                let flushed = run(changing, queue);
                let _ = tell.send(flushed);
            })
            .map_err(|e| StoreError::Failed(format!("the writer's thread can't be started: {e}")))?;
        Ok(Self { requests, ended })
    }

    /// Has `work` read, decide and change, with no other write in between, and gives its answer when all it
    /// changed is on disk. Once taken, the work is done even if nobody waits for it any more.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Draft<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let outcome = store.attempt(work);
            Box::new(move |flushed| {
                // Whoever asked may have gone away meanwhile.
                let _ = answer.send(flushed.and(outcome));
            })
        });
        self.requests.send(Request::Write(job)).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or_else(|_| Err(StoreError::Failed("the write was broken off".to_owned())))
    }

    /// Whether writes are refused from now on.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Refuses what comes later, and waits until all that came before is answered and on disk.
    pub(super) async fn close(&self) -> Result<()> {
        // A failure to send means that it is closing already.
        let _ = self.requests.send(Request::Close).await;
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
        ended.borrow().clone()
    }
}

/// The writer's thread. Gives what the last flush said, with the store let go.
fn run(mut store: Changing, mut queue: mpsc::Receiver<Request>) -> Flushed {
    while let Some(first) = queue.blocking_recv() {
        let mut answers = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                Request::Write(job) => answers.extend(store.run(job)),
                Request::Close => queue.close(),
            }
            let room = answers.len() < GROUP && store.changes.size() < GROUP_BYTES;
            next = if room { queue.try_recv().ok() } else { None };
        }
        let flushed = store.flush();
        for answer in answers {
            answer(flushed.clone());
        }
    }
    store.close()
}

/// Where what changes is kept.
pub(super) struct Disk {
    /// The store's folder.
    pub(super) folder: PathBuf,
    /// What sled writes.
    pub(super) files: Files,
    /// Where it is first.
    pub(super) journal: Journal,
}

/// The store as the writer has it.
struct Changing {
    db: Db,
    disk: Disk,
    /// Who looks at all of it meanwhile.
    looks: Looks,
    /// What was read of it, and is let go of when it changes.
    cached: Arc<Cached>,
    /// Which is told of thoughts that change.
    index: Arc<Index>,
    /// What the writes since the last flush change, which sled doesn't know yet.
    changes: Changes,
    /// Why nothing can be written any more. What a failed flush has left in memory is not what is on disk,
    /// and sled doesn't recover from it either: only a restart does.
    broken: Option<StoreError>,
}

impl Changing {
    /// Runs a job. A panic in it loses its changes and its answer, which its caller is told, and not the
    /// thread.
    fn run(&mut self, job: Job) -> Option<Answer> {
        catch_unwind(AssertUnwindSafe(|| job(self))).ok()
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&mut Draft<'_>) -> Result<T>) -> Result<T> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        let mut draft = Draft::on(&self.db, &self.changes);
        let answer = work(&mut draft)?;
        let changes = draft.into_changes();
        self.changes.extend(changes);
        Ok(answer)
    }

    /// Puts everything that changes into the journal, and gives it to sled.
    fn flush(&mut self) -> Flushed {
        let changes = std::mem::take(&mut self.changes);
        if changes.is_empty() {
            return Ok(());
        }
        room(&self.disk.folder)?;
        let (place, mut undo) = (self.disk.journal.place(), Changes::default());
        let kept = self.unless_broken(|store| {
            store.disk.journal.append(&changes)?;
            let apply = |changes| store.looks.apply(&store.db, changes, &mut undo);
            store.cached.apply(changes, apply, |thoughts| store.index.note(thoughts))
        });
        if kept.is_err() {
            self.take_back(place, &undo);
        }
        kept?;
        if self.disk.journal.is_full() {
            // What comes of this is for the writes that follow: these are on disk.
            let _ = self.unless_broken(|store| {
                store.checkpoint()?;
                store.disk.journal.turn();
                Ok(())
            });
        }
        Ok(())
    }

    /// What was refused is not to be there after the next start, and none of it by half.
    fn take_back(&mut self, place: Place, undo: &Changes) {
        let journal = &mut self.disk.journal;
        let taken_back =
            journal.back_to(place).and_then(|()| if undo.is_empty() { Ok(()) } else { journal.append(undo) });
        if let Err(error) = taken_back {
            tracing::error!(%error, "what was refused may be there after the next start");
        }
    }

    /// Has sled put all that it was given on disk.
    fn checkpoint(&mut self) -> sled::Result<()> {
        let Disk { files, journal, .. } = &mut self.disk;
        checkpoint(&self.db, files, journal)
    }

    /// The last that is done.
    fn close(mut self) -> Flushed {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        self.unless_broken(Self::checkpoint)
    }

    /// Does that; where it fails, nothing more is written.
    fn unless_broken(&mut self, work: impl FnOnce(&mut Self) -> sled::Result<()>) -> Flushed {
        let why = match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(sled::Error::Io(e))) if is_full(&e) => {
                StoreError::Full(format!("{e}. Make room, and start the program again: until then it is only read"))
            }
            Ok(Err(e)) => StoreError::Failed(only_read(&e.to_string())),
            Err(panic) => StoreError::Failed(only_read(&text_of(panic.as_ref()))),
        };
        tracing::error!(error = %why, "the store is written no more");
        self.broken = Some(why.clone());
        Err(why)
    }
}

/// Whether this says that the disk, or what this user or process may have of it, is full.
fn is_full(e: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(e.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

fn only_read(why: &str) -> String {
    format!("{why}; nothing more is written until the program is started again")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;

    fn writer() -> (Writer, Db, tempfile::TempDir) {
        writer_with(|folder| {
            Journal::create(folder).unwrap();
            Journal::open(folder).unwrap().0
        })
    }

    fn writer_with(journal: impl FnOnce(&Path) -> Journal) -> (Writer, Db, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::open(folder.path()).unwrap();
        let files = || Files::of(folder.path()).unwrap();
        let journal = journal(folder.path());
        let disk = Disk { folder: folder.path().to_owned(), files: files(), journal };
        let index = Arc::new(Index::of(&db, 1, files()).unwrap());
        (Writer::start(db.clone(), disk, Looks::default(), Arc::default(), index).unwrap(), db, folder)
    }

    #[tokio::test]
    async fn a_panic_in_one_write_is_told_and_the_next_is_done() {
        let (writer, _db, _folder) = writer();
        let broken = writer.write(|_| -> Result<()> { panic!("on purpose") }).await;
        assert!(matches!(broken, Err(StoreError::Failed(_))));
        assert!(matches!(writer.write(|_| Ok(7)).await, Ok(7)));
    }

    #[tokio::test]
    async fn a_write_nobody_waits_for_is_done_all_the_same() {
        let (writer, db, _folder) = writer();
        let (go, wait) = std::sync::mpsc::channel();
        let key = super::super::keys::layout();
        let write = writer.write(move |draft| {
            wait.recv().unwrap();
            draft.put(&key, &9)
        });
        tokio::select! {
            biased;
            _ = write => unreachable!("it can't be done before it may go"),
            () = tokio::task::yield_now() => {}
        }
        go.send(()).unwrap();
        writer.close().await.unwrap();
        assert!(matches!(super::super::records::get(&db, &super::super::keys::layout()), Ok(Some(9))));
    }

    #[tokio::test]
    async fn a_write_that_fails_changes_nothing() {
        let (writer, db, _folder) = writer();
        let answer = writer
            .write(|draft| {
                draft.put(&super::super::keys::layout(), &9)?;
                Err::<(), _>(StoreError::Failed("on purpose".to_owned()))
            })
            .await;
        assert!(answer.is_err());
        assert!(db.is_empty());
    }

    #[tokio::test]
    async fn what_the_disk_refuses_is_told_and_not_read_any_more() {
        // Takes whatever is written, and fails to put it on a disk: it has none.
        let nowhere = || File::options().write(true).open("/dev/null").unwrap();
        let (writer, db, _folder) = writer_with(|_| Journal::onto([nowhere(), nowhere()]));
        for _ in 0..2 {
            let refused = writer.write(|draft| draft.put(&super::super::keys::layout(), &9)).await;
            assert!(matches!(refused, Err(StoreError::Failed(_))));
            assert!(db.is_empty());
        }
    }

    #[tokio::test]
    async fn a_dropped_writer_lets_go_of_the_store() {
        let (writer, db, _folder) = writer();
        let mut ended = writer.ended.clone();
        drop(writer);
        while ended.changed().await.is_ok() {}
        assert!(ended.borrow().is_ok());
        drop(db);
    }
}
