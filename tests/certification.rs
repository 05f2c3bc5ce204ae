//! The official cases of the OpenID Foundation's certification of relying parties, by their official names, at the
//! front door. The Foundation's suite plays a provider that goes wrong; here the demo provider does, with the fault
//! of the case switched on. A case that is in two plans stands under the first. Those of Back-Channel Logout stand in
//! `back_channel.rs`. `docs/certification.md` says which pass, as a run of them finds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use thoughts::demo::Fault;
use thoughts::oidc::Status;

use crate::support::{Site, site};

// Basic RP: `oidcc-client-basic-certification-test-plan`, by code, with `client_secret_basic`.

#[tokio::test]
async fn oidcc_client_test() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenNoPersonalClaims);
    site.lets_ann_in("her name came from userinfo, so that was asked too").await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenWrongIss);
    site.refuses_ann("iss").await;
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenNoSub);
    site.refuses_ann("sub").await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenWrongAud);
    site.refuses_ann("aud").await;
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenNoIat);
    site.refuses_ann("iat").await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenNoKid);
    site.lets_ann_in("one key").await;
}

/// Refusing would do as well; we try each key that fits.
#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() {
    let site = Site::beside(&[Fault::JwksSeveralKeys, Fault::IdTokenNoKid]).await;
    site.lets_ann_in("several keys").await;
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() {
    let site = site().await;
    site.lets_ann_in("RS256").await;
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","#);
    assert!(site.provider.issued_tokens().iter().any(|token| token.starts_with(&header)));
}

/// Also in the plan of Config RP. Accepting would do as well, where the metadata offer it.
#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() {
    let site = Site::beside(&[Fault::MetadataWeakAlgorithms, Fault::IdTokenAlgNone]).await;
    site.refuses_ann("none").await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_rs256() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenBadSignature);
    site.refuses_ann("signature").await;
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() {
    let site = site().await;
    site.provider.faults().on(Fault::UserinfoOtherSub);
    site.refuses_ann("sub of userinfo").await;
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() {
    let site = site().await;
    site.provider.faults().on(Fault::IdTokenWrongNonce);
    site.refuses_ann("nonce").await;
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() {
    let site = Site::with(&[("THOUGHTS_OIDC_SCOPES", "openid profile email phone address")]).await;
    site.provider.faults().on(Fault::IdTokenNoPersonalClaims);
    let ann = site.lets_ann_in("scopes").await;
    let claims = ann.get("/profile").await.texts(".claims dt");
    for claim in ["name", "email", "phone_number", "address"] {
        assert!(claims.contains(&claim.to_owned()), "{claim} in {claims:?}");
    }
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() {
    let site = Site::beside(&[Fault::ClientSecretBasicAlone]).await;
    site.lets_ann_in("client_secret_basic").await;
}

// Config RP: `oidcc-client-config-certification-test-plan`, which has `oidcc-client-test-idtoken-sig-none` as well.

#[tokio::test]
async fn oidcc_client_test_discovery_openid_config() {
    let site = site().await;
    let ann = site.stranger();
    let metadata = ann.get(&format!("{}/.well-known/openid-configuration", site.provider.issuer())).await.json();
    let login = ann.get("/login").await;
    assert!(login.header("location").starts_with(metadata["authorization_endpoint"].as_str().unwrap()));
    site.lets_ann_in("by the endpoints of the metadata").await;
}

#[tokio::test]
async fn oidcc_client_test_discovery_jwks_uri_keys() {
    let site = Site::beside(&[Fault::JwksMoved]).await;
    site.lets_ann_in("by the keys at jwks_uri").await;
}

#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() {
    let site = Site::beside(&[Fault::MetadataOtherIssuer]).await;
    let ann = site.stranger();
    let page = ann.get("/login").await;
    ann.is_refused_by(&page, "issuer").await;
    let status = site.app.providers.only().unwrap().oidc.status();
    assert!(matches!(status, Status::Down { why, .. } if why.contains("elsewhere.example")));
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let site = site().await;
    site.provider.faults().on(Fault::KeysRotateBeforeSigning);
    site.lets_ann_in("rotated after the keys were fetched").await;
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation() {
    let site = site().await;
    site.lets_ann_in("before the rotation").await;
    site.provider.rotate_keys().await.unwrap();
    site.lets_ann_in("after it").await;
}

// RP-Initiated Logout RP: `oidcc-client-rp-initiated-logout-rp-basic`. What the suite calls by the back channel meanwhile
// stands in `back_channel.rs`.

#[tokio::test]
async fn oidcc_client_test_rp_init_logout() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let there = ann.post("/logout", &[]).await;
    let url = url::Url::parse(there.header("location")).unwrap();
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with(&format!("{}/end-session?", site.provider.issuer())));
    assert!(site.provider.issued_tokens().contains(&query["id_token_hint"]));
    assert_eq!(query["post_logout_redirect_uri"], format!("{}/logout", site.base));
    let back = ann.follow(there).await;
    assert_eq!(site.provider.sessions(), []);
    assert_eq!((back.status.as_u16(), back.text("h1").as_str()), (200, "You are signed out"));
    assert!(back.text("main").contains("sent you back after ending its own"));
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_other_state() {
    let site = site().await;
    site.provider.faults().on(Fault::LogoutReturnWrongState);
    let ann = site.member("Ann").await;
    let back = ann.follow(ann.post("/logout", &[]).await).await;
    assert_eq!((back.status.as_u16(), back.text("h1").as_str()), (200, "You are signed out"));
    assert!(back.text("main").contains("has not confirmed it"));
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_no_state() {
    let site = site().await;
    site.provider.faults().on(Fault::LogoutReturnNoState);
    let ann = site.member("Ann").await;
    let back = ann.follow(ann.post("/logout", &[]).await).await;
    assert_eq!((back.status.as_u16(), back.text("h1").as_str()), (200, "You are signed out"));
    assert!(back.text("main").contains("has not confirmed it"));
    assert_eq!(ann.get("/profile").await.status, 303);
}

// The table in docs/certification.md.

/// The cases, as they stand in these files.
fn played() -> Vec<String> {
    let files = [include_str!("certification.rs"), include_str!("back_channel.rs")];
    let tests = files.into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("async fn oidcc_"));
    tests.filter_map(|line| line.split_once('(')).map(|(name, _)| official(name)).collect()
}

/// A test's name as the Foundation writes it: `client_test` is `oidcc-client-test`.
fn official(test: &str) -> String {
    format!("oidcc-{}", test.replace('_', "-"))
}

/// Runs the cases, and gives those that pass.
fn passed() -> BTreeSet<String> {
    let run = Command::new(std::env::current_exe().unwrap()).args(["::oidcc_", "--color=never"]).output().unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    let tests =
        said.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok")?.split_once("::oidcc_"));
    tests.map(|(_, name)| official(name)).collect()
}

/// `THOUGHTS_CERTIFICATION=write` writes down what this run has found.
#[test]
fn the_page_says_of_each_case_whether_it_passes_as_a_run_of_them_finds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/certification.md");
    let page = fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- certification -->\n").unwrap();
    let (section, after) = rest.split_once("<!-- /certification -->").unwrap();
    let (passed, mut listed, mut found) = (passed(), Vec::new(), String::new());
    for line in section.lines() {
        match line.strip_prefix("| `").and_then(|row| row.split_once("` | ")) {
            Some((case, row)) => {
                let (what, _) = row.split_once(" | ").unwrap();
                let verdict = if passed.contains(case) { "passes" } else { "**fails**" };
                writeln!(found, "| `{case}` | {what} | {verdict} |").unwrap();
                listed.push(case);
            }
            None => writeln!(found, "{line}").unwrap(),
        }
    }
    assert_eq!(listed, played(), "the cases that there are");
    if std::env::var_os("THOUGHTS_CERTIFICATION").is_some_and(|wish| wish == "write") {
        fs::write(path, format!("{before}<!-- certification -->\n{found}<!-- /certification -->{after}")).unwrap();
    } else {
        assert_eq!(section, found, "see THOUGHTS_CERTIFICATION=write");
    }
}
