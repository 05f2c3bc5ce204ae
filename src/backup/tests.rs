//! A backup is whole, or it is refused.

use std::fs;
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::Handle;
use crate::domain::thought::{Message, Revision};
use crate::store::copying::{Kind, Snapshot};
use ulid::Ulid;

fn records() -> Vec<Record> {
    let leaving = Record::Leaving { member: MemberId::from(Ulid(1)), handle: Handle::suggest("ann") };
    let revision = |version| Record::Revision {
        thought: ThoughtId::from(Ulid(7)),
        revision: Revision { version, message: Message::parse("hm").unwrap(), since: Timestamp::UNIX_EPOCH },
    };
    std::iter::once(leaving).chain((0..30).map(revision)).collect()
}

/// A backup of these records, in a folder of its own.
async fn made() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.backup");
    let mut writer = Writer::begin(Timestamp::UNIX_EPOCH).unwrap();
    let pieces = [writer.add(records()).unwrap(), writer.end().unwrap()];
    let pieces = stream::iter(pieces).map(Ok::<_, StoreError>);
    write(&path, pieces, |_| {}).await.unwrap();
    (folder, path)
}

fn refusal(path: &Path) -> String {
    Reader::verified(path).map(drop).unwrap_err().to_string()
}

#[tokio::test]
async fn a_backup_gives_back_what_was_put_into_it() {
    let (_folder, path) = made().await;
    let reader = Reader::verified(&path).unwrap();
    assert_eq!(reader.summary().records(), 31);
    let mut snapshot = reader.snapshot().unwrap();
    let mut read = Vec::new();
    for expected in [20, 11, 0] {
        let records = snapshot.next(20).await.unwrap();
        assert_eq!(records.len(), expected);
        read.extend(records);
    }
    assert_eq!(read, records());
}

#[tokio::test]
async fn a_backup_that_was_cut_anywhere_is_refused() {
    let (_folder, path) = made().await;
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(refusal(&path).contains("is damaged"), "{length}");
    }
}

#[tokio::test]
async fn a_backup_in_which_one_byte_differs_is_refused() {
    let (_folder, path) = made().await;
    let whole = fs::read(&path).unwrap();
    // gzip's header has bytes that mean nothing to the content: the time, the system.
    for at in (0..4).chain(10..whole.len()) {
        let mut altered = whole.clone();
        altered[at] ^= 0x11;
        fs::write(&path, &altered).unwrap();
        assert!(refusal(&path).contains("is damaged"), "byte {at}");
    }
}

#[tokio::test]
async fn something_behind_the_end_is_refused() {
    let (_folder, path) = made().await;
    let mut whole = fs::read(&path).unwrap();
    whole.push(0);
    fs::write(&path, &whole).unwrap();
    assert!(refusal(&path).contains("behind its end"));
}

#[tokio::test]
async fn a_newer_format_is_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.backup");
    let begin = Begin { format: FORMAT + 1, written_by: "9".to_owned(), made_at: Timestamp::UNIX_EPOCH };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &rmp_serde::to_vec_named(&Item::Begin(begin)).unwrap()).unwrap();
    fs::write(&path, gzip.finish().unwrap()).unwrap();
    assert!(refusal(&path).contains("Use a newer one"));
}

#[tokio::test]
async fn a_file_that_is_there_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    fs::write(&path, "mine").unwrap();
    let written = write(&path, stream::empty::<Result<Vec<u8>, StoreError>>(), |_| {}).await;
    assert!(matches!(written.map(drop), Err(BackupError::File { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[tokio::test]
async fn a_backup_that_broke_off_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.backup");
    let begun = Writer::begin(Timestamp::UNIX_EPOCH).unwrap().add(records()).unwrap();
    let pieces = stream::iter([Ok(begun), Err(StoreError::Closed)]);
    assert!(write(&path, pieces, |_| {}).await.is_err());
    let cut = stream::iter([Writer::begin(Timestamp::UNIX_EPOCH).unwrap().add(records()).unwrap()]);
    assert!(write(&path, cut.map(Ok::<_, StoreError>), |_| {}).await.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A source that breaks off after so many.
struct Broken(Vec<Record>, usize);

#[async_trait::async_trait]
impl Snapshot for Broken {
    async fn next(&mut self, _: usize) -> crate::store::Result<Vec<Record>> {
        if self.1 == 0 {
            return Err(StoreError::Failed("broken off".to_owned()));
        }
        self.1 -= 1;
        Ok(if self.0.is_empty() { Vec::new() } else { vec![self.0.remove(0)] })
    }
}

#[tokio::test]
async fn a_fill_that_was_broken_off_goes_on_where_it_was_and_with_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::sled::SledStore::open(folder.path()).await.unwrap();
    let fill = async |from: &str, pieces: usize| {
        let mut seen = Vec::new();
        let filled = fill(&store, from, &mut Broken(records(), pieces), |records| seen.push(records)).await;
        (filled, seen)
    };
    assert!(matches!(fill("one", 9).await, (Err(FillError::Store(_)), seen) if seen == (1..=9).collect::<Vec<_>>()));
    assert!(matches!(fill("another", 9).await, (Err(FillError::FromElsewhere), _)));
    let (filled, seen) = fill("one", 99).await;
    filled.unwrap();
    assert_eq!(seen.last(), Some(&31));
    let mut tally = Tally::default();
    for record in records() {
        tally.add(&record).unwrap();
    }
    finish(&store, &Kind::LASTING, &tally.summary(), |_| {}).await.unwrap();
    assert!(matches!(fill("one", 99).await, (Err(FillError::NotEmpty), _)));
    assert!(matches!(finish(&store, &Kind::LASTING, &Summary::default(), |_| {}).await, Err(FillError::Differs(_))));
}

#[tokio::test]
async fn the_last_three_are_kept_and_nothing_that_a_killed_run_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::sled::SledStore::open(&folder.path().join("store")).await.unwrap();
    let kept = Kept::beside(folder.path());
    let day = |day: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * day);
    assert!(kept.is_due(day(0)).unwrap());
    for number in 0..5 {
        keep(&kept, &store, day(number)).await.unwrap();
        assert!(!kept.is_due(day(number)).unwrap() && kept.is_due(day(number + 1)).unwrap());
        fs::write(folder.path().join("snapshots/1970-01-01T000000Z.backup.part"), "half").unwrap();
    }
    keep(&kept, &store, day(5)).await.unwrap();
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("snapshots")).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["1970-01-04T000000Z.backup", "1970-01-05T000000Z.backup", "1970-01-06T000000Z.backup"]);
    assert_eq!(kept.newest(day(5)).unwrap().unwrap().begin().made_at, day(5));
}

#[tokio::test]
async fn a_copy_that_was_made_before_the_clock_was_set_right_is_in_the_way_of_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::sled::SledStore::open(&folder.path().join("store")).await.unwrap();
    let kept = Kept::beside(folder.path());
    let day = |day: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * day);
    for number in [400, 401, 402, 3] {
        assert!(kept.is_due(day(number)).unwrap());
        keep(&kept, &store, day(number)).await.unwrap();
    }
    assert!(!kept.is_due(day(3)).unwrap());
    assert_eq!(kept.newest(day(3)).unwrap().unwrap().begin().made_at, day(3));
    assert_eq!(kept.files(day(3)).unwrap().len(), 3);
}
