//! The form in which a thought is changed.

use http::StatusCode;
use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::share_thought::still_here;
use crate::actions::edit;
use crate::domain::Invalid;
use crate::domain::thought::Authored;
use crate::web::access::Member;
use crate::web::components::{Composer, controls, message_field};
use crate::web::form::{Fields, named};
use crate::web::hypermedia::{Screen, nonce};
use crate::web::refusal::Refusal;
use crate::web::unsent;

/// `GET /thoughts/{id}/edit`: with what was typed before the session ended, if something was.
#[handler]
pub async fn get(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    let authored = edit::editable(&member.app, &member.member, named(&id)?).await?;
    let thought = &authored.thought;
    if let Some(fields) = unsent::waiting(&member, &member.app.paths.thought(thought.id)).await? {
        return Ok(member.show(filled(&member, &authored, &fields, &[], &still_here())));
    }
    let main = view(&member, &authored, thought.message.as_str(), &thought.visibility.to_string(), &[], &html! {});
    Ok(member.show(Screen::new("Edit", main)))
}

/// The form as it was typed, with what is wrong with it.
pub fn again(member: &Member, authored: &Authored, fields: &Fields, errors: &[Invalid]) -> Response {
    member.show(filled(member, authored, fields, errors, &html! {}).status(StatusCode::UNPROCESSABLE_ENTITY))
}

/// The form as it was typed, with what is shown below it.
pub fn filled(member: &Member, authored: &Authored, fields: &Fields, errors: &[Invalid], below: &Markup) -> Screen {
    let (message, visibility) = (fields.get("message"), fields.get("visibility"));
    Screen::new("Edit", view(member, authored, message, visibility, errors, below))
}

fn view(
    member: &Member,
    authored: &Authored,
    message: &str,
    visibility: &str,
    errors: &[Invalid],
    below: &Markup,
) -> Markup {
    let paths = &member.app.paths;
    let thought = paths.thought(authored.thought.id);
    let form = Composer { paths, member: &member.member, message, visibility, once: "", errors, focus: true };
    html! {
        h1 tabindex="-1" { "Edit your thought" }
        form .composer data-writer=(member.member.handle) method="post" action=(thought) hx-put=(thought) hx-target="#main" hx-swap="innerHTML show:top" hx-sync="this:drop" hx-nonce=(nonce()) {
            input type="hidden" name="_method" value="put";
            input type="hidden" name="thought" value=(authored.thought.id);
            (message_field(&form, "What it says"))
            (controls(&form, "Save"))
            p .note { "Whoever can read it can also read what it said before." }
            div #preview .preview { (below) }
        }
        p .back { a href=(thought) data-discard { "Leave it as it was" } }
    }
}
