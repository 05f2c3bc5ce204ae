//! What a thought will look like, while it is being written.

use poem::{Response, handler};

use super::edit;
use super::share_thought::{filled, new_thought};
use crate::actions::edit::editable;
use crate::paths;
use crate::web::access::Member;
use crate::web::components::preview;
use crate::web::form::{Fields, named};
use crate::web::hypermedia::see_other;
use crate::web::refusal::Refusal;

/// `GET /thoughts/preview`: a reload of the page has nothing to show, and leads to the form.
#[handler]
pub fn get(member: Member) -> Response {
    see_other(&member.app.paths.plain(paths::SHARE_THOUGHT))
}

/// `POST /thoughts/preview`: stores nothing. A page has the form that it came from above it, to go on writing: that
/// of a new thought, or of the `thought` that is being changed.
#[handler]
pub async fn post(member: Member, fields: Fields) -> Result<Response, Refusal> {
    let shown = preview(fields.get("message"));
    let errors = new_thought(&fields).err().unwrap_or_default();
    let screen = match fields.get("thought") {
        "" => filled(&member, &fields, &errors, &shown),
        id => {
            let authored = editable(&member.app, &member.member, named(id)?).await?;
            edit::filled(&member, &authored, &fields, &errors, &shown)
        }
    };
    Ok(member.show(screen.part(shown)))
}
