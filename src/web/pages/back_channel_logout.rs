//! Where a provider says that someone has signed out there. No person sees this.

use http::StatusCode;
use poem::{Response, handler};
use serde_json::json;

use crate::actions::back_channel_logout::{Refused, back_channel_logout};
use crate::telemetry::Event;
use crate::web::access::Visitor;
use crate::web::form::Fields;
use crate::web::refusal::Refusal;

/// `POST /backchannel-logout` with `logout_token`: 200, or 400 and the sessions live.
/// Source: OpenID Connect Back-Channel Logout 1.0, 2.5 and 2.8.
#[handler]
pub async fn post(visitor: Visitor, fields: Fields) -> Result<Response, Refusal> {
    match back_channel_logout(&visitor.app, fields.get("logout_token")).await {
        Ok(_) => Ok(Response::builder().header("cache-control", "no-store").finish()),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(refused @ (Refused::UnknownIssuer | Refused::Token(_) | Refused::Replayed)) => {
            let (cause, why) = (refused.cause(), refused.to_string());
            let reference = visitor.request_id.as_str();
            visitor.app.telemetry.event(Event::BackChannelLogoutRefused { reference, cause, why: &why });
            let error = json!({ "error": "invalid_request", "error_description": "The logout token is refused." });
            Ok(Response::builder()
                .status(StatusCode::BAD_REQUEST)
                .content_type("application/json")
                .header("cache-control", "no-store")
                .body(error.to_string()))
        }
    }
}
