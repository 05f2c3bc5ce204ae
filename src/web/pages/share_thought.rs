//! Sharing a thought: the form by itself, and what it is sent to.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Response, handler};

use crate::actions;
use crate::actions::share::{self, Outcome};
use crate::domain::Invalid;
use crate::domain::thought::{Message, NewThought, Once};
use crate::domain::visibility::Visibility;
use crate::paths;
use crate::web::access::Member;
use crate::web::components::{Composer, composer, post};
use crate::web::form::Fields;
use crate::web::hypermedia::{Screen, nonce, once, see_other};
use crate::web::refusal::Refusal;
use crate::web::request::Kind;
use crate::web::unsent;

/// `GET /share-thought`: with what was typed before the session ended, if something was.
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    let waiting = unsent::waiting(&member, &member.app.paths.plain(paths::THOUGHTS)).await?;
    let below = html! { @if waiting.is_some() { (still_here()) } };
    let fields = waiting.unwrap_or_else(|| Fields::of([]));
    Ok(member.show(filled(&member, &fields, &[], &below)))
}

/// Said below a form whose text has come through a sign-in.
pub fn still_here() -> Markup {
    html! { p .note role="status" { "You were signed out before this was sent. It is as you wrote it, and not shared yet." } }
}

/// `GET /thoughts`: where a form that was given back was sent to; a reload leads to the form.
#[handler]
pub fn get_thoughts(member: Member) -> Response {
    see_other(&member.app.paths.plain(paths::SHARE_THOUGHT))
}

/// `POST /thoughts`: 303 to the thought; to HTMX the emptied form, with the thought for the list and a word for
/// the status region; 422 with the form as it was typed where something in it is wrong.
#[handler]
pub async fn post_thought(member: Member, fields: Fields) -> Result<Response, Refusal> {
    let (new, once) = match parse(&fields) {
        Ok(parsed) => parsed,
        Err(errors) => return Ok(again(&member, &fields, &errors)),
    };
    match share::share(&member.app, &member.member, new, once.as_ref(), |outcome| done(&member, outcome)).await {
        Ok(answer) => {
            unsent::sent(&member, &member.app.paths.plain(paths::THOUGHTS)).await?;
            Ok(answer)
        }
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

fn done(member: &Member, outcome: Outcome<'_>) -> Response {
    let (Outcome::Shared(authored) | Outcome::Deleted(authored)) = outcome;
    let location = member.app.paths.thought(authored.thought.id);
    match member.kind {
        Kind::Page | Kind::Api => see_other(&location),
        Kind::Fragment => {
            // The next one is for the same people, until they choose others.
            let next = Fields::of([("visibility", authored.thought.visibility.to_string())]);
            let (shown, said) = match outcome {
                Outcome::Shared(_) => (Some(post(member, authored)), "Shared."),
                Outcome::Deleted(_) => (None, "This was shared before, and has been deleted since."),
            };
            let part = html! {
                (form(member, &next, &[], &html! {}))
                @if let Some(item) = shown {
                    ol hx-swap-oob="afterbegin:#thoughts" hx-nonce=(nonce()) { li { (item) } }
                }
            };
            let screen = Screen::new("Share a thought", html! {}).part(part).status(StatusCode::CREATED);
            member.show(screen.announcing(said).header("location", location))
        }
    }
}

fn again(member: &Member, fields: &Fields, errors: &[Invalid]) -> Response {
    let part = form(member, fields, errors, &html! {});
    member.show(filled(member, fields, errors, &html! {}).part(part).status(StatusCode::UNPROCESSABLE_ENTITY))
}

/// The form as it was typed, with what is shown below it.
pub fn filled(member: &Member, fields: &Fields, errors: &[Invalid], below: &Markup) -> Screen {
    let main = html! {
        h1 .hidden tabindex="-1" { "Share a thought" }
        (form(member, fields, errors, below))
        ol #thoughts .thoughts role="list" {}
    };
    Screen::new("Share a thought", main)
}

/// The form with the cursor in it, and a new `once`: what it held before was not stored, or is done with.
fn form(member: &Member, fields: &Fields, errors: &[Invalid], below: &Markup) -> Markup {
    let visibility = match fields.get("visibility") {
        "" => "members",
        chosen => chosen,
    };
    let form = Composer {
        paths: &member.app.paths,
        member: &member.member,
        message: fields.get("message"),
        visibility,
        once: once(),
        errors,
        focus: true,
    };
    composer(&form, below)
}
