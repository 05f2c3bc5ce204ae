//! Discovery, a provider that is down, and signing out.

use std::time::Duration;

use serde_json::json;

use super::Stage;
use crate::oidc::{ProviderError, SignInError, Status};

const METADATA: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn an_issuer_that_differs_by_a_slash_is_refused_and_both_are_named() {
    let stage = Stage::with(|settings, _| settings.issuer += "/").await;
    let error = stage.provider.begin(None).await.unwrap_err();
    let found = stage.fake.issuer.clone();
    let expected = format!("the provider calls itself {found}, you configured {found}/: they differ by a final slash");
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.cause(), "provider_issuer_mismatch");
}

#[tokio::test]
async fn nothing_is_asked_before_somebody_signs_in() {
    let stage = Stage::new().await;
    assert_eq!(stage.provider.status(), Status::Unasked);
    assert_eq!(stage.provider.form_action()[..], stage.fake.issuer);
    assert_eq!(stage.count(METADATA), 0);
}

#[tokio::test]
async fn metadata_are_fetched_once_an_hour() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        stage.provider.discover().await.unwrap();
    }
    assert_eq!(stage.count(METADATA), 1);
    stage.clock.advance(Duration::from_hours(1));
    stage.provider.discover().await.unwrap();
    assert_eq!(stage.count(METADATA), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_is_tried_again_after_a_while_and_comes_back_by_itself() {
    let stage = Stage::with(|_, script| script.answer(METADATA, 503, "text/plain", "")).await;
    let since = stage.clock.now();
    for _ in 0..3 {
        assert!(matches!(stage.begin().await, Err(SignInError::Provider(ProviderError::Status { status: 503, .. }))));
    }
    assert_eq!(stage.count(METADATA), 1, "it is left in peace");

    stage.clock.advance(Duration::from_secs(5));
    stage.begin().await.unwrap_err();
    assert!(matches!(stage.provider.status(), Status::Down { since: then, .. } if then == since));

    stage.change(|script| script.instead.clear());
    stage.clock.advance(Duration::from_secs(5));
    stage.sign_in().await.unwrap();
    assert_eq!(stage.provider.status(), Status::Up);
}

#[tokio::test]
async fn a_provider_that_goes_away_during_a_sign_in_is_down_until_it_is_asked_again() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("token_endpoint".to_owned(), json!("http://127.0.0.1:1/token"));
    })
    .await;
    assert_eq!(stage.refusal().await, "provider_unreachable");
    assert!(matches!(stage.provider.status(), Status::Down { .. }));
    stage.provider.discover().await.unwrap();
    assert_eq!(stage.provider.status(), Status::Up);
}

#[tokio::test]
async fn an_endpoint_that_is_no_web_address_is_refused() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("end_session_endpoint".to_owned(), json!("javascript:alert(1)"));
    })
    .await;
    assert_eq!(stage.provider.discover().await.unwrap_err().cause(), "provider_nonsense");
}

#[tokio::test]
async fn metadata_without_a_token_endpoint_are_refused_by_its_name() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("token_endpoint".to_owned(), json!(null));
    })
    .await;
    let error = stage.provider.discover().await.unwrap_err();
    assert!(error.to_string().contains("token_endpoint is missing"), "{error}");
}

#[tokio::test]
async fn form_action_has_the_origins_that_the_metadata_name() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("end_session_endpoint".to_owned(), json!("https://logout.example/end?x=1"));
    })
    .await;
    stage.provider.discover().await.unwrap();
    assert_eq!(stage.provider.form_action()[..], format!("{} https://logout.example", stage.fake.issuer));
}

#[tokio::test]
async fn signing_out_goes_to_the_end_session_endpoint_with_everything_it_asks_for() {
    let stage = Stage::new().await;
    let tokens = stage.sign_in().await.unwrap().tokens;
    let url = stage.provider.end_session_url(Some(&tokens.id_token), "state-1").await.unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().collect();
    assert_eq!(url.path(), "/logout");
    assert_eq!(query["id_token_hint"], tokens.id_token);
    assert_eq!(query["client_id"], "thoughts");
    assert_eq!(query["post_logout_redirect_uri"], "http://localhost:3000/signed-out");
    assert_eq!(query["state"], "state-1");
}

#[tokio::test]
async fn a_provider_without_end_session_endpoint_cannot_sign_out() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("end_session_endpoint".to_owned(), json!(null));
    })
    .await;
    assert_eq!(stage.provider.end_session_url(None, "state-1").await, None);
}

#[tokio::test]
async fn a_refresh_token_is_revoked_on_loopback_too() {
    let stage = Stage::new().await;
    stage.provider.revoke("refresh-1").await;
    let script = stage.fake.script.lock().unwrap();
    let (_, authorization, body) = script.seen.iter().find(|(path, _, _)| path == "/revoke").unwrap();
    assert!(authorization.starts_with("Basic "));
    assert_eq!(body, "token=refresh-1&token_type_hint=refresh_token");
}

#[tokio::test]
async fn a_revocation_that_fails_is_not_fatal() {
    let stage = Stage::with(|_, script| script.answer("/revoke", 500, "text/plain", "")).await;
    stage.provider.revoke("refresh-1").await;
    assert_eq!(stage.count("/revoke"), 1);
}
