//! The JSON face of the same actions.

pub mod me;
pub mod thoughts;
pub mod upstream;

use poem::Response;
use serde::Serialize;

use crate::web::Refusal;

/// A JSON answer. What is for one person is kept by no cache.
fn json(status: http::StatusCode, value: &impl Serialize) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(value).map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(Response::builder()
        .status(status)
        .content_type("application/json")
        .header("cache-control", "private, no-store")
        .header("vary", "Cookie, Authorization")
        .body(body))
}
