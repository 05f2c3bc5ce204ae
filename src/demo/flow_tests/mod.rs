//! The provider as a relying party sees it, over HTTP.

mod client_assertion;
mod misbehaviour;
mod relying_party;
mod sign_out;

use reqwest::{StatusCode, header};
use serde_json::Value;

use self::relying_party::{CALLBACK, CLIENT, PUBLIC_CLIENT, RelyingParty, SECRET, VERIFIER, callback, claims};

async fn error_of(response: reqwest::Response) -> (StatusCode, String) {
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn metadata_names_the_issuer_and_endpoints_below_it() {
    let rp = RelyingParty::new().await;
    let metadata = rp.json("/.well-known/openid-configuration").await;
    assert_eq!(metadata["issuer"], rp.provider.issuer());
    assert_eq!(metadata["token_endpoint"], rp.url("/token"));
    assert!(serde_json::from_value::<openidconnect::core::CoreProviderMetadata>(metadata).is_ok());
}

#[tokio::test]
async fn the_whole_code_flow_signs_somebody_in() {
    let mut rp = RelyingParty::new().await;
    let response = rp.sign_in(CLIENT, "Ada Lovelace").await;
    assert_eq!(response["state"], "a&b=<c>");
    assert_eq!(response["iss"], rp.provider.issuer());

    let tokens: Value = rp.redeem(&response["code"]).await.json().await.unwrap();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(rp.verify(tokens["id_token"].as_str().unwrap()).await, Ok("ada-lovelace".to_owned()));

    let userinfo: Value = rp.userinfo(tokens["access_token"].as_str().unwrap()).await.json().await.unwrap();
    assert_eq!(userinfo["sub"], "ada-lovelace");
    assert_eq!(userinfo["name"], "Ada Lovelace");
    assert_eq!(userinfo["email"], "ada-lovelace@demo.example");
    assert_eq!(userinfo["groups"], serde_json::json!(["staff"]));
}

#[tokio::test]
async fn every_token_given_out_is_listed() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    let issued = rp.provider.issued_tokens();
    for kind in ["access_token", "refresh_token", "id_token"] {
        assert!(issued.iter().any(|token| *token == tokens[kind]), "{kind}");
    }
}

#[tokio::test]
async fn a_code_is_good_for_one_use_and_its_reuse_ends_what_it_gave() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    let tokens: Value = rp.redeem(&code).await.json().await.unwrap();
    assert_eq!(error_of(rp.redeem(&code).await).await, (StatusCode::BAD_REQUEST, "invalid_grant".to_owned()));
    let userinfo = rp.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_lasts_60_seconds() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    rp.pass(60);
    assert_eq!(error_of(rp.redeem(&code).await).await.1, "invalid_grant");
}

#[tokio::test]
async fn a_code_needs_its_verifier() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    let other = VERIFIER.replace('d', "e");
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK), ("code_verifier", &other)];
    let response = rp.post("/token", Some((CLIENT, SECRET)), &form).await;
    assert_eq!(error_of(response).await.1, "invalid_grant");
}

/// What redeems a code with the client's secret in the form: `client_secret_post`.
fn with_secret(code: &str) -> [(&str, &str); 6] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ]
}

#[tokio::test]
async fn a_client_with_a_secret_may_post_it() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(CLIENT, "Ada").await["code"].clone();
    assert_eq!(rp.post("/token", None, &with_secret(&code)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_without_a_secret_needs_pkce_alone() {
    let mut rp = RelyingParty::new().await;
    let code = rp.sign_in(PUBLIC_CLIENT, "Ada").await["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", PUBLIC_CLIENT),
    ];
    assert_eq!(rp.post("/token", None, &form).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_secret_is_an_invalid_client() {
    let rp = RelyingParty::new().await;
    let response = rp.post("/token", Some((CLIENT, "wrong")), &[("grant_type", "refresh_token")]).await;
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
    assert_eq!(error_of(response).await, (StatusCode::UNAUTHORIZED, "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_refresh_rotates_the_refresh_token() {
    let mut rp = RelyingParty::new().await;
    let first = rp.tokens("Ada").await;
    let second: Value = rp.refresh(first["refresh_token"].as_str().unwrap()).await.json().await.unwrap();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(after["nonce"], Value::Null);
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_whole_grant() {
    let mut rp = RelyingParty::new().await;
    let first = rp.tokens("Ada").await["refresh_token"].as_str().unwrap().to_owned();
    let second: Value = rp.refresh(&first).await.json().await.unwrap();
    assert_eq!(error_of(rp.refresh(&first).await).await.1, "invalid_grant");
    let successor = rp.refresh(second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error_of(successor).await.1, "invalid_grant");
}

#[tokio::test]
async fn a_revoked_refresh_token_ends_the_access_token_too() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    let form = [("token", tokens["refresh_token"].as_str().unwrap())];
    assert_eq!(rp.post("/revoke", Some((CLIENT, SECRET)), &form).await.status(), StatusCode::OK);
    let userinfo = rp.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_token_lasts_as_long_as_it_says() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    rp.pass(tokens["expires_in"].as_u64().unwrap());
    let userinfo = rp.userinfo(tokens["access_token"].as_str().unwrap()).await;
    let challenge = userinfo.headers()[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let rp = RelyingParty::new().await;
    let response = rp.authorize(CLIENT, &[("redirect_uri", "http://evil.example/")]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(!response.headers().contains_key(header::LOCATION));
}

#[tokio::test]
async fn a_request_without_pkce_from_a_public_client_is_told_so_at_the_callback() {
    let rp = RelyingParty::new().await;
    let response = rp.authorize(PUBLIC_CLIENT, &[("code_challenge", "")]).await;
    assert_eq!(callback(&response)["error"], "invalid_request");
}

#[tokio::test]
async fn prompt_none_without_a_session_is_login_required() {
    let rp = RelyingParty::new().await;
    let answer = callback(&rp.authorize(CLIENT, &[("prompt", "none")]).await);
    assert_eq!(answer["error"], "login_required");
    assert_eq!(answer["iss"], rp.provider.issuer());
}

#[tokio::test]
async fn prompt_none_with_a_session_gives_a_code() {
    let mut rp = RelyingParty::new().await;
    rp.sign_in(CLIENT, "Ada").await;
    assert!(callback(&rp.authorize(CLIENT, &[("prompt", "none")]).await).contains_key("code"));
}

#[tokio::test]
async fn a_session_older_than_max_age_does_not_do() {
    let mut rp = RelyingParty::new().await;
    rp.sign_in(CLIENT, "Ada").await;
    rp.pass(11);
    let answer = rp.authorize(CLIENT, &[("prompt", "none"), ("max_age", "10")]).await;
    assert_eq!(callback(&answer)["error"], "login_required");
}

#[tokio::test]
async fn somebody_the_provider_knows_can_go_on_with_one_button() {
    let mut rp = RelyingParty::new().await;
    rp.sign_in(CLIENT, "Ada").await;
    let page = rp.authorize(CLIENT, &[]).await;
    assert!(callback(&rp.submit(page, &[("choice", "continue")]).await).contains_key("code"));
}

#[tokio::test]
async fn prompt_login_cannot_be_gone_on_with() {
    let mut rp = RelyingParty::new().await;
    rp.sign_in(CLIENT, "Ada").await;
    let page = rp.authorize(CLIENT, &[("prompt", "login")]).await;
    assert_eq!(rp.submit(page, &[("choice", "continue")]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn cancelling_is_access_denied() {
    let mut rp = RelyingParty::new().await;
    let page = rp.authorize(CLIENT, &[]).await;
    let answer = callback(&rp.submit(page, &[("choice", "cancel")]).await);
    assert_eq!(answer["error"], "access_denied");
}

#[tokio::test]
async fn the_page_escapes_and_keeps_what_was_typed_when_a_name_does_not_do() {
    let mut rp = RelyingParty::new().await;
    let page = rp.authorize(CLIENT, &[]).await;
    let long = "<b>".repeat(30);
    let again = rp.submit(page, &[("name", &long), ("choice", "sign-in")]).await;
    assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let html = again.text().await.unwrap();
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn every_answer_is_guarded_by_headers() {
    let rp = RelyingParty::new().await;
    for path in ["/", "/authorize", "/end-session", "/userinfo", "/nowhere"] {
        let response = rp.get(path, &[]).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("date"), "Fri, 15 Jan 2027 08:00:00 GMT", "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    }
}

#[tokio::test]
async fn a_stopped_provider_can_be_started_again_at_its_address() {
    let rp = RelyingParty::new().await;
    let issuer = rp.provider.issuer().to_owned();
    let address = issuer.strip_prefix("http://").unwrap().to_owned();
    rp.provider.stop().await.unwrap();
    assert!(std::net::TcpListener::bind(address).is_ok());
}
