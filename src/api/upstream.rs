//! Another service's API, called with the member's access token, which never leaves the server.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderMap, HeaderValue};
use poem::{Body, Request, Response, handler};

use crate::actions::access_token::access_token;
use crate::web::Refusal;
use crate::web::access::Member;
use crate::web::origin;

/// `ANY /api/upstream/{name}/{path}`: what is declared is passed on, with the token of the session that asks; the
/// answer is passed back. Both bodies stream.
#[handler]
pub async fn call(request: &Request, member: Member, body: Body) -> Result<Response, Refusal> {
    // Even a GET acts in the member's name there, so none is taken from another site's page.
    origin::same_origin(&member.app, request)?;
    let below = request.original_uri().path().strip_prefix(member.app.paths.base());
    let (name, path) = below.and_then(asked_for).ok_or(Refusal::NotFound)?;
    let upstream = member.app.upstreams.named(name).ok_or(Refusal::NotFound)?;
    let method = request.method().clone();
    let address = upstream.service.address(&method, path, request.original_uri().query())?;
    let token = access_token(&member.app, &member.session, upstream).await?;
    let body = body.into_bytes_stream();
    let answer = upstream.service.call(method, address, request.headers(), body, &token).await;
    member.app.called(upstream, &answer);
    let answer = answer?;
    let mut response = Response::builder().status(answer.status).body(Body::from_bytes_stream(answer.body));
    *response.headers_mut() = answer.headers;
    contain(response.headers_mut());
    Ok(response)
}

/// The upstream's name, and the path there, percent-encoded as it was sent: its slash belongs to both.
fn asked_for(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/api/upstream/")?;
    rest.split_at_checked(rest.find('/')?)
}

/// What another service sent stands on our origin: opened as a page it can do nothing there, and it is one person's.
fn contain(headers: &mut HeaderMap) {
    let alone = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, alone);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
}
