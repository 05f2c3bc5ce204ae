//! The signing keys: one signs, the one before it stays in the published set, older ones only verify hints.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKey, JsonWebKeyId, PrivateSigningKey,
    core::{CoreHmacKey, CoreJsonWebKey, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey},
};
use rsa::{
    RsaPrivateKey,
    pkcs1::{EncodeRsaPrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    error::Error,
    jwt::{Jwt, Received},
};

/// How many former keys still verify an `id_token_hint`.
const FORMER_KEYS: usize = 8;

/// A new RSA key of 2048 bits as PKCS#1 PEM. Takes up to some seconds in a debug build: not for the runtime's threads.
pub(super) fn new_key_pem() -> Result<String, Error> {
    let key = RsaPrivateKey::new(&mut OsRng, 2048).map_err(|error| Error::Key(error.to_string()))?;
    let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|error| Error::Key(error.to_string()))?;
    Ok(pem.to_string())
}

/// One key pair with its name.
pub(super) struct SigningKey {
    private: CoreRsaPrivateSigningKey,
    public: CoreJsonWebKey,
    /// The RFC 7638 thumbprint, so a kept key keeps its name.
    pub(super) kid: String,
    jwk: Map<String, Value>,
}

impl SigningKey {
    fn from_pem(pem: &str) -> Result<Self, Error> {
        let unnamed = CoreRsaPrivateSigningKey::from_pem(pem, None).map_err(Error::Key)?.as_verification_key();
        let unnamed = serde_json::to_value(unnamed).map_err(|error| Error::Key(error.to_string()))?;
        // RFC 7638, 3: the required members in lexical order, without blanks.
        let thumbprint = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, unnamed["e"], unnamed["n"]);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(thumbprint));
        let private =
            CoreRsaPrivateSigningKey::from_pem(pem, Some(JsonWebKeyId::new(kid.clone()))).map_err(Error::Key)?;
        let jwk = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": unnamed["n"], "e": unnamed["e"],
        });
        Ok(Self {
            public: private.as_verification_key(),
            private,
            kid,
            jwk: jwk.as_object().cloned().unwrap_or_default(),
        })
    }

    /// A token of this key's, to be signed with RS256.
    pub(super) fn token(&self, typ: &str, claims: Map<String, Value>) -> Jwt {
        let mut token = Jwt::new(Map::new(), claims);
        token.set_header("alg", "RS256");
        token.set_header("typ", typ);
        token.set_header("kid", &self.kid);
        token
    }

    /// Signs as the header's `alg` says, so that a fault which changes the header changes the signature with it.
    /// `secret` is the client's, for HS256 alone.
    pub(super) fn sign(&self, token: &Jwt, secret: Option<&str>) -> Result<String, Error> {
        let input = token.signing_input();
        let signed = match token.header.get("alg").and_then(Value::as_str) {
            Some("none") => Ok(Vec::new()),
            Some("HS256") => {
                // For a public client the classic confusion: the public key taken as the shared secret.
                let secret = secret.or_else(|| self.jwk.get("n")?.as_str()).unwrap_or_default();
                CoreHmacKey::new(secret).sign(&CoreJwsSigningAlgorithm::HmacSha256, input.as_bytes())
            }
            Some("RS512") => self.private.sign(&CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512, input.as_bytes()),
            Some(_) | None => self.private.sign(&CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, input.as_bytes()),
        };
        let mut signature = signed.map_err(|error| Error::Key(error.to_string()))?;
        if token.spoil_signature
            && let Some(first) = signature.first_mut()
        {
            *first ^= 1;
        }
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

struct Ring {
    current: Arc<SigningKey>,
    /// The latest first.
    former: VecDeque<Arc<SigningKey>>,
    /// PEMs that rotation takes before it makes keys of its own.
    spare: VecDeque<String>,
}

/// All keys of the provider.
pub(super) struct Keys(Mutex<Ring>);

impl Keys {
    pub(super) fn new(pem: &str, spare: Vec<String>) -> Result<Self, Error> {
        let current = Arc::new(SigningKey::from_pem(pem)?);
        Ok(Self(Mutex::new(Ring { current, former: VecDeque::new(), spare: spare.into() })))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn current(&self) -> Arc<SigningKey> {
        self.ring().current.clone()
    }

    /// Puts the next spare key, or a new one, in the place of the one that signs.
    pub(super) async fn rotate(&self) -> Result<Arc<SigningKey>, Error> {
        let spare = self.ring().spare.pop_front();
        let pem = match spare {
            Some(pem) => pem,
            None => tokio::task::spawn_blocking(new_key_pem).await.map_err(|error| Error::Key(error.to_string()))??,
        };
        let next = Arc::new(SigningKey::from_pem(&pem)?);
        let mut ring = self.ring();
        let former = std::mem::replace(&mut ring.current, next.clone());
        ring.former.push_front(former);
        ring.former.truncate(FORMER_KEYS);
        Ok(next)
    }

    /// The published set (RFC 7517, 5): the current key and the one before it; first of all a decoy if asked for.
    pub(super) fn jwks(&self, with_decoy: bool) -> Value {
        let ring = self.ring();
        let decoy = with_decoy.then(|| decoy_of(&ring.current.jwk));
        let real = std::iter::once(&ring.current).chain(ring.former.front()).map(|key| key.jwk.clone());
        json!({ "keys": decoy.into_iter().chain(real).collect::<Vec<_>>() })
    }

    /// The claims of a token that one of these keys signed with RS256, expired or not.
    pub(super) fn claims_of(&self, token: &str) -> Option<Map<String, Value>> {
        let received = Received::parse(token)?;
        if received.header_text("alg") != Some("RS256") {
            return None;
        }
        let ring = self.ring();
        std::iter::once(&ring.current)
            .chain(&ring.former)
            .any(|key| {
                key.public
                    .verify_signature(
                        &CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                        received.signing_input.as_bytes(),
                        &received.signature,
                    )
                    .is_ok()
            })
            .then_some(received.claims)
    }
}

/// A public key that fits RS256 and signed nothing: another modulus of the same length.
fn decoy_of(jwk: &Map<String, Value>) -> Map<String, Value> {
    let mut decoy = jwk.clone();
    let modulus: String = jwk
        .get("n")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .chars()
        .map(|c| if c == 'b' { 'd' } else { c })
        .collect();
    decoy.insert("n".to_owned(), modulus.into());
    decoy.insert("kid".to_owned(), "signed-nothing".into());
    decoy
}
