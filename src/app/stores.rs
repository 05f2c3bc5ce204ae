//! Which store is opened: the one that is configured.

use std::sync::Arc;

use crate::config::StoreUrl;
use crate::store::postgres::{self, PostgresStore};
use crate::store::sled::SledStore;
use crate::store::{Found, Store, StoreError};

/// Opens a store, which is made if it isn't there.
///
/// # Errors
/// [`StoreError::Open`] with a line that says what is wrong and what to do.
pub async fn open_store(url: &StoreUrl) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match url {
        StoreUrl::Sled(folder) => Arc::new(SledStore::open(folder).await?),
        StoreUrl::Postgres(database) => {
            Arc::new(PostgresStore::open(&database.config, database.root_certificate.as_deref()).await?)
        }
    })
}

/// The same store, if it is whole: half filled it is neither shown to anybody nor copied.
pub(super) async fn whole(store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError> {
    if store.filling().await?.is_none() {
        return Ok(store);
    }
    store.close().await?;
    let why =
        "the store is half filled: a restore or a move was broken off. Run it again, and it goes on where it was.";
    Err(StoreError::Open(why.to_owned()))
}

/// Opens a store to read all of it: one that is there, and whole.
///
/// # Errors
/// Those of [`open_store`], and `Open` where there is none, or where it is half filled.
pub async fn open_whole_store(url: &StoreUrl) -> Result<Arc<dyn Store>, StoreError> {
    if try_store(url).await? == Found::Nothing {
        let shown = shown_store(url);
        return Err(StoreError::Open(format!("there is no store in `{shown}`. Give one that is there.")));
    }
    whole(open_store(url).await?).await
}

/// Tries the store, and changes nothing: none is made where there is none, and one of an older layout keeps that.
///
/// # Errors
/// Those of [`open_store`].
pub async fn try_store(url: &StoreUrl) -> Result<Found, StoreError> {
    match url {
        StoreUrl::Sled(folder) => SledStore::try_out(folder).await,
        StoreUrl::Postgres(database) => {
            PostgresStore::try_out(&database.config, database.root_certificate.as_deref()).await
        }
    }
}

/// Which store it is, for people: without a password.
pub fn shown_store(url: &StoreUrl) -> String {
    match url {
        StoreUrl::Sled(folder) => folder.display().to_string(),
        StoreUrl::Postgres(database) => postgres::shown(&database.config),
    }
}
