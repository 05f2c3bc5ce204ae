//! Back-Channel Logout: a provider says that someone has signed out there. The official certification cases stand
//! under their own names; the rest are the rows of the same table that they leave out.

use std::time::Duration;

use thoughts::demo::{Fault, LogoutDelivery, LogoutTarget};

use crate::support::{Person, Site, site};

/// What the provider heard from us when it ended the only session that it has.
async fn told(site: &Site) -> LogoutDelivery {
    let sid = site.provider.sessions()[0].sid.clone();
    site.provider.back_channel_logout(LogoutTarget::Sid(sid)).await.remove(0)
}

fn status(delivery: &LogoutDelivery) -> u16 {
    let answer = delivery.answer.as_ref().unwrap();
    assert_eq!(answer.cache_control.as_deref(), Some("no-store"));
    answer.status
}

async fn is_signed_in(person: &Person) -> bool {
    person.get("/profile").await.status == 200
}

/// A logout token that goes wrong in this way is refused, and the session lives.
async fn refused(fault: Fault) {
    let site = site().await;
    let ann = site.member("Ann").await;
    site.provider.faults().on(fault);
    assert_eq!(status(&told(&site).await), 400, "{fault}");
    assert!(is_signed_in(&ann).await, "{fault}");
}

/// One that is odd in this way is right all the same, and the session ends.
async fn accepted(fault: Fault) {
    let site = site().await;
    let ann = site.member("Ann").await;
    site.provider.faults().on(fault);
    assert_eq!(status(&told(&site).await), 200, "{fault}");
    assert!(!is_signed_in(&ann).await, "{fault}");
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout() {
    accepted(Fault::LogoutTokenExtraClaims).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_alg_none() {
    refused(Fault::LogoutTokenAlgNone).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg() {
    refused(Fault::LogoutTokenAlgRs512).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_no_event() {
    refused(Fault::LogoutTokenNoEvents).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event() {
    refused(Fault::LogoutTokenWrongEvent).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce() {
    refused(Fault::LogoutTokenWithNonce).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud() {
    refused(Fault::LogoutTokenWrongAud).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss() {
    refused(Fault::LogoutTokenWrongIss).await;
}

#[tokio::test]
async fn a_logout_token_that_is_wrong_in_any_other_way_is_refused() {
    for fault in [
        Fault::LogoutTokenAlgHs256,
        Fault::LogoutTokenBadSignature,
        Fault::LogoutTokenWrongTyp,
        Fault::LogoutTokenNoIat,
        Fault::LogoutTokenIatOld,
        Fault::LogoutTokenIatAhead,
        Fault::LogoutTokenExpired,
        Fault::LogoutTokenNoExp,
        Fault::LogoutTokenNoJti,
        Fault::LogoutTokenNoSubNoSid,
    ] {
        refused(fault).await;
    }
}

#[tokio::test]
async fn a_logout_token_may_lack_sub_or_sid_or_kid() {
    for fault in [Fault::LogoutTokenNoSub, Fault::LogoutTokenNoSid, Fault::LogoutTokenNoKid] {
        accepted(fault).await;
    }
}

#[tokio::test]
async fn a_logout_by_sid_ends_that_session_and_leaves_the_persons_others() {
    let site = site().await;
    let (phone, laptop) = (site.member("Ann").await, site.member("Ann").await);
    let first = told(&site).await;
    assert_eq!(status(&first), 200);
    let signed_in = [is_signed_in(&phone).await, is_signed_in(&laptop).await];
    assert_eq!(signed_in.iter().filter(|yes| **yes).count(), 1, "one of the two");
}

#[tokio::test]
async fn a_logout_by_sub_ends_all_of_that_persons_sessions_and_nobody_elses() {
    let site = site().await;
    let (phone, laptop, bob) = (site.member("Ann").await, site.member("Ann").await, site.member("Bob").await);
    let told = site.provider.back_channel_logout(LogoutTarget::Sub("ann".into())).await;
    assert_eq!(status(&told[0]), 200);
    assert!(!is_signed_in(&phone).await && !is_signed_in(&laptop).await && is_signed_in(&bob).await);
}

#[tokio::test]
async fn the_same_jti_again_is_refused_and_an_unknown_sid_is_nothing_to_end() {
    let site = site().await;
    site.member("Ann").await;
    let first = told(&site).await;
    let again = site.stranger().post("/backchannel-logout", &[("logout_token", &first.logout_token)]).await;
    assert_eq!((again.status.as_u16(), again.header("cache-control")), (400, "no-store"));
    let unknown = site.provider.back_channel_logout(LogoutTarget::Sid("unknown".into())).await;
    assert_eq!(status(&unknown[0]), 200);
}

#[tokio::test]
async fn what_is_no_logout_token_is_refused() {
    let site = site().await;
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"x.".repeat(1000)] {
        let answer = site.stranger().post("/backchannel-logout", &[("logout_token", token)]).await;
        assert_eq!(answer.status, 400, "{token:?}");
    }
}

#[tokio::test]
async fn keys_rotated_since_the_sign_in_are_fetched_anew() {
    let site = site().await;
    let ann = site.member("Ann").await;
    site.provider.rotate_keys().await.unwrap();
    assert_eq!(status(&told(&site).await), 200);
    assert!(!is_signed_in(&ann).await);
}

#[tokio::test]
async fn a_request_under_way_can_not_bring_an_ended_session_back() {
    let site = site().await;
    let ann = site.member("Ann").await;
    // So long after the last use that each request notes a new one.
    site.clock.advance(Duration::from_mins(2));
    let (delivery, ..) = tokio::join!(told(&site), ann.get("/profile"), ann.get("/"), ann.get("/api/me"));
    assert_eq!(status(&delivery), 200);
    assert!(!is_signed_in(&ann).await);
}
