//! What changes, while somebody looks: `text/event-stream`, which a page of ours listens to once a tab. It says what
//! happened to which thought; the page then asks for the thought, as for any other fragment.

use std::io;

use futures_util::StreamExt as _;
use poem::{Body, Request, Response, handler};

use crate::actions::watch::{self, Wish};
use crate::serving::Endless;
use crate::web::access::Visitor;
use crate::web::form::named;
use crate::web::refusal::Refusal;
use crate::web::request::text;

/// `GET /events`, with `Last-Event-ID` from where on; with `?for=<member>` it is for a page that was made for that
/// member, and says at once where they are not the one who is signed in. The first that comes is a comment, then to a
/// member `known`; then what was missed since, or `missed` where that is not known any more. `shared`, `edited`,
/// `deleted` and `restored` name a thought; `ended`, the last, says why the session has.
#[handler]
pub async fn get(visitor: Visitor, request: &Request) -> Result<Response, Refusal> {
    let query = visitor.query();
    let made_for = match query.get("for") {
        "" => None,
        member => Some(named(member)?),
    };
    let wish = Wish {
        session: visitor.session.clone(),
        held: visitor.sent.session,
        made_for,
        // One that is none of ours is one that is not known any more.
        last: text(request.headers(), "last-event-id").map(|id| id.parse().unwrap_or(watch::UNKNOWN)),
    };
    let stream = watch::watch(&visitor.app, wish).await?;
    Ok(Response::builder()
        .extension(Endless)
        .content_type("text/event-stream")
        .header("cache-control", "no-store")
        .header("x-accel-buffering", "no")
        .body(Body::from_bytes_stream(stream.map(Ok::<_, io::Error>))))
}
