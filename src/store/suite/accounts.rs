//! What a store promises where a member is deleted.

use super::support::{
    Given, all_pages, api_token, at, begun, change, identity, member, new_member_id, once, profile, reach, session,
    shared, shared_many, thought,
};
use crate::domain::api_token::ApiToken;
use crate::domain::member::Member;
use crate::domain::policy::Reach;
use crate::domain::session::Session;
use crate::domain::thought::Thought;
use crate::domain::unsent::{Unsent, UnsentId};
use crate::store::{Created, Scope, Shared};

/// Everything that a member can have: thoughts for everyone, one of them edited and one deleted; a session, an API
/// token, a text that waits, and a `once` value.
struct Everything {
    of: Member,
    edited: Thought,
    trashed: Thought,
    token: ApiToken,
    session: Session,
    text: UnsentId,
}

async fn everything(store: &Given, name: &str) -> Everything {
    let of = member(store, name).await;
    for visibility in ["public", "members", "group:friends", "private"] {
        shared(store, &of, visibility).await;
    }
    let (edited, trashed) = (thought(&of, "first", "public"), shared(store, &of, "public").await);
    store.share(&edited, Some(&once("a"))).await.unwrap();
    store.edit(edited.id, &change("second", "members"), at(2)).await.unwrap();
    store.delete(trashed.id, at(3)).await.unwrap();
    let (token, session) = (api_token(&of), begun(store, &of, 1).await);
    store.create_api_token(&token, Some(&once("a"))).await.unwrap();
    let text = UnsentId::new(of.id.to_bytes());
    store.keep_unsent(text, &Unsent { member: of.id, sealed: vec![1], at: at(4) }).await.unwrap();
    Everything { of, edited, trashed, token, session, text }
}

async fn purge(store: &Given, limit: usize) {
    for _ in 0..1000 {
        if !store.purge_members(limit).await.unwrap() {
            return;
        }
    }
    unreachable!("it never ends")
}

/// What everyone finds of a member, by whatever way there is.
async fn found(store: &Given, of: &Everything) -> Vec<&'static str> {
    let Everything { of, edited, trashed, token, session, .. } = of;
    let everyone = [Reach::Public, reach(of, &["friends"])];
    let mut found = Vec::new();
    for reach in &everyone {
        for scope in [Scope::Everyone, Scope::By(of.id)] {
            let page = store.feed(scope, reach, None, 1000).await.unwrap();
            found.extend(page.items.iter().filter(|item| item.author.id == of.id).map(|_| "a thought in a list"));
        }
        found.extend(store.thought(edited.id, reach).await.unwrap().map(|_| "a thought"));
    }
    found.extend(store.deleted(trashed.id).await.unwrap().map(|_| "a deleted thought"));
    found.extend(store.member(of.id).await.unwrap().map(|_| "the member"));
    found.extend(store.member_by_handle(&of.handle).await.unwrap().map(|_| "the handle"));
    found.extend(store.session(session.hash).await.unwrap().map(|_| "a session"));
    found.extend(store.ended_session(session.hash).await.unwrap().map(|_| "whose session it was"));
    found.extend(store.sessions_of(of.id).await.unwrap().iter().map(|_| "a session of theirs"));
    found.extend(store.api_token(token.hash).await.unwrap().map(|_| "a token"));
    found.extend(store.api_tokens_of(of.id).await.unwrap().iter().map(|_| "a token of theirs"));
    found
}

pub(in crate::store) async fn nothing_of_a_deleted_member_is_found_from_then_on(store: Given) {
    let ann = everything(&store, "ann").await;
    assert!(found(&store, &ann).await.len() > 10);
    assert_eq!(store.delete_member(ann.of.id).await.unwrap(), Some(vec![ann.session.clone()]));
    assert_eq!(found(&store, &ann).await, [""; 0]);
    purge(&store, 2).await;
    assert_eq!(found(&store, &ann).await, [""; 0]);
    assert!(store.revisions(ann.edited.id).await.unwrap().is_empty());
    assert_eq!(store.unsent(ann.text).await.unwrap(), None);
}

pub(in crate::store) async fn another_members_things_stay_as_they_are(store: Given) {
    let (ann, bob) = (everything(&store, "ann").await, everything(&store, "bob").await);
    let before = (found(&store, &bob).await, all_pages(&store, Scope::By(bob.of.id), &reach(&bob.of, &[]), 20).await);
    store.delete_member(ann.of.id).await.unwrap();
    purge(&store, 1).await;
    let after = (found(&store, &bob).await, all_pages(&store, Scope::By(bob.of.id), &reach(&bob.of, &[]), 20).await);
    assert_eq!(before, after);
    assert_eq!(store.revisions(bob.edited.id).await.unwrap().len(), 1);
    assert!(store.unsent(bob.text).await.unwrap().is_some());
    assert!(store.restore(bob.trashed.id).await.unwrap());
    let again = thought(&bob.of, "again", "public");
    assert_eq!(store.share(&again, Some(&once("a"))).await.unwrap(), Shared::Already(bob.edited.id));
}

pub(in crate::store) async fn whoever_signs_in_again_is_somebody_new_and_the_handle_is_free_when_all_is_purged(
    store: Given,
) {
    let ann = everything(&store, "ann").await;
    store.delete_member(ann.of.id).await.unwrap();
    let again = store.admit(&identity("ann"), &profile("Ann"), &ann.of.handle, new_member_id(), at(9)).await.unwrap();
    assert_ne!(again.id, ann.of.id);
    assert_eq!(again.handle, ann.of.handle.numbered(2));
    purge(&store, 3).await;
    let eve = store.admit(&identity("eve"), &profile("Eve"), &ann.of.handle, new_member_id(), at(9)).await.unwrap();
    assert_eq!(eve.handle, ann.of.handle);
    assert!(all_pages(&store, Scope::By(eve.id), &reach(&eve, &[]), 20).await.is_empty());
    assert_eq!(store.member(again.id).await.unwrap(), Some(again));
}

pub(in crate::store) async fn a_member_is_deleted_once_and_who_is_nobody_never(store: Given) {
    let ann = member(&store, "ann").await;
    assert_eq!(store.delete_member(ann.id).await.unwrap(), Some(Vec::new()));
    assert_eq!(store.delete_member(ann.id).await.unwrap(), None);
    assert_eq!(store.delete_member(new_member_id()).await.unwrap(), None);
    purge(&store, 1).await;
    assert_eq!(store.delete_member(ann.id).await.unwrap(), None);
    assert!(!store.purge_members(1).await.unwrap());
}

pub(in crate::store) async fn what_was_under_way_when_a_member_went_leaves_nothing(store: Given) {
    let ann = everything(&store, "ann").await;
    store.delete_member(ann.of.id).await.unwrap();
    let late = thought(&ann.of, "late", "public");
    assert_eq!(store.share(&late, None).await.unwrap(), Shared::NoAuthor);
    assert!(!store.restore(ann.trashed.id).await.unwrap());
    assert_eq!(store.create_api_token(&api_token(&ann.of), None).await.unwrap(), Created::NoMember);
    assert!(!store.touch_session(ann.session.hash, at(9)).await.unwrap());
    assert!(!store.touch_api_token(ann.token.hash, at(9)).await.unwrap());
    let session = session(&ann.of, 9);
    store.begin_session(&session, at(1000), None).await.unwrap();
    purge(&store, 100).await;
    assert_eq!(found(&store, &ann).await, [""; 0]);
    assert_eq!(store.session(session.hash).await.unwrap(), None);
}

pub(in crate::store) async fn many_leave_at_once_and_all_is_purged_in_small_steps(store: Given) {
    let mut gone = Vec::new();
    for name in ["ann", "bob", "eve"] {
        let all = everything(&store, name).await;
        shared_many(&store, &all.of, "public", 10).await;
        gone.push(all);
    }
    let stays = everything(&store, "zoe").await;
    for all in &gone {
        assert!(store.delete_member(all.of.id).await.unwrap().is_some());
    }
    purge(&store, 3).await;
    for all in &gone {
        assert_eq!(found(&store, all).await, [""; 0]);
    }
    // Nothing is in the trash any more but what is of who stays.
    assert_eq!(store.purge_deleted(at(1000), 100).await.unwrap(), 1);
    assert!(found(&store, &stays).await.len() > 10);
}
