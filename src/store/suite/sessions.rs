//! What a store promises of sessions.

use super::support::{Given, at, begun, member, session};
use crate::domain::session::{End, Ended, ProviderLogout, Session};
use crate::store::SignedIn;

pub(in crate::store) async fn a_session_comes_back_as_it_was_begun(store: Given) {
    let ann = member(&store, "ann").await;
    let session = session(&ann, 5);
    assert_eq!(store.session(session.hash).await.unwrap(), None);
    store.begin_session(&session, at(1000), None).await.unwrap();
    assert_eq!(store.session(session.hash).await.unwrap(), Some(session));
}

pub(in crate::store) async fn whoever_is_signed_in_is_found_with_their_session(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 5).await;
    let SignedIn { session: found, member } = store.signed_in(session.hash).await.unwrap().unwrap();
    assert_eq!((&*found, &*member), (&session, &ann));
    store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap();
    assert_eq!(store.signed_in(session.hash).await.unwrap(), None);
}

pub(in crate::store) async fn many_who_ask_at_once_are_each_told_who_they_are(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut expected = Vec::new();
    for number in 0..100 {
        let session = begun(&store, if number % 2 == 0 { &ann } else { &bob }, number).await;
        if number % 5 == 0 {
            store.end_session(session.hash, End::SignedOut, at(200)).await.unwrap();
        }
        let found = (number % 5 != 0).then(|| (session.clone(), if number % 2 == 0 { &ann } else { &bob }.clone()));
        expected.push((session.hash, found));
    }
    // Each of them three times.
    let asked = expected.iter().cycle().take(300);
    let answers = futures_util::future::join_all(asked.map(|(hash, _)| store.signed_in(*hash))).await;
    let found =
        answers.into_iter().map(|answer| answer.unwrap().map(|it| ((*it.session).clone(), (*it.member).clone())));
    assert!(found.eq(expected.iter().cycle().take(300).map(|(_, found)| found.clone())));
}

pub(in crate::store) async fn a_session_that_replaces_another_ends_it(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let old = begun(&store, &ann, 1).await;
    let new = session(&bob, 2);
    assert_eq!(store.begin_session(&new, at(1000), Some(old.hash)).await.unwrap(), Some(old.clone()));
    assert_eq!(store.session(old.hash).await.unwrap(), None);
    assert!(store.sessions_of(ann.id).await.unwrap().is_empty());
    assert_eq!(store.sessions_of(bob.id).await.unwrap(), [new]);
    let newer = session(&bob, 3);
    assert_eq!(store.begin_session(&newer, at(1000), Some(old.hash)).await.unwrap(), None, "it has ended already");
    assert_eq!(store.session(newer.hash).await.unwrap(), Some(newer));
}

pub(in crate::store) async fn a_touch_notes_the_latest_use_and_never_an_earlier_one(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 1).await;
    for (touched, seen) in [(60, 60), (30, 60), (60, 60), (90, 90)] {
        assert!(store.touch_session(session.hash, at(touched)).await.unwrap());
        let expected = Session { last_seen_at: at(seen), ..session.clone() };
        assert_eq!(store.session(session.hash).await.unwrap(), Some(expected.clone()));
        assert_eq!(store.sessions_of(ann.id).await.unwrap(), [expected]);
    }
}

pub(in crate::store) async fn a_touch_never_brings_back_an_ended_session(store: Given) {
    let ann = member(&store, "ann").await;
    let [ended, replaced, swept, purged, never] = [1, 2, 3, 4, 5].map(|second| session(&ann, second));
    store.begin_session(&ended, at(1000), None).await.unwrap();
    store.begin_session(&replaced, at(1000), None).await.unwrap();
    store.end_session(ended.hash, End::SignedOut, at(7)).await.unwrap();
    store.begin_session(&swept, at(1000), Some(replaced.hash)).await.unwrap();
    store.end_sessions_of(ann.id, None, End::ByAdmin, at(7)).await.unwrap();
    store.begin_session(&purged, at(10), None).await.unwrap();
    store.purge_sessions(at(11), 9).await.unwrap();
    for session in [ended, replaced, swept, purged, never] {
        assert!(!store.touch_session(session.hash, at(20)).await.unwrap());
        assert_eq!(store.session(session.hash).await.unwrap(), None);
    }
    assert!(store.sessions_of(ann.id).await.unwrap().is_empty());
}

pub(in crate::store) async fn an_ended_session_is_given_once(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 1).await;
    assert_eq!(store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap(), Some(session.clone()));
    assert_eq!(store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap(), None);
    assert_eq!(store.session(session.hash).await.unwrap(), None);
}

pub(in crate::store) async fn a_members_sessions_stand_latest_first_and_are_theirs_alone(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let second = begun(&store, &ann, 2).await;
    let third = begun(&store, &ann, 3).await;
    begun(&store, &bob, 4).await;
    let first = begun(&store, &ann, 1).await;
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), [third, second, first]);
}

pub(in crate::store) async fn all_sessions_of_a_member_end_save_the_one_excepted(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let [first, kept, last] =
        [begun(&store, &ann, 1).await, begun(&store, &ann, 2).await, begun(&store, &ann, 3).await];
    let others = begun(&store, &bob, 4).await;
    let ended = store.end_sessions_of(ann.id, Some(kept.hash), End::Elsewhere, at(7)).await.unwrap();
    assert_eq!(by_begin(ended), [first, last]);
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(store.end_sessions_of(ann.id, None, End::ByAdmin, at(7)).await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(store.session(kept.hash).await.unwrap(), None);
    assert_eq!(store.end_sessions_of(ann.id, None, End::ByAdmin, at(7)).await.unwrap(), []);
    assert_eq!(store.sessions_of(bob.id).await.unwrap(), [others]);
}

pub(in crate::store) async fn a_session_that_is_not_the_members_excepts_nothing(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let own = begun(&store, &ann, 1).await;
    let others = begun(&store, &bob, 2).await;
    let ended = store.end_sessions_of(ann.id, Some(others.hash), End::Elsewhere, at(7)).await.unwrap();
    assert_eq!(ended, [own]);
    assert_eq!(store.session(others.hash).await.unwrap(), Some(others));
}

pub(in crate::store) async fn sessions_past_their_end_are_purged(store: Given) {
    let ann = member(&store, "ann").await;
    let (short, long) = (session(&ann, 1), session(&ann, 2));
    store.begin_session(&short, at(100), None).await.unwrap();
    store.begin_session(&long, at(200), None).await.unwrap();
    store.touch_session(short.hash, at(90)).await.unwrap();
    assert_eq!(store.purge_sessions(at(100), 9).await.unwrap(), 0);
    assert_eq!(store.purge_sessions(at(101), 9).await.unwrap(), 1);
    assert_eq!(store.session(short.hash).await.unwrap(), None);
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), std::slice::from_ref(&long));
    store.end_session(long.hash, End::SignedOut, at(7)).await.unwrap();
    assert_eq!(store.purge_sessions(at(1000), 9).await.unwrap(), 1);
    assert_eq!(store.purge_sessions(at(1000), 9).await.unwrap(), 0);
}

pub(in crate::store) async fn a_purge_goes_no_further_than_its_limit(store: Given) {
    let ann = member(&store, "ann").await;
    for second in 0..5 {
        store.begin_session(&session(&ann, second), at(10), None).await.unwrap();
    }
    assert_eq!(store.purge_sessions(at(11), 2).await.unwrap(), 2);
    assert_eq!(store.sessions_of(ann.id).await.unwrap().len(), 3);
    assert_eq!(store.purge_sessions(at(11), 9).await.unwrap(), 3);
}

pub(in crate::store) async fn a_touch_and_an_end_at_once_leave_no_session(store: Given) {
    let ann = member(&store, "ann").await;
    for round in 0..20 {
        let session = begun(&store, &ann, round).await;
        let touch = tokio::spawn({
            let store = store.clone();
            async move { store.touch_session(session.hash, at(500)).await.unwrap() }
        });
        assert!(store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap().is_some());
        touch.await.unwrap();
        assert_eq!(store.session(session.hash).await.unwrap(), None);
    }
    assert!(store.sessions_of(ann.id).await.unwrap().is_empty());
}

pub(in crate::store) async fn a_logout_by_sid_ends_the_sessions_begun_through_it_alone(store: Given) {
    let ann = member(&store, "ann").await;
    let through = |sid: &str, second| Session { sid: Some(sid.to_owned()), ..session(&ann, second) };
    let sessions = [through("one", 1), through("one", 2), through("two", 3)];
    for session in &sessions {
        store.begin_session(session, at(1000), None).await.unwrap();
    }
    let logout = ProviderLogout { sid: Some("one".into()), ..logout(&sessions[0], "a") };
    let ended = store.end_sessions_at_provider(&logout, at(7), at(1000)).await.unwrap().unwrap();
    assert_eq!(by_begin(ended), sessions[..2]);
    assert_eq!(store.sessions_of(ann.id).await.unwrap(), [sessions[2].clone()]);
    let others = ProviderLogout { sub: Some("another".into()), sid: Some("two".into()), jti: "b".into(), ..logout };
    assert_eq!(store.end_sessions_at_provider(&others, at(7), at(1000)).await.unwrap(), Some(vec![]));
}

pub(in crate::store) async fn a_logout_by_sub_ends_all_of_that_members_sessions_with_that_provider(store: Given) {
    let ann = member(&store, "ann").await;
    let bob = begun(&store, &member(&store, "bob").await, 1).await;
    let sessions = [begun(&store, &ann, 2).await, begun(&store, &ann, 3).await];
    let elsewhere = Session { iss: "https://other.example".into(), ..session(&ann, 4) };
    store.begin_session(&elsewhere, at(1000), None).await.unwrap();
    let known = ann.identities[0].clone();
    let logout = ProviderLogout { iss: known.iss.clone(), sub: Some(known.sub.clone()), sid: None, jti: "a".into() };
    let theirs: Vec<_> =
        sessions.into_iter().filter(|session| session.iss == known.iss && session.sub == known.sub).collect();
    let ended = store.end_sessions_at_provider(&logout, at(7), at(1000)).await.unwrap().unwrap();
    assert_eq!(by_begin(ended), theirs);
    for ended in theirs {
        assert_eq!(store.session(ended.hash).await.unwrap(), None);
    }
    assert_eq!(store.session(elsewhere.hash).await.unwrap(), Some(elsewhere));
    assert_eq!(store.session(bob.hash).await.unwrap(), Some(bob));
}

pub(in crate::store) async fn a_logout_counts_once_until_it_is_purged(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 1).await;
    let said = logout(&session, "a");
    assert_eq!(store.end_sessions_at_provider(&said, at(7), at(100)).await.unwrap(), Some(vec![session]));
    assert_eq!(store.end_sessions_at_provider(&said, at(7), at(100)).await.unwrap(), None);
    let elsewhere = ProviderLogout { iss: "https://other.example".into(), ..said.clone() };
    assert_eq!(store.end_sessions_at_provider(&elsewhere, at(7), at(200)).await.unwrap(), Some(vec![]));
    assert_eq!(store.purge_logouts(at(100), 9).await.unwrap(), 0);
    assert_eq!(store.purge_logouts(at(101), 9).await.unwrap(), 1);
    assert_eq!(store.end_sessions_at_provider(&said, at(7), at(100)).await.unwrap(), Some(vec![]));
}

pub(in crate::store) async fn whose_session_has_ended_is_known_until_it_would_have_ended_anyway(store: Given) {
    let ann = member(&store, "ann").await;
    let session = session(&ann, 1);
    store.begin_session(&session, at(100), None).await.unwrap();
    assert_eq!(store.ended_session(session.hash).await.unwrap(), None, "it has not ended");
    store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap();
    assert_eq!(store.purge_sessions(at(100), 9).await.unwrap(), 0);
    let ended = Ended { member: ann.id, why: End::SignedOut, at: at(7) };
    assert_eq!(store.ended_session(session.hash).await.unwrap(), Some(ended));
    assert_eq!(store.purge_sessions(at(101), 9).await.unwrap(), 1);
    assert_eq!(store.ended_session(session.hash).await.unwrap(), None);
}

pub(in crate::store) async fn whatever_ends_a_session_notes_why_and_when_and_the_first_counts(store: Given) {
    let ann = member(&store, "ann").await;
    let [replaced, swept, at_provider, new] = [1, 2, 3, 4].map(|second| session(&ann, second));
    let at_provider = Session { sid: Some("another".to_owned()), ..at_provider };
    for session in [&replaced, &at_provider] {
        store.begin_session(session, at(1000), None).await.unwrap();
    }
    store.begin_session(&new, at(1000), Some(replaced.hash)).await.unwrap();
    store.end_sessions_at_provider(&logout(&at_provider, "a"), at(5), at(1000)).await.unwrap();
    store.end_session(new.hash, End::NotAllowed, at(6)).await.unwrap();
    store.begin_session(&swept, at(1000), None).await.unwrap();
    store.end_sessions_of(ann.id, None, End::ByAdmin, at(7)).await.unwrap();
    for (session, why, second) in [
        (replaced, End::Replaced, 4),
        (at_provider, End::ByProvider, 5),
        (new, End::NotAllowed, 6),
        (swept, End::ByAdmin, 7),
    ] {
        assert_eq!(store.end_session(session.hash, End::Expired, at(8)).await.unwrap(), None);
        let ended = Ended { member: ann.id, why, at: at(second) };
        assert_eq!(store.ended_session(session.hash).await.unwrap(), Some(ended));
    }
}

pub(in crate::store) async fn the_turn_to_refresh_is_one_at_a_time_and_ends_by_itself(store: Given) {
    let ann = member(&store, "ann").await;
    let (session, other) = (begun(&store, &ann, 1).await, begun(&store, &ann, 2).await);
    assert!(store.begin_refresh(session.hash, at(10), at(20)).await.unwrap());
    assert!(!store.begin_refresh(session.hash, at(19), at(30)).await.unwrap(), "another has the turn");
    assert!(store.begin_refresh(other.hash, at(19), at(30)).await.unwrap(), "each session has its own");
    assert!(store.begin_refresh(session.hash, at(20), at(30)).await.unwrap(), "whoever had it is gone");
    assert!(store.end_refresh(session.hash, None).await.unwrap());
    assert!(store.begin_refresh(session.hash, at(21), at(31)).await.unwrap(), "it was given back");
    assert_eq!(store.session(session.hash).await.unwrap(), Some(session));
}

pub(in crate::store) async fn what_a_refresh_brings_is_kept_with_the_session(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 1).await;
    assert!(store.begin_refresh(session.hash, at(10), at(20)).await.unwrap());
    assert!(store.end_refresh(session.hash, Some(vec![1, 2, 3])).await.unwrap());
    assert!(store.touch_session(session.hash, at(60)).await.unwrap());
    let expected = Session { sealed: vec![1, 2, 3], last_seen_at: at(60), ..session };
    assert_eq!(store.session(expected.hash).await.unwrap(), Some(expected));
}

pub(in crate::store) async fn a_refresh_never_brings_back_an_ended_session(store: Given) {
    let ann = member(&store, "ann").await;
    let session = begun(&store, &ann, 1).await;
    assert!(store.begin_refresh(session.hash, at(10), at(20)).await.unwrap());
    store.end_session(session.hash, End::SignedOut, at(7)).await.unwrap();
    assert!(!store.end_refresh(session.hash, Some(vec![1])).await.unwrap());
    assert!(!store.begin_refresh(session.hash, at(30), at(40)).await.unwrap());
    assert_eq!(store.session(session.hash).await.unwrap(), None);
}

/// What the provider of this session says when it has ended there.
fn logout(session: &Session, jti: &str) -> ProviderLogout {
    ProviderLogout { iss: session.iss.clone(), sub: None, sid: session.sid.clone(), jti: jti.to_owned() }
}

/// These, the one that was begun first standing first.
fn by_begin(mut sessions: Vec<Session>) -> Vec<Session> {
    sessions.sort_by_key(|session| session.created_at);
    sessions
}
