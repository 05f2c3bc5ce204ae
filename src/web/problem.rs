//! A refusal as a program reads it. Source: RFC 9457.

use http::StatusCode;
use poem::Response;
use serde_json::json;

use crate::domain::Invalid;
use crate::telemetry::RequestId;

/// A problem, of the kind that its status names.
pub struct Problem<'a> {
    /// The status.
    pub status: StatusCode,
    /// What happened this time, in a sentence.
    pub detail: String,
    /// The request's name, which is also in the log.
    pub request_id: RequestId,
    /// The fields that can't be taken.
    pub errors: &'a [Invalid],
}

impl Problem<'_> {
    /// The answer.
    pub fn into_response(self) -> Response {
        let errors: Vec<_> =
            self.errors.iter().map(|error| json!({ "field": error.field, "message": error.message })).collect();
        let mut problem = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "request_id": self.request_id.as_str(),
        });
        if !errors.is_empty() {
            problem["errors"] = errors.into();
        }
        Response::builder().status(self.status).content_type("application/problem+json").body(problem.to_string())
    }
}
