//! One thought: read, changed, deleted, put back.

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};

use super::edit;
use crate::actions::{self, delete, edit as change, read};
use crate::domain::id::ThoughtId;
use crate::domain::markdown;
use crate::domain::thought::{Authored, Revision};
use crate::web::access::{Member, Visitor};
use crate::web::components::{deleted, post, time, words};
use crate::web::form::{Fields, named};
use crate::web::hypermedia::{Screen, see_other};
use crate::web::refusal::Refusal;
use crate::web::request::Kind;
use crate::web::unsent;
use http::StatusCode;

/// `GET /thoughts/{id}`: 404 if this viewer may not see it; htmx, which asks for it in the place of itself, gets it
/// alone. Whoever has deleted it is told so there.
#[handler]
pub async fn get(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id: ThoughtId = named(&id)?;
    match read::thought_with_revisions(&visitor.app, &visitor.viewer.reach(), id).await {
        Ok((authored, revisions)) => {
            let screen = screen(&visitor, &authored, &revisions);
            // htmx puts it in the place of itself, in a list or on its own page.
            let itself = visitor.target.as_deref() == Some(&format!("article#t-{id}"));
            let alone = || post(&visitor, &authored);
            Ok(visitor.show(if itself { screen.part(alone()) } else { screen }))
        }
        Err(actions::Error::NotFound) => {
            let authored = read::restorable(&visitor.app, &visitor.viewer, id).await?;
            let main = html! {
                h1 tabindex="-1" { "Deleted" }
                (deleted(&authored, &visitor.app.paths))
            };
            Ok(visitor.show(Screen::new("Deleted", main).status(StatusCode::NOT_FOUND)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `PUT /thoughts/{id}`
#[handler]
pub async fn put(member: Member, Path(id): Path<String>, fields: Fields) -> Result<Response, Refusal> {
    let id: ThoughtId = named(&id)?;
    let changed = match super::share_thought::new_thought(&fields) {
        Ok(new) => change::edit(&member.app, &member.member, id, &new).await,
        Err(errors) => {
            let authored = change::editable(&member.app, &member.member, id).await?;
            return Ok(edit::again(&member, &authored, &fields, &errors));
        }
    };
    if changed.is_ok() {
        unsent::sent(&member, &member.app.paths.thought(id)).await?;
    }
    match changed {
        Ok(_) if member.kind == Kind::Page => Ok(see_other(&member.app.paths.thought(id))),
        Ok(_) => {
            let (authored, revisions) = read::thought_with_revisions(&member.app, &member.viewer.reach(), id).await?;
            let screen = screen(&member, &authored, &revisions).announcing("Saved.");
            Ok(member.show(screen.header("hx-push-url", member.app.paths.thought(id))))
        }
        Err(actions::Error::Invalid(invalid)) => {
            let authored = change::editable(&member.app, &member.member, id).await?;
            Ok(edit::again(&member, &authored, &fields, &[invalid]))
        }
        Err(error) => Err(error.into()),
    }
}

/// `DELETE /thoughts/{id}`: in its place the offer to undo it.
#[handler]
pub async fn delete_thought(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = named(&id)?;
    let authored = match delete::delete(&member.app, &member.member, id).await {
        // It was deleted already, in another tab perhaps: who may put it back is offered that.
        Err(actions::Error::NotFound) => read::restorable(&member.app, &member.viewer, id).await?,
        deleted => deleted?,
    };
    match member.kind {
        Kind::Page | Kind::Api => Ok(see_other(&member.app.paths.feed_deleted(id))),
        Kind::Fragment => {
            let screen = Screen::new("Deleted", deleted(&authored, &member.app.paths)).into_part();
            Ok(member.show(screen.announcing("Deleted. You can undo this.")))
        }
    }
}

/// `POST /thoughts/{id}/restore`
#[handler]
pub async fn restore(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id = named(&id)?;
    let authored = delete::restore(&member.app, &member.member, id).await?;
    match member.kind {
        Kind::Page | Kind::Api => Ok(see_other(&member.app.paths.thought(id))),
        Kind::Fragment => {
            let screen = Screen::new(title(&authored), post(&member, &authored)).into_part();
            Ok(member.show(screen.announcing("Restored.")))
        }
    }
}

fn screen(visitor: &Visitor, authored: &Authored, revisions: &[Revision]) -> Screen {
    let paths = &visitor.app.paths;
    let main = html! {
        h1 .hidden tabindex="-1" { "Thought by " (authored.author.name) }
        (post(visitor, authored))
        @if !revisions.is_empty() { (history(revisions)) }
        p .back { a href=(paths.feed()) { "Back to the feed" } }
    };
    Screen::new(title(authored), main).live()
}

/// Who wrote it, and how it begins.
fn title(authored: &Authored) -> String {
    let line = authored.thought.message.as_str().lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let start: String = line.chars().take(60).collect();
    format!("{}: {start}", authored.author.name)
}

fn history(revisions: &[Revision]) -> Markup {
    html! {
        details .history {
            summary { "Edited " (revisions.len()) @if revisions.len() == 1 { " time" } @else { " times" } }
            ol {
                @for revision in revisions {
                    li {
                        p .meta { "From " (time(revision.since)) }
                        div .words dir="auto" hx-ignore { (words(&markdown::render(&revision.message))) }
                    }
                }
            }
        }
    }
}
