//! The origin check on everything that changes something: what another site's page sends in a person's name is
//! refused. Source: OWASP ASVS 5.0, 3.5.1; Fetch Metadata Request Headers, section 2.4.

use http::header::ORIGIN;
use poem::Request;

use super::access::Access;
use super::refusal::Refusal;
use super::request::{SEC_FETCH_SITE, changes, text};
use crate::app::App;

/// Refuses a request that changes something and comes from another origin. A request that says nothing of
/// where it comes from is no browser's: browsers have sent `Origin` with every such request for years.
pub fn check(app: &App, access: Access, request: &Request) -> Result<(), Refusal> {
    if access == Access::Provider || !changes(request.method()) {
        return Ok(());
    }
    same_origin(app, request)
}

/// Refuses a request that comes from another origin, whatever it is.
pub fn same_origin(app: &App, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let ours = match text(headers, &SEC_FETCH_SITE) {
        Some("same-origin" | "none") => true,
        Some(_) => false,
        None => headers.get(ORIGIN).is_none_or(|origin| origin.as_bytes() == app.origin.as_bytes()),
    };
    if ours { Ok(()) } else { Err(Refusal::Forbidden("This was sent from another site's page.")) }
}
