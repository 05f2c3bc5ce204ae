//! Faults, as far as they are more than a row of the table in `twist.rs`.

use std::pin::pin;

use reqwest::StatusCode;
use serde_json::Value;

use super::relying_party::{CLIENT, RelyingParty};
use crate::demo::Fault;

#[tokio::test]
async fn openidconnect_refuses_each_id_token_that_is_wrong() {
    let mut rp = RelyingParty::new().await;
    for fault in [
        Fault::IdTokenWrongIss,
        Fault::IdTokenNoSub,
        Fault::IdTokenWrongAud,
        Fault::IdTokenNoAud,
        Fault::IdTokenExtraAud,
        Fault::IdTokenExtraAudNoAzp,
        Fault::IdTokenExtraAudOtherAzp,
        Fault::IdTokenNoIat,
        Fault::IdTokenExpired,
        Fault::IdTokenNoExp,
        Fault::IdTokenWrongNonce,
        Fault::IdTokenNoNonce,
        Fault::IdTokenAlgNone,
        Fault::IdTokenAlgHs256,
        Fault::IdTokenAlgRs512,
        Fault::IdTokenNoAlg,
        Fault::IdTokenBadSignature,
        Fault::IdTokenWrongTyp,
    ] {
        rp.provider.faults().on(fault);
        let tokens = rp.tokens("Ada").await;
        assert!(rp.verify(tokens["id_token"].as_str().unwrap()).await.is_err(), "{fault}");
        rp.provider.faults().off(fault);
    }
}

#[tokio::test]
async fn openidconnect_accepts_what_is_merely_odd() {
    let mut rp = RelyingParty::new().await;
    for fault in [
        Fault::IdTokenAudArray,
        Fault::IdTokenNoKid,
        Fault::IdTokenNoPersonalClaims,
        Fault::TokenTypeOddCase,
        Fault::TokenNoExpiresIn,
        Fault::JwksSeveralKeys,
    ] {
        rp.provider.faults().on(fault);
        let tokens = rp.tokens("Ada").await;
        let verified = rp.verify(tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(verified, Ok("ada".to_owned()), "{fault}");
        rp.provider.faults().off(fault);
    }
}

#[tokio::test]
async fn a_rotated_key_signs_and_is_published_beside_the_one_before_it() {
    let mut rp = RelyingParty::new().await;
    let before = rp.tokens("Ada").await;
    rp.provider.faults().on(Fault::KeysRotateBeforeSigning);
    let after = rp.tokens("Ada").await;
    for tokens in [before, after] {
        assert_eq!(rp.verify(tokens["id_token"].as_str().unwrap()).await, Ok("ada".to_owned()));
    }
    assert_eq!(rp.json("/jwks").await["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_set_that_moved_is_where_the_metadata_say() {
    let rp = RelyingParty::new().await;
    rp.provider.faults().on(Fault::JwksMoved);
    let metadata = rp.json("/.well-known/openid-configuration").await;
    assert_eq!(metadata["jwks_uri"], rp.url("/jwks/moved"));
    assert!(rp.json("/jwks/moved").await["keys"].is_array());
    assert_eq!(rp.get("/jwks", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_secret_can_be_taken_in_one_way_alone() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    let posted = super::with_secret(&code);
    rp.provider.faults().on(Fault::ClientSecretPostAlone);
    assert_eq!(super::error_of(rp.redeem(&code).await).await.1, "invalid_client");
    rp.provider.faults().clear();
    rp.provider.faults().on(Fault::ClientSecretBasicAlone);
    assert_eq!(super::error_of(rp.post("/token", None, &posted).await).await.1, "invalid_client");
    assert_eq!(rp.redeem(&code).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_slow_token_endpoint_answers_once_the_fault_is_off() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    rp.provider.faults().on(Fault::TokenSlow);
    let mut tokens = pin!(rp.redeem(&code));
    tokio::select! {
        answer = &mut tokens => panic!("answered while slow: {}", answer.status()),
        _ = rp.json("/jwks") => rp.provider.faults().off(Fault::TokenSlow),
    }
    assert_eq!(tokens.await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_huge_token_response_is_right_but_for_its_size() {
    let mut rp = RelyingParty::new().await;
    rp.provider.faults().on(Fault::TokenHuge);
    let tokens = rp.tokens("Ada").await;
    assert!(tokens["padding"].as_str().unwrap().len() >= 10_000_000);
    assert!(tokens["id_token"].is_string());
}

#[tokio::test]
async fn an_error_in_place_of_the_code_comes_with_the_provider_s_own_words() {
    let mut rp = RelyingParty::new().await;
    rp.provider.faults().on(Fault::ErrorServerError);
    let answer = rp.sign_in(CLIENT, "Ada").await;
    assert_eq!(answer["error"], "server_error");
    assert!(answer["error_description"].contains("The provider's own words"));
    assert!(!answer.contains_key("code"));
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_so_in_tokens_and_in_the_date_header() {
    let mut rp = RelyingParty::new().await;
    rp.provider.faults().on(Fault::ClockAhead);
    let iat = super::claims(&rp.tokens("Ada").await["id_token"])["iat"].as_i64();
    assert_eq!(iat, Some(1_800_000_300));
    assert_eq!(rp.get("/jwks", &[]).await.headers()["date"], "Fri, 15 Jan 2027 08:05:00 GMT");
}

#[tokio::test]
async fn an_unavailable_provider_refuses_everything_and_comes_back() {
    let rp = RelyingParty::new().await;
    rp.provider.faults().on(Fault::Unavailable);
    assert_eq!(rp.get("/jwks", &[]).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    rp.provider.faults().clear();
    assert_eq!(rp.get("/jwks", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn userinfo_can_be_of_somebody_else() {
    let mut rp = RelyingParty::new().await;
    let access_token = rp.tokens("Ada").await["access_token"].as_str().unwrap().to_owned();
    rp.provider.faults().on(Fault::UserinfoOtherSub);
    let userinfo: Value = rp.userinfo(&access_token).await.json().await.unwrap();
    assert_eq!(userinfo["sub"], "somebody-else");
}
