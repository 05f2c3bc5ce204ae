//! Sign-ins against a provider on loopback that gets one thing wrong at a time.

mod client_authentication;
mod fake;
mod keys;
mod provider;
mod response;
mod tokens;

use std::time::Duration;

use serde_json::{Value, json};

use self::fake::{CLIENT_ID, CLIENT_SECRET, Fake, Script};
use super::{Attempt, AuthorizationResponse, Credential, Http, Provider, Settings, SignInError, SignedIn};
use crate::clock::Clock;

/// A provider, and us.
struct Stage {
    fake: Fake,
    provider: Provider,
    clock: Clock,
}

impl Stage {
    /// With everything right.
    async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// With settings of our own, and a provider whose answers are changed.
    async fn with(change: impl FnOnce(&mut Settings, &mut Script)) -> Self {
        Self::within(Http::TIMEOUT, change).await
    }

    async fn within(timeout: Duration, change: impl FnOnce(&mut Settings, &mut Script)) -> Self {
        let clock = Clock::manual();
        let fake = Fake::new(clock.clone()).await;
        let mut settings = settings(&fake.issuer);
        change(&mut settings, &mut fake.script.lock().unwrap());
        let provider = Provider::new(settings, Http::new(timeout).unwrap(), clock.clone()).unwrap();
        Self { fake, provider, clock }
    }

    /// With other claims in the ID token.
    async fn with_claims(claims: Value) -> Self {
        Self::with(|_, script| script.claims = claims.as_object().unwrap().clone()).await
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.fake.script.lock().unwrap());
    }

    /// How often the provider was asked for a path.
    fn count(&self, path: &str) -> usize {
        self.fake.script.lock().unwrap().count(path)
    }

    /// A whole sign-in, the browser's part included.
    async fn sign_in(&self) -> Result<SignedIn, SignInError> {
        let attempt = self.begin().await?;
        self.provider.finish(&attempt, &right_response(&attempt), &mut Vec::new()).await
    }

    async fn begin(&self) -> Result<Attempt, SignInError> {
        let (url, attempt) = self.provider.begin(None).await?;
        self.fake.authorize(&url);
        Ok(attempt)
    }

    /// The cause for which a sign-in is refused.
    async fn refusal(&self) -> &'static str {
        self.sign_in().await.unwrap_err().cause()
    }
}

fn settings(issuer: &str) -> Settings {
    Settings {
        name: "fake".to_owned(),
        issuer: issuer.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        credential: Credential::Secret(CLIENT_SECRET.to_owned()),
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        audience: None,
        resources: Vec::new(),
        redirect_uri: "http://localhost:3000/callback".to_owned(),
        post_logout_redirect_uri: "http://localhost:3000/signed-out".to_owned(),
    }
}

fn right_response(attempt: &Attempt) -> AuthorizationResponse {
    AuthorizationResponse {
        code: Some("code-1".to_owned()),
        state: Some(attempt.state().to_owned()),
        ..AuthorizationResponse::default()
    }
}

#[tokio::test]
async fn somebody_signs_in() {
    let stage = Stage::new().await;
    let signed_in = stage.sign_in().await.unwrap();
    assert_eq!((signed_in.iss, signed_in.sub.as_str()), (stage.fake.issuer.clone(), fake::SUB));
    assert_eq!(signed_in.sid.as_deref(), Some("session-1"));
    assert_eq!(signed_in.claims["name"], "Ada L.", "userinfo wins");
    assert_eq!(signed_in.claims["email"], "ada@example.org");
    assert_eq!(signed_in.claims["groups"], json!(["friends"]));
    assert_eq!(signed_in.auth_time.unwrap().as_second(), stage.clock.now().as_second() - 5);
}

#[tokio::test]
async fn the_tokens_are_kept_with_the_time_they_expire() {
    let stage = Stage::new().await;
    let tokens = stage.sign_in().await.unwrap().tokens;
    assert_eq!(tokens.expires_at.as_second(), stage.clock.now().as_second() + 300);
    assert_eq!(tokens.refresh_token.as_deref(), Some("refresh-1"));
    assert_eq!(tokens.id_token.split('.').count(), 3);
    assert_eq!(tokens.scope.as_deref(), Some("openid email"));
}

#[tokio::test]
async fn no_token_is_in_the_debug_output_of_a_sign_in() {
    let signed_in = Stage::new().await.sign_in().await.unwrap();
    let debug = format!("{signed_in:?}");
    let tokens = signed_in.tokens;
    assert!(!debug.contains(&tokens.access_token) && !debug.contains(&tokens.id_token) && !debug.contains("refresh-1"));
}

#[tokio::test]
async fn the_authorization_request_has_pkce_and_asks_for_the_audience() {
    let stage = Stage::with(|settings, _| settings.audience = Some("https://api.example".to_owned())).await;
    let (url, _) = stage.provider.begin(None).await.unwrap();
    let query: std::collections::HashMap<_, _> = url.query_pairs().collect();
    assert_eq!(url.path(), "/authorize");
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["scope"], "openid email");
    assert_eq!(query["audience"], "https://api.example");
    assert_eq!(query["redirect_uri"], "http://localhost:3000/callback");
}

#[tokio::test]
async fn ten_tabs_sign_in_at_once() {
    let stage = Stage::new().await;
    let attempts = futures_util::future::join_all((0..10).map(|_| stage.provider.begin(None))).await;
    assert_eq!(stage.count("/keys"), 1, "the first asks, the others wait");
    for begun in attempts {
        let (url, attempt) = begun.unwrap();
        stage.fake.authorize(&url);
        stage.provider.finish(&attempt, &right_response(&attempt), &mut Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn a_sign_in_can_move_between_threads() {
    let stage = Stage::new().await;
    tokio::spawn(async move { stage.sign_in().await.map(drop) }).await.unwrap().unwrap();
}
