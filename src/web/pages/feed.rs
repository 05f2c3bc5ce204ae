//! The feed: everybody's thoughts that the viewer may see, newest first.

use maud::{Markup, html};
use poem::{Response, handler};

use super::before;
use crate::actions::{self, read};
use crate::domain::policy::Viewer;
use crate::domain::thought::Authored;
use crate::web::access::Visitor;
use crate::web::components::{Composer, List, composer, deleted, list, registration};
use crate::web::form::named;
use crate::web::hypermedia::{Screen, once};
use crate::web::refusal::Refusal;

/// `GET /`: a page of it, the next by `?before=`. HTMX, which asks for the next page to put it below the
/// last, gets the items alone.
#[handler]
pub async fn get(visitor: Visitor) -> Result<Response, Refusal> {
    visitor.show_kept(async || screen(&visitor).await).await
}

async fn screen(visitor: &Visitor) -> Result<Screen, Refusal> {
    let before = before(visitor)?;
    let page = read::feed(&visitor.app, &visitor.viewer, before).await?;
    let feed = List { visitor, page: &page, older: page.next.map(|id| visitor.app.paths.feed_before(id)) };
    let undo = just_deleted(visitor).await?;
    let title = if before.is_some() { "Older thoughts" } else { "Thoughts" };
    let screen = Screen::new(title, view(visitor, &feed, before.is_some(), undo.as_ref())).live();
    Ok(if before.is_some() { screen.part(html! { (feed) }) } else { screen })
}

/// What the viewer has just deleted without JavaScript, to offer them the way back.
async fn just_deleted(visitor: &Visitor) -> Result<Option<Authored>, Refusal> {
    let query = visitor.query();
    let id = query.get("deleted");
    if id.is_empty() {
        return Ok(None);
    }
    match read::restorable(&visitor.app, &visitor.viewer, named(id)?).await {
        Ok(authored) => Ok(Some(authored)),
        // It has been put back, or is another's: there is nothing to offer.
        Err(actions::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn view(visitor: &Visitor, feed: &List<'_>, older: bool, undo: Option<&Authored>) -> Markup {
    html! {
        h1 tabindex="-1" .hidden[!older] { @if older { "Older thoughts" } @else { "Feed" } }
        @if let Some(authored) = undo { (deleted(authored, &visitor.app.paths)) }
        @if older {
            p { a href=(visitor.app.paths.feed()) { "Back to the newest" } }
        } @else {
            (above(visitor))
        }
        (list(feed, "Nothing has been shared yet."))
    }
}

/// A member writes; whoever isn't signed in is told where they are.
fn above(visitor: &Visitor) -> Markup {
    match &visitor.viewer {
        Viewer::Member(member) => composer(
            &Composer {
                paths: &visitor.app.paths,
                member,
                message: "",
                visibility: "members",
                once: once(),
                errors: &[],
                focus: false,
            },
            &html! {},
        ),
        Viewer::Anonymous => html! {
            p .lead { "Short posts, shared among people who know each other. Sign in to write and to see what members share." }
            (registration(&visitor.app))
        },
    }
}
