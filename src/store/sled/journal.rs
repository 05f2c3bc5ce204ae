//! The journal: what the writer changes is on disk here before it is answered, by one write and one `fdatasync(2)`.
//!
//! sled alone takes three waits for the disk to keep one batch: one for the mark that a batch begins with, one for the
//! batch, and one more until the disk's own cache is written. So sled is made to write only now and then, at a
//! checkpoint, and what it would not know after a crash is put into it again when the store is opened: every entry is
//! what is to be at its keys, so that it makes no difference how much of it sled had.
//!
//! Two files are written in turn, each up to [`ROOM`], and one is written over only after a checkpoint: the other still
//! has all that was changed between the last two, should sled lose the end of its own file.
//!
//! An entry is a head of [`HEAD`] bytes (length, number, checksum) and the changes; a head of zeros follows the last one.
//! A crash in the middle of a write leaves an entry that does not fit its checksum and that nobody was answered for.
//! The same with a good entry behind it is damage, and told as such.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde_bytes::{ByteBuf, Bytes};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::draft::Changes;

/// The files, in the folder of sled's own.
const FILES: [&str; 2] = ["journal-0", "journal-1"];

/// Bytes after which the other file is gone on with. They are there from the beginning, so that writing an entry changes
/// nothing but its own bytes on the disk.
const ROOM: usize = 1024 * 1024;

/// Bytes before each entry.
const HEAD: usize = 32;

/// What follows the last entry.
const END: [u8; HEAD] = [0; HEAD];

/// The journal of an open store.
pub(super) struct Journal {
    files: [File; 2],
    /// Which of them is written.
    current: usize,
    /// Where the next entry goes.
    at: u64,
    /// Its number.
    next: u64,
    /// The number of the first entry that was found when it was opened.
    first: u64,
}

/// A place in a journal: where the next entry goes, and its number.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: u64,
    next: u64,
}

/// Why a journal can't be gone on with.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// A file of it is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Entries in the middle can't be read.
    #[error("`{0}` is damaged")]
    Damaged(&'static str),
    /// The files can't be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was changed since the last two checkpoints, in its order.
pub(super) struct Replay(Vec<Changes>);

impl Replay {
    /// All of it, the earliest first.
    pub(super) fn into_changes(self) -> impl Iterator<Item = Changes> {
        self.0.into_iter()
    }
}

impl Journal {
    /// Makes an empty journal in `folder`, in the stead of what may be there of one.
    pub(super) fn create(folder: &Path) -> io::Result<()> {
        for name in FILES {
            let file = OpenOptions::new().write(true).create(true).truncate(true).open(folder.join(name))?;
            file.write_all_at(&vec![0; ROOM + HEAD], 0)?;
            file.sync_all()?;
        }
        File::open(folder)?.sync_all()
    }

    /// Opens the journal in `folder`. What it holds is to be put into the store, and the store onto the disk, before
    /// anything more is written here.
    pub(super) fn open(folder: &Path) -> Result<(Self, Replay), Unusable> {
        let files = [of(folder, 0)?, of(folder, 1)?];
        let mut read = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?];
            if bytes.len() < ROOM + HEAD {
                return Err(Unusable::Damaged(FILES[number]));
            }
            file.read_exact_at(&mut bytes, 0)?;
            read.push((number, Written::read(bytes)));
        }
        read.sort_by_key(|(_, written)| written.numbers().map(|(first, _)| first));
        let last = read.iter().filter_map(|(_, written)| written.numbers()).map(|(_, last)| last).max().unwrap_or(0);
        let mut expected = None;
        for (number, written) in &read {
            let follows = written.numbers().is_none_or(|(first, _)| expected.is_none_or(|expected| first == expected));
            if !follows || written.has_entry_after(last) {
                return Err(Unusable::Damaged(FILES[*number]));
            }
            expected = written.numbers().map(|(_, last)| last + 1).or(expected);
            if written.is_torn() {
                tracing::warn!(
                    file = FILES[*number],
                    "the last entry of the journal was not whole: its write was broken off"
                );
                files[*number].write_all_at(&END, written.end as u64)?;
                files[*number].sync_data()?;
            }
        }
        // The later of the two is left as it is.
        let current = read[0].0;
        let first = read.iter().filter_map(|(_, written)| written.numbers()).map(|(first, _)| first).min();
        let first = first.unwrap_or(last + 1);
        let replay = read.into_iter().flat_map(|(_, written)| written.into_changes()).collect();
        Ok((Self { files, current, at: 0, next: last + 1, first }, Replay(replay)))
    }

    /// A journal that is written to these files, whatever they are.
    #[cfg(test)]
    pub(super) fn onto(files: [File; 2]) -> Self {
        Self { files, current: 0, at: 0, next: 1, first: 1 }
    }

    /// The number of the last entry; 0 where there was none.
    pub(super) fn last(&self) -> u64 {
        self.next - 1
    }

    /// Whether it has every entry behind the one of this number, and that one itself, if it is its last.
    pub(super) fn goes_on_from(&self, number: u64) -> bool {
        self.first <= number + 1 && number <= self.last()
    }

    /// Writes changes down; they are on disk when this comes back.
    pub(super) fn append(&mut self, changes: &Changes) -> io::Result<()> {
        let mut entry = vec![0; HEAD];
        let pairs: Vec<_> = changes.iter().map(|(key, record)| (Bytes::new(key), record.map(Bytes::new))).collect();
        rmp_serde::encode::write(&mut entry, &pairs).map_err(io::Error::other)?;
        let length = u64::try_from(entry.len() - HEAD).map_err(io::Error::other)?;
        entry[..8].copy_from_slice(&length.to_le_bytes());
        entry[8..16].copy_from_slice(&self.next.to_le_bytes());
        let checksum = xxh3_128_with_seed(&entry[HEAD..], self.next).to_le_bytes();
        entry[16..HEAD].copy_from_slice(&checksum);
        entry.extend(END);
        // Where the power is cut while the first entry goes over those of before, some of them would be there and some not,
        // which looks like damage: they are taken away first.
        if self.at == 0 {
            self.end_here(0)?;
        }
        let file = &self.files[self.current];
        file.write_all_at(&entry, self.at)?;
        file.sync_data()?;
        self.at += HEAD as u64 + length;
        self.next += 1;
        Ok(())
    }

    /// Has nothing follow, in so many bytes and the head behind them; that is on disk when this comes back.
    fn end_here(&self, bytes: usize) -> io::Result<()> {
        let file = &self.files[self.current];
        file.write_all_at(&vec![0; bytes + HEAD], self.at)?;
        file.sync_data()
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        Place { at: self.at, next: self.next }
    }

    /// Takes back what was written since it stood there: what was refused is not to be there after the next start.
    pub(super) fn back_to(&mut self, place: Place) -> io::Result<()> {
        let taken_back = usize::try_from(self.at - place.at).map_err(io::Error::other)?;
        (self.at, self.next) = (place.at, place.next);
        self.end_here(taken_back)
    }

    /// Whether it is time for a checkpoint.
    pub(super) fn is_full(&self) -> bool {
        self.at >= ROOM as u64
    }

    /// Goes on in the other file. All that was written so far must be in the store, and the store on the disk.
    pub(super) fn turn(&mut self) {
        self.current = 1 - self.current;
        self.at = 0;
    }
}

fn of(folder: &Path, number: usize) -> Result<File, Unusable> {
    match OpenOptions::new().read(true).write(true).open(folder.join(FILES[number])) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unusable::Missing(FILES[number])),
        Err(error) => Err(error.into()),
    }
}

/// What an entry says: what is to be at each of its keys, or that there is to be nothing.
type Pairs = Vec<(ByteBuf, Option<ByteBuf>)>;

/// What stands in a file.
struct Written {
    bytes: Vec<u8>,
    /// The entries from the beginning on: the number of each, and the changes.
    entries: Vec<(u64, Pairs)>,
    /// Where the last of them ends.
    end: usize,
}

impl Written {
    fn read(bytes: Vec<u8>) -> Self {
        let (mut entries, mut end) = (Vec::<(u64, Pairs)>::new(), 0);
        while let Some((number, changes, behind)) = entry(&bytes, end) {
            if entries.last().is_some_and(|(before, _)| before + 1 != number) {
                break;
            }
            entries.push((number, changes));
            end = behind;
        }
        Self { bytes, entries, end }
    }

    /// The first entry's number and the last one's.
    fn numbers(&self) -> Option<(u64, u64)> {
        Some((self.entries.first()?.0, self.entries.last()?.0))
    }

    /// Whether something else than an end follows the last entry.
    fn is_torn(&self) -> bool {
        self.bytes[self.end..].first_chunk() != Some(&END)
    }

    /// Whether a good entry with a number above `last` stands behind what could be read, and what looked like the end.
    fn has_entry_after(&self, last: u64) -> bool {
        // Most of a file that was never filled is zeros, which are no head.
        let written = self.bytes.chunks(HEAD).rposition(|chunk| chunk != &END[..chunk.len()]);
        let written = written.map_or(0, |last| (last + 1) * HEAD).min(self.bytes.len());
        (self.end.saturating_add(1)..written).any(|at| {
            head(&self.bytes, at).is_some_and(|(_, number, _)| number > last && number - last <= ROOM as u64)
                && entry(&self.bytes, at).is_some()
        })
    }

    fn into_changes(self) -> impl Iterator<Item = Changes> {
        self.entries.into_iter().map(|(_, changes)| {
            changes.into_iter().map(|(key, record)| (key.into_vec(), record.map(ByteBuf::into_vec))).collect()
        })
    }
}

/// Length, number and checksum of the entry at `at`, if one could be there.
fn head(bytes: &[u8], at: usize) -> Option<(usize, u64, u128)> {
    let (length, rest) = bytes.get(at..at + HEAD)?.split_first_chunk()?;
    let (number, checksum) = rest.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let fits = length > 0 && length <= bytes.len() - at - HEAD;
    fits.then_some((length, u64::from_le_bytes(*number), u128::from_le_bytes(checksum.try_into().ok()?)))
}

/// The entry at `at`, if a good one is there: its number, its changes, and where it ends.
fn entry(bytes: &[u8], at: usize) -> Option<(u64, Pairs, usize)> {
    let (length, number, checksum) = head(bytes, at)?;
    let end = at + HEAD + length;
    let changes = &bytes[at + HEAD..end];
    if xxh3_128_with_seed(changes, number) != checksum {
        return None;
    }
    Some((number, rmp_serde::from_slice(changes).ok()?, end))
}

#[cfg(test)]
mod tests;
