//! `thoughts recover`: a new store out of the newest snapshot and whatever can still be read of a damaged one, which is
//! kept beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::Failed;
use super::progress::Progress;
use crate::app::open_store;
use crate::backup::{self, Kept, Reader};
use crate::clock::Clock;
use crate::config::{Config, Sources, StoreUrl};
use crate::domain::id::MemberId;
use crate::store::copying::{Kind, Record, Snapshot};
use crate::store::sled::{Salvage, replace};
use crate::store::{Store, StoreError};

/// Recovers the configured store.
pub async fn run(config: Option<PathBuf>) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    let Some(folder) = config.store.folder() else {
        return Err(Failed::Use(
            "there is nothing to recover in PostgreSQL: restore a backup into an empty database".to_owned(),
        ));
    };
    if !folder.join("store").exists() && !folder.join("sled").exists() {
        return Err(Failed::Use(format!("there is no store in `{}`, and so nothing to recover", folder.display())));
    }
    let now = Clock::system().now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let work = Work { folder, scratch: folder.join(format!("recover-{now}")) };
    let newest = Kept::beside(folder).newest().map_err(|error| work.failed("the snapshots", &error))?;
    let mut salvage = work.salvage("first")?;
    let gone = leaving(&mut salvage).await?;
    let new = work.scratch.join("new");
    let store = open_store(&StoreUrl::Sled(new.clone())).await?;
    let filled = work.fill(store.as_ref(), newest.as_ref(), gone).await;
    store.close().await?;
    drop(store);
    filled?;
    let aside = folder.join(format!("damaged-{now}"));
    replace(folder, &new, &aside)?;
    fs::remove_dir_all(&work.scratch).map_err(|error| work.failed("what was needed meanwhile", &error))?;
    println!("The damaged store is in {}. Delete it when you are sure that nothing is missing.", aside.display());
    Ok(())
}

struct Work<'a> {
    folder: &'a Path,
    scratch: PathBuf,
}

impl Work<'_> {
    fn failed(&self, what: &str, error: &std::io::Error) -> Failed {
        Failed::Other(format!(
            "{what} in `{}` can't be read or written: {error}. Nothing was changed.",
            self.folder.display()
        ))
    }

    fn salvage(&self, name: &str) -> Result<Salvage, Failed> {
        Salvage::of(self.folder, &self.scratch.join(name)).map_err(|error| self.failed("the store", &error))
    }

    /// First the snapshot, then over it what can still be read, which is newer.
    async fn fill(&self, store: &dyn Store, newest: Option<&Reader>, gone: BTreeSet<MemberId>) -> Result<(), Failed> {
        let mut progress = Progress::new("recover", "records", None);
        let mut salvage = self.salvage("second")?;
        let snapshot = newest.map(Reader::snapshot).transpose()?;
        let mut both = Both {
            snapshot: snapshot.map(|one| Box::new(one) as Box<dyn Snapshot>),
            gone,
            salvage: &mut salvage,
            read: 0,
        };
        backup::fill(store, "recover", &mut both, |records| progress.at(records)).await?;
        let read = both.read;
        store.filled().await?;
        drop(progress);
        print!("{}", backup::summary(store, &Kind::ALL).await?);
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

/// Who was deleted, and must not come back out of a snapshot.
async fn leaving(salvage: &mut Salvage) -> Result<BTreeSet<MemberId>, StoreError> {
    let mut gone = BTreeSet::new();
    loop {
        let records = salvage.next(backup::AT_ONCE).await?;
        if records.is_empty() {
            return Ok(gone);
        }
        gone.extend(records.into_iter().filter_map(|record| match record {
            Record::Leaving { member, .. } => Some(member),
            Record::Member(_)
            | Record::Thought(_)
            | Record::Revision { .. }
            | Record::Once(_)
            | Record::ApiToken(_)
            | Record::Session { .. }
            | Record::Ended { .. }
            | Record::Logout { .. }
            | Record::Unsent { .. } => None,
        }));
    }
}

/// A snapshot, and then what can still be read.
struct Both<'a> {
    snapshot: Option<Box<dyn Snapshot>>,
    gone: BTreeSet<MemberId>,
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
    fn comes_back(&self, record: &Record) -> bool {
        match record {
            Record::Member(member) => !self.gone.contains(&member.id),
            Record::ApiToken(_)
            | Record::Session { .. }
            | Record::Ended { .. }
            | Record::Logout { .. }
            | Record::Unsent { .. } => false,
            Record::Leaving { .. } | Record::Thought(_) | Record::Revision { .. } | Record::Once(_) => true,
        }
    }
}
