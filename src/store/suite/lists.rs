//! What a store promises of the lists of thoughts.

use super::support::{
    Given, all_pages, at, change, first_page, identity, ids, member, new_member_id, profile, reach, shared, shared_many,
};
use crate::domain::page::PAGE_SIZE;
use crate::domain::policy::Reach;
use crate::store::Scope;

const VISIBILITIES: [&str; 4] = ["public", "members", "group:friends", "private"];

pub(in crate::store) async fn an_empty_store_has_an_empty_feed(store: Given) {
    let ann = member(&store, "ann").await;
    for scope in [Scope::Everyone, Scope::By(ann.id)] {
        for reach in [Reach::Public, reach(&ann, &["friends"])] {
            let page = store.feed(scope, &reach, None, PAGE_SIZE).await.unwrap();
            assert!(page.items.is_empty() && page.next.is_none());
        }
    }
}

pub(in crate::store) async fn every_visibility_reaches_just_whom_it_says(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut thoughts = Vec::new();
    for visibility in VISIBILITIES {
        thoughts.insert(0, shared(&store, &ann, visibility).await);
    }
    let readers = [
        (Reach::Public, 1),
        (reach(&bob, &[]), 2),
        (reach(&bob, &["others"]), 2),
        (reach(&bob, &["friends", "others"]), 3),
        (reach(&ann, &[]), 4),
        (reach(&ann, &["friends"]), 4),
    ];
    for (reach, many) in readers {
        let expected: Vec<_> = thoughts.iter().map(|t| t.id).skip(VISIBILITIES.len() - many).collect();
        assert_eq!(first_page(&store, Scope::Everyone, &reach).await, expected, "{reach:?}");
        assert_eq!(first_page(&store, Scope::By(ann.id), &reach).await, expected, "by ann, {reach:?}");
        assert!(first_page(&store, Scope::By(bob.id), &reach).await.is_empty(), "by bob, {reach:?}");
        for thought in &thoughts {
            let found = store.thought(thought.id, &reach).await.unwrap().is_some();
            assert_eq!(found, expected.contains(&thought.id), "{} {reach:?}", thought.visibility);
        }
    }
}

pub(in crate::store) async fn a_private_thought_stays_with_its_author(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let thought = shared(&store, &ann, "private").await;
    assert_eq!(first_page(&store, Scope::Everyone, &reach(&ann, &[])).await, [thought.id]);
    for other in [Reach::Public, reach(&bob, &["friends"])] {
        assert!(store.thought(thought.id, &other).await.unwrap().is_none());
        assert!(first_page(&store, Scope::Everyone, &other).await.is_empty());
        assert!(first_page(&store, Scope::By(ann.id), &other).await.is_empty());
    }
}

pub(in crate::store) async fn a_group_is_known_by_its_whole_name(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let friends = shared(&store, &ann, "group:friends").await.id;
    let abroad = shared(&store, &ann, "group:friends abroad").await.id;
    for (group, expected) in [("friends", vec![friends]), ("friends abroad", vec![abroad]), ("Friends", vec![])] {
        assert_eq!(first_page(&store, Scope::Everyone, &reach(&bob, &[group])).await, expected, "{group}");
    }
}

pub(in crate::store) async fn a_thought_within_reach_in_several_ways_stands_there_once(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut expected = Vec::new();
    for (author, visibility) in
        [(&ann, "public"), (&bob, "members"), (&ann, "members"), (&ann, "group:a"), (&bob, "group:b")]
    {
        expected.insert(0, shared(&store, author, visibility).await.id);
    }
    let reach = reach(&ann, &["a", "b"]);
    for size in 1..=6 {
        assert_eq!(all_pages(&store, Scope::Everyone, &reach, size).await, expected, "{size} a page");
    }
}

pub(in crate::store) async fn a_feed_of_many_groups_is_in_order(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let groups: Vec<String> = (0..150).map(|n| format!("g{n}")).collect();
    let mut shared_with = Vec::new();
    for n in 0..60 {
        let group = (n * 37) % groups.len();
        let id = shared(&store, &ann, &format!("group:{}", groups[group])).await.id;
        shared_with.insert(0, (group, id));
    }
    for many in [0, 1, 2, 14, 15, 64, 65, 150] {
        let expected: Vec<_> = shared_with.iter().filter(|(group, _)| *group < many).map(|(_, id)| *id).collect();
        let groups: Vec<&str> = groups[..many].iter().map(String::as_str).collect();
        assert_eq!(all_pages(&store, Scope::Everyone, &reach(&bob, &groups), 7).await, expected, "{many} groups");
        assert_eq!(all_pages(&store, Scope::By(ann.id), &reach(&bob, &groups), 7).await, expected, "{many} groups");
    }
}

pub(in crate::store) async fn twenty_thoughts_are_one_page(store: Given) {
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 20).await;
    let page = store.feed(Scope::Everyone, &Reach::Public, None, 20).await.unwrap();
    assert_eq!(ids(&page.items), all);
    assert_eq!(page.next, None);
}

pub(in crate::store) async fn twenty_one_thoughts_are_two_pages(store: Given) {
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 21).await;
    let first = store.feed(Scope::Everyone, &Reach::Public, None, 20).await.unwrap();
    assert_eq!(ids(&first.items), all[..20]);
    assert_eq!(first.next, Some(all[19]));
    let second = store.feed(Scope::Everyone, &Reach::Public, first.next, 20).await.unwrap();
    assert_eq!(ids(&second.items), all[20..]);
    assert_eq!(second.next, None);
}

pub(in crate::store) async fn a_page_continues_where_the_last_one_ended_whatever_is_shared_meanwhile(store: Given) {
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "members", 30).await;
    let reach = reach(&ann, &[]);
    let first = store.feed(Scope::Everyone, &reach, None, 20).await.unwrap();
    shared_many(&store, &ann, "members", 25).await;
    store.delete(all[19], at(9)).await.unwrap();
    let second = store.feed(Scope::Everyone, &reach, first.next, 20).await.unwrap();
    assert_eq!(ids(&second.items), all[20..]);
}

pub(in crate::store) async fn a_page_of_nothing_has_no_next(store: Given) {
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 2).await;
    let none = store.feed(Scope::Everyone, &Reach::Public, None, 0).await.unwrap();
    assert!(none.items.is_empty() && none.next.is_none());
    let past = store.feed(Scope::Everyone, &Reach::Public, Some(all[1]), 20).await.unwrap();
    assert!(past.items.is_empty() && past.next.is_none());
}

pub(in crate::store) async fn a_page_is_full_though_most_of_what_is_stored_is_out_of_reach(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut seen = Vec::new();
    for _ in 0..25 {
        seen.insert(0, shared(&store, &ann, "public").await.id);
        for visibility in ["members", "group:friends", "private", "private"] {
            shared(&store, &bob, visibility).await;
        }
    }
    let page = store.feed(Scope::Everyone, &Reach::Public, None, 20).await.unwrap();
    assert_eq!(ids(&page.items), seen[..20]);
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await, seen);
}

pub(in crate::store) async fn a_deleted_thought_leaves_every_list_and_a_restored_one_is_back_in_its_place(
    store: Given,
) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let readers = [reach(&ann, &[]), reach(&bob, &["friends"])];
    let all = shared_many(&store, &ann, "group:friends", 3).await;
    store.delete(all[1], at(5)).await.unwrap();
    for reader in &readers {
        for scope in [Scope::Everyone, Scope::By(ann.id)] {
            assert_eq!(first_page(&store, scope, reader).await, [all[0], all[2]]);
        }
    }
    store.restore(all[1]).await.unwrap();
    for reader in &readers {
        for scope in [Scope::Everyone, Scope::By(ann.id)] {
            assert_eq!(first_page(&store, scope, reader).await, all);
        }
    }
}

pub(in crate::store) async fn a_thought_moves_between_lists_when_its_audience_changes(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let id = shared(&store, &ann, "private").await.id;
    let readers = [Reach::Public, reach(&bob, &[]), reach(&bob, &["friends"]), reach(&ann, &[])];
    let steps = [
        ("public", [true, true, true, true]),
        ("group:friends", [false, false, true, true]),
        ("members", [false, true, true, true]),
        ("group:others", [false, false, false, true]),
        ("private", [false, false, false, true]),
        ("public", [true, true, true, true]),
    ];
    for (visibility, expected) in steps {
        store.edit(id, &change("hm", visibility), at(5)).await.unwrap();
        for (reader, seen) in readers.iter().zip(expected) {
            for scope in [Scope::Everyone, Scope::By(ann.id)] {
                let page = first_page(&store, scope, reader).await;
                assert_eq!(page == [id], seen, "{visibility} for {reader:?} in {scope:?}");
                assert_eq!(page.is_empty(), !seen, "{visibility} for {reader:?} in {scope:?}");
            }
        }
    }
}

pub(in crate::store) async fn a_members_list_holds_that_members_thoughts_alone(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let (mut by_ann, mut by_bob) = (Vec::new(), Vec::new());
    for visibility in VISIBILITIES {
        by_ann.insert(0, shared(&store, &ann, visibility).await.id);
        by_bob.insert(0, shared(&store, &bob, visibility).await.id);
    }
    let reader = reach(&ann, &["friends"]);
    assert_eq!(all_pages(&store, Scope::By(ann.id), &reader, 3).await, by_ann);
    assert_eq!(all_pages(&store, Scope::By(bob.id), &reader, 3).await, by_bob[1..]);
}

pub(in crate::store) async fn an_author_is_called_what_they_are_called_now(store: Given) {
    let ann = member(&store, "ann").await;
    shared(&store, &ann, "public").await;
    store.admit(&identity("ann"), &profile("Ann Smith"), &ann.handle, new_member_id(), at(9)).await.unwrap();
    let page = store.feed(Scope::Everyone, &Reach::Public, None, 20).await.unwrap();
    assert_eq!(page.items[0].author.name, "Ann Smith");
}
