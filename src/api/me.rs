//! Who is asking.

use http::StatusCode;
use poem::{Response, handler};
use serde_json::json;

use crate::web::Refusal;
use crate::web::access::Member;

/// `GET /api/me`
#[handler]
pub fn get(member: Member) -> Result<Response, Refusal> {
    let me = &member.member;
    let body = json!({
        "handle": me.handle,
        "name": me.name,
        "email": me.email,
        "groups": me.groups,
        "admin": me.admin,
    });
    super::json(StatusCode::OK, &body)
}
