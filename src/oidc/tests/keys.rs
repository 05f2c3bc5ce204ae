//! Signatures, algorithms, and keys that rotate.

use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::fake::Key;

async fn with_header(name: &str, value: Value) -> Stage {
    Stage::with(|_, script| {
        script.header.insert(name.to_owned(), value);
    })
    .await
}

#[tokio::test]
async fn a_bad_signature_is_refused() {
    let stage = Stage::with(|_, script| script.break_signature = true).await;
    assert_eq!(stage.refusal().await, "id_token_signature");
}

#[tokio::test]
async fn an_unsigned_token_is_refused_though_the_metadata_offer_it() {
    assert_eq!(with_header("alg", json!("none")).await.refusal().await, "id_token_unsigned");
}

#[tokio::test]
async fn a_token_signed_with_the_client_secret_is_refused_though_the_metadata_offer_it() {
    assert_eq!(with_header("alg", json!("HS256")).await.refusal().await, "id_token_alg");
}

#[tokio::test]
async fn a_token_with_an_algorithm_outside_the_list_is_refused() {
    assert_eq!(with_header("alg", json!("RS512")).await.refusal().await, "id_token_alg");
}

#[tokio::test]
async fn a_token_with_an_algorithm_that_nobody_knows_is_refused_by_its_name() {
    let error = with_header("alg", json!("XS1")).await.sign_in().await.unwrap_err();
    assert!(error.to_string().contains("alg is XS1"), "{error}");
}

#[tokio::test]
async fn ps256_signs_in_though_the_metadata_do_not_offer_it() {
    assert!(with_header("alg", json!("PS256")).await.sign_in().await.is_ok());
}

#[tokio::test]
async fn eddsa_signs_in() {
    let stage = Stage::with(|_, script| {
        script.header.insert("alg".to_owned(), json!("EdDSA"));
        script.signs = Key::Ed25519;
        script.publishes = vec![Key::First, Key::Ed25519];
    })
    .await;
    stage.sign_in().await.unwrap();
}

#[tokio::test]
async fn an_access_token_in_place_of_the_id_token_is_refused() {
    assert_eq!(with_header("typ", json!("at+jwt")).await.refusal().await, "id_token_typ");
}

#[tokio::test]
async fn a_token_without_kid_is_tried_with_each_key_that_fits() {
    let stage = with_header("kid", Value::Null).await;
    stage.change(|script| script.publishes = vec![Key::Ed25519, Key::Second, Key::First]);
    assert!(stage.sign_in().await.is_ok());
}

#[tokio::test]
async fn a_token_without_kid_that_no_key_verifies_is_refused() {
    let stage = with_header("kid", Value::Null).await;
    stage.change(|script| script.publishes = vec![Key::Second, Key::Ed25519]);
    assert_eq!(stage.refusal().await, "id_token_signature");
}

#[tokio::test]
async fn keys_rotated_just_before_signing_sign_in_right_after_discovery() {
    let stage = Stage::new().await;
    let attempt = stage.begin().await.unwrap();
    stage.change(|script| {
        script.signs = Key::Second;
        script.publishes = vec![Key::Second];
    });
    stage.provider.finish(&attempt, &super::right_response(&attempt), &mut Vec::new()).await.unwrap();
}

#[tokio::test]
async fn keys_rotated_between_two_sign_ins_sign_in() {
    let stage = Stage::new().await;
    stage.sign_in().await.unwrap();
    stage.change(|script| {
        script.signs = Key::Second;
        script.publishes = vec![Key::Second];
    });
    stage.sign_in().await.unwrap();
    assert_eq!(stage.count("/keys"), 2);
}

#[tokio::test]
async fn a_provider_that_signs_nonsense_is_asked_for_its_keys_once_in_thirty_seconds() {
    let stage = Stage::with(|_, script| script.break_signature = true).await;
    for _ in 0..3 {
        stage.refusal().await;
    }
    assert_eq!(stage.count("/keys"), 2, "discovery, and one more");
    stage.clock.advance(Duration::from_secs(30));
    stage.refusal().await;
    assert_eq!(stage.count("/keys"), 3);
}

#[tokio::test]
async fn ten_sign_ins_after_a_rotation_fetch_the_keys_once() {
    let stage = Stage::new().await;
    let attempt = stage.begin().await.unwrap();
    stage.change(|script| {
        script.signs = Key::Second;
        script.publishes = vec![Key::Second];
    });
    let response = super::right_response(&attempt);
    let finish = || async { stage.provider.finish(&attempt, &response, &mut Vec::new()).await };
    let all = (0..10).map(|_| finish());
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(stage.count("/keys"), 2);
}
