//! A small provider on loopback whose answers a test can change.

use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm as Algorithm, CoreRsaPrivateSigningKey,
};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Request, Response, Server};
use rsa::pkcs1::{EncodeRsaPrivateKey as _, LineEnding};
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use url::Url;

use crate::clock::Clock;

/// Who the provider says has signed in.
pub(super) const SUB: &str = "user-1";
pub(super) const CLIENT_ID: &str = "thoughts";
pub(super) const CLIENT_SECRET: &str = "a:secret";

const ACCESS_TOKEN: &str = "access-token-1";

/// Keys that sign, each made once in a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    First,
    Second,
    Ed25519,
}

static FIRST: LazyLock<CoreRsaPrivateSigningKey> = LazyLock::new(|| rsa_key("first"));
static SECOND: LazyLock<CoreRsaPrivateSigningKey> = LazyLock::new(|| rsa_key("second"));
/// The example of RFC 8410, 10.3.
static ED25519: LazyLock<CoreEdDsaPrivateSigningKey> = LazyLock::new(|| {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, Some(JsonWebKeyId::new("ed".to_owned()))).unwrap()
});

fn rsa_key(kid: &str) -> CoreRsaPrivateSigningKey {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let pem = key.to_pkcs1_pem(LineEnding::LF).unwrap();
    CoreRsaPrivateSigningKey::from_pem(&pem, Some(JsonWebKeyId::new(kid.to_owned()))).unwrap()
}

impl Key {
    fn sign(self, algorithm: &Algorithm, input: &[u8]) -> Vec<u8> {
        match self {
            Self::First => FIRST.sign(algorithm, input),
            Self::Second => SECOND.sign(algorithm, input),
            Self::Ed25519 => ED25519.sign(algorithm, input),
        }
        .unwrap()
    }

    fn public(self) -> Value {
        let key = match self {
            Self::First => FIRST.as_verification_key(),
            Self::Second => SECOND.as_verification_key(),
            Self::Ed25519 => ED25519.as_verification_key(),
        };
        serde_json::to_value(key).unwrap()
    }
}

/// What the provider answers.
pub(super) struct Script {
    pub(super) clock: Clock,
    /// Put over the right metadata; `null` takes away.
    pub(super) metadata: Map<String, Value>,
    /// Put over the right claims of the ID token; `null` takes away.
    pub(super) claims: Map<String, Value>,
    /// Put over the right header of the ID token; `null` takes away. Its `alg` is how the token is signed.
    pub(super) header: Map<String, Value>,
    /// Put over the right token response; `null` takes away.
    pub(super) token: Map<String, Value>,
    /// Put over the right userinfo; `null` takes away.
    pub(super) userinfo: Map<String, Value>,
    pub(super) signs: Key,
    pub(super) publishes: Vec<Key>,
    pub(super) break_signature: bool,
    /// Answers by path that take the place of the right ones: status, content type, body.
    pub(super) instead: Map<String, Value>,
    /// Paths that never answer.
    pub(super) silent: Option<&'static str>,
    /// Path, `Authorization` and body of all requests.
    pub(super) seen: Vec<(String, String, String)>,
    nonce: String,
}

impl Script {
    /// Answers a path with something else.
    pub(super) fn answer(&mut self, path: &str, status: u16, content_type: &str, body: &str) {
        self.instead.insert(path.to_owned(), json!([status, content_type, body]));
    }

    /// How often a path was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        self.seen.iter().filter(|(seen, _, _)| seen == path).count()
    }

    fn respond(&self, issuer: &str, path: &str) -> Response {
        if let Some(instead) = self.instead.get(path) {
            let status = StatusCode::from_u16(u16::try_from(instead[0].as_u64().unwrap()).unwrap()).unwrap();
            let mut response = Response::builder().status(status).content_type(instead[1].as_str().unwrap());
            if status.is_redirection() {
                response = response.header("location", "/elsewhere");
            }
            return response.body(instead[2].as_str().unwrap().to_owned());
        }
        let answer = match path {
            "/.well-known/openid-configuration" => over(metadata(issuer), &self.metadata),
            "/keys" => json!({"keys": self.publishes.iter().map(|key| key.public()).collect::<Vec<_>>()}),
            "/token" => over(self.token_response(issuer), &self.token),
            "/userinfo" => over(json!({"sub": SUB, "email": "ada@example.org", "name": "Ada L."}), &self.userinfo),
            "/revoke" => json!({}),
            _ => return Response::builder().status(StatusCode::NOT_FOUND).finish(),
        };
        Response::builder().content_type("application/json").body(answer.to_string())
    }

    fn token_response(&self, issuer: &str) -> Value {
        json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300, "refresh_token": "refresh-1",
            "scope": "openid email", "id_token": self.id_token(issuer),
        })
    }

    fn id_token(&self, issuer: &str) -> String {
        let now = self.clock.now().as_second();
        let claims = json!({
            "iss": issuer, "sub": SUB, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": self.nonce,
            "sid": "session-1", "name": "Ada", "groups": ["friends"], "auth_time": now - 5,
        });
        let kid = self.signs.public()["kid"].clone();
        let header = over(json!({"alg": "RS256", "kid": kid, "typ": "JWT"}), &self.header);
        let input = [&header, &over(claims, &self.claims)]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let mut signature = match header["alg"].as_str() {
            Some("RS256") => self.signs.sign(&Algorithm::RsaSsaPkcs1V15Sha256, input.as_bytes()),
            Some("PS256") => self.signs.sign(&Algorithm::RsaSsaPssSha256, input.as_bytes()),
            Some("RS512") => self.signs.sign(&Algorithm::RsaSsaPkcs1V15Sha512, input.as_bytes()),
            Some("EdDSA") => self.signs.sign(&Algorithm::EdDsa, input.as_bytes()),
            Some("HS256") => CoreHmacKey::new(CLIENT_SECRET).sign(&Algorithm::HmacSha256, input.as_bytes()).unwrap(),
            _ => Vec::new(),
        };
        if self.break_signature {
            signature[10] ^= 1;
        }
        format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"), "revocation_endpoint": format!("{issuer}/revoke"),
        "end_session_endpoint": format!("{issuer}/logout"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    })
}

fn over(right: Value, changes: &Map<String, Value>) -> Value {
    let Value::Object(mut all) = right else { panic!("not an object") };
    all.extend(changes.clone());
    all.retain(|_, value| !value.is_null());
    Value::Object(all)
}

/// The provider, listening. It ends with its test.
pub(super) struct Fake {
    pub(super) issuer: String,
    pub(super) script: Arc<Mutex<Script>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Fake {
    pub(super) async fn new(clock: Clock) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let issuer = format!("http://{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
        let script = Arc::new(Mutex::new(Script {
            clock,
            metadata: Map::new(),
            claims: Map::new(),
            header: Map::new(),
            token: Map::new(),
            userinfo: Map::new(),
            signs: Key::First,
            publishes: vec![Key::First],
            break_signature: false,
            instead: Map::new(),
            silent: None,
            seen: Vec::new(),
            nonce: String::new(),
        }));
        let (of, played) = (issuer.clone(), script.clone());
        let endpoint = poem::endpoint::make(move |request| serve(request, of.clone(), played.clone()));
        let serving = tokio::spawn(Server::new_with_acceptor(acceptor).run(endpoint));
        Self { issuer, script, serving }
    }

    /// The browser comes to the authorization endpoint.
    pub(super) fn authorize(&self, url: &Url) {
        let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        self.script.lock().unwrap().nonce = nonce;
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(request: Request, issuer: String, script: Arc<Mutex<Script>>) -> Response {
    let path = request.uri().path().to_owned();
    let authorization = request.header("authorization").unwrap_or_default().to_owned();
    let body = request.into_body().into_string().await.unwrap_or_default();
    let silent = {
        let mut script = script.lock().unwrap();
        script.seen.push((path.clone(), authorization, body));
        script.silent == Some(path.as_str())
    };
    if silent {
        std::future::pending::<()>().await;
    }
    script.lock().unwrap().respond(&issuer, &path)
}
