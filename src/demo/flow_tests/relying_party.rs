//! A relying party as short as it can be: it sends what it is told to, and keeps one browser's cookie.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    ClientId, IssuerUrl, JsonWebKeySet, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey},
};
use reqwest::{Response, StatusCode, header, redirect::Policy};
use scraper::{Html, Selector};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use crate::demo::{Client, Clock, Provider, Settings};

pub(super) const CLIENT: &str = "thoughts";
pub(super) const SECRET: &str = "a secret: with+signs";
pub(super) const PUBLIC_CLIENT: &str = "public";
pub(super) const CALLBACK: &str = "http://rp.example/callback";
pub(super) const SIGNED_OUT: &str = "http://rp.example/signed-out";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// One key for the whole run, since making one takes long.
static KEY: LazyLock<String> = LazyLock::new(|| Provider::new_key_pem().unwrap());

pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A provider on a free port, a clock that only tests move, and a browser.
pub(super) struct RelyingParty {
    pub(super) provider: Provider,
    http: reqwest::Client,
    seconds: Arc<AtomicU64>,
    cookie: Option<String>,
}

pub(super) fn client(client_id: &str, secret: Option<&str>) -> Client {
    Client {
        client_id: client_id.to_owned(),
        client_secret: secret.map(str::to_owned),
        jwks: Vec::new(),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: vec![SIGNED_OUT.to_owned()],
        backchannel_logout_uri: None,
    }
}

impl RelyingParty {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seconds = Arc::new(AtomicU64::new(1_800_000_000));
        let clock = seconds.clone();
        let settings = Settings {
            clients: vec![client(CLIENT, Some(SECRET)), client(PUBLIC_CLIENT, None)],
            key_pem: Some(KEY.clone()),
            clock: Clock::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed))),
            ..Settings::new(format!("http://{}", listener.local_addr().unwrap()))
        };
        let provider = Provider::start(listener, settings).await.unwrap();
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { provider, http, seconds, cookie: None }
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.provider.issuer())
    }

    pub(super) async fn get(&self, path: &str, query: Pairs<'_>) -> Response {
        let mut url = Url::parse(&self.url(path)).unwrap();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let cookie = self.cookie.clone().unwrap_or_default();
        self.http.get(url).header(header::COOKIE, cookie).send().await.unwrap()
    }

    pub(super) async fn json(&self, path: &str) -> Value {
        self.get(path, &[]).await.json().await.unwrap()
    }

    pub(super) async fn post(&self, path: &str, basic: Option<(&str, &str)>, form: Pairs<'_>) -> Response {
        let mut request = self
            .http
            .post(self.url(path))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, self.cookie.clone().unwrap_or_default())
            .body(form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish());
        if let Some((id, secret)) = basic {
            let encode = |half: &str| form_urlencoded::byte_serialize(half.as_bytes()).collect::<String>();
            request = request.basic_auth(encode(id), Some(encode(secret)));
        }
        request.send().await.unwrap()
    }

    pub(super) async fn authorize(&self, client_id: &str, extra: Pairs<'_>) -> Response {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut query: BTreeMap<&str, &str> = BTreeMap::from([
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("state", "a&b=<c>"),
            ("nonce", "n-1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        query.extend(extra.iter().copied());
        self.get("/authorize", &query.into_iter().collect::<Vec<_>>()).await
    }

    /// Sends the page's form with these fields as a person would, and keeps the cookie.
    pub(super) async fn submit(&mut self, page: Response, fields: Pairs<'_>) -> Response {
        let hidden = hidden_fields(&page.text().await.unwrap());
        let mut form: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        form.extend(fields);
        let response = self.post("/sign-in", None, &form).await;
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        response
    }

    /// The parameters that the callback gets after somebody signed in.
    pub(super) async fn sign_in(&mut self, client_id: &str, name: &str) -> BTreeMap<String, String> {
        let page = self.authorize(client_id, &[]).await;
        callback(&self.submit(page, &[("name", name), ("groups", "staff"), ("choice", "sign-in")]).await)
    }

    pub(super) async fn redeem(&self, code: &str) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", Some((CLIENT, SECRET)), &form).await
    }

    /// The token response after somebody signed in.
    pub(super) async fn tokens(&mut self, name: &str) -> Value {
        let code = self.sign_in(CLIENT, name).await["code"].clone();
        self.redeem(&code).await.json().await.unwrap()
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Response {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        self.post("/token", Some((CLIENT, SECRET)), &form).await
    }

    pub(super) async fn userinfo(&self, access_token: &str) -> Response {
        self.http.get(self.url("/userinfo")).bearer_auth(access_token).send().await.unwrap()
    }

    /// The subject of an ID token that openidconnect accepts with the published keys.
    pub(super) async fn verify(&self, id_token: &str) -> Result<String, String> {
        let keys: JsonWebKeySet<CoreJsonWebKey> = serde_json::from_value(self.json("/jwks").await).unwrap();
        let issuer = IssuerUrl::new(self.provider.issuer().to_owned()).unwrap();
        let now = self.seconds.load(Ordering::Relaxed);
        let verifier = CoreIdTokenVerifier::new_public_client(ClientId::new(CLIENT.to_owned()), issuer, keys)
            .set_time_fn(move || (UNIX_EPOCH + Duration::from_secs(now)).into());
        let token: CoreIdToken = id_token.parse().map_err(|error| format!("{error}"))?;
        let claims = token.claims(&verifier, &Nonce::new("n-1".to_owned())).map_err(|error| format!("{error}"))?;
        Ok(claims.subject().to_string())
    }
}

/// The parameters of a redirect to the callback.
pub(super) fn callback(response: &Response) -> BTreeMap<String, String> {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(CALLBACK), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

/// The claims of a token, unverified.
pub(super) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn hidden_fields(page: &str) -> BTreeMap<String, String> {
    let fields = Selector::parse("form:last-of-type input[type=hidden]").unwrap();
    let pair = |input: scraper::ElementRef<'_>| Some((input.attr("name")?.to_owned(), input.attr("value")?.to_owned()));
    Html::parse_document(page).select(&fields).filter_map(pair).collect()
}
