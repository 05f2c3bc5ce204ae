//! Tokens are refreshed on the server: one refresh of a session at a time, whose result is written down before it is
//! used, and at which the provider is asked anew who the person is.

use std::time::Duration;

use futures_util::future::join_all;
use thoughts::actions::access_token::access_token;
use thoughts::demo::Fault;
use thoughts::domain::session::SessionId;

use crate::support::{Answer, Person, Site, Upstream};

const CALL: &str = "/api/upstream/notes/v1/a";

/// A site with an upstream and these lines of a `[[provider]]`'s rules, and Ada signed in, of the group `staff`.
async fn notes() -> (Upstream, Site, Person) {
    let upstream = Upstream::start();
    let site = Site::with_file(&upstream.table("")).await;
    let ada = site.member_with("Ada", &[("groups", "staff")]).await;
    (upstream, site, ada)
}

/// How many times tokens were given: each time an access, a refresh and an ID token.
fn given(site: &Site) -> usize {
    site.provider.issued_tokens().len() / 3
}

fn pass(site: &Site, minutes: u64) {
    site.clock.advance(Duration::from_mins(minutes));
}

#[tokio::test]
async fn a_good_token_is_not_refreshed() {
    let (_upstream, site, ada) = notes().await;
    pass(&site, 8);
    assert_eq!(ada.get(CALL).await.status, 200);
    assert_eq!(given(&site), 1);
}

#[tokio::test]
async fn a_token_that_expires_within_a_minute_is_refreshed_first() {
    let (upstream, site, ada) = notes().await;
    pass(&site, 9);
    assert_eq!(ada.get(CALL).await.status, 200);
    assert_eq!(given(&site), 2);
    assert!(site.provider.access_token_is_good(upstream.seen()[0].token(), None));
}

#[tokio::test]
async fn fifty_calls_at_once_with_an_expired_token_make_one_refresh() {
    let (upstream, site, ada) = notes().await;
    pass(&site, 60);
    let calls = (0..50).map(|_| {
        let ada = ada.copy();
        async move { ada.get(CALL).await.status.as_u16() }
    });
    assert!(join_all(calls).await.iter().all(|status| *status == 200));
    assert_eq!(given(&site), 2);
    let tokens: std::collections::BTreeSet<_> = upstream.seen().iter().map(|seen| seen.token().to_owned()).collect();
    assert_eq!((upstream.seen().len(), tokens.len()), (50, 1));
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_kept_for_the_next_time() {
    let (_upstream, site, ada) = notes().await;
    for times in 2..5 {
        pass(&site, 60);
        assert_eq!(ada.get(CALL).await.status, 200);
        assert_eq!(given(&site), times);
    }
}

#[tokio::test]
async fn a_refresh_runs_to_its_end_though_whoever_asked_is_gone() {
    let (_upstream, site, ada) = notes().await;
    pass(&site, 60);
    site.provider.faults().on(Fault::TokenAnswerSlow);
    let id = SessionId::from_cookie(&ada.cookie("thoughts").unwrap()).unwrap();
    let session = site.app.store.session(id.hash()).await.unwrap().unwrap();
    // What the handler waits for; a browser that goes away drops it.
    let asks = tokio::spawn({
        let app = site.app.clone();
        async move { access_token(&app, &session, app.upstreams.named("notes").unwrap()).await }
    });
    site.provider.faults().until_waiting(1).await;
    asks.abort();
    assert!(asks.await.unwrap_err().is_cancelled());
    site.provider.faults().off(Fault::TokenAnswerSlow);
    assert_eq!(ada.get(CALL).await.status, 200);
    assert_eq!(given(&site), 2, "its result was kept, and is used");
}

#[tokio::test]
async fn a_provider_that_takes_the_refresh_token_no_more_ends_the_session() {
    let (upstream, site, ada) = notes().await;
    pass(&site, 60);
    let mut stream = ada.listen().await;
    site.provider.faults().on(Fault::RefreshInvalidGrant);
    let answer = ada.get(CALL).await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, "Bearer"));
    stream.settle().await;
    assert_eq!(stream.next().await, Some(("ended".to_owned(), "by_provider".to_owned())));
    assert_eq!(ada.get("/profile").await.status, 303);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_provider_that_does_not_answer_ends_no_session() {
    let (_upstream, site, ada) = notes().await;
    pass(&site, 60);
    for fault in [Fault::Token500, Fault::TokenHtml] {
        site.provider.faults().on(fault);
        let answer = ada.get(CALL).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (502, "application/problem+json"));
        site.provider.faults().off(fault);
    }
    assert_eq!(ada.get(CALL).await.status, 200);
}

/// A call after an hour, beside a provider that misbehaves when it refreshes.
async fn refreshed_beside(fault: Fault) -> (Answer, Site, Person) {
    let (_upstream, site, ada) = notes().await;
    pass(&site, 60);
    site.provider.faults().on(fault);
    (ada.get(CALL).await, site, ada)
}

#[tokio::test]
async fn a_refresh_may_bring_no_new_id_token() {
    assert_eq!(refreshed_beside(Fault::RefreshNoIdToken).await.0.status, 200);
}

#[tokio::test]
async fn a_refreshed_id_token_is_of_the_same_issuer_person_and_client() {
    for fault in [Fault::RefreshOtherIss, Fault::RefreshOtherSub, Fault::RefreshOtherAud] {
        let (answer, _site, ada) = refreshed_beside(fault).await;
        assert_eq!(answer.status, 502, "{fault:?}");
        assert_eq!(ada.get("/profile").await.status, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn without_a_refresh_token_one_signs_in_again() {
    let upstream = Upstream::start();
    let site = Site::with_file(&upstream.table("")).await;
    site.provider.faults().on(Fault::TokenNoRefreshToken);
    let ada = site.member("Ada").await;
    pass(&site, 9);
    assert_eq!(ada.get(CALL).await.status, 200, "it is good for a minute yet");
    pass(&site, 1);
    assert_eq!(ada.get(CALL).await.status, 401);
    assert_eq!(ada.get("/profile").await.status, 200);
    ada.sign_in("Ada").await;
    assert_eq!(ada.get(CALL).await.status, 200);
}

#[tokio::test]
async fn groups_are_read_again_at_a_refresh() {
    let (_upstream, site, ada) = notes().await;
    let bob = site.member_with("Bob", &[("groups", "staff, board")]).await;
    let path = bob.share("For the board", "group:board").await;
    assert_eq!(ada.get(&path).await.status, 404);
    site.provider.change_groups("Ada", "board").unwrap();
    pass(&site, 60);
    assert_eq!(ada.get(&path).await.status, 404, "nobody has been asked yet");
    let mut stream = ada.listen().await;
    stream.settle().await;
    assert_eq!(ada.get(CALL).await.status, 200);
    assert_eq!(stream.next().await.unwrap().0, "missed", "whoever is looking looks anew");
    assert_eq!(ada.get(&path).await.status, 200);
    assert_eq!(ada.get("/api/me").await.json()["groups"], serde_json::json!(["board"]));
}

#[tokio::test]
async fn whom_the_rules_let_in_no_more_is_out_at_a_refresh() {
    let upstream = Upstream::start();
    let site = Site::configured(&[("THOUGHTS_OIDC_ALLOW", "groups=staff")], &upstream.table("")).await;
    let ada = site.member_with("Ada", &[("groups", "staff")]).await;
    site.provider.change_groups("Ada", "").unwrap();
    pass(&site, 60);
    let mut stream = ada.listen().await;
    assert_eq!(ada.get(CALL).await.status, 401);
    stream.settle().await;
    assert_eq!(stream.next().await, Some(("ended".to_owned(), "not_allowed".to_owned())));
    assert!(upstream.seen().is_empty());
    assert_eq!(ada.get("/profile").await.status, 303);
}

#[tokio::test]
async fn a_refresh_can_not_bring_back_a_session_that_is_ended_meanwhile() {
    let (upstream, site, ada) = notes().await;
    pass(&site, 60);
    site.provider.faults().on(Fault::TokenSlow);
    let asks = tokio::spawn({
        let ada = ada.copy();
        async move { ada.get(CALL).await }
    });
    site.provider.faults().until_waiting(1).await;
    let signed_out = ada.copy();
    signed_out.post("/logout", &[]).await;
    site.provider.faults().off(Fault::TokenSlow);
    assert_eq!(asks.await.unwrap().status, 401);
    assert_eq!(ada.get("/profile").await.status, 303);
    assert!(upstream.seen().is_empty());
}
