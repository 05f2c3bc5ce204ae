//! Filling a store: from a backup, from another store. A fill that was broken off goes on where it was.

use super::{AT_ONCE, Summary, Tally};
use crate::store::copying::{Filling, Kind, Snapshot};
use crate::store::{Store, StoreError};

/// Why a store is not filled: a line for whoever asked for it.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// It holds something.
    #[error(
        "there is something in the store already. Give one that is empty: a folder that is not there yet, or a database \
         without tables."
    )]
    NotEmpty,
    /// It is half full of something else.
    #[error(
        "the store was being filled from something else, or from the same before it changed, and that was broken off. Do that \
         again, or give a store that is empty."
    )]
    FromElsewhere,
    /// What arrived is not what was sent.
    #[error(
        "what the store holds now is not what it was filled with; they differ in: {0}. Do not use it, and tell us."
    )]
    Differs(String),
    /// So many instances serve it.
    #[error("the store is served by {0} instance(s) of Thoughts. Stop them all, and give the command again.")]
    Served(usize),
    /// The store failed, or what it is filled from.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fills `store` from a `source` that `from` names, and is told by `seen` how many records are in it. Nothing may use the
/// store meanwhile. It is refused to be served until this is done.
///
/// # Errors
/// `Served`, `NotEmpty` or `FromElsewhere`, before anything is changed.
pub async fn fill(
    store: &dyn Store,
    from: &str,
    source: &mut dyn Snapshot,
    mut seen: impl FnMut(u64),
) -> Result<(), FillError> {
    unless_served(store).await?;
    let mut so_far = match store.filling().await? {
        Some(filling) if filling.from == from => filling,
        Some(_) => return Err(FillError::FromElsewhere),
        None if is_empty(store).await? => Filling { from: from.to_owned(), records: 0 },
        None => return Err(FillError::NotEmpty),
    };
    let mut there = so_far.records;
    loop {
        let mut records = source.next(AT_ONCE).await?;
        if records.is_empty() {
            break;
        }
        let known = usize::try_from(there).unwrap_or(usize::MAX).min(records.len());
        records.drain(..known);
        there -= known as u64;
        if !records.is_empty() {
            so_far.records += records.len() as u64;
            store.fill(records, &so_far).await?;
        }
        seen(so_far.records);
    }
    Ok(())
}

/// Compares what is in the store with what it was filled with, and calls it filled. `seen` is told how many records have
/// been read.
///
/// # Errors
/// `Differs` where it is not the same; then it stays as it is, and is not served. `Served` where somebody serves it.
pub async fn finish(
    store: &dyn Store,
    kinds: &'static [Kind],
    expected: &Summary,
    seen: impl FnMut(u64),
) -> Result<Summary, FillError> {
    unless_served(store).await?;
    let found = summary(store, kinds, seen).await?;
    let differences = expected.differences(&found);
    if differences.is_empty() {
        store.filled().await?;
        return Ok(found);
    }
    Err(FillError::Differs(differences.into_iter().map(Kind::as_str).collect::<Vec<_>>().join(", ")))
}

/// Makes sure that nobody serves the store: what they change meanwhile would be lost, or would be in it twice.
///
/// # Errors
/// `Served` where somebody does.
pub async fn unless_served(store: &dyn Store) -> Result<(), FillError> {
    match store.served_by().await? {
        0 => Ok(()),
        instances => Err(FillError::Served(instances)),
    }
}

/// What everything of these kinds in the store adds up to. `seen` is told how many records have been read.
///
/// # Errors
/// Where it can't be read.
pub async fn summary(
    store: &dyn Store,
    kinds: &'static [Kind],
    mut seen: impl FnMut(u64),
) -> Result<Summary, StoreError> {
    let mut snapshot = store.snapshot(kinds).await?;
    let (mut tally, mut read) = (Tally::default(), 0);
    loop {
        let records = snapshot.next(AT_ONCE).await?;
        if records.is_empty() {
            return Ok(tally.summary());
        }
        records.iter().try_for_each(|record| tally.add(record))?;
        read += records.len() as u64;
        seen(read);
    }
}

/// Whether there is nothing in the store at all.
///
/// # Errors
/// Where it can't be read.
pub async fn is_empty(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.snapshot(&Kind::ALL).await?.next(1).await?.is_empty())
}
