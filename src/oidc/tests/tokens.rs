//! The claims of the ID token, the token response, and userinfo.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fake::{CLIENT_ID, SUB};
use super::{Settings, Stage, right_response};
use crate::oidc::{Credential, SignInError, Whose};

#[tokio::test]
async fn another_iss_is_refused() {
    assert_eq!(Stage::with_claims(json!({"iss": "https://evil.example"})).await.refusal().await, "id_token_iss");
}

#[tokio::test]
async fn another_aud_is_refused() {
    assert_eq!(Stage::with_claims(json!({"aud": "another-app"})).await.refusal().await, "id_token_aud");
}

#[tokio::test]
async fn no_aud_is_refused() {
    assert_eq!(Stage::with_claims(json!({"aud": null})).await.refusal().await, "id_token_aud");
}

#[tokio::test]
async fn several_audiences_without_azp_are_refused() {
    let stage = Stage::with_claims(json!({"aud": [CLIENT_ID, "another-app"]})).await;
    assert_eq!(stage.refusal().await, "id_token_azp");
}

#[tokio::test]
async fn several_audiences_with_the_azp_of_another_are_refused() {
    let stage = Stage::with_claims(json!({"aud": [CLIENT_ID, "another-app"], "azp": "another-app"})).await;
    assert_eq!(stage.refusal().await, "id_token_azp");
}

#[tokio::test]
async fn several_audiences_with_our_azp_sign_in() {
    let stage = Stage::with_claims(json!({"aud": [CLIENT_ID, "another-app"], "azp": CLIENT_ID})).await;
    assert!(stage.sign_in().await.is_ok());
}

#[tokio::test]
async fn a_claim_that_is_missing_is_named() {
    for claim in ["iss", "sub", "exp", "iat", "nonce"] {
        let error = Stage::with_claims(json!({claim: null})).await.sign_in().await.unwrap_err();
        assert_eq!(error, SignInError::IdTokenClaimMissing { claim });
    }
}

#[tokio::test]
async fn an_empty_sub_is_refused() {
    assert_eq!(Stage::with_claims(json!({"sub": ""})).await.refusal().await, "id_token_claim_missing");
}

#[tokio::test]
async fn another_nonce_is_refused() {
    assert_eq!(Stage::with_claims(json!({"nonce": "of-another-sign-in"})).await.refusal().await, "id_token_nonce");
}

async fn issued(iat: i64, exp: i64) -> Result<(), &'static str> {
    let stage = Stage::new().await;
    let now = stage.clock.now().as_second();
    stage.change(|script| {
        script.claims.insert("iat".to_owned(), json!(now + iat));
        script.claims.insert("exp".to_owned(), json!(now + exp));
    });
    stage.sign_in().await.map(drop).map_err(|error| error.cause())
}

#[tokio::test]
async fn a_token_that_expired_within_the_leeway_signs_in() {
    assert_eq!(issued(-300, -60).await, Ok(()));
}

#[tokio::test]
async fn a_token_that_expired_beyond_the_leeway_is_refused() {
    assert_eq!(issued(-300, -61).await, Err("id_token_expired"));
}

#[tokio::test]
async fn a_token_from_a_clock_a_little_ahead_signs_in() {
    assert_eq!(issued(60, 300).await, Ok(()));
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    assert_eq!(issued(61, 300).await, Err("id_token_iat"));
}

#[tokio::test]
async fn the_providers_date_explains_a_clock_that_is_wrong() {
    let stage = Stage::new().await;
    let at_the_provider = stage.clock.now().as_second();
    stage.change(|script| {
        script.claims.insert("exp".to_owned(), json!(at_the_provider + 60));
    });
    stage.clock.advance(Duration::from_secs(1000));
    let error = stage.sign_in().await.unwrap_err();
    assert!(error.to_string().contains("behind ours"), "{error}");
    assert_eq!(error.whose(), Whose::Site);
}

#[tokio::test]
async fn an_at_hash_of_another_access_token_is_refused() {
    assert_eq!(Stage::with_claims(json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})).await.refusal().await, "at_hash");
}

#[tokio::test]
async fn the_at_hash_of_the_access_token_signs_in() {
    // The left half of SHA-256("access-token-1").
    let digest = <sha2::Sha256 as sha2::Digest>::digest("access-token-1");
    let at_hash = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &digest[..16]);
    assert!(Stage::with_claims(json!({"at_hash": at_hash})).await.sign_in().await.is_ok());
}

async fn with_token(changes: Value) -> Stage {
    Stage::with(|_, script| script.token = changes.as_object().unwrap().clone()).await
}

#[tokio::test]
async fn token_type_in_any_case_and_no_expires_in_sign_in() {
    let stage = with_token(json!({"token_type": "bEARER", "expires_in": null, "refresh_token": null})).await;
    let five_minutes = SignedDuration::from_mins(5);
    assert_eq!(stage.sign_in().await.unwrap().tokens.expires_at, stage.clock.now() + five_minutes, "as is assumed");
}

#[tokio::test]
async fn a_token_that_is_no_bearer_token_is_refused() {
    assert_eq!(with_token(json!({"token_type": "DPoP"})).await.refusal().await, "token_type");
}

#[tokio::test]
async fn a_response_without_id_token_is_refused() {
    assert_eq!(with_token(json!({"id_token": null})).await.refusal().await, "id_token_missing");
}

#[tokio::test]
async fn a_response_without_access_token_is_refused() {
    assert_eq!(with_token(json!({"access_token": null})).await.refusal().await, "provider_nonsense");
}

#[tokio::test]
async fn an_access_token_that_no_header_can_carry_is_refused() {
    assert_eq!(with_token(json!({"access_token": "a\nb"})).await.refusal().await, "provider_nonsense");
}

async fn with_answer(path: &str, status: u16, content_type: &str, body: &str) -> Stage {
    Stage::with(|_, script| script.answer(path, status, content_type, body)).await
}

#[tokio::test]
async fn a_code_that_is_refused_is_told_by_its_error_without_the_providers_words() {
    let body = r#"{"error": "invalid_client", "error_description": "secret words"}"#;
    let error = with_answer("/token", 401, "application/json", body).await.sign_in().await.unwrap_err();
    assert_eq!(error, SignInError::CodeRefused { error: "invalid_client".to_owned() });
    assert_eq!(error.whose(), Whose::Site);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_told_by_its_status() {
    let error = with_answer("/token", 500, "text/html", "<h1>Oops</h1>").await.sign_in().await.unwrap_err();
    assert!(error.to_string().ends_with("/token answered 500, not 200"), "{error}");
}

#[tokio::test]
async fn a_token_endpoint_that_answers_with_a_page_is_refused() {
    assert_eq!(with_answer("/token", 200, "text/html", "<h1>Hi</h1>").await.refusal().await, "provider_nonsense");
    assert_eq!(with_answer("/token", 400, "text/html", "<h1>Hi</h1>").await.refusal().await, "provider_nonsense");
}

#[tokio::test]
async fn a_token_endpoint_that_redirects_is_not_followed() {
    let stage = with_answer("/token", 307, "text/plain", "").await;
    assert_eq!(stage.refusal().await, "provider_status");
    assert_eq!(stage.count("/elsewhere"), 0);
}

#[tokio::test]
async fn a_token_endpoint_without_an_end_is_refused() {
    let body = " ".repeat(10_000_000);
    assert_eq!(with_answer("/token", 200, "application/json", &body).await.refusal().await, "provider_too_large");
}

#[tokio::test]
async fn a_token_endpoint_that_never_answers_is_given_up() {
    let stage = Stage::within(Duration::from_millis(300), |_, script| script.silent = Some("/token")).await;
    assert_eq!(stage.refusal().await, "provider_slow");
}

/// The `Authorization` header and the body that the token endpoint saw.
async fn redeemed(change: impl FnOnce(&mut Settings), methods: Value) -> (String, String) {
    let stage = Stage::with(|settings, script| {
        change(settings);
        script.metadata.insert("token_endpoint_auth_methods_supported".to_owned(), methods);
    })
    .await;
    stage.sign_in().await.unwrap();
    let script = stage.fake.script.lock().unwrap();
    let (_, authorization, body) = script.seen.iter().find(|(path, _, _)| path == "/token").unwrap();
    (authorization.clone(), body.clone())
}

#[tokio::test]
async fn the_secret_is_sent_as_client_secret_basic() {
    let (authorization, body) = redeemed(|_| {}, Value::Null).await;
    assert!(authorization.starts_with("Basic ") && !body.contains("client_secret"));
    assert!(body.contains("code_verifier="));
}

#[tokio::test]
async fn the_secret_is_sent_as_client_secret_post_where_that_alone_is_offered() {
    let (authorization, body) = redeemed(|_| {}, json!(["client_secret_post"])).await;
    assert!(authorization.is_empty() && body.contains("client_secret=a%3Asecret"));
}

#[tokio::test]
async fn a_public_client_has_pkce_alone() {
    let (authorization, body) = redeemed(|settings| settings.credential = Credential::None, json!(["none"])).await;
    assert!(authorization.is_empty() && !body.contains("client_secret"));
    assert!(body.contains("client_id=thoughts") && body.contains("code_verifier="));
}

#[tokio::test]
async fn a_userinfo_of_somebody_else_is_refused() {
    let stage = Stage::with(|_, script| {
        script.userinfo.insert("sub".to_owned(), json!("somebody-else"));
    })
    .await;
    assert_eq!(stage.refusal().await, "userinfo_sub");
}

#[tokio::test]
async fn a_userinfo_that_is_not_json_is_refused() {
    assert_eq!(with_answer("/userinfo", 200, "text/html", "<p>Hi</p>").await.refusal().await, "provider_nonsense");
    assert_eq!(with_answer("/userinfo", 200, "application/json", "{").await.refusal().await, "provider_nonsense");
}

#[tokio::test]
async fn a_userinfo_endpoint_that_fails_leaves_the_claims_of_the_id_token() {
    for status in [401, 500] {
        let stage = with_answer("/userinfo", status, "text/plain", "Oops").await;
        let signed_in = stage.sign_in().await.unwrap();
        assert_eq!((signed_in.sub.as_str(), &signed_in.claims["name"]), (SUB, &json!("Ada")));
    }
}

#[tokio::test]
async fn booleans_and_times_in_strings_as_cognito_and_auth0_send_them_sign_in() {
    let claims = json!({"email_verified": "true", "updated_at": "2026-01-01T00:00:00Z"});
    let signed_in = Stage::with_claims(claims).await.sign_in().await.unwrap();
    assert_eq!(signed_in.claims["email_verified"], true);
}

/// What a sign-in comes to that asks for one of the last minute, where the provider says this of the last one.
async fn asked_for_a_recent_one(auth_time: Value) -> Result<(), &'static str> {
    let stage = Stage::with_claims(json!({ "auth_time": auth_time })).await;
    let (url, attempt) = stage.provider.begin(Some(60)).await.unwrap();
    assert!(url.query_pairs().any(|pair| pair == ("max_age".into(), "60".into())), "{url}");
    stage.fake.authorize(&url);
    let answer = stage.provider.finish(&attempt, &right_response(&attempt), &mut Vec::new()).await;
    answer.map(drop).map_err(|error| error.cause())
}

#[tokio::test]
async fn a_recent_sign_in_that_was_asked_for_must_be_one() {
    let now = crate::clock::Clock::manual().now().as_second();
    assert_eq!(asked_for_a_recent_one(json!(now - 59)).await, Ok(()));
    assert_eq!(asked_for_a_recent_one(json!(now - 121)).await, Err("auth_time_too_old"));
    assert_eq!(asked_for_a_recent_one(Value::Null).await, Err("auth_time_missing"));
}

#[tokio::test]
async fn an_ordinary_sign_in_asks_for_no_age_and_needs_none() {
    let stage = Stage::with_claims(json!({ "auth_time": null })).await;
    let (url, _) = stage.provider.begin(None).await.unwrap();
    assert!(url.query_pairs().all(|(name, _)| name != "max_age"), "{url}");
    assert_eq!(stage.sign_in().await.unwrap().auth_time, None);
}
