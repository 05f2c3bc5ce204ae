//! What a store promises of members.

use std::collections::BTreeSet;

use super::support::{Given, at, identity, member, new_member_id, profile};
use crate::domain::member::{Handle, Identity, Member, Profile};

pub(in crate::store) async fn a_first_sign_in_makes_a_member(store: Given) {
    let id = new_member_id();
    let profile = Profile {
        name: "Ann Smith".to_owned(),
        preferred_handle: "ann".to_owned(),
        email: Some("ann@example.org".to_owned()),
        groups: ["friends", "staff"].iter().map(|name| name.parse().unwrap()).collect(),
        admin: true,
    };
    let handle = Handle::suggest("ann");
    let ann = store.admit(&identity("1"), &profile, &handle, id, at(5)).await.unwrap();
    assert_eq!(ann, Member::new(id, identity("1"), handle.clone(), profile, at(5)));
    assert_eq!(store.member(id).await.unwrap(), Some(ann.clone()));
    assert_eq!(store.member_by_handle(&handle).await.unwrap(), Some(ann));
}

pub(in crate::store) async fn the_next_sign_in_brings_the_member_up_to_date_and_leaves_the_handle(store: Given) {
    let ann = member(&store, "ann").await;
    let said = Profile { email: Some("ann@example.org".to_owned()), admin: true, ..profile("Ann Miller") };
    let again = store.admit(&identity("ann"), &said, &Handle::suggest("miller"), new_member_id(), at(9)).await.unwrap();
    let expected = Member { name: "Ann Miller".to_owned(), email: said.email, admin: true, ..ann.clone() };
    assert_eq!(again, expected);
    assert_eq!(store.member(ann.id).await.unwrap(), Some(again));
    assert_eq!(store.member_by_handle(&Handle::suggest("miller")).await.unwrap(), None);
}

pub(in crate::store) async fn what_a_provider_says_later_changes_a_member_and_makes_none(store: Given) {
    let ann = member(&store, "ann").await;
    let said =
        Profile { groups: ["staff"].iter().map(|name| name.parse().unwrap()).collect(), ..profile("Ann Miller") };
    let now = store.update_member(ann.id, &said).await.unwrap();
    let expected = Member { name: "Ann Miller".to_owned(), groups: said.groups.clone(), ..ann.clone() };
    assert_eq!(now.as_ref(), Some(&expected));
    assert_eq!(store.member(ann.id).await.unwrap(), now);
    let nobody = new_member_id();
    assert_eq!(store.update_member(nobody, &said).await.unwrap(), None);
    assert_eq!(store.member(nobody).await.unwrap(), None);
}

pub(in crate::store) async fn issuer_and_subject_together_say_who_it_is(store: Given) {
    let handle = Handle::suggest("ann");
    let mut ids = BTreeSet::new();
    for (iss, sub) in
        [("https://a.example", "1"), ("https://b.example", "1"), ("https://a.example", "2"), ("https://a.exampl", "e1")]
    {
        let identity = Identity { iss: iss.to_owned(), sub: sub.to_owned() };
        let first = store.admit(&identity, &profile("Ann"), &handle, new_member_id(), at(1)).await.unwrap();
        let again = store.admit(&identity, &profile("Ann"), &handle, new_member_id(), at(2)).await.unwrap();
        assert_eq!(first, again);
        ids.insert(first.id);
    }
    assert_eq!(ids.len(), 4);
}

pub(in crate::store) async fn a_taken_handle_gets_the_first_free_number(store: Given) {
    let mut handles = Vec::new();
    for sub in 0..4 {
        // The second asks for the spelling that the third would get.
        let wish = Handle::suggest(if sub == 1 { "ann3" } else { "ann" });
        let member =
            store.admit(&identity(&sub.to_string()), &profile("Ann"), &wish, new_member_id(), at(1)).await.unwrap();
        assert_eq!(store.member_by_handle(&member.handle).await.unwrap(), Some(member.clone()));
        handles.push(member.handle.to_string());
    }
    assert_eq!(handles, ["ann", "ann3", "ann2", "ann4"]);
}

pub(in crate::store) async fn who_never_signed_in_is_nobody(store: Given) {
    assert_eq!(store.member(new_member_id()).await.unwrap(), None);
    assert_eq!(store.member_by_handle(&Handle::suggest("nobody")).await.unwrap(), None);
}

pub(in crate::store) async fn two_sign_ins_at_once_make_one_member(store: Given) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move { member(&store, "ann").await });
    }
    let members = tasks.join_all().await;
    assert!(members.iter().all(|member| *member == members[0]));
    assert_eq!(store.member_by_handle(&Handle::suggest("ann").numbered(2)).await.unwrap(), None);
}

pub(in crate::store) async fn members_who_come_at_once_have_handles_of_their_own(store: Given) {
    let mut tasks = tokio::task::JoinSet::new();
    for sub in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            let (who, handle) = (identity(&sub.to_string()), Handle::suggest("ann"));
            store.admit(&who, &profile("Ann"), &handle, new_member_id(), at(1)).await.unwrap().handle
        });
    }
    let handles: BTreeSet<Handle> = tasks.join_all().await.into_iter().collect();
    assert_eq!(handles, (1..=16).map(|n| Handle::suggest("ann").numbered(n)).collect());
}

pub(in crate::store) async fn members_are_listed_newest_first_a_page_at_a_time(store: Given) {
    let mut all = Vec::new();
    for name in ["ann", "bob", "eve", "joe", "zoe"] {
        all.insert(0, member(&store, name).await);
    }
    member(&store, "ann").await;
    for size in 1..=6 {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.members(before, size).await.unwrap();
            assert!(page.items.len() <= size);
            found.extend(page.items);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, all, "{size} a page");
    }
    assert_eq!(store.members(Some(all[4].id), 20).await.unwrap().items, []);
    let none = store.members(None, 0).await.unwrap();
    assert!(none.items.is_empty() && none.next.is_none());
}

pub(in crate::store) async fn who_was_deleted_is_listed_no_more(store: Given) {
    let (ann, bob, eve) = (member(&store, "ann").await, member(&store, "bob").await, member(&store, "eve").await);
    store.delete_member(bob.id).await.unwrap();
    assert_eq!(store.members(None, 20).await.unwrap().items, [eve, ann.clone()]);
    assert_eq!(store.members(Some(bob.id), 20).await.unwrap().items, [ann]);
}
