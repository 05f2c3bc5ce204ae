//! Clients that sign assertions, and authorization requests that are pushed.

use openidconnect::{
    JsonWebKeyId, PrivateSigningKey as _,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value, json};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    error_of,
    relying_party::{CALLBACK, CLIENT, PUBLIC_CLIENT, RelyingParty, SECRET, callback, client},
};
use crate::demo::{Client, Fault};

const SIGNING_CLIENT: &str = "signs";
const NOW: i64 = 1_800_000_000;

/// The example of RFC 8410, 10.3.
fn key() -> CoreEdDsaPrivateSigningKey {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, Some(JsonWebKeyId::new("k".to_owned()))).unwrap()
}

async fn provider() -> RelyingParty {
    let rp = RelyingParty::new().await;
    let jwks = vec![serde_json::to_value(key().as_verification_key()).unwrap()];
    let signing = Client { jwks, ..client(SIGNING_CLIENT, None) };
    rp.provider.set_clients(vec![client(CLIENT, Some(SECRET)), client(PUBLIC_CLIENT, None), signing]);
    rp
}

/// An assertion in which all is right but what is put over it; `null` takes away.
fn assertion(rp: &RelyingParty, header: &Value, claims: &Value) -> String {
    let over = |right: Value, changes: &Value| -> Value {
        let mut all: Map<String, Value> = right.as_object().cloned().unwrap();
        all.extend(changes.as_object().cloned().unwrap());
        all.retain(|_, value| !value.is_null());
        all.into()
    };
    let right = json!({
        "iss": SIGNING_CLIENT, "sub": SIGNING_CLIENT, "aud": rp.provider.issuer(), "jti": "one", "iat": NOW, "exp": NOW + 60,
    });
    let header = over(json!({ "alg": "EdDSA", "typ": "JWT", "kid": "k" }), header);
    let input = [header, over(right, claims)].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = key().sign(&CoreJwsSigningAlgorithm::EdDsa, input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A refresh, by which the client is known and the token is not, where all goes well.
async fn introduced(rp: &RelyingParty, assertion: &str, more: &[(&str, &str)]) -> String {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", "nobody's"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    form.extend(more);
    error_of(rp.post("/token", None, &form).await).await.1
}

#[tokio::test]
async fn a_client_with_a_key_is_known_by_its_assertion_once() {
    let rp = provider().await;
    let right = assertion(&rp, &json!({}), &json!({}));
    assert_eq!(introduced(&rp, &right, &[]).await, "invalid_grant", "the client is known, the token is not");
    assert_eq!(introduced(&rp, &right, &[]).await, "invalid_client", "the same again");
}

#[tokio::test]
async fn an_assertion_with_anything_wrong_introduces_nobody() {
    let rp = provider().await;
    let none = json!({});
    for (header, claims) in [
        (&none, json!({ "iss": CLIENT })),
        (&none, json!({ "sub": CLIENT })),
        (&none, json!({ "aud": rp.url("/token") })),
        (&none, json!({ "aud": [rp.provider.issuer(), "https://elsewhere.example"] })),
        (&none, json!({ "jti": null })),
        (&none, json!({ "iat": NOW + 120 })),
        (&none, json!({ "exp": null })),
        (&none, json!({ "exp": NOW })),
        (&none, json!({ "exp": NOW + 86_400 })),
        (&json!({ "alg": "none" }), none.clone()),
        (&json!({ "alg": "HS256" }), none.clone()),
        (&json!({ "kid": "another" }), none.clone()),
    ] {
        let wrong = assertion(&rp, header, &claims);
        assert_eq!(introduced(&rp, &wrong, &[]).await, "invalid_client", "{header} {claims}");
    }
    let right = assertion(&rp, &none, &none);
    let (input, _) = right.rsplit_once('.').unwrap();
    assert_eq!(introduced(&rp, &format!("{input}.AAAA"), &[]).await, "invalid_client", "a bad signature");
    assert_eq!(introduced(&rp, &right, &[("client_id", CLIENT)]).await, "invalid_client", "another's client_id");
    let both = assertion(&rp, &none, &json!({ "jti": "two" }));
    assert_eq!(introduced(&rp, &both, &[("client_secret", SECRET)]).await, "invalid_request", "two ways at once");
}

#[tokio::test]
async fn a_client_with_a_key_is_not_known_by_its_name_alone() {
    let rp = provider().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", SIGNING_CLIENT)];
    assert_eq!(error_of(rp.post("/token", None, &form).await).await.1, "invalid_client");
}

const REQUEST: &[(&str, &str)] = &[
    ("client_id", CLIENT),
    ("redirect_uri", CALLBACK),
    ("response_type", "code"),
    ("scope", "openid"),
    ("state", "s"),
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
];

async fn pushed(rp: &RelyingParty) -> String {
    let response = rp.post("/push", Some((CLIENT, SECRET)), REQUEST).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let body: Value = response.json().await.unwrap();
    body["request_uri"].as_str().unwrap().to_owned()
}

async fn come_with(rp: &RelyingParty, client_id: &str, request_uri: &str) -> Response {
    rp.get("/authorize", &[("client_id", client_id), ("request_uri", request_uri)]).await
}

#[tokio::test]
async fn a_pushed_request_is_good_once_and_for_a_minute_and_for_its_client() {
    let mut rp = provider().await;
    rp.provider.faults().on(Fault::PushRequired);
    let request_uri = pushed(&rp).await;
    let page = come_with(&rp, CLIENT, &request_uri).await;
    let back = rp.submit(page, &[("name", "Ada"), ("choice", "sign-in")]).await;
    assert_eq!(callback(&back)["state"], "s");
    assert_eq!(come_with(&rp, CLIENT, &request_uri).await.status(), StatusCode::BAD_REQUEST, "used");

    let request_uri = pushed(&rp).await;
    assert_eq!(come_with(&rp, PUBLIC_CLIENT, &request_uri).await.status(), StatusCode::BAD_REQUEST, "another's");

    let request_uri = pushed(&rp).await;
    rp.pass(60);
    assert_eq!(come_with(&rp, CLIENT, &request_uri).await.status(), StatusCode::BAD_REQUEST, "too old");
}

#[tokio::test]
async fn a_plain_request_is_refused_where_they_must_be_pushed() {
    let rp = provider().await;
    assert_eq!(rp.authorize(CLIENT, &[]).await.status(), StatusCode::OK);
    rp.provider.faults().on(Fault::PushRequired);
    assert_eq!(rp.authorize(CLIENT, &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_when_it_is_pushed() {
    let rp = provider().await;
    rp.provider.faults().on(Fault::PushOffered);
    for (wrong, value) in [
        ("redirect_uri", "https://elsewhere.example"),
        ("scope", "email"),
        ("client_id", PUBLIC_CLIENT),
        ("request_uri", "urn:x"),
    ] {
        let mut form: Vec<_> = REQUEST.iter().copied().filter(|(name, _)| *name != wrong).collect();
        form.push((wrong, value));
        let response = rp.post("/push", Some((CLIENT, SECRET)), &form).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(rp.post("/push", Some((CLIENT, "wrong")), REQUEST).await.status(), StatusCode::UNAUTHORIZED);
}
