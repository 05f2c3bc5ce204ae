//! What a store promises of the identities that a member signs in with.

use super::support::{Given, at, begun, identity, member, new_member_id, profile, session};
use crate::domain::member::{Handle, Identity, Linked, Member, Stays};
use crate::domain::session::{End, Ended, Session};
use crate::store::Unlinked;

/// An identity at a second issuer.
fn elsewhere(sub: &str) -> Identity {
    Identity { iss: "https://other.example".to_owned(), sub: sub.to_owned() }
}

async fn signs_in(store: &Given, identity: &Identity) -> Member {
    let handle = Handle::suggest("somebody");
    store.admit(identity, &profile("Somebody"), &handle, new_member_id(), at(9)).await.unwrap()
}

/// Ann, with an identity at either issuer.
async fn ann_of_two(store: &Given) -> Member {
    let ann = member(store, "ann").await;
    assert_eq!(store.link(ann.id, &elsewhere("a")).await.unwrap(), Some(Linked::Now));
    store.member(ann.id).await.unwrap().unwrap()
}

/// A session begun with that identity, stored.
async fn begun_with(store: &Given, member: &Member, identity: Identity) -> Session {
    let session = Session { iss: identity.iss, sub: identity.sub, ..session(member, 1) };
    store.begin_session(&session, at(1_000_000), None).await.unwrap();
    session
}

pub(in crate::store) async fn a_linked_identity_signs_the_same_member_in(store: Given) {
    let ann = member(&store, "ann").await;
    let two = ann_of_two(&store).await;
    assert_eq!(two, Member { identities: vec![identity("ann"), elsewhere("a")], ..ann.clone() });
    assert_eq!(signs_in(&store, &elsewhere("a")).await.id, ann.id);
    assert_eq!(signs_in(&store, &identity("ann")).await.id, ann.id);
    assert_eq!(store.link(ann.id, &elsewhere("a")).await.unwrap(), Some(Linked::Already));
    assert_eq!(store.link(new_member_id(), &elsewhere("b")).await.unwrap(), None);
}

pub(in crate::store) async fn an_identity_of_anothers_is_not_linked(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, signs_in(&store, &elsewhere("b")).await);
    assert_eq!(store.link(ann.id, &elsewhere("b")).await.unwrap(), Some(Linked::ToAnother));
    assert_eq!(store.member(ann.id).await.unwrap(), Some(ann));
    assert_eq!(signs_in(&store, &elsewhere("b")).await.id, bob.id);
}

pub(in crate::store) async fn one_identity_at_an_issuer_is_enough(store: Given) {
    let ann = member(&store, "ann").await;
    assert_eq!(store.link(ann.id, &identity("another")).await.unwrap(), Some(Linked::OneThere));
    assert_eq!(store.member(ann.id).await.unwrap(), Some(ann));
}

pub(in crate::store) async fn an_identity_linked_at_once_by_two_is_one_members(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let shared = elsewhere("x");
    let (one, other) = tokio::join!(store.link(ann.id, &shared), store.link(bob.id, &shared));
    let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
    let whose = if one == Linked::Now { ann.id } else { bob.id };
    assert!(matches!((one, other), (Linked::Now, Linked::ToAnother) | (Linked::ToAnother, Linked::Now)));
    assert_eq!(signs_in(&store, &shared).await.id, whose);
}

pub(in crate::store) async fn an_identity_that_was_unlinked_is_nobodys(store: Given) {
    let ann = ann_of_two(&store).await;
    assert_eq!(store.unlink(ann.id, &elsewhere("b"), at(7)).await.unwrap(), Some(Unlinked::Not(Stays::NotTheirs)));
    assert_eq!(store.unlink(ann.id, &elsewhere("a"), at(7)).await.unwrap(), Some(Unlinked::Now { ended: vec![] }));
    assert_eq!(store.unlink(ann.id, &elsewhere("a"), at(7)).await.unwrap(), Some(Unlinked::Not(Stays::NotTheirs)));
    assert_eq!(store.unlink(new_member_id(), &elsewhere("a"), at(7)).await.unwrap(), None);
    assert_ne!(signs_in(&store, &elsewhere("a")).await.id, ann.id);
    assert_eq!(signs_in(&store, &identity("ann")).await.id, ann.id);
}

pub(in crate::store) async fn unlinking_ends_the_sessions_begun_with_it_and_no_other(store: Given) {
    let ann = ann_of_two(&store).await;
    let other = begun(&store, &ann, 1).await;
    let with_it = begun_with(&store, &ann, elsewhere("a")).await;
    let same_sub = begun_with(&store, &ann, identity("a")).await;
    let same_issuer = begun_with(&store, &member(&store, "bob").await, elsewhere("b")).await;
    assert_eq!(
        store.unlink(ann.id, &elsewhere("a"), at(7)).await.unwrap(),
        Some(Unlinked::Now { ended: vec![with_it.clone()] })
    );
    assert_eq!(store.session(with_it.hash).await.unwrap(), None);
    let ended = Ended { member: ann.id, why: End::Elsewhere, at: at(7) };
    assert_eq!(store.ended_session(with_it.hash).await.unwrap(), Some(ended));
    for alive in [other, same_sub, same_issuer] {
        assert_eq!(store.session(alive.hash).await.unwrap(), Some(alive));
    }
}

pub(in crate::store) async fn the_last_identity_stays(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun_with(&store, &ann, identity("ann")).await;
    assert_eq!(store.unlink(ann.id, &identity("ann"), at(7)).await.unwrap(), Some(Unlinked::Not(Stays::Last)));
    assert_eq!(store.session(session.hash).await.unwrap(), Some(session));
    assert_eq!(signs_in(&store, &identity("ann")).await.id, ann.id);
}

pub(in crate::store) async fn two_that_are_unlinked_at_once_leave_one(store: Given) {
    let ann = ann_of_two(&store).await;
    let (one, other) = (identity("ann"), elsewhere("a"));
    let (one, other) = tokio::join!(store.unlink(ann.id, &one, at(7)), store.unlink(ann.id, &other, at(7)));
    let outcomes = [one.unwrap().unwrap(), other.unwrap().unwrap()];
    assert!(
        outcomes.contains(&Unlinked::Now { ended: vec![] }) && outcomes.contains(&Unlinked::Not(Stays::Last)),
        "{outcomes:?}"
    );
    assert_eq!(store.member(ann.id).await.unwrap().unwrap().identities.len(), 1);
}
