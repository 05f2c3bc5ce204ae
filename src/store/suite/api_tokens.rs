//! What a store promises of API tokens.

use super::support::{Given, api_token, at, member, once, shared, thought};
use crate::domain::api_token::ApiToken;
use crate::domain::member::Member;
use crate::store::{Created, Shared};

async fn created(store: &Given, member: &Member) -> ApiToken {
    let token = api_token(member);
    assert_eq!(store.create_api_token(&token, None).await.unwrap(), Created::Now);
    token
}

pub(in crate::store) async fn a_token_comes_back_as_it_was_made(store: Given) {
    let ann = member(&store, "ann").await;
    let token = ApiToken { expires_at: Some(at(100)), ..api_token(&ann) };
    assert_eq!(store.api_token(token.hash).await.unwrap(), None);
    store.create_api_token(&token, Some(&once("a"))).await.unwrap();
    assert_eq!(store.api_token(token.hash).await.unwrap(), Some(token));
}

pub(in crate::store) async fn a_members_tokens_stand_latest_first_and_are_theirs_alone(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let (first, other, second) =
        (created(&store, &ann).await, created(&store, &bob).await, created(&store, &ann).await);
    assert_eq!(store.api_tokens_of(ann.id).await.unwrap(), [second, first]);
    assert_eq!(store.api_tokens_of(bob.id).await.unwrap(), [other]);
}

pub(in crate::store) async fn a_use_notes_the_latest_and_never_an_earlier_one(store: Given) {
    let ann = member(&store, "ann").await;
    let token = created(&store, &ann).await;
    for (used, noted) in [(60, 60), (30, 60), (90, 90)] {
        assert!(store.touch_api_token(token.hash, at(used)).await.unwrap());
        let expected = ApiToken { last_used_at: Some(at(noted)), ..token.clone() };
        assert_eq!(store.api_token(token.hash).await.unwrap(), Some(expected.clone()));
        assert_eq!(store.api_tokens_of(ann.id).await.unwrap(), [expected]);
    }
}

pub(in crate::store) async fn a_revoked_token_is_given_once_and_no_use_brings_it_back(store: Given) {
    let ann = member(&store, "ann").await;
    let (token, kept) = (created(&store, &ann).await, created(&store, &ann).await);
    assert_eq!(store.revoke_api_token(ann.id, token.id).await.unwrap(), Some(token.clone()));
    assert_eq!(store.revoke_api_token(ann.id, token.id).await.unwrap(), None);
    assert!(!store.touch_api_token(token.hash, at(9)).await.unwrap());
    assert_eq!(store.api_token(token.hash).await.unwrap(), None);
    assert_eq!(store.api_tokens_of(ann.id).await.unwrap(), [kept]);
}

pub(in crate::store) async fn nobody_revokes_anothers_token(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let token = created(&store, &ann).await;
    assert_eq!(store.revoke_api_token(bob.id, token.id).await.unwrap(), None);
    assert_eq!(store.api_token(token.hash).await.unwrap(), Some(token));
}

pub(in crate::store) async fn the_same_once_value_makes_one_token_though_it_was_revoked(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let (first, again) = (api_token(&ann), api_token(&ann));
    assert_eq!(store.create_api_token(&first, Some(&once("a"))).await.unwrap(), Created::Now);
    assert_eq!(store.create_api_token(&again, Some(&once("a"))).await.unwrap(), Created::Already);
    store.revoke_api_token(ann.id, first.id).await.unwrap();
    assert_eq!(store.create_api_token(&again, Some(&once("a"))).await.unwrap(), Created::Already);
    assert_eq!(store.create_api_token(&api_token(&bob), Some(&once("a"))).await.unwrap(), Created::Now);
    assert!(store.api_tokens_of(ann.id).await.unwrap().is_empty());
}

pub(in crate::store) async fn a_once_value_of_a_thought_is_another_than_that_of_a_token(store: Given) {
    let ann = member(&store, "ann").await;
    assert_eq!(store.create_api_token(&api_token(&ann), Some(&once("a"))).await.unwrap(), Created::Now);
    assert_eq!(store.share(&thought(&ann, "hm", "public"), Some(&once("a"))).await.unwrap(), Shared::Now);
    assert_eq!(store.purge_once(at(1000), 9).await.unwrap(), 2);
    assert_eq!(store.create_api_token(&api_token(&ann), Some(&once("a"))).await.unwrap(), Created::Now);
    shared(&store, &ann, "public").await;
}

pub(in crate::store) async fn a_member_has_so_many_tokens_and_no_more(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    for _ in 0..ApiToken::AT_MOST {
        created(&store, &ann).await;
    }
    let one_more = api_token(&ann);
    assert_eq!(store.create_api_token(&one_more, Some(&once("a"))).await.unwrap(), Created::TooMany);
    assert_eq!(store.api_token(one_more.hash).await.unwrap(), None);
    created(&store, &bob).await;
    let oldest = store.api_tokens_of(ann.id).await.unwrap().pop().unwrap();
    store.revoke_api_token(ann.id, oldest.id).await.unwrap();
    // That there was no room has not used the value up.
    assert_eq!(store.create_api_token(&one_more, Some(&once("a"))).await.unwrap(), Created::Now);
}

pub(in crate::store) async fn tokens_made_at_once_are_no_more_than_a_member_may_have(store: Given) {
    let ann = member(&store, "ann").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..ApiToken::AT_MOST + 10 {
        let (store, token) = (store.clone(), api_token(&ann));
        tasks.spawn(async move { store.create_api_token(&token, None).await.unwrap() });
    }
    let made = tasks.join_all().await.into_iter().filter(|created| *created == Created::Now).count();
    assert_eq!((made, store.api_tokens_of(ann.id).await.unwrap().len()), (ApiToken::AT_MOST, ApiToken::AT_MOST));
}
