//! Light, dark, or as the system prefers.

use poem::{Request, Response, handler};

use crate::web::access::Visitor;
use crate::web::cookies::{Theme, choose_theme};
use crate::web::form::Fields;
use crate::web::hypermedia::see_other;
use crate::web::request::text;
use crate::web::return_to::ReturnTo;

/// `POST /theme`: back to the page that the choice was made on.
#[handler]
pub fn post(visitor: Visitor, request: &Request, fields: Fields) -> Response {
    choose_theme(&visitor.app, &visitor.cookies, Theme::parse(fields.get("theme")));
    let back = ReturnTo::of_url(&visitor.app, text(request.headers(), "referer").unwrap_or_default());
    see_other(back.as_str())
}
