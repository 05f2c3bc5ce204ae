//! What is promised of copying everything.

use super::support::{
    Given, all_pages, api_token, at, begun, change, identity, member, once, reach, shared, shared_many, thought,
};
use crate::domain::policy::Reach;
use crate::domain::session::{End, ProviderLogout};
use crate::domain::unsent::{Unsent, UnsentId};
use crate::store::Scope;
use crate::store::copying::{Filling, Kind, Record, Snapshot};

async fn all(mut snapshot: Box<dyn Snapshot>) -> Vec<Record> {
    let mut all = Vec::new();
    loop {
        let records = snapshot.next(3).await.unwrap();
        assert!(records.len() <= 3);
        if records.is_empty() {
            return all;
        }
        all.extend(records);
    }
}

/// Something of every kind.
async fn everything(store: &Given) {
    let (ann, bob) = (member(store, "ann").await, member(store, "bob").await);
    store
        .link(ann.id, &crate::domain::member::Identity { iss: "https://other.example".into(), sub: "a".into() })
        .await
        .unwrap();
    let kept = shared(store, &ann, "group:friends").await;
    store.edit(kept.id, &change("edited", "members"), at(5)).await.unwrap();
    let gone = shared(store, &ann, "public").await;
    store.delete(gone.id, at(6)).await.unwrap();
    store.share(&thought(&ann, "once", "private"), Some(&once("a"))).await.unwrap();
    store.create_api_token(&api_token(&ann), Some(&once("b"))).await.unwrap();
    begun(store, &ann, 1).await;
    let over = begun(store, &ann, 2).await;
    store.end_session(over.hash, End::ByAdmin, at(8)).await.unwrap();
    let logout = ProviderLogout { iss: identity("").iss, sub: Some("nobody".into()), sid: None, jti: "1".into() };
    store.end_sessions_at_provider(&logout, at(7), at(1000)).await.unwrap();
    store.keep_unsent(UnsentId::new([7; 16]), &Unsent { member: ann.id, sealed: vec![1, 2], at: at(7) }).await.unwrap();
    store.delete_member(bob.id).await.unwrap();
}

fn so_far(records: u64) -> Filling {
    Filling { from: "a test".to_owned(), records }
}

pub(in crate::store) async fn a_snapshot_has_records_of_every_kind_in_their_order(store: Given) {
    everything(&store).await;
    let records = all(store.snapshot(&Kind::ALL).await.unwrap()).await;
    let kinds: Vec<_> = records.iter().map(Record::kind).collect();
    assert!(kinds.is_sorted());
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    let thoughts: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Thought(thought) = record { Some(thought.id) } else { None })
        .collect();
    assert!(thoughts.len() == 3 && thoughts.is_sorted());
}

pub(in crate::store) async fn a_snapshot_is_of_one_moment_whatever_is_written_meanwhile(store: Given) {
    everything(&store).await;
    let ann = member(&store, "ann").await;
    let ids = shared_many(&store, &ann, "public", 20).await;
    let expected = all(store.snapshot(&Kind::ALL).await.unwrap()).await;
    let mut snapshot = store.snapshot(&Kind::ALL).await.unwrap();
    let mut read = snapshot.next(1).await.unwrap();
    store.edit(ids[3], &change("later", "private"), at(8)).await.unwrap();
    store.delete(ids[4], at(8)).await.unwrap();
    store.purge_deleted(at(9), 100).await.unwrap();
    store.end_sessions_of(ann.id, None, End::ByAdmin, at(9)).await.unwrap();
    while store.purge_members(100).await.unwrap() {}
    shared(&store, &member(&store, "cay").await, "public").await;
    read.extend(all(snapshot).await);
    assert_eq!(read, expected);
    assert_ne!(all(store.snapshot(&Kind::ALL).await.unwrap()).await, expected);
}

pub(in crate::store) async fn a_snapshot_of_some_kinds_has_no_others(store: Given) {
    everything(&store).await;
    let records = all(store.snapshot(&Kind::LASTING).await.unwrap()).await;
    assert!(records.iter().all(|record| Kind::LASTING.contains(&record.kind())));
}

pub(in crate::store) async fn what_was_put_back_is_found_as_it_was(store: Given) {
    everything(&store).await;
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let sessions = store.sessions_of(ann.id).await.unwrap();
    let listed = all_pages(&store, Scope::Everyone, &reach(&ann, &[]), 20).await;
    let records = all(store.snapshot(&Kind::ALL).await.unwrap()).await;
    // Everything of hers goes, and comes back over what is left.
    store.delete_member(ann.id).await.unwrap();
    while store.purge_members(100).await.unwrap() {}
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await, []);
    let many = records.len() as u64;
    store.fill(records.clone(), &so_far(many)).await.unwrap();
    store.filled().await.unwrap();
    assert_eq!(all(store.snapshot(&Kind::ALL).await.unwrap()).await, records);
    assert_eq!(store.member_by_handle(&ann.handle).await.unwrap().unwrap().identities, ann.identities);
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), sessions);
    assert_eq!(all_pages(&store, Scope::Everyone, &reach(&ann, &[]), 20).await, listed);
    assert_eq!(store.api_tokens_of(ann.id).await.unwrap().len(), 1);
    let again = store.share(&thought(&ann, "again", "public"), Some(&once("a"))).await.unwrap();
    assert!(matches!(again, crate::store::Shared::Already(_)));
    assert_eq!(store.purge_deleted(at(7), 9).await.unwrap(), 1);
    assert_eq!(store.purge_sessions(at(2_000_000), 9).await.unwrap(), 2);
    assert_eq!(store.purge_logouts(at(1001), 9).await.unwrap(), 1);
    assert_eq!(store.purge_unsent(at(8), 9).await.unwrap(), 1);
    drop(bob);
}

pub(in crate::store) async fn what_is_put_takes_the_place_of_what_is_there(store: Given) {
    let ann = member(&store, "ann").await;
    let was = shared(&store, &ann, "public").await;
    let moved = crate::domain::thought::Thought { visibility: "private".parse().unwrap(), version: 1, ..was };
    store.fill(vec![Record::Thought(moved.clone())], &so_far(1)).await.unwrap();
    assert_eq!(all_pages(&store, Scope::Everyone, &Reach::Public, 20).await, []);
    assert_eq!(all_pages(&store, Scope::Everyone, &reach(&ann, &[]), 20).await, [moved.id]);
}

pub(in crate::store) async fn a_fill_is_known_until_it_is_done(store: Given) {
    assert_eq!(store.filling().await.unwrap(), None);
    store.fill(Vec::new(), &so_far(0)).await.unwrap();
    store.fill(Vec::new(), &so_far(7)).await.unwrap();
    assert_eq!(store.filling().await.unwrap(), Some(so_far(7)));
    store.filled().await.unwrap();
    assert_eq!(store.filling().await.unwrap(), None);
}

pub(in crate::store) async fn whoever_follows_changes_serves_it(store: Given) {
    assert_eq!(store.served_by().await.unwrap(), 0);
    if let Some(following) = store.follow().await.unwrap() {
        assert_eq!(store.served_by().await.unwrap(), 1);
        drop(following);
    }
}
