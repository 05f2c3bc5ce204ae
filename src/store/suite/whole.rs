//! What a store promises as a whole: writers beside writers, readers beside writers, opening and closing.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::support::{
    Given, all_pages, api_token, at, begun, change, identity, member, once, profile, reach, session, shared, thought,
};
use crate::domain::id::ThoughtId;
use crate::domain::policy::Reach;
use crate::domain::session::End;
use crate::store::{Scope, Shared, StoreError};

const WRITERS: usize = 32;

pub(in crate::store) async fn thirty_two_writers_at_once_lose_nothing_and_the_lists_agree(store: Given) {
    let mut tasks = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            let me = member(&store, &format!("writer{writer}")).await;
            let mut kept = Vec::new();
            for visibility in ["public", "members", "group:friends", "private"] {
                kept.push(shared(&store, &me, visibility).await);
                let gone = shared(&store, &me, visibility).await;
                assert!(store.delete(gone.id, at(5)).await.unwrap());
            }
            let moved = store.edit(kept[3].id, &change("now for all", "public"), at(6)).await.unwrap().unwrap();
            kept[3] = moved;
            (me, kept)
        });
    }
    let written = tasks.join_all().await;
    let all: Vec<_> = written.iter().flat_map(|(_, kept)| kept.iter().cloned()).collect();
    assert_eq!(all.iter().map(|thought| thought.id).collect::<BTreeSet<_>>().len(), WRITERS * 4);
    for (me, kept) in &written {
        for thought in kept {
            let found = store.thought(thought.id, &reach(me, &[])).await.unwrap();
            assert_eq!(*found.unwrap().thought, *thought);
        }
        for reach in [Reach::Public, reach(me, &[]), reach(&written[0].0, &["friends"])] {
            for scope in [Scope::Everyone, Scope::By(me.id)] {
                let expected: BTreeSet<ThoughtId> = all
                    .iter()
                    .filter(|t| {
                        (scope == Scope::Everyone || t.author == me.id) && reach.admits(t.author, &t.visibility)
                    })
                    .map(|t| t.id)
                    .collect();
                let newest_first: Vec<_> = expected.into_iter().rev().collect();
                assert_eq!(all_pages(&store, scope, &reach, 20).await, newest_first);
            }
        }
    }
}

pub(in crate::store) async fn readers_beside_a_writer_see_nothing_half_done(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let ids = super::support::shared_many(&store, &ann, "public", 40).await;
    let writer = tokio::spawn({
        let (store, ids) = (store.clone(), ids.clone());
        async move {
            for id in ids.iter().step_by(2) {
                store.edit(*id, &change("secret", "private"), at(5)).await.unwrap();
                store.edit(*id, &change("not secret", "public"), at(6)).await.unwrap();
                store.delete(*id, at(7)).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let page = store.feed(Scope::Everyone, &reach(&bob, &[]), None, 15).await.unwrap();
        assert_eq!(page.items.len(), 15);
        assert!(page.items.is_sorted_by(|newer, older| newer.thought.id > older.thought.id));
        assert!(page.items.iter().all(|item| item.thought.message.as_str() != "secret"));
    }
    writer.await.unwrap();
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 15).await.len(), 20);
}

pub(in crate::store) async fn the_same_once_value_sent_at_once_stores_one_thought(store: Given) {
    let ann = member(&store, "ann").await;
    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, thought) = (store.clone(), thought(&ann, "hm", "public"));
        tasks.spawn(async move { (thought.id, store.share(&thought, Some(&once("a"))).await.unwrap()) });
    }
    let answers = tasks.join_all().await;
    let stored: Vec<_> = answers.iter().filter(|(_, shared)| *shared == Shared::Now).map(|(id, _)| *id).collect();
    assert_eq!(stored.len(), 1);
    assert!(answers.iter().all(|(_, shared)| [Shared::Now, Shared::Already(stored[0])].contains(shared)));
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await, stored);
}

pub(in crate::store) async fn an_open_store_answers(store: Given) {
    store.ping().await.unwrap();
}

pub(in crate::store) async fn a_store_says_how_much_room_it_takes(store: Given) {
    let ann = member(&store, "ann").await;
    shared(&store, &ann, "public").await;
    assert!(store.bytes().await.unwrap() > 0);
}

pub(in crate::store) async fn a_closed_store_refuses_everything_and_closes_again(store: Given) {
    let ann = member(&store, "ann").await;
    let kept = shared(&store, &ann, "public").await;
    let session = begun(&store, &ann, 1).await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    let (id, hash, reach, token) = (kept.id, session.hash, reach(&ann, &[]), api_token(&ann));
    let refused = [
        store.ping().await.err(),
        store.bytes().await.err(),
        store.share(&thought(&ann, "late", "public"), None).await.err(),
        store.thought(id, &reach).await.err(),
        store.feed(Scope::Everyone, &reach, None, 20).await.err(),
        store.edit(id, &change("late", "public"), at(9)).await.err(),
        store.revisions(id).await.err(),
        store.delete(id, at(9)).await.err(),
        store.deleted(id).await.err(),
        store.restore(id).await.err(),
        store.trash(&reach, None, 20).await.err(),
        store.purge_deleted(at(9), 1).await.err(),
        store.purge_once(at(9), 1).await.err(),
        store.admit(&identity("bob"), &profile("Bob"), &ann.handle, ann.id, at(9)).await.err(),
        store.member(ann.id).await.err(),
        store.member_by_handle(&ann.handle).await.err(),
        store.members(None, 20).await.err(),
        store.begin_session(&session, at(9), None).await.err(),
        store.session(hash).await.err(),
        store.touch_session(hash, at(9)).await.err(),
        store.end_session(hash, End::SignedOut, at(9)).await.err(),
        store.sessions_of(ann.id).await.err(),
        store.end_sessions_of(ann.id, None, End::ByAdmin, at(9)).await.err(),
        store.purge_sessions(at(9), 1).await.err(),
        store.create_api_token(&token, None).await.err(),
        store.api_token(token.hash).await.err(),
        store.touch_api_token(token.hash, at(9)).await.err(),
        store.api_tokens_of(ann.id).await.err(),
        store.revoke_api_token(ann.id, token.id).await.err(),
        store.delete_member(ann.id).await.err(),
        store.purge_members(1).await.err(),
    ];
    for (method, error) in refused.iter().enumerate() {
        assert!(matches!(error, Some(StoreError::Closed)), "{method}: {error:?}");
    }
}

pub(in crate::store) async fn what_was_asked_before_closing_is_answered(store: Given) {
    let ann = member(&store, "ann").await;
    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, session) = (store.clone(), session(&ann, 1));
        tasks.spawn(async move { store.begin_session(&session, at(9), None).await });
    }
    let first = tasks.join_next().await.unwrap().unwrap();
    assert!(first.is_ok());
    store.close().await.unwrap();
    for answer in tasks.join_all().await {
        assert!(matches!(answer, Ok(None) | Err(StoreError::Closed)), "{answer:?}");
    }
}
