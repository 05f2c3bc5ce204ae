//! What a form or a script sends: read whole, within a limit, and then parsed into the domain's own types.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use crate::domain::Invalid;

/// Bytes that a body may have: 10,000 characters of which each is a family, percent-encoded.
pub const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// How long a body may take to arrive: one that trickles in must not hold a connection.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// The fields of a form (`application/x-www-form-urlencoded`); of two with one name the last counts.
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// Reads fields out of a body or a query.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// These fields.
    pub fn of<const N: usize>(fields: [(&str, String); N]) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// All of them, by name.
    pub fn into_map(self) -> HashMap<String, String> {
        self.0
    }

    /// What the field says; empty where it isn't there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl From<HashMap<String, String>> for Fields {
    fn from(fields: HashMap<String, String>) -> Self {
        Self(fields)
    }
}

impl<'a> FromRequest<'a> for Fields {
    async fn from_request(_: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self::parse(&read(body).await?))
    }
}

/// The part of a path that names something; what can't be a name names nothing.
pub fn named<T: FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}

/// A JSON body as `T`.
pub struct Json<T>(pub T);

impl<'a, T: DeserializeOwned> FromRequest<'a> for Json<T> {
    async fn from_request(_: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = read(body).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::Invalid(vec![Invalid::new(
                "body",
                format!("The body is not the JSON that is expected here: {error}."),
            )])
        })?;
        Ok(Self(value))
    }
}

/// Whether the body is a form's.
pub fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"))
}

async fn read(body: &mut RequestBody) -> Result<Vec<u8>, Refusal> {
    let body = body.take().map_err(|_| Refusal::Internal("a body was read twice".to_owned()))?;
    read_within_limit(body).await
}

/// The whole body.
///
/// # Errors
/// `TooLarge` beyond [`MAX_BODY_BYTES`], of which no more is read.
pub async fn read_within_limit(body: poem::Body) -> Result<Vec<u8>, Refusal> {
    // Boxed, for it has a buffer of 4 KB in it, which every form's future would hold.
    let reading = Box::pin(body.into_bytes_limit(MAX_BODY_BYTES));
    match tokio::time::timeout(READ_WITHIN, reading).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => Err(Refusal::TooLarge(MAX_BODY_BYTES as u64)),
        Ok(Err(_)) | Err(_) => {
            Err(Refusal::Invalid(vec![Invalid::new("body", "The body did not arrive whole. Send it again.")]))
        }
    }
}
