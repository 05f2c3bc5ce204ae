//! `thoughts backup FILE`: a consistent copy in one file, while the server runs or while it doesn't.

use std::path::{Path, PathBuf};

use super::Failed;
use super::progress::Progress;
use crate::app::open_whole_store;
use crate::backup::{self, Reader};
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::control;

/// Writes what the configured store holds to `file`, which must not be there yet.
pub async fn run(config: Option<PathBuf>, file: &Path) -> Result<(), Failed> {
    let config = Config::load(&Sources::from_process(config))?;
    let written = write(&config, file).await?;
    print!("{}", written.summary());
    println!(
        "{} holds {} records, and was read again. Nobody's session is in it: whoever uses what is restored from it signs in \
         anew. It is not sealed: keep it where nobody else can read it.",
        file.display(),
        written.summary().records()
    );
    Ok(())
}

async fn write(config: &Config, file: &Path) -> Result<Reader, Failed> {
    let mut progress = Progress::new("backup", "bytes", None);
    // An embedded store is its server's alone where there is one, which then makes it.
    if let Some(folder) = config.store.folder()
        && let Some(bytes) = control::backup(folder).await?
    {
        return Ok(backup::write(file, bytes, |bytes| progress.at(bytes)).await?);
    }
    let store = open_whole_store(&config.store).await?;
    let bytes = backup::of_store(store.as_ref(), Clock::system().now()).await?;
    let written = backup::write(file, bytes, |bytes| progress.at(bytes)).await;
    store.close().await?;
    Ok(written?)
}
