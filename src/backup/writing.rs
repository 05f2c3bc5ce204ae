//! Writing a backup: records in, bytes out, a piece at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{AT_ONCE, BackupError, Begin, End, FORMAT, Item, Reader, Tally};
use crate::store::copying::{Kind, Record, Snapshot};
use crate::store::{Store, StoreError};

/// Turns records into the bytes of a backup.
pub struct Writer {
    gzip: GzEncoder<Vec<u8>>,
    digest: Sha256,
    tally: Tally,
}

impl Writer {
    /// Begins one.
    ///
    /// # Errors
    /// `Failed` where something can't be written down, here and below.
    pub fn begin(made_at: Timestamp) -> Result<Self, StoreError> {
        let gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let mut writer = Self { gzip, digest: Sha256::new(), tally: Tally::default() };
        let written_by = env!("CARGO_PKG_VERSION").to_owned();
        writer.item(&Item::Begin(Begin { format: FORMAT, written_by, made_at }))?;
        Ok(writer)
    }

    /// Adds records. Gives the bytes that are ready.
    pub fn add(&mut self, records: Vec<Record>) -> Result<Vec<u8>, StoreError> {
        for record in records {
            self.tally.add(&record)?;
            self.item(&Item::Record(record))?;
        }
        Ok(std::mem::take(self.gzip.get_mut()))
    }

    /// Ends it. Gives the last bytes.
    pub fn end(mut self) -> Result<Vec<u8>, StoreError> {
        let sha256 = self.digest.clone().finalize().into();
        let summary = std::mem::take(&mut self.tally).summary();
        self.item(&Item::End(End { summary, sha256 }))?;
        self.gzip.finish().map_err(|error| StoreError::Failed(error.to_string()))
    }

    fn item(&mut self, item: &Item) -> Result<(), StoreError> {
        let bytes = rmp_serde::to_vec_named(item).map_err(|error| StoreError::Failed(error.to_string()))?;
        self.digest.update(&bytes);
        self.gzip.write_all(&bytes).map_err(|error| StoreError::Failed(error.to_string()))
    }
}

/// The bytes of a backup of `store`, as it is when this is called, piece by piece. It is whole when the stream ends
/// without an error.
///
/// # Errors
/// Where the store can't be read.
pub async fn of_store(
    store: &dyn Store,
    made_at: Timestamp,
) -> Result<impl Stream<Item = Result<Vec<u8>, StoreError>> + Send + use<>, StoreError> {
    let snapshot = store.snapshot(&Kind::LASTING).await?;
    let under_way = Some((Writer::begin(made_at)?, snapshot));
    Ok(stream::try_unfold(under_way, |under_way: Option<(Writer, Box<dyn Snapshot>)>| async move {
        let Some((mut writer, mut snapshot)) = under_way else { return Ok(None) };
        let records = snapshot.next(AT_ONCE).await?;
        if records.is_empty() {
            return Ok(Some((writer.end()?, None)));
        }
        let piece = writer.add(records)?;
        // An embedded store never has one wait, and pages are to be served meanwhile.
        tokio::task::yield_now().await;
        Ok(Some((piece, Some((writer, snapshot)))))
    }))
}

/// Writes these bytes of a backup to a new file `path`, for its owner alone, and reads it again before it is called
/// so: what stands there is whole. `seen` is told how many bytes there are so far. Gives the backup, read.
///
/// # Errors
/// Where the file is there already, can't be written, or isn't whole; then there is none.
pub async fn write<E>(
    path: &Path,
    bytes: impl Stream<Item = Result<Vec<u8>, E>>,
    mut seen: impl FnMut(u64),
) -> Result<Reader, BackupError>
where
    BackupError: From<E>,
{
    let failed = |verb| move |error| BackupError::File { path: path.to_owned(), verb, error };
    if path.exists() {
        return Err(failed("written")(io::Error::other("there is such a file already, which is left as it is")));
    }
    let part = Part::new(path).map_err(failed("written"))?;
    let mut so_far = 0;
    let mut bytes = std::pin::pin!(bytes);
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        (&part.file).write_all(&piece).map_err(failed("written"))?;
        so_far += piece.len() as u64;
        seen(so_far);
    }
    let path = path.to_owned();
    // Reads all of it again, which takes a while and waits for nobody.
    let checked = tokio::task::spawn_blocking(move || {
        let failed = |error| BackupError::File { path: path.clone(), verb: "written", error };
        part.file.sync_all().map_err(failed)?;
        let reader = Reader::verified(&part.path)?;
        part.keep(&path).map_err(failed)?;
        Ok(reader.at(&path))
    });
    checked.await.unwrap_or_else(|error| Err(failed("written")(io::Error::other(error))))
}

/// What the name of a file in the making ends in.
pub(super) const PART: &str = "part";

/// A file in the making, which goes away again unless it is kept.
struct Part {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Part {
    fn new(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(PART);
        let path = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Self { file, path, kept: false })
    }

    fn keep(mut self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, path)?;
        self.kept = true;
        // That it has this name now is on disk when its folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // Where it can't be taken away it stays, and is written over the next time.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
