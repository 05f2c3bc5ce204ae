//! Who is asking.

use http::StatusCode;
use poem::{Response, handler};
use serde_json::json;

use crate::web::Refusal;
use crate::web::access::Caller;

/// `GET /api/me`
#[handler]
pub fn get(caller: Caller) -> Result<Response, Refusal> {
    let me = &caller.member;
    let body = json!({
        "handle": me.handle,
        "name": me.name,
        "email": me.email,
        "groups": me.groups,
        "admin": me.admin,
    });
    super::json(StatusCode::OK, &body)
}
