use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::id::ThoughtId;
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::store::copying::{Filling, Record};
use crate::store::sled::SledStore;
use crate::store::suite::search::{Happening, index};
use crate::store::suite::support::{Given, at, change, ids, member, shared, shared_many};

/// A store with segments so small that a test has many of them.
async fn store(folder: &Path) -> Arc<SledStore> {
    Arc::new(SledStore::open_with(folder, 3).await.unwrap())
}

fn minutes(many: i64) -> Timestamp {
    at(1_000_000) + SignedDuration::from_mins(many)
}

async fn found(store: &SledStore, typed: &str) -> Vec<ThoughtId> {
    use crate::store::Thoughts as _;
    ids(&store.search(&Query::parse(typed).unwrap(), &Reach::Public, None, 100).await.unwrap().items)
}

/// Whether the index has this word on disk.
fn keeps(store: &SledStore, word: &str) -> bool {
    store.index.tree.scan_prefix(b"w").values().any(|block| String::from_utf8_lossy(&block.unwrap()).contains(word))
}

/// How many segments were begun, and how many there are.
fn segments(store: &SledStore) -> (usize, usize) {
    (store.index.begun().count(), store.index.segments().unwrap().len())
}

#[tokio::test]
async fn whatever_happens_to_many_segments_and_however_often_it_is_opened_what_is_found_is_what_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut happening = None;
    for _ in 0..6 {
        let store = store(folder.path()).await;
        let given: Given = store.clone();
        let happening = match &mut happening {
            Some(happening) => happening,
            none => none.insert(Happening::to(&given).await),
        };
        happening.look(&given).await;
        happening.steps(&given, 40).await;
    }
    let store = store(folder.path()).await;
    let given: Given = store.clone();
    index(&given).await;
    happening.unwrap().look(&given).await;
    assert!(store.index.read().as_ref().is_some_and(|state| state.segments.len() > 5 && state.fresh.len() < 3));
    assert_eq!(super::marks(&store.db, ThoughtId::FIRST, ThoughtId::LAST).unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_write_at_once_beside_many_segments_is_found_also_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut happening = None;
    for _ in 0..4 {
        let given: Given = store(folder.path()).await;
        let happening = match &mut happening {
            Some(happening) => happening,
            none => none.insert(Happening::to(&given).await),
        };
        happening.look(&given).await;
        happening.at_once(&given, 25).await;
        happening.look(&given).await;
    }
}

#[tokio::test]
async fn what_was_there_before_the_index_is_indexed_newest_first_and_found_all_the_while() {
    use crate::store::Store as _;
    let folder = tempfile::tempdir().unwrap();
    let given: Given = store(folder.path()).await;
    let ann = member(&given, "ann").await;
    let all = shared_many(&given, &ann, "public", 10).await;
    drop(given);
    let store = store(folder.path()).await;
    let mut unindexed = Vec::new();
    while store.index(at(9)).await.unwrap() {
        assert_eq!(found(&store, "public").await, all);
        unindexed.push(store.unindexed().await.unwrap());
    }
    assert_eq!(unindexed, [Some(all[2]), Some(all[5]), Some(all[8]), None]);
    assert_eq!(found(&store, "public").await, all);
}

#[tokio::test]
async fn a_word_that_nobody_says_any_more_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given: Given = store.clone();
    let ann = member(&given, "ann").await;
    let id = shared(&given, &ann, "public").await.id;
    given.edit(id, &change("a slip of the tongue", "public"), at(2)).await.unwrap();
    shared_many(&given, &ann, "public", 3).await;
    index(&given).await;
    assert!(keeps(&store, "tongue"));
    given.delete(id, at(3)).await.unwrap();
    index(&given).await;
    assert!(!keeps(&store, "tongue"));
    assert_eq!(segments(&store), (2, 2));
}

#[tokio::test]
async fn changes_in_a_segment_wait_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let given: Given = store(folder.path()).await;
    let ann = member(&given, "ann").await;
    let all = shared_many(&given, &ann, "public", 6).await;
    index(&given).await;
    given.edit(all[0], &change("first", "public"), at(2)).await.unwrap();
    assert!(!given.index(minutes(0)).await.unwrap());
    given.edit(all[5], &change("second", "public"), at(2)).await.unwrap();
    assert!(!given.index(minutes(59)).await.unwrap());
    assert!(given.index(minutes(60)).await.unwrap() && given.index(minutes(60)).await.unwrap());
    assert!(!given.index(minutes(60)).await.unwrap());
    given.edit(all[5], &change("third", "public"), at(2)).await.unwrap();
    assert!(!given.index(minutes(61)).await.unwrap() && !given.index(minutes(120)).await.unwrap());
    assert!(given.index(minutes(121)).await.unwrap());
}

#[tokio::test]
async fn changes_that_take_much_memory_wait_for_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let given: Given = store(folder.path()).await;
    let ann = member(&given, "ann").await;
    // Some 70 KB of words each.
    let long =
        |from: u32| (0..9_999).filter_map(|n| char::from_u32(0x4e00 + (n * 7_919 + from) % 20_000)).collect::<String>();
    let all = shared_many(&given, &ann, "public", 300).await;
    index(&given).await;
    let mut waiting = 0;
    for (number, id) in (0..).zip(&all) {
        given.edit(*id, &change(&long(number), "public"), at(2)).await.unwrap();
        if given.index(minutes(0)).await.unwrap() {
            break;
        }
        waiting += 1;
    }
    assert!((100..all.len()).contains(&waiting), "{waiting} changes waited");
}

#[tokio::test]
async fn what_was_shared_a_moment_ago_is_in_no_segment_yet() {
    let folder = tempfile::tempdir().unwrap();
    let given: Given = store(folder.path()).await;
    let ann = member(&given, "ann").await;
    index(&given).await;
    shared_many(&given, &ann, "public", 3).await;
    // Their ids are of the beginning of all time.
    let [soon, later] = [59, 61].map(|second| Timestamp::from_second(second).unwrap());
    assert!(!given.index(soon).await.unwrap());
    assert!(given.index(later).await.unwrap());
}

#[tokio::test]
async fn a_thought_that_comes_late_is_found_also_after_the_next_start() {
    use crate::store::Thoughts as _;
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path()).await;
    let given: Given = first.clone();
    let ann = member(&given, "ann").await;
    index(&given).await;
    let late = crate::store::suite::support::thought(&ann, "late", "public");
    shared_many(&given, &ann, "public", 3).await;
    index(&given).await;
    first.share(&late, None).await.unwrap();
    assert_eq!(found(&first, "late").await, [late.id]);
    drop((given, first));
    let second = store(folder.path()).await;
    assert_eq!(found(&second, "late").await, [late.id]);
    let given: Given = second.clone();
    index(&given).await;
    assert_eq!(found(&second, "late").await, [late.id]);
}

#[tokio::test]
async fn a_segment_that_was_never_finished_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path()).await;
    let given: Given = first.clone();
    let ann = member(&given, "ann").await;
    shared_many(&given, &ann, "public", 3).await;
    index(&given).await;
    first.index.tree.insert(super::numbered(b'n', 7), &[]).unwrap();
    let (half, _) = super::block::blocks(&[(b"half".to_vec(), b"\0\0".to_vec())]).unwrap();
    first.index.tree.insert(super::part(b'w', 7, 0), &half[0][..]).unwrap();
    drop((given, first));
    let second = store(folder.path()).await;
    let given: Given = second.clone();
    assert_eq!(found(&second, "half").await, []);
    shared_many(&given, &ann, "public", 3).await;
    index(&given).await;
    assert!(!keeps(&second, "half"));
    assert_eq!(segments(&second), (2, 2));
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_made_anew_and_all_is_found_meanwhile() {
    use crate::store::Store as _;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given: Given = store.clone();
    let ann = member(&given, "ann").await;
    let all = shared_many(&given, &ann, "public", 10).await;
    index(&given).await;
    for block in store.index.tree.scan_prefix(b"w").keys() {
        store.index.tree.insert(block.unwrap(), b"garbage").unwrap();
    }
    assert_eq!(found(&store, "public").await, all);
    assert!(store.index.is_empty());
    assert_eq!(found(&store, "public").await, all);
    index(&given).await;
    assert_eq!(store.unindexed().await.unwrap(), None);
    assert_eq!(found(&store, "public").await, all);
}

#[tokio::test]
async fn an_index_with_a_gap_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let first = store(folder.path()).await;
    let given: Given = first.clone();
    let ann = member(&given, "ann").await;
    let all = shared_many(&given, &ann, "public", 10).await;
    index(&given).await;
    let segment = first.index.tree.scan_prefix(b"s").keys().nth(1).unwrap().unwrap();
    first.index.tree.remove(segment).unwrap();
    drop((given, first));
    let second = store(folder.path()).await;
    assert_eq!(found(&second, "public").await, all);
    let given: Given = second.clone();
    index(&given).await;
    assert_eq!(found(&second, "public").await, all);
}

#[tokio::test]
async fn what_is_filled_in_is_found_whatever_was_indexed_before() {
    use crate::store::copying::Copying as _;
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given: Given = store.clone();
    let ann = member(&given, "ann").await;
    let old = crate::store::suite::support::thought(&ann, "old", "public");
    shared_many(&given, &ann, "public", 5).await;
    index(&given).await;
    let so_far = Filling { from: "elsewhere".to_owned(), records: 1 };
    store.fill(vec![Record::Thought(old.clone())], &so_far).await.unwrap();
    store.filled().await.unwrap();
    assert_eq!(found(&store, "old").await, [old.id]);
    index(&given).await;
    assert_eq!(found(&store, "old").await, [old.id]);
}
