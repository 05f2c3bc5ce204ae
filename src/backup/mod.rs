//! A backup: what a store holds, in one file that says itself whether it is whole.
//!
//! The file is gzip, and in it one `MessagePack` value after the other: what it is ([`Item::Begin`]), the records, and
//! what they add up to ([`Item::End`]) with the SHA-256 of every byte before that. So a file that was cut, or altered
//! anywhere, is noticed before anything of it is used. It holds what is worth keeping for long
//! ([`Kind::LASTING`](crate::store::copying::Kind::LASTING)): no session, no token of a provider. Nothing in it is
//! sealed, so that no secret is needed to read it: keep it where nobody else can.

mod filling;
mod kept;
mod reading;
mod tally;
#[cfg(test)]
mod tests;
mod writing;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use filling::{FillError, fill, finish, is_empty, summary, unless_served};
pub use kept::{Kept, keep};
pub use reading::Reader;
pub use tally::{Summary, Tally};
use writing::PART;
pub use writing::{Writer, of_store, write};

use crate::store::StoreError;
use crate::store::copying::Record;

/// The version of this format that this binary writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Records that are read, written or put at once.
pub const AT_ONCE: usize = 200;

/// What stands in a backup.
#[derive(Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and nearly all are the large one")]
enum Item {
    /// The first.
    Begin(Begin),
    /// One of any number.
    Record(Record),
    /// The last.
    End(End),
}

/// What a backup says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that wrote it.
    pub written_by: String,
    /// When it was begun; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub made_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct End {
    summary: Summary,
    sha256: [u8; 32],
}

/// Why a backup can't be written or used: a line for whoever asked for it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file can't be read or written.
    #[error("the backup `{}` can't be {verb}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// It is not what was written: cut, altered, or no backup at all.
    #[error("the backup `{}` is damaged: {why}. Nothing of it was used. Take another copy of it, or an older backup.", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that showed.
        why: String,
    },
    /// A newer Thoughts wrote it.
    #[error("the backup `{}` has format {format}, and this Thoughts knows formats up to {FORMAT}. Use a newer one.", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The server that has the store could not give it to the end.
    #[error("the server that runs broke off the backup: {0}")]
    BrokenOff(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
