//! Signing out, from the client's side and from the provider's.

use std::{net::TcpListener, sync::Arc};

use poem::{Body, Response, Server, handler, listener::TcpAcceptor, post, web::Data};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::relying_party::{CLIENT, RelyingParty, SECRET, SIGNED_OUT, claims, client};
use crate::demo::{Client, Fault, LogoutAnswer, LogoutTarget};

/// Answers a logout token as a client should, and passes its claims on.
#[handler]
async fn receive(body: Body, seen: Data<&Arc<mpsc::UnboundedSender<Value>>>) -> Response {
    let form = body.into_string().await.unwrap();
    let (_, token) = form.split_once("logout_token=").unwrap();
    seen.send(claims(&json!(token))).unwrap();
    Response::builder().header("cache-control", "no-store").body("gone")
}

/// Gives the client a back channel that leads here.
#[expect(clippy::disallowed_methods, reason = "a client's own route, which is no row of the app's table")]
fn listening(rp: &RelyingParty) -> mpsc::UnboundedReceiver<Value> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    let endpoint = poem::EndpointExt::data(poem::Route::new().at("/", post(receive)), Arc::new(sender));
    // Ends with the test's runtime.
    tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_std(listener).unwrap()).run(endpoint));
    rp.provider.set_clients(vec![Client { backchannel_logout_uri: Some(uri), ..client(CLIENT, Some(SECRET)) }]);
    receiver
}

fn location(response: &reqwest::Response) -> Option<&str> {
    response.headers().get(header::LOCATION)?.to_str().ok()
}

#[tokio::test]
async fn signing_out_with_a_hint_goes_back_with_the_state() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    let hint = tokens["id_token"].as_str().unwrap();
    let query = [("id_token_hint", hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s 1")];
    let response = rp.get("/end-session", &query).await;
    assert_eq!(location(&response), Some("http://rp.example/signed-out?state=s+1"));
    assert!(rp.provider.sessions().is_empty());
}

#[tokio::test]
async fn signing_out_ends_the_refresh_token() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    rp.get("/end-session", &[("id_token_hint", tokens["id_token"].as_str().unwrap())]).await;
    let refresh = rp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refresh.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked_first() {
    let mut rp = RelyingParty::new().await;
    rp.tokens("Ada").await;
    let response = rp.get("/end-session", &[("client_id", CLIENT)]).await;
    assert!(response.text().await.unwrap().contains("Sign out?"));
    assert_eq!(rp.provider.sessions().len(), 1);
    rp.post("/end-session", None, &[("choice", "sign-out")]).await;
    assert!(rp.provider.sessions().is_empty());
}

#[tokio::test]
async fn nobody_is_sent_back_to_an_address_that_is_not_registered() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    let hint = tokens["id_token"].as_str().unwrap();
    let query = [("id_token_hint", hint), ("post_logout_redirect_uri", "http://evil.example/")];
    assert_eq!(location(&rp.get("/end-session", &query).await), None);
}

#[tokio::test]
async fn the_state_can_be_lost_on_the_way_back() {
    let mut rp = RelyingParty::new().await;
    let tokens = rp.tokens("Ada").await;
    rp.provider.faults().on(Fault::LogoutReturnNoState);
    let hint = tokens["id_token"].as_str().unwrap();
    let query = [("id_token_hint", hint), ("post_logout_redirect_uri", SIGNED_OUT), ("state", "s")];
    assert_eq!(location(&rp.get("/end-session", &query).await), Some(SIGNED_OUT));
}

#[tokio::test]
async fn signing_out_tells_the_client_by_its_back_channel() {
    let mut rp = RelyingParty::new().await;
    let mut seen = listening(&rp);
    let tokens = rp.tokens("Ada").await;
    rp.get("/end-session", &[("id_token_hint", tokens["id_token"].as_str().unwrap())]).await;
    let told = seen.try_recv().unwrap();
    assert_eq!(told["aud"], CLIENT);
    assert_eq!(told["sid"], claims(&tokens["id_token"])["sid"]);
    assert_eq!(told["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
}

#[tokio::test]
async fn an_operator_ends_a_person_s_sessions_and_sees_what_the_client_answered() {
    let mut rp = RelyingParty::new().await;
    let mut seen = listening(&rp);
    rp.tokens("Ada").await;
    let deliveries = rp.provider.back_channel_logout(LogoutTarget::Sub("ada".to_owned())).await;
    let told = seen.try_recv().unwrap();
    assert_eq!((&told["sub"], &told["sid"]), (&json!("ada"), &Value::Null));
    assert!(rp.provider.sessions().is_empty());
    let answer = LogoutAnswer { status: 200, cache_control: Some("no-store".to_owned()), body: "gone".to_owned() };
    assert_eq!(deliveries.first().map(|delivery| &delivery.answer), Some(&Ok(answer)));
}

#[tokio::test]
async fn a_logout_token_can_name_neither_person_nor_session() {
    let mut rp = RelyingParty::new().await;
    let mut seen = listening(&rp);
    rp.tokens("Ada").await;
    rp.provider.faults().on(Fault::LogoutTokenNoSubNoSid);
    rp.provider.back_channel_logout(LogoutTarget::Sub("ada".to_owned())).await;
    let told = seen.try_recv().unwrap();
    assert_eq!((&told["sub"], &told["sid"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_client_that_is_told_of_an_unknown_session_is_told_its_sid_alone() {
    let rp = RelyingParty::new().await;
    let mut seen = listening(&rp);
    rp.provider.back_channel_logout(LogoutTarget::Sid("nobody-s".to_owned())).await;
    let told = seen.try_recv().unwrap();
    assert_eq!((&told["sub"], &told["sid"]), (&Value::Null, &json!("nobody-s")));
}
