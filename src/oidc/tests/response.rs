//! What the browser brings back: refused before the code is redeemed.

use serde_json::json;

use super::{AuthorizationResponse, Stage, right_response};
use crate::oidc::{Attempt, SignInError, Whose};

/// The cause for which the response is refused, and whether the code was redeemed all the same.
async fn refused(stage: &Stage, response: impl FnOnce(&Attempt) -> AuthorizationResponse) -> (&'static str, bool) {
    let attempt = stage.begin().await.unwrap();
    let error = stage.provider.finish(&attempt, &response(&attempt), &mut Vec::new()).await.unwrap_err();
    (error.cause(), stage.count("/token") > 0)
}

#[tokio::test]
async fn a_state_of_another_attempt_is_refused_before_the_code_is_redeemed() {
    let stage = Stage::new().await;
    let other = stage.begin().await.unwrap();
    assert_eq!(refused(&stage, |_| right_response(&other)).await, ("state_mismatch", false));
}

#[tokio::test]
async fn an_issuer_that_is_not_the_provider_is_refused_before_the_code_is_redeemed() {
    let stage = Stage::new().await;
    let response = |attempt: &Attempt| AuthorizationResponse {
        iss: Some("https://evil.example".to_owned()),
        ..right_response(attempt)
    };
    assert_eq!(refused(&stage, response).await, ("response_iss_mismatch", false));
}

#[tokio::test]
async fn an_issuer_that_was_promised_and_is_missing_is_refused_before_the_code_is_redeemed() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("authorization_response_iss_parameter_supported".to_owned(), json!(true));
    })
    .await;
    assert_eq!(refused(&stage, right_response).await, ("response_iss_missing", false));
}

#[tokio::test]
async fn the_right_issuer_in_the_response_signs_in() {
    let stage = Stage::new().await;
    let attempt = stage.begin().await.unwrap();
    let response = AuthorizationResponse { iss: Some(stage.fake.issuer.clone()), ..right_response(&attempt) };
    assert!(stage.provider.finish(&attempt, &response, &mut Vec::new()).await.is_ok());
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_told_by_its_code() {
    let stage = Stage::new().await;
    let attempt = stage.begin().await.unwrap();
    let response =
        AuthorizationResponse { error: Some("access_denied".to_owned()), code: None, ..right_response(&attempt) };
    let error = stage.provider.finish(&attempt, &response, &mut Vec::new()).await.unwrap_err();
    assert_eq!(error, SignInError::Refused { error: "access_denied".to_owned() });
    assert_eq!(error.whose(), Whose::Person);
}
