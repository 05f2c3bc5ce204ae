//! Who we say we are with a private key, and requests that are pushed.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Stage;
use super::fake::CLIENT_ID;
use crate::jose::ClientKey;
use crate::oidc::{Credential, Http, Status};

/// The example of RFC 8410, 10.3.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:1";

/// A provider of which these metadata hold, and us with a key.
async fn with_key(metadata: Value) -> Stage {
    Stage::with(|settings, script| {
        settings.credential = Credential::Key(ClientKey::from_pem(KEY).unwrap());
        script.metadata.extend(metadata.as_object().unwrap().clone());
    })
    .await
}

async fn offering_private_key_jwt() -> Stage {
    with_key(json!({"token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"]})).await
}

/// A provider that takes pushed requests, and answers them like this.
async fn pushing(timeout: Duration, status: u16, answer: &Value) -> Stage {
    let stage =
        Stage::within(timeout, |_, script| script.answer("/push", status, "application/json", &answer.to_string()));
    let stage = stage.await;
    let endpoint = format!("{}/push", stage.fake.issuer);
    stage.change(|script| {
        script.metadata.insert("pushed_authorization_request_endpoint".to_owned(), json!(endpoint));
    });
    stage
}

/// The `Authorization` header and the form of the last request to a path.
fn sent(stage: &Stage, path: &str) -> (String, HashMap<String, String>) {
    let script = stage.fake.script.lock().unwrap();
    let (_, authorization, body) = script.seen.iter().rfind(|(seen, _, _)| seen == path).unwrap();
    (authorization.clone(), form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

fn claims(assertion: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_key_signs_for_each_request_an_assertion_of_its_own_that_is_for_the_issuer_alone() {
    let stage = offering_private_key_jwt().await;
    stage.sign_in().await.unwrap();
    stage.provider.revoke("refresh-1").await;
    let mut seen = Vec::new();
    for path in ["/token", "/revoke"] {
        let (authorization, form) = sent(&stage, path);
        assert_eq!((authorization.as_str(), form["client_id"].as_str()), ("", CLIENT_ID), "{path}");
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "{path}");
        assert!(!form.contains_key("client_secret"), "{path}");
        let mut claims = claims(&form["client_assertion"]);
        seen.push(claims["jti"].take());
        let now = stage.clock.now().as_second();
        let expected = json!({
            "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": stage.fake.issuer, "jti": null, "iat": now, "exp": now + 60,
        });
        assert_eq!(claims, expected, "{path}");
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_provider_without_private_key_jwt_is_told_before_anyone_is_sent_there() {
    let stage = with_key(json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]})).await;
    let error = stage.provider.begin(None).await.unwrap_err();
    assert_eq!(error.cause(), "client_authentication");
    assert!(error.to_string().contains("are client_secret_basic. Allow it there, or use client_secret"), "{error}");
    assert_eq!(with_key(json!({})).await.refusal().await, "client_authentication", "the default is a secret");
}

#[tokio::test]
async fn a_key_of_a_kind_that_the_provider_does_not_take_is_told_with_both() {
    let stage = with_key(json!({
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256"],
    }))
    .await;
    let error = stage.provider.begin(None).await.unwrap_err().to_string();
    assert!(error.contains("signs with EdDSA") && error.contains("are ES256, RS256"), "{error}");
}

#[tokio::test]
async fn where_requests_can_be_pushed_the_browser_carries_a_name_and_nothing_else() {
    let stage = pushing(Http::TIMEOUT, 201, &json!({"request_uri": REQUEST_URI, "expires_in": 60})).await;
    let authorize = format!("{}/authorize?tenant=1", stage.fake.issuer);
    stage.change(|script| {
        script.metadata.insert("authorization_endpoint".to_owned(), json!(authorize));
    });
    let (url, attempt) = stage.provider.begin(None).await.unwrap();
    let carried: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected = [("tenant", "1"), ("client_id", CLIENT_ID), ("request_uri", REQUEST_URI)];
    assert_eq!(carried, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let (authorization, form) = sent(&stage, "/push");
    assert!(authorization.starts_with("Basic "), "{authorization}");
    assert_eq!((form["state"].as_str(), form["scope"].as_str()), (attempt.state(), "openid email"));
    assert_eq!((form["response_type"].as_str(), form["code_challenge_method"].as_str()), ("code", "S256"));
    assert_eq!(form["redirect_uri"], "http://localhost:3000/callback");
    assert_eq!(form["client_id"], CLIENT_ID, "the request names it too, whatever the header says");
    assert!(!form.contains_key("tenant"));
}

#[tokio::test]
async fn a_pushed_request_that_is_refused_is_the_sites_to_mend() {
    let stage = pushing(Http::TIMEOUT, 400, &json!({"error": "invalid_request"})).await;
    let error = stage.provider.begin(None).await.unwrap_err();
    assert_eq!((error.cause(), error.whose()), ("push_refused", crate::oidc::Whose::Site));
}

#[tokio::test]
async fn an_endpoint_for_pushed_requests_that_never_answers_is_a_provider_that_is_down() {
    let stage = pushing(Duration::from_millis(300), 201, &json!({})).await;
    stage.change(|script| script.silent = Some("/push"));
    assert_eq!(stage.provider.begin(None).await.unwrap_err().cause(), "provider_slow");
    assert!(matches!(stage.provider.status(), Status::Down { .. }));
}

#[tokio::test]
async fn metadata_that_require_what_they_do_not_offer_are_nonsense() {
    let stage = Stage::with(|_, script| {
        script.metadata.insert("require_pushed_authorization_requests".to_owned(), json!(true));
    })
    .await;
    assert_eq!(stage.refusal().await, "provider_nonsense");
}
