//! A JSON Web Token before it is signed, and after it came back (RFC 7519).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Header and claims of a token that is not signed yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Jwt {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// The signature is to be made and then damaged.
    pub(super) spoil_signature: bool,
}

impl Jwt {
    pub(super) fn new(header: Map<String, Value>, claims: Map<String, Value>) -> Self {
        Self { header, claims, spoil_signature: false }
    }

    /// A claim, or `null`.
    pub(super) fn get(&self, claim: &str) -> Value {
        self.claims.get(claim).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, claim: &str, value: impl Into<Value>) {
        self.claims.insert(claim.to_owned(), value.into());
    }

    pub(super) fn remove(&mut self, claim: &str) {
        self.claims.remove(claim);
    }

    pub(super) fn set_header(&mut self, field: &str, value: &str) {
        self.header.insert(field.to_owned(), value.into());
    }

    pub(super) fn remove_header(&mut self, field: &str) {
        self.header.remove(field);
    }

    /// A time claim in Unix seconds; 0 where there is none.
    pub(super) fn seconds(&self, claim: &str) -> i64 {
        self.claims.get(claim).and_then(Value::as_i64).unwrap_or_default()
    }

    /// Moves a time claim by so many seconds.
    pub(super) fn shift(&mut self, claim: &str, seconds: i64) {
        self.set(claim, self.seconds(claim) + seconds);
    }

    /// What is signed: header and claims in base64url, joined by a dot (RFC 7515, 5.1).
    pub(super) fn signing_input(&self) -> String {
        let part = |map: &Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(map.clone()).to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

/// A token as it came in, taken apart; nothing of it is verified.
pub(super) struct Received<'a> {
    pub(super) signing_input: &'a str,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    pub(super) signature: Vec<u8>,
}

impl<'a> Received<'a> {
    /// `None` if it is not three parts of base64url, the first two of them JSON objects.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (signing_input, signature) = token.rsplit_once('.')?;
        let (header, claims) = signing_input.split_once('.')?;
        let object = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            signing_input,
            header: object(header)?,
            claims: object(claims)?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(super) fn header_text(&self, field: &str) -> Option<&str> {
        self.header.get(field)?.as_str()
    }
}
