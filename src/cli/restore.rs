//! `thoughts restore FILE`: a backup, put into an empty store.

use std::path::{Path, PathBuf};

use super::Failed;
use super::progress::Progress;
use crate::app::open_store;
use crate::backup::{self, Reader};
use crate::config::{Config, Sources};
use crate::store::Store;
use crate::store::copying::Kind;

/// Puts what `file` holds into the configured store, which must be empty, or be half restored from the same backup.
pub async fn run(config: Option<PathBuf>, file: &Path) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    let reader = Reader::verified(file)?;
    let store = open_store(&config.store).await?;
    let restored = restore(store.as_ref(), &reader).await;
    store.close().await?;
    restored?;
    print!("{}", reader.summary());
    println!(
        "{} records are in the store, and agree with the backup of {}.",
        reader.summary().records(),
        reader.begin().made_at
    );
    Ok(())
}

async fn restore(store: &dyn Store, reader: &Reader) -> Result<(), Failed> {
    let all = Some(reader.summary().records());
    let mut progress = Progress::new("restore", "records", all);
    backup::fill(store, &reader.name(), &mut reader.snapshot()?, |records| progress.at(records)).await?;
    let mut progress = Progress::new("compare", "records", all);
    backup::finish(store, &Kind::LASTING, reader.summary(), |records| progress.at(records)).await?;
    Ok(())
}
