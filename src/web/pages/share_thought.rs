//! Sharing a thought: the form by itself, and what it is sent to.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Response, handler};

use crate::actions::{self, share};
use crate::domain::Invalid;
use crate::domain::thought::{Authored, Message, NewThought, Once};
use crate::domain::visibility::Visibility;
use crate::web::access::Member;
use crate::web::components::{Composer, composer, post};
use crate::web::form::Fields;
use crate::web::hypermedia::{Screen, nonce, see_other};
use crate::web::refusal::Refusal;
use crate::web::request::Kind;

/// `GET /share-thought`
#[handler]
pub fn get(member: Member) -> Response {
    member.show(screen(&member, &Fields::parse(b""), &[]))
}

/// `POST /thoughts`: 303 to the thought; to HTMX the emptied form, with the thought for the list and a word for
/// the status region; 422 with the form as it was typed where something in it is wrong.
#[handler]
pub async fn post_thought(member: Member, fields: Fields) -> Result<Response, Refusal> {
    let parsed = parse(&fields);
    let shared = match parsed {
        Ok((new, once)) => share::share(&member.app, &member.member, new, once.as_ref()).await,
        Err(errors) => return Ok(again(&member, &fields, &errors)),
    };
    match shared {
        Ok(authored) => Ok(done(&member, &authored)),
        Err(actions::Error::Invalid(invalid)) => Ok(again(&member, &fields, &[invalid])),
        Err(error) => Err(error.into()),
    }
}

/// The thought in the form's fields, and what tells this sending from another.
fn parse(fields: &Fields) -> Result<(NewThought, Option<Once>), Vec<Invalid>> {
    let once = match fields.get("once") {
        "" => Ok(None),
        text => Once::parse(text).map(Some),
    };
    match (new_thought(fields), once) {
        (Ok(new), Ok(once)) => Ok((new, once)),
        (Err(errors), _) => Err(errors),
        (Ok(_), Err(invalid)) => Err(vec![invalid]),
    }
}

/// The thought in a form's fields; each field that is wrong is named.
pub fn new_thought(fields: &Fields) -> Result<NewThought, Vec<Invalid>> {
    match (Message::parse(fields.get("message")), fields.get("visibility").parse::<Visibility>()) {
        (Ok(message), Ok(visibility)) => Ok(NewThought { message, visibility }),
        (message, visibility) => Err([message.err(), visibility.err()].into_iter().flatten().collect()),
    }
}

fn done(member: &Member, authored: &Authored) -> Response {
    let location = member.app.paths.thought(authored.thought.id);
    match member.kind {
        Kind::Page | Kind::Api => see_other(&location),
        Kind::Fragment => {
            let visibility = authored.thought.visibility.to_string();
            let part = html! {
                (form(member, "", &visibility, &[], true))
                ol hx-swap-oob="afterbegin:#thoughts" hx-nonce=(nonce()) {
                    li { (post(authored, &member.viewer, &member.app.paths)) }
                }
            };
            let screen = Screen::new("Share a thought", html! {}).part(part).status(StatusCode::CREATED);
            member.show(screen.announcing("Shared.").header("location", location))
        }
    }
}

fn again(member: &Member, fields: &Fields, errors: &[Invalid]) -> Response {
    let part = form(member, fields.get("message"), fields.get("visibility"), errors, true);
    member.show(screen(member, fields, errors).part(part).status(StatusCode::UNPROCESSABLE_ENTITY))
}

fn screen(member: &Member, fields: &Fields, errors: &[Invalid]) -> Screen {
    let visibility = match fields.get("visibility") {
        "" => "members",
        chosen => chosen,
    };
    let main = html! {
        h1 .hidden tabindex="-1" { "Share a thought" }
        (form(member, fields.get("message"), visibility, errors, true))
        ol #thoughts .thoughts {}
    };
    Screen::new("Share a thought", main)
}

/// The form with a new `once`: what was refused was not stored.
fn form(member: &Member, message: &str, visibility: &str, errors: &[Invalid], focus: bool) -> Markup {
    composer(&Composer {
        paths: &member.app.paths,
        member: &member.member,
        message,
        visibility,
        once: &member.app.ids.next(member.app.clock.now()).to_string(),
        errors,
        focus,
    })
}
