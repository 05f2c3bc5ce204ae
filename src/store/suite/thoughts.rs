//! What a store promises of a thought.

use super::support::{Given, at, change, ids, member, message, once, reach, shared, shared_many, thought};
use crate::domain::id::ThoughtId;
use crate::domain::policy::Reach;
use crate::domain::thought::{Message, Revision, Thought};
use crate::store::Shared;

pub(in crate::store) async fn what_was_shared_is_found_with_its_author(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = shared(&store, &ann, "public").await;
    let found = store.thought(thought.id, &Reach::Public).await.unwrap().unwrap();
    assert_eq!(*found.thought, thought);
    assert_eq!(*found.author, ann.author());
}

pub(in crate::store) async fn what_was_never_shared_is_not_found(store: Given) {
    let ann = member(&store, "ann").await;
    let id = thought(&ann, "hm", "public").id;
    assert!(store.thought(id, &reach(&ann, &[])).await.unwrap().is_none());
    assert!(store.revisions(id).await.unwrap().is_empty());
    assert!(store.deleted(id).await.unwrap().is_none());
}

pub(in crate::store) async fn the_same_id_is_not_stored_twice(store: Given) {
    let ann = member(&store, "ann").await;
    let first = shared(&store, &ann, "public").await;
    let second = Thought { message: message("another"), ..first.clone() };
    assert!(store.share(&second, None).await.is_err());
    assert_eq!(*store.thought(first.id, &Reach::Public).await.unwrap().unwrap().thought, first);
}

pub(in crate::store) async fn the_longest_message_comes_back_as_it_was(store: Given) {
    let ann = member(&store, "ann").await;
    let family = "👩‍👩‍👧‍👦".repeat(Message::MAX_CHARS);
    for _ in 0..5 {
        let long = thought(&ann, &family, "public");
        store.share(&long, None).await.unwrap();
        assert_eq!(*store.thought(long.id, &Reach::Public).await.unwrap().unwrap().thought, long);
    }
}

pub(in crate::store) async fn the_same_once_value_stores_one_thought(store: Given) {
    let ann = member(&store, "ann").await;
    let (first, again) = (thought(&ann, "one", "public"), thought(&ann, "two", "members"));
    assert_eq!(store.share(&first, Some(&once("a"))).await.unwrap(), Shared::Now);
    assert_eq!(store.share(&again, Some(&once("a"))).await.unwrap(), Shared::Already(first.id));
    assert!(store.thought(again.id, &reach(&ann, &[])).await.unwrap().is_none());
    assert_eq!(store.share(&again, Some(&once("b"))).await.unwrap(), Shared::Now);
}

pub(in crate::store) async fn a_once_value_is_its_authors_own(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    for author in [&ann, &bob] {
        let thought = thought(author, "mine", "public");
        assert_eq!(store.share(&thought, Some(&once("a"))).await.unwrap(), Shared::Now);
    }
}

pub(in crate::store) async fn a_once_value_is_known_until_it_is_purged(store: Given) {
    let ann = member(&store, "ann").await;
    for second in 1..=3 {
        let thought = Thought { created_at: at(second), ..thought(&ann, "hm", "public") };
        store.share(&thought, Some(&once(&second.to_string()))).await.unwrap();
    }
    assert_eq!(store.purge_once(at(1), 10).await.unwrap(), 0);
    assert_eq!(store.purge_once(at(3), 1).await.unwrap(), 1);
    assert_eq!(store.purge_once(at(3), 10).await.unwrap(), 1);
    assert_eq!(store.purge_once(at(3), 10).await.unwrap(), 0);
    let mut answers = Vec::new();
    for value in ["1", "2", "3"] {
        let again = Thought { created_at: at(9), ..thought(&ann, "hm", "public") };
        answers.push(store.share(&again, Some(&once(value))).await.unwrap() == Shared::Now);
    }
    assert_eq!(answers, [true, true, false]);
}

pub(in crate::store) async fn a_once_value_still_gives_a_thought_that_was_deleted(store: Given) {
    let ann = member(&store, "ann").await;
    let first = thought(&ann, "one", "public");
    store.share(&first, Some(&once("a"))).await.unwrap();
    store.delete(first.id, at(2)).await.unwrap();
    let again = thought(&ann, "one", "public");
    assert_eq!(store.share(&again, Some(&once("a"))).await.unwrap(), Shared::Already(first.id));
}

pub(in crate::store) async fn an_edit_changes_the_thought_and_keeps_what_it_said(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = thought(&ann, "one", "public");
    store.share(&thought, None).await.unwrap();
    let two = store.edit(thought.id, &change("two", "public"), at(20)).await.unwrap().unwrap();
    let expected = Thought { message: message("two"), edited_at: Some(at(20)), version: 1, ..thought.clone() };
    assert_eq!(two, expected);
    let three = store.edit(thought.id, &change("three", "members"), at(30)).await.unwrap().unwrap();
    assert_eq!(*store.thought(thought.id, &reach(&ann, &[])).await.unwrap().unwrap().thought, three);
    let revisions = store.revisions(thought.id).await.unwrap();
    assert_eq!(
        revisions,
        [
            Revision { version: 1, message: message("two"), since: at(20) },
            Revision { version: 0, message: message("one"), since: thought.created_at },
        ]
    );
}

pub(in crate::store) async fn an_edit_that_changes_nothing_writes_nothing(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = thought(&ann, "one", "public");
    store.share(&thought, None).await.unwrap();
    assert_eq!(store.edit(thought.id, &change("one", "public"), at(20)).await.unwrap(), Some(thought.clone()));
    assert!(store.revisions(thought.id).await.unwrap().is_empty());
}

pub(in crate::store) async fn a_change_of_audience_alone_keeps_no_revision(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = thought(&ann, "one", "public");
    store.share(&thought, None).await.unwrap();
    let edited = store.edit(thought.id, &change("one", "members"), at(20)).await.unwrap().unwrap();
    assert_eq!((edited.version, edited.edited_at), (1, Some(at(20))));
    assert!(store.revisions(thought.id).await.unwrap().is_empty());
}

pub(in crate::store) async fn what_does_not_exist_or_is_deleted_is_not_edited(store: Given) {
    let ann = member(&store, "ann").await;
    let never = thought(&ann, "never", "public").id;
    let deleted = shared(&store, &ann, "public").await.id;
    store.delete(deleted, at(2)).await.unwrap();
    for id in [never, deleted] {
        assert_eq!(store.edit(id, &change("hm", "public"), at(3)).await.unwrap(), None);
    }
}

pub(in crate::store) async fn a_deleted_thought_is_gone_and_can_still_be_asked_for(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = shared(&store, &ann, "public").await;
    assert!(store.deleted(thought.id).await.unwrap().is_none());
    assert!(store.delete(thought.id, at(2)).await.unwrap());
    assert!(store.thought(thought.id, &reach(&ann, &[])).await.unwrap().is_none());
    let deleted = store.deleted(thought.id).await.unwrap().unwrap();
    assert_eq!(*deleted.thought, Thought { deleted_at: Some(at(2)), ..thought });
    assert_eq!(*deleted.author, ann.author());
}

pub(in crate::store) async fn a_restored_thought_is_as_it_was(store: Given) {
    let ann = member(&store, "ann").await;
    let thought = shared(&store, &ann, "group:friends").await;
    store.delete(thought.id, at(2)).await.unwrap();
    assert!(store.restore(thought.id).await.unwrap());
    assert!(store.deleted(thought.id).await.unwrap().is_none());
    assert_eq!(*store.thought(thought.id, &reach(&ann, &[])).await.unwrap().unwrap().thought, thought);
}

pub(in crate::store) async fn a_thought_is_deleted_and_restored_once(store: Given) {
    let ann = member(&store, "ann").await;
    let never = thought(&ann, "never", "public").id;
    assert!(!store.delete(never, at(2)).await.unwrap());
    assert!(!store.restore(never).await.unwrap());
    let id = shared(&store, &ann, "public").await.id;
    assert!(!store.restore(id).await.unwrap());
    assert!(store.delete(id, at(2)).await.unwrap());
    assert!(!store.delete(id, at(3)).await.unwrap());
    assert_eq!(store.deleted(id).await.unwrap().unwrap().thought.deleted_at, Some(at(2)));
    assert!(store.restore(id).await.unwrap());
    assert!(!store.restore(id).await.unwrap());
}

pub(in crate::store) async fn what_was_deleted_long_ago_is_purged_with_its_revisions(store: Given) {
    let ann = member(&store, "ann").await;
    let (old, recent) = (shared(&store, &ann, "public").await.id, shared(&store, &ann, "public").await.id);
    for (id, second) in [(old, 10), (recent, 20)] {
        store.edit(id, &change("edited", "public"), at(2)).await.unwrap();
        store.delete(id, at(second)).await.unwrap();
    }
    assert_eq!(store.purge_deleted(at(10), 9).await.unwrap(), 0);
    assert_eq!(store.purge_deleted(at(20), 9).await.unwrap(), 1);
    assert!(store.deleted(old).await.unwrap().is_none());
    assert!(store.revisions(old).await.unwrap().is_empty());
    assert!(!store.restore(old).await.unwrap());
    assert!(store.restore(recent).await.unwrap());
    assert_eq!(store.revisions(recent).await.unwrap().len(), 1);
}

pub(in crate::store) async fn a_restored_thought_is_not_purged(store: Given) {
    let ann = member(&store, "ann").await;
    let id = shared(&store, &ann, "public").await.id;
    store.delete(id, at(2)).await.unwrap();
    store.restore(id).await.unwrap();
    assert_eq!(store.purge_deleted(at(1000), 9).await.unwrap(), 0);
    assert!(store.thought(id, &Reach::Public).await.unwrap().is_some());
}

pub(in crate::store) async fn a_purge_goes_no_further_than_its_limit(store: Given) {
    let ann = member(&store, "ann").await;
    let mut oldest_first: Vec<ThoughtId> = shared_many(&store, &ann, "public", 5).await;
    oldest_first.reverse();
    for (id, second) in oldest_first.iter().zip(2..) {
        store.delete(*id, at(second)).await.unwrap();
    }
    assert_eq!(store.purge_deleted(at(1000), 2).await.unwrap(), 2);
    assert!(store.deleted(oldest_first[1]).await.unwrap().is_none());
    assert!(store.deleted(oldest_first[2]).await.unwrap().is_some());
    assert_eq!(store.purge_deleted(at(1000), 9).await.unwrap(), 3);
}

pub(in crate::store) async fn the_trash_is_read_latest_first_and_within_reach(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut deleted = Vec::new();
    for (second, visibility) in ["public", "members", "group:friends", "private"].into_iter().enumerate() {
        let thought = shared(&store, &ann, visibility).await;
        store.delete(thought.id, at(9 - i64::try_from(second).unwrap())).await.unwrap();
        deleted.push(thought.id);
    }
    let back = shared(&store, &ann, "public").await;
    store.delete(back.id, at(20)).await.unwrap();
    store.restore(back.id).await.unwrap();
    shared(&store, &ann, "public").await;
    for (reach, seen) in
        [(Reach::Public, 1), (reach(&bob, &[]), 2), (reach(&bob, &["friends"]), 3), (reach(&ann, &[]), 4)]
    {
        let page = store.trash(&reach, None, 20).await.unwrap();
        assert_eq!(ids(&page.items), deleted[..seen], "{reach:?}");
        assert!(page.items.iter().all(|item| item.thought.deleted_at.is_some() && item.author.id == ann.id));
        assert_eq!(page.next, None);
    }
}

pub(in crate::store) async fn a_page_of_the_trash_looks_at_so_many_and_no_more(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut seen = Vec::new();
    for second in 0..9 {
        let thought = shared(&store, &ann, if second % 3 == 0 { "public" } else { "private" }).await;
        // Several at one moment stand in the order of their ids.
        store.delete(thought.id, at(second / 4)).await.unwrap();
        if second % 3 == 0 {
            seen.insert(0, thought.id);
        }
    }
    for size in 1..=10 {
        let (mut found, mut before, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = store.trash(&reach(&bob, &[]), before, size).await.unwrap();
            assert!(page.items.len() <= size);
            found.extend(ids(&page.items));
            pages += 1;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!((found, pages), (seen.clone(), 9_usize.div_ceil(size)), "{size} a page");
    }
    assert_eq!(store.trash(&Reach::Public, None, 0).await.unwrap().next, None);
}
