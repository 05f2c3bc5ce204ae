//! What a thought will look like, while it is being written.

use maud::html;
use poem::{Response, handler};

use super::share_thought::new_thought;
use crate::web::access::Member;
use crate::web::components::{Composer, composer, preview};
use crate::web::form::Fields;
use crate::web::hypermedia::Screen;

/// `POST /thoughts/preview`: stores nothing. A page has the form above it, to go on writing.
#[handler]
pub fn post(member: Member, fields: Fields) -> Response {
    let shown = preview(fields.get("message"));
    let errors = new_thought(&fields).err().unwrap_or_default();
    let form = composer(&Composer {
        paths: &member.app.paths,
        member: &member.member,
        message: fields.get("message"),
        visibility: fields.get("visibility"),
        once: fields.get("once"),
        errors: &errors,
        focus: true,
    });
    let main = html! {
        h1 .hidden tabindex="-1" { "Preview" }
        (form)
        div .preview { (shown) }
    };
    member.show(Screen::new("Preview", main).part(shown))
}
