//! Logout tokens: what a provider sends to `backchannel_logout_uri` when a session has ended with it. openidconnect
//! has no type for them, because an ID token must have a `sub` and a logout token need not.
//! Source: OpenID Connect Back-Channel Logout 1.0, 2.4 and 2.6.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::shown;
use super::id_token::{ALGORITHMS, LEEWAY};
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::types::KeySet;

/// How old a logout token may be, in seconds: one that waited longer is no news.
const MAX_AGE: i64 = 10 * 60;

/// The event that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token says, once it has passed all checks but that its `jti` is new, which needs a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The provider.
    pub iss: String,
    /// Who has signed out; where there is no `sid`, of everything.
    pub sub: Option<String>,
    /// Which of the provider's sessions has ended.
    pub sid: Option<String>,
    /// The token's own name. The same again is a replay.
    pub jti: String,
    /// Seconds from its `iat` on for which the `jti` must be remembered: after that the token is too old anyway.
    pub remember_for: i64,
}

/// Why a logout token is refused. The text is for the log and holds no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutTokenError {
    /// It isn't a signed JWT with claims of the right kind.
    #[error("the logout token can't be read: {0}")]
    Malformed(String),
    /// Its `alg` is none, or not one of ours.
    #[error("the logout token's alg is {0}, not one of RS256, PS256, ES256, EdDSA")]
    Algorithm(String),
    /// Its `typ` says that it is another kind of token.
    #[error("the logout token's typ is {0}, not logout+jwt")]
    Type(String),
    /// No key fits it, or the signature is wrong.
    #[error("the logout token is signed by no key of the provider's")]
    Signature,
    /// Another issuer's.
    #[error("the logout token's iss is {0}")]
    Issuer(String),
    /// Not for us.
    #[error("the logout token's aud does not name us")]
    Audience,
    /// A claim is missing that must be there.
    #[error("the logout token has no {0}")]
    Missing(&'static str),
    /// It tells of something else than a logout.
    #[error("the logout token's events do not hold {EVENT}")]
    Event,
    /// It has a `nonce`, as an ID token has and a logout token must not.
    #[error("the logout token has a nonce, so it may be an ID token")]
    Nonce,
    /// It has expired.
    #[error("the logout token expired {0} s ago")]
    Expired(i64),
    /// It was issued in the future.
    #[error("the logout token's iat is {0} s ahead of our clock")]
    IssuedAhead(i64),
    /// It was issued too long ago.
    #[error("the logout token's iat is {0} s ago, and more than {MAX_AGE} is too old")]
    TooOld(i64),
    /// The provider's keys can't be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Provider {
    /// What a logout token of this provider says.
    ///
    /// # Errors
    /// The first check that fails.
    pub async fn logged_out(&self, token: &str) -> Result<LoggedOut, LogoutTokenError> {
        let token = Token::parse(token)?;
        let known = self.known().await?;
        if !token.is_signed_by(&known.keys) {
            // The keys may have been rotated since they were fetched.
            let rotated = self.rotated(&known).await?;
            if !rotated.is_some_and(|known| token.is_signed_by(&known.keys)) {
                return Err(LogoutTokenError::Signature);
            }
        }
        let claims = token.claims()?;
        check(&claims, self.issuer(), &self.settings.client_id, self.clock.now().as_second())
    }
}

/// The issuer that a logout token names, unchecked: to know whose keys to check it with.
pub fn unverified_issuer(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let claims: Map<String, Value> = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// A signed JWT, taken apart. Source: RFC 7515, 7.1.
struct Token<'a> {
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
    algorithm: CoreJwsSigningAlgorithm,
    kid: Option<JsonWebKeyId>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<JsonWebKeyId>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    sid: Option<String>,
    aud: Option<Value>,
    iat: Option<i64>,
    exp: Option<i64>,
    jti: Option<String>,
    events: Option<Map<String, Value>>,
    nonce: Option<Value>,
}

impl<'a> Token<'a> {
    fn parse(token: &'a str) -> Result<Self, LogoutTokenError> {
        let parts = || {
            let (signed, signature) = token.rsplit_once('.')?;
            let (header, payload) = signed.split_once('.')?;
            Some((signed, decode(header)?, payload, decode(signature)?))
        };
        let no_jwt = || LogoutTokenError::Malformed("it is not a signed JWT of three parts".to_owned());
        let (signed, header, payload, signature) = parts().ok_or_else(no_jwt)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| no_jwt())?;
        let algorithm = serde_json::from_value(Value::String(header.alg.clone())).ok();
        let algorithm = algorithm.filter(|algorithm| ALGORITHMS.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| LogoutTokenError::Algorithm(shown(&header.alg)))?;
        match header.typ.as_deref().map(str::to_ascii_lowercase).as_deref() {
            // Older providers send the type that every JWT has, or none.
            None | Some("logout+jwt" | "jwt") => {}
            Some(other) => return Err(LogoutTokenError::Type(shown(other))),
        }
        Ok(Self { signed, payload, signature, algorithm, kid: header.kid })
    }

    /// Whether one of these keys signed it; each is tried that its `kid` allows.
    fn is_signed_by(&self, keys: &KeySet) -> bool {
        let fits =
            |key: &&CoreJsonWebKey| self.kid.is_none() || key.key_id().is_none() || key.key_id() == self.kid.as_ref();
        keys.keys()
            .iter()
            .filter(fits)
            .any(|key| key.verify_signature(&self.algorithm, self.signed.as_bytes(), &self.signature).is_ok())
    }

    fn claims(&self) -> Result<Claims, LogoutTokenError> {
        let bad = || LogoutTokenError::Malformed("a claim is of the wrong type".to_owned());
        serde_json::from_slice(&decode(self.payload).ok_or_else(bad)?).map_err(|_| bad())
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

/// `now` is in seconds since 1970.
fn check(claims: &Claims, issuer: &str, client_id: &str, now: i64) -> Result<LoggedOut, LogoutTokenError> {
    let iss = claims.iss.clone().ok_or(LogoutTokenError::Missing("iss"))?;
    if iss != issuer {
        return Err(LogoutTokenError::Issuer(shown(&iss)));
    }
    let for_us = match claims.aud.as_ref().ok_or(LogoutTokenError::Missing("aud"))? {
        Value::String(aud) => aud == client_id,
        Value::Array(list) => list.iter().any(|aud| aud == client_id),
        _ => false,
    };
    if !for_us {
        return Err(LogoutTokenError::Audience);
    }
    check_times(claims, now)?;
    let events = claims.events.as_ref().ok_or(LogoutTokenError::Missing("events"))?;
    if !events.get(EVENT).is_some_and(Value::is_object) {
        return Err(LogoutTokenError::Event);
    }
    if claims.nonce.is_some() {
        return Err(LogoutTokenError::Nonce);
    }
    if claims.sub.is_none() && claims.sid.is_none() {
        return Err(LogoutTokenError::Missing("sub or sid"));
    }
    let jti = claims.jti.clone().ok_or(LogoutTokenError::Missing("jti"))?;
    Ok(LoggedOut { iss, sub: claims.sub.clone(), sid: claims.sid.clone(), jti, remember_for: MAX_AGE + LEEWAY })
}

fn check_times(claims: &Claims, now: i64) -> Result<(), LogoutTokenError> {
    let age = now.saturating_sub(claims.iat.ok_or(LogoutTokenError::Missing("iat"))?);
    let late = now.saturating_sub(claims.exp.ok_or(LogoutTokenError::Missing("exp"))?);
    if late > LEEWAY {
        Err(LogoutTokenError::Expired(late))
    } else if age < -LEEWAY {
        Err(LogoutTokenError::IssuedAhead(-age))
    } else if age > MAX_AGE {
        Err(LogoutTokenError::TooOld(age))
    } else {
        Ok(())
    }
}
