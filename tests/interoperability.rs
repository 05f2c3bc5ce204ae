//! Thoughts beside a provider that is none of ours: npm's oidc-provider, which the OpenID Foundation has certified. Both
//! run as programs of their own, and people go between them as a browser would.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client_authentication::p256;
use crate::support::Person;
use crate::support::oidc_provider::OidcProvider;
use crate::support::program::{Server, run};
use crate::support::site::{CLIENT_ID, CLIENT_SECRET, free_address, public_jwk};

/// Seconds that an access token lasts where nobody cares.
const AN_HOUR: u32 = 3600;

/// And where each call is to need a new one.
const HALF_A_MINUTE: u32 = 30;

/// A site, and the provider beside it.
struct Beside {
    provider: OidcProvider,
    server: Server,
    _folder: TempDir,
}

/// How the provider knows the site.
fn registered(base: &str, credential: &Value) -> Value {
    let mut client = json!({
        "client_id": CLIENT_ID,
        "redirect_uris": [format!("{base}/callback")],
        "post_logout_redirect_uris": [format!("{base}/logout")],
        "backchannel_logout_uri": format!("{base}/backchannel-logout"),
        "backchannel_logout_session_required": true,
        "grant_types": ["authorization_code", "refresh_token"],
    });
    client.as_object_mut().unwrap().extend(credential.as_object().unwrap().clone());
    client
}

impl Beside {
    /// A site with a secret.
    fn with_secret() -> Option<Self> {
        Self::start(&json!({ "client_secret": CLIENT_SECRET }), ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET))
    }

    /// A site that calls an API of the provider's, whose access tokens last half a minute: each call needs a new one.
    fn with_upstream() -> Option<Self> {
        let upstream = |issuer: &str| {
            format!("[[upstream]]\nname = 'api'\nurl = '{issuer}'\nresource = '{issuer}/resource'\nscopes = ['api']\n")
        };
        let credential = json!({ "client_secret": CLIENT_SECRET });
        Self::start_with(&credential, ("THOUGHTS_OIDC_CLIENT_SECRET", CLIENT_SECRET), HALF_A_MINUTE, &upstream)
    }

    /// A site with a private key, whose ID tokens are signed with ES256.
    fn with_key() -> Option<Self> {
        let key = p256();
        let credential = json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [public_jwk(&key)] },
            "id_token_signed_response_alg": "ES256",
            "require_pushed_authorization_requests": true,
        });
        Self::start(&credential, ("THOUGHTS_OIDC_CLIENT_KEY", &key))
    }

    fn start(credential: &Value, ours: (&str, &str)) -> Option<Self> {
        Self::start_with(credential, ours, AN_HOUR, &|_| String::new())
    }

    /// The same, with this `thoughts.toml` beside the provider's issuer.
    fn start_with(
        credential: &Value,
        ours: (&str, &str),
        access_token_ttl: u32,
        file: &dyn Fn(&str) -> String,
    ) -> Option<Self> {
        let (listener, base) = free_address();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let provider = OidcProvider::start(&json!([registered(&base, credential)]), access_token_ttl)?;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thoughts.toml"), file(&provider.issuer)).unwrap();
        let settings = [
            ("THOUGHTS_BASE_URL", base.as_str()),
            ("THOUGHTS_LISTEN", &listen),
            ("THOUGHTS_STORE", &format!("sled:{}", folder.path().join("data").display())),
            ("THOUGHTS_OIDC_ISSUER", &provider.issuer),
            ("THOUGHTS_OIDC_CLIENT_ID", CLIENT_ID),
            ("THOUGHTS_OIDC_SCOPES", "openid profile email groups"),
            ("THOUGHTS_LOG", "info"),
            ours,
        ];
        let server = Server::spawn(&["serve"], folder.path(), &settings, base.clone());
        Some(Self { provider, server, _folder: folder })
    }

    /// Someone who has signed in there and is back here.
    async fn member(&self, name: &str) -> Person {
        let person = Person::new(&self.server.base);
        let page = person.sign_in_there(name).await;
        assert_eq!(page.status, 200, "{}{}", page.body, self.server.said());
        assert_eq!(person.get("/api/me").await.json()["name"], name);
        person
    }
}

/// Whether this browser is still signed in at the provider: whoever is, comes back without being asked.
async fn is_known_there(person: &Person) -> bool {
    let page = person.follow(person.get("/login").await).await;
    !page.has("input[name=login]")
}

#[tokio::test]
async fn somebody_signs_in_with_what_another_implementation_sends() {
    let Some(beside) = Beside::with_secret() else { return };
    let ann = beside.member("Ann").await;
    let me = ann.get("/api/me").await.json();
    assert_eq!((&me["handle"], &me["email"]), (&json!("ann"), &json!("ann@example.org")));
    assert_eq!(me["groups"], json!(["staff"]));
    assert!(beside.provider.has_seen("pushed_authorization_request.success").await, "it offers that");
}

#[tokio::test]
async fn somebody_signs_in_where_this_site_has_a_private_key_and_must_push() {
    let Some(beside) = Beside::with_key() else { return };
    beside.member("Ann").await;
    assert!(beside.provider.has_seen("pushed_authorization_request.success").await);
}

#[tokio::test]
async fn signing_out_here_revokes_and_ends_the_session_there_and_comes_back() {
    for beside in [Beside::with_secret(), Beside::with_key()] {
        let Some(beside) = beside else { return };
        let ann = beside.member("Ann").await;
        let question = ann.follow(ann.post("/logout", &[]).await).await;
        assert_eq!(question.text("h1"), "Sign out?", "the provider asks: {}", question.body);
        assert!(beside.provider.has_seen("grant.revoked").await, "the refresh token is worthless by now");
        assert_eq!(ann.get("/profile").await.status, 303, "whatever is answered there");
        let page = ann.follow(ann.confirm_sign_out(&question).await).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (200, "You are signed out"));
        assert!(page.text("main").contains("after ending its own"), "{}", page.text("main"));
        assert!(!is_known_there(&ann).await);
    }
}

#[tokio::test]
async fn who_stays_signed_in_there_comes_back_without_a_question() {
    let Some(beside) = Beside::with_secret() else { return };
    let ann = beside.member("Ann").await;
    assert!(is_known_there(&ann).await);
}

#[tokio::test]
async fn a_session_that_ends_there_ends_here_by_the_back_channel_and_nobody_elses_does() {
    for beside in [Beside::with_secret(), Beside::with_key()] {
        let Some(beside) = beside else { return };
        let (ann, ben) = (beside.member("Ann").await, beside.member("Ben").await);
        let question = ann.get(&format!("{}/session/end", beside.provider.issuer)).await;
        ann.confirm_sign_out(&question).await;
        assert!(beside.provider.has_seen("backchannel.success").await, "{}", beside.server.said());
        assert_eq!(ann.get("/profile").await.status, 303);
        assert_eq!(ben.get("/profile").await.status, 200);
    }
}

#[tokio::test]
async fn an_api_of_its_own_gets_tokens_that_are_refreshed_with_rotation() {
    let Some(beside) = Beside::with_upstream() else { return };
    let ann = beside.member("Ann").await;
    for _ in 0..3 {
        let answer = ann.get("/api/upstream/api/resource/mine").await;
        let audience = format!("{}/resource", beside.provider.issuer);
        assert_eq!(
            answer.json(),
            json!({ "sub": "id-ann", "aud": audience, "scope": "api" }),
            "{}",
            beside.server.said()
        );
    }
    let consumed = beside.provider.events().await.iter().filter(|event| *event == "refresh_token.consumed").count();
    assert_eq!(consumed, 3, "each was good once");
}

#[tokio::test]
async fn check_finds_nothing_to_mend() {
    for beside in [Beside::with_secret(), Beside::with_key()] {
        let Some(beside) = beside else { return };
        let output = run(&["check"], &beside.server.settings());
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{printed}");
        assert!(printed.contains("takes our authorization request beforehand"), "{printed}");
        assert!(printed.contains("accepts the client id and the client"), "{printed}");
    }
}
