//! `thoughts recover`: a new store out of the newest snapshot and whatever can still be read of a damaged one, which is
//! kept beside it.

mod left;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use self::left::Run;
use super::Failed;
use super::progress::Progress;
use crate::backup::{self, Kept, Reader};
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::domain::id::{MemberId, ThoughtId};
use crate::store::Store;
use crate::store::copying::{Kind, Record, Snapshot};
use crate::store::sled::{Claim, Salvage, SledStore, replace};

/// Recovers the configured store.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    let Some(folder) = config.store.folder() else {
        return Err(Failed::Use(
            "there is nothing to recover in PostgreSQL: restore a backup into an empty database".to_owned(),
        ));
    };
    let now = Clock::system().now();
    let work = Work { folder, run: Run::begin(folder, now) };
    let _turn = Claim::to_recover(folder)?;
    let runs = left::runs(folder).map_err(|error| work.failed("what an earlier run has left", &error))?;
    let put_back = left::put_back(folder, &runs)?;
    if !folder.join("store").exists() && !folder.join("sled").exists() {
        return Err(Failed::Use(format!("there is no store in `{}`, and so nothing to recover", folder.display())));
    }
    // What a server writes meanwhile would be in the damaged store, and nowhere else.
    let claim = put_back.map_or_else(|| Claim::of(folder), Ok)?;
    left::clear(runs).map_err(|error| work.failed("what an earlier run has left", &error))?;
    let newest = Kept::beside(folder).newest(now).map_err(|error| work.failed("the snapshots", &error))?;
    let salvage = work.salvage("first")?;
    if salvage.is_half_filled() {
        drop(salvage);
        fs::remove_dir_all(&work.run.scratch).map_err(|error| work.failed("what was copied", &error))?;
        return Err(Failed::Other(format!(
            "the store in `{}` was never whole: a restore or a move into it was broken off. Do that again with an empty folder.",
            folder.display()
        )));
    }
    let gone = salvage.gone();
    let new = work.run.new_store();
    let store = SledStore::open(&new).await?;
    // Another recovery may have the same snapshot, and is to know it as well.
    store.note_gone(gone.clone()).await?;
    let filled = work.fill(&store, newest.as_ref(), gone).await;
    store.close().await?;
    drop(store);
    filled?;
    let Run { scratch, aside } = &work.run;
    replace(folder, &new, aside)?;
    drop(claim);
    fs::remove_dir_all(scratch).map_err(|error| {
        let scratch = scratch.display();
        Failed::Other(format!("The new store is in place. `{scratch}`, needed no more, can't be deleted: {error}."))
    })?;
    println!("The damaged store is in {}. Delete it when you are sure that nothing is missing.", aside.display());
    Ok(())
}

struct Work<'a> {
    folder: &'a Path,
    run: Run,
}

impl Work<'_> {
    fn failed(&self, what: &str, error: &io::Error) -> Failed {
        Failed::Other(format!(
            "{what} in `{}` can't be read or written: {error}. Nothing was changed.",
            self.folder.display()
        ))
    }

    fn salvage(&self, name: &str) -> Result<Salvage, Failed> {
        Salvage::of(self.folder, &self.run.scratch.join(name)).map_err(|error| self.failed("the store", &error))
    }

    /// First the snapshot, then over it what can still be read, which is newer.
    async fn fill(&self, store: &dyn Store, newest: Option<&Reader>, gone: BTreeSet<MemberId>) -> Result<(), Failed> {
        let mut progress = Progress::new("recover", "records", None);
        let mut salvage = self.salvage("second")?;
        let snapshot = newest.map(Reader::snapshot).transpose()?;
        let mut both = Both {
            snapshot: snapshot.map(|one| Box::new(one) as Box<dyn Snapshot>),
            gone,
            thoughts_of_gone: BTreeSet::new(),
            salvage: &mut salvage,
            read: 0,
        };
        backup::fill(store, "recover", &mut both, |records| progress.at(records)).await?;
        let read = both.read;
        store.filled().await?;
        progress = Progress::new("add up", "records", None);
        let summary = backup::summary(store, &Kind::ALL, |records| progress.at(records)).await?;
        drop(progress);
        print!("{summary}");
        match newest {
            Some(newest) => println!("The newest whole snapshot is of {}.", newest.begin().made_at),
            None => println!("There is no whole snapshot."),
        }
        println!("{read} records could be read from the store itself, {} could not.", salvage.lost());
        if let Some(why) = salvage.why() {
            println!("What was wrong with it: {why}");
        }
        Ok(())
    }
}

/// A snapshot, and then what can still be read.
struct Both<'a> {
    snapshot: Option<Box<dyn Snapshot>>,
    /// Who was deleted, and must not come back out of the snapshot.
    gone: BTreeSet<MemberId>,
    /// What of theirs was met in it.
    thoughts_of_gone: BTreeSet<ThoughtId>,
    salvage: &'a mut Salvage,
    read: u64,
}

#[async_trait]
impl Snapshot for Both<'_> {
    async fn next(&mut self, limit: usize) -> crate::store::Result<Vec<Record>> {
        while let Some(snapshot) = &mut self.snapshot {
            let mut records = snapshot.next(limit).await?;
            if records.is_empty() {
                self.snapshot = None;
                break;
            }
            records.retain(|record| self.comes_back(record));
            if !records.is_empty() {
                return Ok(records);
            }
        }
        let records = self.salvage.next(limit).await?;
        self.read += records.len() as u64;
        Ok(records)
    }
}

impl Both<'_> {
    /// What opens something comes from the store alone: a token that was revoked since the snapshot stays revoked.
    fn comes_back(&mut self, record: &Record) -> bool {
        match record {
            Record::Member(member) => !self.gone.contains(&member.id),
            Record::Thought(thought) => {
                let is_of_gone = self.gone.contains(&thought.author);
                !(is_of_gone && self.thoughts_of_gone.insert(thought.id))
            }
            Record::Revision { thought, .. } => !self.thoughts_of_gone.contains(thought),
            Record::Once(once) => !self.gone.contains(&once.member),
            // The handle of one who is gone may be somebody else's by now.
            Record::Leaving { member, .. } => !self.gone.contains(member),
            Record::ApiToken(_)
            | Record::Session { .. }
            | Record::Ended { .. }
            | Record::Logout { .. }
            | Record::Unsent { .. } => false,
        }
    }
}
