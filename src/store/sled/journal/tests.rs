use std::fs;
use std::path::PathBuf;

use tempfile::{TempDir, tempdir};

use super::*;

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    Journal::create(folder.path()).unwrap();
    folder
}

/// A change of one key.
fn change(key: &str, record: Option<&str>) -> Changes {
    [(key.as_bytes().to_vec(), record.map(|record| record.as_bytes().to_vec()))].into_iter().collect()
}

/// Writes what is counted, from a number to a number.
fn write(folder: &TempDir, numbers: std::ops::Range<u64>) {
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    for number in numbers {
        journal.append(&change("key", Some(&number.to_string()))).unwrap();
    }
}

/// What is read again, each change as its key and its record.
fn read(folder: &TempDir) -> Vec<String> {
    let (_, replay) = Journal::open(folder.path()).unwrap();
    let shown = |changes: &Changes| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        changes
            .iter()
            .map(|(_, record)| record.map_or_else(|| "removed".to_owned(), text))
            .collect::<Vec<_>>()
            .join(" ")
    };
    replay.into_changes().map(|changes| shown(&changes)).collect()
}

fn counted(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

fn file(folder: &TempDir, number: usize) -> PathBuf {
    folder.path().join(FILES[number])
}

/// Changes the bytes of a file from outside.
fn by_hand(folder: &TempDir, number: usize, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file(folder, number)).unwrap();
    change(&mut bytes);
    fs::write(file(folder, number), bytes).unwrap();
}

/// Which file begins with an entry of this number, and where its entries end.
fn stands(folder: &TempDir, first: u64) -> (usize, usize) {
    let of = |number: &usize| {
        let written = Written::read(fs::read(file(folder, *number)).unwrap());
        (*number, written.numbers().map(|(first, _)| first), written.end)
    };
    let (number, _, end) = (0..2).map(|number| of(&number)).find(|(_, of, _)| *of == Some(first)).unwrap();
    (number, end)
}

#[test]
fn what_was_written_is_read_again_in_its_order() {
    let folder = folder();
    assert!(read(&folder).is_empty());
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    journal.append(&change("key", Some("first"))).unwrap();
    journal.append(&change("key", None)).unwrap();
    journal.append(&change("key", Some("third"))).unwrap();
    assert_eq!(read(&folder), ["first", "removed", "third"]);
}

#[test]
fn it_goes_on_after_each_opening_and_keeps_what_was_changed_between_the_last_two_checkpoints() {
    let folder = folder();
    write(&folder, 1..4);
    write(&folder, 4..6);
    assert_eq!(read(&folder), counted(1..6));
    write(&folder, 6..9);
    assert_eq!(read(&folder), counted(4..9), "the oldest are written over");
}

#[test]
fn what_is_taken_back_was_never_written() {
    let folder = folder();
    write(&folder, 1..4);
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    journal.append(&change("key", Some("4"))).unwrap();
    let place = journal.place();
    journal.append(&change("key", Some("refused"))).unwrap();
    journal.append(&change("key", Some("refused as well"))).unwrap();
    journal.back_to(place).unwrap();
    assert_eq!(read(&folder), counted(1..5));
    write(&folder, 5..7);
    assert_eq!(read(&folder), counted(4..7));
}

#[test]
fn a_first_entry_of_which_the_disk_has_only_the_end_is_no_damage() {
    let folder = folder();
    write(&folder, 1..20);
    write(&folder, 20..40);
    let (older, _) = stands(&folder, 1);
    let (journal, _) = Journal::open(folder.path()).unwrap();
    journal.end_here(0).unwrap();
    let before = fs::read(file(&folder, older)).unwrap();
    drop(journal);
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    journal.append(&change("key", Some(&"x".repeat(16 * 1024)))).unwrap();
    // A disk writes its pages in whatever order it likes.
    for page in [0, 1, 3] {
        by_hand(&folder, older, |bytes| {
            let page = page * 4096..(page + 1) * 4096;
            bytes[page.clone()].copy_from_slice(&before[page]);
        });
        assert_eq!(read(&folder), counted(20..40));
    }
}

#[test]
fn a_full_file_is_followed_by_the_other() {
    let folder = folder();
    let (mut journal, _) = Journal::open(folder.path()).unwrap();
    let much = "x".repeat(ROOM / 3);
    let mut turns = 0;
    for number in 0..20 {
        journal.append(&change("key", Some(&format!("{number} {much}")))).unwrap();
        if journal.is_full() {
            journal.turn();
            turns += 1;
        }
    }
    assert!(turns > 4);
    let numbers: Vec<u64> =
        read(&folder).iter().map(|record| record.split(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers.last(), Some(&19));
    assert!(numbers.len() >= 3 && numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
}

#[test]
fn an_entry_that_was_broken_off_is_left_out_and_written_over() {
    for broken in [1, HEAD / 2, HEAD, HEAD + 2] {
        let folder = folder();
        write(&folder, 1..4);
        let (number, end) = stands(&folder, 1);
        let last = Written::read(fs::read(file(&folder, number)).unwrap()).entries.pop().unwrap();
        assert_eq!(last.0, 3);
        // The last entry as a crash would leave it: its beginning is there, and what follows is as it was before.
        let begun = end - (end / 3) + broken;
        by_hand(&folder, number, |bytes| bytes[begun..end].fill(0));
        assert_eq!(read(&folder), counted(1..3), "{broken} bytes");
        write(&folder, 3..5);
        assert_eq!(read(&folder), counted(1..5), "{broken} bytes");
    }
}

#[test]
fn damage_before_a_good_entry_is_told() {
    let folder = folder();
    write(&folder, 1..9);
    let (number, end) = stands(&folder, 1);
    for at in 0..end - end / 8 {
        by_hand(&folder, number, |bytes| bytes[at] ^= 1);
        assert!(matches!(Journal::open(folder.path()), Err(Unusable::Damaged(_))), "byte {at}");
        by_hand(&folder, number, |bytes| bytes[at] ^= 1);
    }
    assert_eq!(read(&folder), counted(1..9));
}

#[test]
fn what_looks_like_the_end_before_a_good_entry_is_told() {
    let folder = folder();
    write(&folder, 1..9);
    let (number, _) = stands(&folder, 1);
    by_hand(&folder, number, |bytes| bytes[..HEAD].fill(0));
    assert!(matches!(Journal::open(folder.path()), Err(Unusable::Damaged(_))));
}

#[test]
fn a_file_that_is_cut_or_gone_is_told() {
    let folder = folder();
    write(&folder, 1..4);
    by_hand(&folder, 0, |bytes| bytes.truncate(ROOM));
    assert!(matches!(Journal::open(folder.path()), Err(Unusable::Damaged("journal-0"))));
    fs::remove_file(file(&folder, 0)).unwrap();
    assert!(matches!(Journal::open(folder.path()), Err(Unusable::Missing("journal-0"))));
}

#[test]
fn a_file_of_another_time_is_told() {
    let folder = folder();
    write(&folder, 1..4);
    let (old, _) = stands(&folder, 1);
    let kept = fs::read(file(&folder, old)).unwrap();
    write(&folder, 4..6);
    write(&folder, 6..9);
    write(&folder, 9..12);
    fs::write(file(&folder, old), kept).unwrap();
    assert!(matches!(Journal::open(folder.path()), Err(Unusable::Damaged(_))));
}
