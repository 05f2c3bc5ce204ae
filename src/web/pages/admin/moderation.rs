//! What is shared, to be looked over, and what was deleted, to be put back. An admin sees here what they see as a member
//! and no more: what is private, or for a group that they are not in, is none of their business.

use maud::{Markup, html};
use poem::{Response, handler};

use super::screen;
use crate::actions::admin as action;
use crate::actions::read;
use crate::domain::markdown;
use crate::domain::page::{Page, TrashPlace};
use crate::domain::thought::{Authored, Thought};
use crate::paths;
use crate::web::access::Admin;
use crate::web::components::{List, avatar, list, time, words};
use crate::web::hypermedia::nonce;
use crate::web::pages::before;
use crate::web::refusal::Refusal;

/// `GET /admin/moderation`: the latest thoughts, with what an admin may do with them; the next page by `?before=`, of
/// which HTMX gets the items alone.
#[handler]
pub async fn get(admin: Admin) -> Result<Response, Refusal> {
    let paths = &admin.app.paths;
    let before = before(&admin)?;
    let page = read::feed(&admin.app, &admin.viewer, before).await?;
    let older = page.next.map(|id| paths.admin_moderation_before(id));
    let thoughts = List { visitor: &admin, page: &page, older };
    let below = html! {
        p { a href=(paths.plain(paths::ADMIN_DELETED)) { "Deleted thoughts" } }
        (list(&thoughts, "Nothing has been shared yet."))
    };
    let screen = screen(&admin, "Moderation", &below);
    Ok(admin.show(if before.is_some() { screen.part(html! { (thoughts) }) } else { screen }))
}

/// `GET /admin/moderation/deleted`: those that can still be put back, the latest deleted first; the next by `?before=`.
#[handler]
pub async fn get_deleted(admin: Admin) -> Result<Response, Refusal> {
    let page = action::deleted(&admin.app, &admin.member, before(&admin)?).await?;
    Ok(admin.show(screen(&admin, "Deleted thoughts", &deleted(&admin, &page))))
}

fn deleted(admin: &Admin, page: &Page<Authored, TrashPlace>) -> Markup {
    let paths = &admin.app.paths;
    html! {
        p { a href=(paths.plain(paths::ADMIN_MODERATION)) { "Back to the latest thoughts" } }
        p .note { "They can be put back for " (Thought::RESTORABLE_DAYS) " days, and are then forgotten." }
        ol .thoughts role="list" { @for authored in &page.items { li { (restorable(admin, authored)) } } }
        @if page.items.is_empty() { p .empty { "Nothing here that you could see." } }
        @if let Some(next) = page.next {
            p .older { a rel="next" href=(paths.admin_deleted_before(next)) { "Deleted before these" } }
        }
    }
}

/// A deleted thought, and the button that puts it back.
fn restorable(admin: &Admin, authored: &Authored) -> Markup {
    let Authored { thought, author } = authored;
    let restore = admin.app.paths.restore(thought.id);
    html! {
        article .thought aria-labelledby={ "by-" (thought.id) } {
            header {
                (avatar(&author.name, author.id))
                div {
                    p .by id={ "by-" (thought.id) } {
                        a .name href=(admin.app.paths.admin_member(&author.handle)) { bdi { (author.name) } }
                        " " span .handle { "@" (author.handle) }
                    }
                    p .meta {
                        span { "Shared " (time(thought.created_at)) }
                        @if let Some(at) = thought.deleted_at { span { "deleted " (time(at)) } }
                    }
                }
            }
            div .words dir="auto" hx-ignore { (words(&markdown::render(&thought.message))) }
            footer {
                form method="post" action=(restore) hx-post=(restore) hx-target="closest article"
                    hx-swap="outerHTML ignoreTitle:true" hx-sync="this:drop" hx-nonce=(nonce()) {
                    button .quiet type="submit" id={ "restore-" (thought.id) }
                        aria-labelledby={ "restore-" (thought.id) " by-" (thought.id) } { "Restore" }
                }
            }
        }
    }
}
