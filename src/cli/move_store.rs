//! `thoughts move --from STORE --to STORE`: everything from one store to another, sessions too. Nobody is signed out.

use super::Failed;
use super::progress::Progress;
use crate::app::{open_store, open_whole_store};
use crate::backup::{self, Summary};
use crate::config::StoreUrl;
use crate::store::Store;
use crate::store::copying::Kind;

/// Puts everything that `from` holds into `to`, which must be empty, or be half full of the same. `from` stays as it is.
pub async fn run(from: &StoreUrl, to: &StoreUrl) -> Result<(), Failed> {
    if from == to {
        return Err(Failed::Use("--from and --to are the same store".to_owned()));
    }
    let source = open_whole_store(from).await?;
    let target = open_store(to).await?;
    let moved = copy(source.as_ref(), target.as_ref()).await;
    target.close().await?;
    source.close().await?;
    let moved = moved?;
    print!("{moved}");
    println!("{} records are in both stores, and agree. Set THOUGHTS_STORE to the new one.", moved.records());
    if let Some(secret) = from.folder().map(|folder| folder.join("secret")).filter(|secret| secret.exists()) {
        println!(
            "The old one's secret opens what is sealed: copy {} into the new folder, or give what it holds as THOUGHTS_SECRET.",
            secret.display()
        );
    }
    Ok(())
}

async fn copy(source: &dyn Store, target: &dyn Store) -> Result<Summary, Failed> {
    backup::unless_served(source).await?;
    let mut progress = Progress::new("read", "records", None);
    let expected = backup::summary(source, &Kind::ALL, |records| progress.at(records)).await?;
    let all = Some(expected.records());
    let mut progress = Progress::new("move", "records", all);
    let mut snapshot = source.snapshot(&Kind::ALL).await?;
    // A source that has changed since is another one.
    let from = format!("a store with\n{expected}");
    backup::fill(target, &from, snapshot.as_mut(), |records| progress.at(records)).await?;
    let mut progress = Progress::new("compare", "records", all);
    Ok(backup::finish(target, &Kind::ALL, &expected, |records| progress.at(records)).await?)
}
