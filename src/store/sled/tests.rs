//! The promises of every store, and those of this one: what is found again, and what is refused with a line.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sled::Db;
use tempfile::{TempDir, tempdir};

use super::journal::Journal;
use super::open::{LAYOUT, MARK, SLED};
use super::records::encode;
use super::{Salvage, SledStore, keys};
use crate::domain::policy::Reach;
use crate::store::copying::{Kind, Snapshot as _};
use crate::store::suite::search::index;
use crate::store::suite::store_suite;
use crate::store::suite::support::{
    Given, all_pages, api_token, at, begun, change, member, once, reach, shared_many, thought,
};
use crate::store::{Found, Scope, Shared, StoreError};

store_suite!(async {
    let folder = tempdir().unwrap();
    Some((SledStore::open(folder.path()).await.unwrap(), folder))
});

async fn opened(folder: &Path) -> Given {
    Arc::new(SledStore::open(folder).await.unwrap())
}

/// The line with which a folder is refused, checked for what all of them have in common.
async fn refusal(folder: &Path) -> String {
    let Err(StoreError::Open(line)) = SledStore::open(folder).await.map(drop) else {
        unreachable!("it was not refused as a store that can't be opened")
    };
    assert!(line.contains(folder.to_str().unwrap()) && !line.contains('\n'), "{line}");
    line
}

/// A folder with a store of some thoughts in it, closed.
async fn used() -> TempDir {
    let folder = tempdir().unwrap();
    let store = opened(folder.path()).await;
    let ann = member(&store, "ann").await;
    shared_many(&store, &ann, "public", 50).await;
    store.close().await.unwrap();
    folder
}

/// Changes a store from outside of ours.
fn by_hand(folder: &Path, change: impl FnOnce(&Db)) {
    let db = super::open::open(folder).unwrap();
    change(&db);
    db.flush().unwrap();
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_everything() {
    let folder = tempdir().unwrap();
    let store = opened(folder.path()).await;
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "group:friends", 100).await;
    let first = thought(&ann, "👋".repeat(10_000).as_str(), "private");
    store.share(&first, Some(&once("a"))).await.unwrap();
    store.edit(all[7], &change("edited", "group:friends"), at(5)).await.unwrap();
    store.delete(all[8], at(6)).await.unwrap();
    let session = begun(&store, &ann, 1).await;
    store.close().await.unwrap();
    drop(store);

    let store = opened(folder.path()).await;
    let reach = reach(&ann, &[]);
    let mut expected = all.clone();
    expected.insert(0, first.id);
    expected.retain(|id| *id != all[8]);
    assert_eq!(all_pages(&store, Scope::Everyone, &reach, 20).await, expected);
    assert_eq!(*store.thought(first.id, &reach).await.unwrap().unwrap().thought, first);
    assert_eq!(store.revisions(all[7]).await.unwrap().len(), 1);
    assert!(store.restore(all[8]).await.unwrap());
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), [session]);
    assert_eq!(store.member_by_handle(&ann.handle).await.unwrap(), Some(ann.clone()));
    let again = thought(&ann, "again", "public");
    assert_eq!(store.share(&again, Some(&once("a"))).await.unwrap(), Shared::Already(first.id));
}

#[tokio::test]
async fn a_store_that_was_dropped_and_not_closed_has_what_was_answered() {
    let folder = tempdir().unwrap();
    let store = opened(folder.path()).await;
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 30).await;
    drop(store);
    let store = opened(folder.path()).await;
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await, all);
}

#[tokio::test]
async fn what_sled_has_lost_is_put_back_from_the_journal() {
    let folder = used().await;
    let mut held = 0;
    by_hand(folder.path(), |db| {
        let thoughts: Vec<_> = db.scan_prefix("t").keys().map(Result::unwrap).collect();
        held = thoughts.len();
        thoughts.iter().step_by(2).for_each(|key| drop(db.remove(key).unwrap()));
        db.insert(&thoughts[7], "garbage").unwrap();
    });
    let store = opened(folder.path()).await;
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await.len(), held);
}

/// A folder with a closed store that has written several times what its journal has room for, how many thoughts are in it,
/// and sled's file as it was at first.
async fn much_used() -> (TempDir, usize, Vec<u8>) {
    let folder = used().await;
    let file = folder.path().join(SLED).join("db");
    let before = fs::read(&file).unwrap();
    let store = opened(folder.path()).await;
    let bob = member(&store, "bob").await;
    let mut all = 50;
    while fs::metadata(&file).unwrap().len() < 8 * 1024 * 1024 {
        store.share(&thought(&bob, &format!("{all} {}", "long ".repeat(600)), "public"), None).await.unwrap();
        all += 1;
    }
    store.close().await.unwrap();
    (folder, all, before)
}

#[tokio::test]
async fn a_store_whose_file_has_lost_its_end_is_whole_or_refused() {
    let (folder, all, _) = much_used().await;
    let whole = fs::read(folder.path().join(SLED).join("db")).unwrap();
    let (mut kept, mut refused) = (0, 0);
    for parts in (0..24).rev() {
        let cut = tempdir().unwrap();
        super::salvage::copy(folder.path(), cut.path()).unwrap();
        fs::write(cut.path().join(SLED).join("db"), &whole[..whole.len() / 24 * parts]).unwrap();
        match SledStore::open(cut.path()).await {
            Ok(store) => {
                let store: Given = Arc::new(store);
                assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 100).await.len(), all, "{parts} parts");
                kept += 1;
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Open(_)), "{error}");
                refused += 1;
            }
        }
    }
    assert!(kept > 0 && refused > 0, "{kept} were whole, {refused} refused");
}

#[tokio::test]
async fn a_store_that_is_older_than_its_journal_begins_is_refused() {
    let (folder, _, before) = much_used().await;
    fs::write(folder.path().join(SLED).join("db"), before).unwrap();
    assert!(refusal(folder.path()).await.contains("has lost what it held"));
}

#[tokio::test]
async fn a_store_without_its_journal_is_refused() {
    let folder = used().await;
    fs::remove_file(folder.path().join(SLED).join("journal-1")).unwrap();
    for _ in 0..2 {
        assert!(refusal(folder.path()).await.contains("has lost what it held"));
    }
}

#[tokio::test]
async fn a_store_of_before_there_was_a_journal_is_given_one() {
    let folder = used().await;
    by_hand(folder.path(), |db| {
        db.insert(keys::layout().as_bytes(), encode("", &1).unwrap()).unwrap();
        db.remove(keys::checkpoint().as_bytes()).unwrap();
    });
    for file in ["journal-0", "journal-1"] {
        fs::remove_file(folder.path().join(SLED).join(file)).unwrap();
    }
    for _ in 0..2 {
        let store = opened(folder.path()).await;
        assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await.len(), 50);
    }
}

#[tokio::test]
async fn a_store_of_before_there_was_an_index_is_given_one() {
    let folder = used().await;
    by_hand(folder.path(), |db| {
        db.drop_tree("search").unwrap();
        db.insert(keys::layout().as_bytes(), encode("", &2).unwrap()).unwrap();
    });
    // Whoever only tries it leaves it as it is.
    for _ in 0..2 {
        assert_eq!(SledStore::try_out(folder.path()).await.unwrap(), Found::Older);
    }
    let store = opened(folder.path()).await;
    index(&store).await;
    drop(store);
    assert_eq!(SledStore::try_out(folder.path()).await.unwrap(), Found::Store);
    by_hand(folder.path(), |db| {
        assert_eq!(db.get(keys::layout().as_bytes()).unwrap().unwrap(), encode("", &LAYOUT).unwrap());
        assert!(!db.open_tree("search").unwrap().is_empty());
    });
}

#[tokio::test]
async fn a_store_in_use_is_refused_and_goes_on() {
    let folder = tempdir().unwrap();
    let store = opened(folder.path()).await;
    assert!(refusal(folder.path()).await.contains("is in use by another process"));
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_layout_is_refused_and_left_as_it_is() {
    let folder = used().await;
    by_hand(folder.path(), |db| {
        db.insert(keys::layout().as_bytes(), encode("", &(LAYOUT + 1)).unwrap()).unwrap();
    });
    for _ in 0..2 {
        assert!(refusal(folder.path()).await.contains("Start the newer Thoughts"));
    }
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    assert!(refusal(&file).await.contains("can't be read and written"));
}

#[tokio::test]
async fn a_store_whose_file_is_gone_is_refused_rather_than_begun_anew() {
    let folder = used().await;
    fs::remove_file(folder.path().join(SLED).join("db")).unwrap();
    for _ in 0..2 {
        assert!(refusal(folder.path()).await.contains("has lost what it held"));
    }
}

#[tokio::test]
async fn a_store_that_is_empty_all_of_a_sudden_is_refused() {
    let folder = used().await;
    by_hand(folder.path(), |db| db.clear().unwrap());
    assert!(refusal(folder.path()).await.contains("has lost what it held"));
}

#[tokio::test]
async fn a_tree_that_is_not_ours_is_refused() {
    let folder = used().await;
    fs::remove_file(folder.path().join(MARK)).unwrap();
    by_hand(folder.path(), |db| drop(db.remove(keys::layout().as_bytes()).unwrap()));
    fs::remove_file(folder.path().join(MARK)).unwrap();
    assert!(refusal(folder.path()).await.contains("has lost what it held"));
}

#[tokio::test]
async fn garbage_in_the_settings_file_is_refused() {
    let folder = used().await;
    fs::write(folder.path().join(SLED).join("conf"), "garbage, and enough of it").unwrap();
    assert!(refusal(folder.path()).await.contains("can't be read"));
}

#[tokio::test]
async fn garbage_in_the_data_file_is_refused() {
    let folder = used().await;
    let file = folder.path().join(SLED).join("db");
    let garbage: Vec<u8> = (0..=255).cycle().take(fs::read(&file).unwrap().len()).collect();
    fs::write(&file, garbage).unwrap();
    refusal(folder.path()).await;
}

/// How many records a store has, besides the layout's version, the last checkpoint, the places in time of `once` values,
/// which name nobody, and the ids of who is gone.
fn records(folder: &Path) -> usize {
    let mut records = 0;
    by_hand(folder, |db| records = db.iter().keys().filter(|key| !b"LCOG".contains(&key.as_ref().unwrap()[0])).count());
    records
}

#[tokio::test]
async fn a_purge_that_a_crash_broke_off_goes_on_after_it_and_leaves_no_record() {
    let folder = tempdir().unwrap();
    let store = opened(folder.path()).await;
    let ann = member(&store, "ann").await;
    for id in shared_many(&store, &ann, "group:friends", 20).await.into_iter().step_by(2) {
        store.edit(id, &change("edited", "public"), at(2)).await.unwrap();
        store.delete(id, at(3)).await.unwrap();
    }
    store.share(&thought(&ann, "hm", "public"), Some(&once("a"))).await.unwrap();
    store.create_api_token(&api_token(&ann), Some(&once("b"))).await.unwrap();
    let session = begun(&store, &ann, 1).await;
    assert!(store.delete_member(ann.id).await.unwrap().is_some());
    drop(store);
    let mut steps = 0;
    loop {
        // Each step is the last one of its program.
        let store = opened(folder.path()).await;
        assert_eq!(all_pages(&store, Scope::Everyone, &reach(&ann, &["friends"]), 20).await, []);
        if !store.purge_members(3).await.unwrap() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 8, "{steps} steps");
    let store = opened(folder.path()).await;
    // When the session would have ended is forgotten then.
    assert_eq!(store.purge_sessions(at(2_000_000), 9).await.unwrap(), 1);
    assert_eq!(store.session(session.hash).await.unwrap(), None);
    index(&store).await;
    drop(store);
    assert_eq!(records(folder.path()), 0);
}

#[tokio::test]
async fn a_record_that_is_garbage_is_lost_alone_and_the_files_stay_as_they_are() {
    let folder = used().await;
    let mut count = 0;
    by_hand(folder.path(), |db| {
        let thoughts: Vec<_> = db.scan_prefix("t").keys().map(Result::unwrap).collect();
        count = thoughts.len();
        db.insert(&thoughts[7], "garbage").unwrap();
    });
    // Which would put it back.
    Journal::create(&folder.path().join(SLED)).unwrap();
    let scratch = tempdir().unwrap();
    let mut salvage = Salvage::of(folder.path(), &scratch.path().join("copy")).unwrap();
    let mut read = Vec::new();
    loop {
        let records = salvage.next(3).await.unwrap();
        if records.is_empty() {
            break;
        }
        read.extend(records.into_iter().filter(|record| record.kind() == Kind::Thoughts));
    }
    assert_eq!((read.len(), salvage.lost()), (count - 1, 1));
    assert!(salvage.why().unwrap().contains("a record that can't be read"));
}

#[tokio::test]
async fn what_opens_something_is_not_read_of_a_store_that_may_not_know_that_it_has_ended() {
    let folder = used().await;
    let store = opened(folder.path()).await;
    let ann = member(&store, "bob").await;
    begun(&store, &ann, 1).await;
    store.create_api_token(&api_token(&ann), None).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    for (journal_is_there, expected) in [(true, 1), (false, 0)] {
        if !journal_is_there {
            fs::remove_file(folder.path().join(SLED).join("journal-0")).unwrap();
        }
        let scratch = tempdir().unwrap();
        let mut salvage = Salvage::of(folder.path(), &scratch.path().join("copy")).unwrap();
        let mut read = Vec::new();
        while let records = salvage.next(100).await.unwrap()
            && !records.is_empty()
        {
            read.extend(records);
        }
        let many = |kind| read.iter().filter(|record| record.kind() == kind).count();
        assert_eq!((many(Kind::Sessions), many(Kind::ApiTokens)), (expected, expected));
        assert_eq!((many(Kind::Members), many(Kind::Thoughts)), (2, 50));
        assert_eq!(salvage.why().is_some_and(|why| why.contains("people sign in anew")), !journal_is_there);
    }
}

#[tokio::test]
async fn nothing_is_read_of_a_store_whose_files_are_gone_and_that_is_no_error() {
    let (folder, scratch) = (tempdir().unwrap(), tempdir().unwrap());
    let mut salvage = Salvage::of(folder.path(), &scratch.path().join("copy")).unwrap();
    assert_eq!(salvage.next(3).await.unwrap(), []);
}
