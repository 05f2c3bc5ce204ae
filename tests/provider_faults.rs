//! A provider that goes wrong, and what the site then makes of a sign-in: a row a fault, a table an outcome. What
//! is wrong with the browser's side of it is in `signing_in`.

use std::time::Duration;

use thoughts::demo::Fault;
use thoughts::oidc::Status;
use thoughts::telemetry::Outcome;

use crate::support::{Site, site};

const NOT_SIGNED_IN: &str = "You were not signed in";
const NOT_ANSWERING: &str = "Your provider is not answering";
const CLOCKS: &str = "The clocks disagree";
const NOT_OURS: &str = "This sign-in can't be finished";

/// Faults in which nothing is wrong by the standards.
const ACCEPTED: &[Fault] = &[
    Fault::IdTokenAudArray,
    Fault::IdTokenExtraAud,
    Fault::IdTokenNoKid,
    Fault::IdTokenNoPersonalClaims,
    Fault::IdTokenNoAuthTime,
    Fault::IdTokenAuthTimeOld,
    Fault::TokenTypeOddCase,
    Fault::TokenNoExpiresIn,
    Fault::TokenNoRefreshToken,
    Fault::Userinfo500,
    Fault::ClockBehind,
];

/// The same, where the provider has to be so before it is first asked.
const ACCEPTED_FROM_THE_START: &[&[Fault]] = &[
    &[Fault::ClientSecretBasicAlone],
    &[Fault::ClientSecretPostAlone],
    &[Fault::JwksMoved],
    &[Fault::JwksSeveralKeys],
    &[Fault::JwksSeveralKeys, Fault::IdTokenNoKid],
    &[Fault::MetadataWeakAlgorithms],
    &[Fault::MetadataNoIssParameter],
    &[Fault::MetadataNoIssParameter, Fault::ResponseNoIss],
    &[Fault::MetadataNoRevocation],
    &[Fault::MetadataNoEndSession],
];

/// Tokens and userinfo that are not believed, and the heading of the page that says so.
const NOT_BELIEVED: &[(Fault, &str)] = &[
    (Fault::IdTokenWrongIss, NOT_SIGNED_IN),
    (Fault::IdTokenNoSub, NOT_SIGNED_IN),
    (Fault::IdTokenWrongAud, NOT_SIGNED_IN),
    (Fault::IdTokenNoAud, NOT_SIGNED_IN),
    (Fault::IdTokenExtraAudNoAzp, NOT_SIGNED_IN),
    (Fault::IdTokenExtraAudOtherAzp, NOT_SIGNED_IN),
    (Fault::IdTokenNoIat, NOT_SIGNED_IN),
    (Fault::IdTokenIatAhead, CLOCKS),
    (Fault::IdTokenExpired, CLOCKS),
    (Fault::IdTokenNoExp, NOT_SIGNED_IN),
    (Fault::IdTokenWrongNonce, NOT_SIGNED_IN),
    (Fault::IdTokenNoNonce, NOT_SIGNED_IN),
    (Fault::IdTokenWrongAtHash, NOT_SIGNED_IN),
    (Fault::IdTokenAlgNone, NOT_SIGNED_IN),
    (Fault::IdTokenAlgHs256, NOT_SIGNED_IN),
    (Fault::IdTokenAlgRs512, NOT_SIGNED_IN),
    (Fault::IdTokenNoAlg, NOT_SIGNED_IN),
    (Fault::IdTokenBadSignature, NOT_SIGNED_IN),
    (Fault::IdTokenWrongTyp, NOT_SIGNED_IN),
    (Fault::ClockAhead, CLOCKS),
    (Fault::UserinfoOtherSub, NOT_SIGNED_IN),
    (Fault::UserinfoNoSub, NOT_ANSWERING),
    (Fault::UserinfoNotJson, NOT_ANSWERING),
    // Ten seconds are waited for.
    (Fault::TokenSlow, NOT_ANSWERING),
    (Fault::Token500, NOT_ANSWERING),
    (Fault::TokenHtml, NOT_ANSWERING),
    (Fault::TokenHuge, NOT_ANSWERING),
    (Fault::TokenNoIdToken, NOT_SIGNED_IN),
];

/// Algorithms that are not accepted though the metadata offer them.
const WEAK: &[Fault] = &[Fault::IdTokenAlgNone, Fault::IdTokenAlgHs256, Fault::IdTokenAlgRs512];

/// Responses that are refused before the code is redeemed, with status and heading.
const NOT_REDEEMED: &[(Fault, u16, &str)] = &[
    (Fault::ResponseWrongIss, 502, NOT_SIGNED_IN),
    (Fault::ResponseNoIss, 502, NOT_SIGNED_IN),
    (Fault::ResponseWrongState, 400, NOT_OURS),
    (Fault::ResponseNoState, 400, NOT_OURS),
    (Fault::ResponseNoCode, 502, NOT_SIGNED_IN),
];

/// What the provider says in place of a code, with the status of our page, and what it says in our own words.
const ERRORS: &[(Fault, u16, &str)] = &[
    (Fault::ErrorAccessDenied, 403, "You, or your provider, declined."),
    (Fault::ErrorLoginRequired, 403, "Your provider wants you to do something first"),
    (Fault::ErrorInteractionRequired, 403, "Your provider wants you to do something first"),
    (Fault::ErrorConsentRequired, 403, "Your provider wants you to do something first"),
    (Fault::ErrorInvalidRequest, 502, "The provider does not accept how this site introduces itself."),
    (Fault::ErrorInvalidScope, 502, "The provider does not accept how this site introduces itself."),
    (Fault::ErrorUnauthorizedClient, 502, "The provider does not accept how this site introduces itself."),
    (Fault::ErrorServerError, 502, "Your provider has trouble of its own."),
    (Fault::ErrorTemporarilyUnavailable, 502, "Your provider has trouble of its own."),
];

/// Providers that nobody can be sent to.
const OF_NO_USE: &[Fault] = &[Fault::Unavailable, Fault::Metadata500, Fault::Jwks500];

/// What is found where the configuration says that the provider is, and is not the one that it names: with the words that
/// a person reads, and those in the log.
const SET_UP_WRONGLY: &[(Fault, &str, &str)] = &[
    (Fault::MetadataNotFound, "there is none", "answered 404: no provider's metadata are there"),
    (Fault::MetadataRedirects, "there is none", "/elsewhere: no provider's metadata are there"),
    (Fault::MetadataNotJson, "there is none", "answers with something else than JSON"),
    (Fault::MetadataOtherIssuer, "calls itself by another name", "Set its issuer to `https://elsewhere.example`"),
    (Fault::MetadataIssuerSlash, "calls itself by another name", "they differ by a final slash"),
];

#[tokio::test]
async fn what_the_standards_allow_signs_in() {
    let site = site().await;
    for fault in ACCEPTED {
        site.provider.faults().on(*fault);
        site.lets_ann_in(fault).await;
        site.provider.faults().clear();
    }
}

#[tokio::test]
async fn whatever_provider_the_standards_allow_signs_in() {
    for faults in ACCEPTED_FROM_THE_START {
        let site = Site::beside(faults).await;
        site.lets_ann_in(format!("{faults:?}")).await;
    }
}

#[tokio::test]
async fn a_public_client_signs_in_with_pkce_alone() {
    let site = Site::without_client_secret().await;
    site.lets_ann_in("no client_secret").await;
}

#[tokio::test]
async fn a_token_or_a_userinfo_that_is_wrong_signs_nobody_in() {
    let site = site().await;
    for (fault, heading) in NOT_BELIEVED {
        site.provider.faults().on(*fault);
        let page = site.refuses_ann(fault).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (502, *heading), "{fault}");
        site.provider.faults().clear();
    }
    site.lets_ann_in("nothing is wrong any more").await;
}

#[tokio::test]
async fn an_algorithm_outside_the_list_is_refused_though_the_metadata_offer_it() {
    let site = Site::beside(&[Fault::MetadataWeakAlgorithms]).await;
    for fault in WEAK {
        site.provider.faults().on(*fault);
        site.refuses_ann(fault).await;
        site.provider.faults().off(*fault);
    }
}

#[tokio::test]
async fn a_public_key_taken_as_a_shared_secret_signs_nobody_in() {
    let site = Site::without_client_secret().await;
    site.provider.faults().on(Fault::IdTokenAlgHs256);
    site.refuses_ann("HS256 with the public key").await;
}

#[tokio::test]
async fn a_response_that_is_not_the_answer_to_ours_is_refused_before_the_code_is_redeemed() {
    let site = site().await;
    for (fault, status, heading) in NOT_REDEEMED {
        site.provider.faults().on(*fault);
        let page = site.refuses_ann(fault).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (*status, *heading), "{fault}");
        assert!(site.provider.issued_tokens().is_empty(), "{fault}");
        site.provider.faults().clear();
    }
    site.lets_ann_in("nothing is wrong any more").await;
}

#[tokio::test]
async fn an_error_with_our_state_is_told_in_our_own_words() {
    let site = site().await;
    for (fault, status, words) in ERRORS {
        site.provider.faults().on(*fault);
        let page = site.refuses_ann(fault).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (*status, NOT_SIGNED_IN), "{fault}");
        assert!(page.text("main").contains(words), "{fault}: {}", page.text("main"));
        assert!(site.provider.issued_tokens().is_empty(), "{fault}");
        site.provider.faults().clear();
    }
}

#[tokio::test]
async fn an_error_without_our_state_is_the_page_of_an_unknown_state() {
    let site = site().await;
    let unknown = site.stranger().get("/callback?code=x&state=y").await;
    for (fault, _, _) in ERRORS {
        for state in [Fault::ResponseWrongState, Fault::ResponseNoState] {
            site.provider.faults().on(*fault);
            site.provider.faults().on(state);
            let page = site.refuses_ann(format!("{fault}, {state}")).await;
            assert_eq!(page.status, unknown.status, "{fault}, {state}");
            assert_eq!(page.text("h1"), NOT_OURS, "{fault}, {state}");
            assert_eq!(page.texts("main p:not(.note)"), unknown.texts("main p:not(.note)"), "{fault}, {state}");
            site.provider.faults().clear();
        }
    }
}

#[tokio::test]
async fn keys_may_rotate_between_two_sign_ins_and_just_before_signing() {
    let site = site().await;
    site.lets_ann_in("the first key").await;
    site.provider.rotate_keys().await.unwrap();
    site.lets_ann_in("the second, at once").await;
    site.clock.advance(Duration::from_secs(30));
    site.provider.faults().on(Fault::KeysRotateBeforeSigning);
    site.lets_ann_in("the third, made while she signed in").await;
}

#[tokio::test]
async fn keys_that_rotate_twice_in_thirty_seconds_sign_in_again_when_those_are_over() {
    let site = site().await;
    site.provider.faults().on(Fault::KeysRotateBeforeSigning);
    site.lets_ann_in("the first rotation").await;
    site.refuses_ann("the second").await;
    site.provider.faults().clear();
    site.clock.advance(Duration::from_secs(30));
    site.lets_ann_in("thirty seconds later").await;
}

#[tokio::test]
async fn a_provider_of_no_use_stops_neither_the_start_nor_reading_and_signs_in_again_by_itself() {
    for fault in OF_NO_USE {
        let site = Site::beside(&[*fault]).await;
        let ann = site.stranger();
        assert_eq!(ann.get("/").await.status, 200, "{fault}");
        let page = ann.get("/login").await;
        ann.is_refused_by(&page, fault).await;
        assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "30"), "{fault}");
        assert_eq!(page.text("h1"), "Sign-in is not answering", "{fault}");
        site.provider.faults().clear();
        site.clock.advance(Duration::from_secs(5));
        site.lets_ann_in(format!("{fault} is over")).await;
    }
}

#[tokio::test]
async fn an_issuer_that_is_configured_wrongly_is_told_as_the_sites_mistake_and_exactly_in_the_log() {
    for (fault, words, in_the_log) in SET_UP_WRONGLY {
        let site = Site::beside(&[*fault]).await;
        let ann = site.stranger();
        let page = ann.get("/login").await;
        ann.is_refused_by(&page, fault).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (502, "Sign-in is not set up right"), "{fault}");
        let main = page.text("main");
        assert!(main.contains(words) && main.contains("how this site is set up"), "{fault}: {main}");
        let reference = page.text(".note code");
        let Outcome::Failed { why, .. } = site.app.telemetry.sign_ins().find(&reference).unwrap().outcome else {
            panic!("{fault}");
        };
        assert!(why.contains(in_the_log) && !why.contains("secret"), "{fault}: {why}");
        site.provider.faults().clear();
        site.clock.advance(Duration::from_secs(5));
        site.lets_ann_in(format!("{fault} is over")).await;
    }
}

/// What the log says of a provider that cannot be used, once somebody wanted to sign in.
async fn why_not(site: &Site) -> String {
    site.stranger().get("/login").await;
    match site.app.providers.only().unwrap().oidc.status() {
        Status::Down { why, .. } => why,
        status @ (Status::Up | Status::Unasked) => panic!("{status:?}"),
    }
}

#[tokio::test]
async fn an_issuer_that_is_not_the_configured_one_is_named_beside_it_in_the_log_and_on_the_page() {
    let site = Site::beside(&[Fault::MetadataOtherIssuer]).await;
    let issuer = site.provider.issuer();
    let expected = format!("the provider calls itself https://elsewhere.example, you configured {issuer}");
    assert_eq!(why_not(&site).await, expected);
    let page = site.stranger().get("/login").await;
    assert!(page.texts("p.note").iter().any(|note| note.contains(&expected)), "{}", page.body);
}

#[tokio::test]
async fn an_issuer_that_differs_by_a_slash_is_said_to_in_the_log() {
    let site = Site::beside(&[Fault::MetadataIssuerSlash]).await;
    let issuer = site.provider.issuer();
    let expected =
        format!("the provider calls itself {issuer}/, you configured {issuer}: they differ by a final slash");
    assert_eq!(why_not(&site).await, expected);
}

#[tokio::test]
async fn a_provider_that_cannot_end_its_session_is_said_to_when_one_signs_out() {
    let site = Site::beside(&[Fault::MetadataNoEndSession]).await;
    let ann = site.member("Ann").await;
    let answer = ann.post("/logout", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/logout"));
    let page = ann.follow(answer).await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (200, "You are signed out"));
    assert!(page.text("main").contains("has no way to be told"), "{}", page.text("main"));
    assert_eq!(ann.get("/profile").await.status, 303);
    assert_eq!(site.provider.sessions().len(), 1, "as the page says, one may still be signed in there");
}

#[tokio::test]
async fn a_provider_that_does_not_revoke_keeps_nobody_from_signing_out() {
    for fault in [Fault::Revocation500, Fault::RevocationSlow, Fault::MetadataNoRevocation] {
        let site = Site::beside(&[fault]).await;
        let ann = site.member("Ann").await;
        let page = ann.follow(ann.post("/logout", &[]).await).await;
        assert!(page.text("main").contains("after ending its own"), "{fault}: {}", page.text("main"));
        assert_eq!(ann.get("/profile").await.status, 303, "{fault}");
    }
}
