//! What the provider gave this site to keep is written down and shown nowhere as it is: looked for in everything that a
//! site says, to whomever, and keeps.

use std::path::Path;

use reqwest::Method;
use serde_json::json;
use thoughts::demo::Fault;

use crate::support::program::{Server, files, run};
use crate::support::site::free_address;
use crate::support::{Answer, Person, Upstream, site};

/// Everything that somebody's browser got and holds.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn note(&mut self, whence: &str, person: &Person, answer: &Answer) {
        self.0.push((whence.to_owned(), format!("{:?}\n{}", answer.headers, answer.body)));
        self.0.push((format!("the cookies after {whence}"), person.cookie_header()));
    }

    async fn get(&mut self, person: &Person, path: &str) -> Answer {
        let answer = person.get(path).await;
        self.note(path, person, &answer);
        answer
    }
}

/// What anybody and whoever is signed in can look at.
async fn look_round(ann: &Person, seen: &mut Seen) {
    let thought = ann.share("Hello!", "members").await;
    let pages = ["/", "/profile", "/profile/upstreams/notes", "/profile/api-tokens", "/profile/delete"];
    let answers = ["/profile/export", "/api/me", "/api/thoughts", "/api/upstream/notes/v1/x", "/events", "/made-up"];
    for path in pages.iter().chain(&answers) {
        seen.get(ann, path).await;
        let part = ann.htmx().get(path).await;
        seen.note(&format!("the part of {path}"), ann, &part);
    }
    seen.get(ann, &thought).await;
    let made = crate::api_tokens::made(ann, "read").await;
    let program = Person::new(&ann.base).saying("authorization", &format!("Bearer {made}"));
    seen.get(&program, "/api/me").await;
    let empty = ann.json(Method::POST, "/api/thoughts", &json!({ "message": "", "visibility": "public" })).await;
    seen.note("a problem", ann, &empty);
}

/// What is said where signing in comes to nothing, and out.
async fn fail_and_leave(ann: &Person, seen: &mut Seen) {
    let bob = Person::new(&ann.base);
    seen.get(&bob, "/callback?code=made-up&state=made-up").await;
    let callback = bob.authorize("Bob", &[], "/").await;
    seen.get(&bob, "/login").await;
    let failed = seen.get(&bob, &callback).await;
    assert!(failed.has(".note code"), "{}", failed.body);
    let again = bob.get(&callback).await;
    seen.note("the callback once more", &bob, &again);
    let mut gone = ann.post("/logout", &[]).await;
    // The one place to which an ID token goes by way of the browser: its provider, as `id_token_hint`, to whom it is no
    // secret. Source: OpenID Connect RP-Initiated Logout 1.0, 2.
    assert!(gone.headers.remove("location").is_some());
    seen.note("signing out", ann, &gone);
}

/// The data once a snapshot of them was kept, and a backup made: the former is the first thing that a server does.
async fn data(folder: &Path, server: Server, issuer: &str) -> (String, Vec<u8>) {
    let backup = folder.join("backup");
    assert_eq!(run(&["backup", backup.to_str().unwrap()], &server.settings()).status.code(), Some(0));
    // All before it has been read as well.
    Person::new(&server.base).get("/the-last").await;
    let mut said = server.until_it_says("/the-last").await;
    assert_eq!(server.stop(), Some(0));
    let again = Server::start_logging(folder, issuer, "trace");
    said += &again.until_it_says("snapshot_kept").await;
    (said, files(folder))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_the_provider_issued_is_in_the_log_on_a_page_in_a_cookie_or_in_the_data() {
    let (site, upstream) = (site().await, Upstream::start());
    let (listener, metrics) = free_address();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    let file = format!(
        "metrics_listen = '{listen}'\n{}",
        upstream.table("profile_path = '/v1/me'\nresource = 'https://notes.example/'")
    );
    let (server, folder, ann) = Server::that_logs_everything_as(&site, &file).await;
    let mut seen = Seen::default();
    look_round(&ann, &mut seen).await;
    site.provider.faults().on(Fault::IdTokenWrongNonce);
    fail_and_leave(&ann, &mut seen).await;
    seen.get(&Person::new(&metrics), "/metrics").await;

    // The upstream's own access token came of a refresh.
    let mut secrets = site.provider.issued_tokens();
    assert!(secrets.len() >= 9, "of a sign-in, of a refresh, and of a sign-in that failed: {}", secrets.len());
    let of_codes = site.provider.codes_and_verifiers();
    assert!(of_codes.len() >= 4, "{}", of_codes.len());
    secrets.extend(of_codes);
    let (said, kept) = data(folder.path(), server, site.provider.issuer()).await;
    assert!(said.contains("authn_login_success") && said.contains("authn_login_fail"));
    seen.0.push(("the log".to_owned(), said));
    for secret in &secrets {
        for (whence, text) in &seen.0 {
            if let Some(at) = text.find(secret) {
                panic!("a secret is in {whence}: {}", &text[text[..at].rfind('\n').unwrap_or(0)..at]);
            }
        }
        assert!(!kept.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "a secret is in the data");
    }
}
