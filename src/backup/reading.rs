//! Reading a backup: whole first, to know that it is, and then again for what is in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::bufread::GzDecoder;
use rmp_serde::decode::Error;
use sha2::{Digest as _, Sha256};

use super::{BackupError, Begin, End, FORMAT, Item, Summary, Tally};
use crate::store::StoreError;
use crate::store::copying::{Record, Snapshot};

/// A backup that is whole, read from its beginning.
pub struct Reader {
    path: PathBuf,
    begin: Begin,
    summary: Summary,
    sha256: [u8; 32],
}

impl Reader {
    /// Reads `path` from beginning to end, and refuses it unless it is a whole backup.
    ///
    /// # Errors
    /// `Damaged`, `Newer`, or `File`.
    pub fn verified(path: &Path) -> Result<Self, BackupError> {
        let damaged = |why: &str| BackupError::Damaged { path: path.to_owned(), why: why.to_owned() };
        let mut items = Items::open(path)?;
        let Some(Item::Begin(begin)) = items.next()? else { return Err(damaged("it does not begin as a backup does")) };
        if begin.format > FORMAT {
            return Err(BackupError::Newer { path: path.to_owned(), format: begin.format });
        }
        let mut tally = Tally::default();
        loop {
            let before = items.digest();
            match items.next()? {
                Some(Item::Record(record)) => tally.add(&record)?,
                Some(Item::End(End { summary, sha256 })) => {
                    items.must_end()?;
                    if before != sha256 || tally.summary() != summary {
                        return Err(damaged("its checksum is another than it says"));
                    }
                    return Ok(Self { path: path.to_owned(), begin, summary, sha256 });
                }
                Some(Item::Begin(_)) => return Err(damaged("it begins twice")),
                None => return Err(damaged("its end is missing")),
            }
        }
    }

    /// The same, which has another name now.
    pub(super) fn at(self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// What it says of itself.
    pub fn begin(&self) -> &Begin {
        &self.begin
    }

    /// What is in it.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What names it, whatever its file is called.
    pub fn name(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.sha256)
    }

    /// Its records, in their order.
    ///
    /// # Errors
    /// `File`.
    pub fn snapshot(&self) -> Result<impl Snapshot + use<>, BackupError> {
        Items::open(&self.path).map(Records)
    }
}

/// The records of a backup, which was verified; one that was altered since is an error at the record.
struct Records(Items);

#[async_trait]
impl Snapshot for Records {
    async fn next(&mut self, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        while records.len() < limit {
            match self.0.next().map_err(|error| StoreError::Failed(error.to_string()))? {
                Some(Item::Record(record)) => records.push(record),
                Some(Item::Begin(_)) => {}
                Some(Item::End(_)) | None => break,
            }
        }
        Ok(records)
    }
}

/// What stands in the file, one after the other.
struct Items {
    path: PathBuf,
    bytes: Hashed<BufReader<GzDecoder<BufReader<File>>>>,
}

impl Items {
    fn open(path: &Path) -> Result<Self, BackupError> {
        let file =
            File::open(path).map_err(|error| BackupError::File { path: path.to_owned(), verb: "read", error })?;
        let bytes = BufReader::new(GzDecoder::new(BufReader::new(file)));
        Ok(Self { path: path.to_owned(), bytes: Hashed { inner: bytes, digest: Sha256::new() } })
    }

    /// The SHA-256 of all that was read so far.
    fn digest(&self) -> [u8; 32] {
        self.bytes.digest.clone().finalize().into()
    }

    fn next(&mut self) -> Result<Option<Item>, BackupError> {
        match self.bytes.inner.fill_buf() {
            Ok([]) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(self.failed(error)),
        }
        match rmp_serde::from_read(&mut self.bytes) {
            Ok(item) => Ok(Some(item)),
            Err(Error::InvalidMarkerRead(error) | Error::InvalidDataRead(error)) => Err(self.failed(error)),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    /// Nothing may come after the end: neither in the gzip, whose own checksum is read by it, nor behind it.
    fn must_end(&mut self) -> Result<(), BackupError> {
        match self.bytes.inner.fill_buf() {
            Ok([]) => {}
            Ok(_) => return Err(self.damaged("something stands behind its end".to_owned())),
            Err(error) => return Err(self.failed(error)),
        }
        match self.bytes.inner.get_mut().get_mut().fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(self.damaged("something stands behind its end".to_owned())),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// What gzip finds wrong comes as an error of reading.
    fn failed(&self, error: io::Error) -> BackupError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("it was cut short".to_owned()),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => self.damaged(error.to_string()),
            _ => BackupError::File { path: self.path.clone(), verb: "read", error },
        }
    }

    fn damaged(&self, why: String) -> BackupError {
        BackupError::Damaged { path: self.path.clone(), why }
    }
}

struct Hashed<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}
