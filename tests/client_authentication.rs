//! Proving with a private key who this site is, and authorization requests that are pushed (RFC 9126).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use thoughts::demo::{self, Fault};

use crate::support::program::Server;
use crate::support::site::{CLIENT_ID, KEY, client, free_address, public_jwk};
use crate::support::{Person, Site, site};

const NOT_SIGNED_IN: &str = "You were not signed in";
const NOT_INTRODUCED: &str = "does not accept how this site introduces itself";

/// A key of EC on P-256, in PEM.
pub fn p256() -> String {
    pem(EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap().as_ref())
}

fn ed25519() -> String {
    pem(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref())
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der))
}

#[tokio::test]
async fn every_kind_of_private_key_signs_in_without_a_secret_and_again() {
    for (kind, key) in [("RSA", KEY.clone()), ("P-256", p256()), ("Ed25519", ed25519())] {
        let site = Site::with_client_key(&key, &[]).await;
        site.lets_ann_in(kind).await;
        site.lets_ann_in(format!("{kind}, the second time")).await;
    }
}

#[tokio::test]
async fn an_rsa_key_signs_in_the_way_that_the_provider_takes() {
    let site = Site::with_client_key(&KEY, &[Fault::ClientAssertionPs256Alone]).await;
    site.lets_ann_in("PS256").await;
}

#[tokio::test]
async fn a_key_that_the_provider_cannot_take_is_a_page_that_says_so_before_anyone_is_sent_there() {
    let no_method = Site::with_client_key(&KEY, &[Fault::MetadataNoPrivateKeyJwt]).await;
    let no_algorithm = Site::with_client_key(&p256(), &[Fault::ClientAssertionPs256Alone]).await;
    for site in [no_method, no_algorithm] {
        let ann = site.stranger();
        let page = ann.get("/login").await;
        ann.is_refused_by(&page, "client_authentication").await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (502, NOT_SIGNED_IN));
        assert!(page.text("main").contains(NOT_INTRODUCED), "{}", page.text("main"));
        assert!(page.text("main").contains("how this site is set up"), "{}", page.text("main"));
        assert_eq!(ann.get("/").await.status, 200, "reading goes on");
    }
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_know_signs_nobody_in() {
    let site = Site::with_client_key(&p256(), &[]).await;
    site.provider.set_clients(vec![demo::Client {
        client_secret: None,
        jwks: vec![public_jwk(&p256())],
        ..client(&site.base)
    }]);
    let page = site.refuses_ann("another key").await;
    assert!(page.text("main").contains(NOT_INTRODUCED), "{}", page.text("main"));
}

#[tokio::test]
async fn signing_out_revokes_with_the_key_too() {
    let site = Site::with_client_key(&p256(), &[]).await;
    let ann = site.member("Ann").await;
    let page = ann.follow(ann.post("/logout", &[]).await).await;
    assert!(page.text("main").contains("after ending its own"), "{}", page.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_key_nor_an_assertion_nor_a_request_uri_is_in_the_log() {
    let site = Site::beside(&[Fault::PushRequired]).await;
    let key = p256();
    let (folder, (listener, base)) = (tempfile::tempdir().unwrap(), free_address());
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    site.provider.set_clients(vec![demo::Client {
        client_secret: None,
        jwks: vec![public_jwk(&key)],
        ..client(&base)
    }]);
    let settings = [
        ("THOUGHTS_BASE_URL", base.as_str()),
        ("THOUGHTS_LISTEN", &listen),
        ("THOUGHTS_STORE", &format!("sled:{}", folder.path().display())),
        ("THOUGHTS_OIDC_ISSUER", site.provider.issuer()),
        ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
        ("THOUGHTS_OIDC_CLIENT_KEY", &key),
        ("THOUGHTS_LOG", "trace"),
    ];
    let server = Server::spawn(&["serve"], folder.path(), &settings, base.clone());
    let ann = Person::new(&base);
    let login = ann.get("/login").await.location().unwrap();
    let request_uri = login.split("request_uri%3A").nth(1).unwrap().to_owned();
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    ann.post("/logout", &[]).await;
    let said = server.said();
    assert!(said.contains("authn_login_success"), "{said}");
    // An assertion begins with `{"typ":"JWT","alg":"ES256"` in base64url, whatever its claims are.
    let assertion = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiI";
    for secret in [key.lines().nth(1).unwrap(), assertion, &request_uri, "client_assertion="] {
        assert!(!said.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_request_is_pushed_where_the_provider_takes_that_and_the_browser_carries_a_name_for_it() {
    for fault in [Fault::PushOffered, Fault::PushRequired] {
        let site = Site::beside(&[fault]).await;
        let login = site.stranger().get("/login").await.location().unwrap();
        let url = url::Url::parse(&login).unwrap();
        let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, ["client_id", "request_uri"], "{fault}");
        site.lets_ann_in(fault).await;
    }
}

#[tokio::test]
async fn a_request_is_pushed_by_every_kind_of_client() {
    Site::with_client_key(&p256(), &[Fault::PushRequired]).await.lets_ann_in("private_key_jwt").await;
    Site::beside(&[Fault::PushRequired, Fault::ClientSecretPostAlone]).await.lets_ann_in("client_secret_post").await;
}

/// What can go wrong when a request is pushed, with status and heading of the page.
const NOT_PUSHED: &[(Fault, u16, &str)] = &[
    (Fault::PushRefused, 502, NOT_SIGNED_IN),
    (Fault::PushHtml, 502, NOT_SIGNED_IN),
    (Fault::PushNoRequestUri, 502, NOT_SIGNED_IN),
    (Fault::Push500, 503, "Sign-in is not answering"),
];

#[tokio::test]
async fn a_push_that_fails_is_told_and_the_request_is_not_sent_in_the_open_instead() {
    for offered in [Fault::PushOffered, Fault::PushRequired] {
        for (fault, status, heading) in NOT_PUSHED {
            let site = Site::beside(&[offered, *fault]).await;
            let ann = site.stranger();
            let page = ann.get("/login").await;
            ann.is_refused_by(&page, fault).await;
            assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (*status, *heading), "{fault}");
            site.provider.faults().off(*fault);
            site.lets_ann_in(format!("{fault} is over")).await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_requires_pushing_and_names_no_endpoint_is_of_no_use() {
    let site = Site::beside(&[Fault::PushRequiredNowhere]).await;
    assert_eq!(site.stranger().get("/login").await.status, 503);
}

#[tokio::test]
async fn a_plain_request_goes_on_where_nothing_else_is_offered() {
    let login = site().await.stranger().get("/login").await.location().unwrap();
    assert!(login.contains("code_challenge="), "{login}");
}
