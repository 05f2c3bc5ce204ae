//! A thought as lists and its own page show it, and the list of them.

use std::sync::Arc;

use maud::{Markup, Render, html};

use super::{avatar, item, made, time, words};
use crate::app::{Buttons, Shown};
use crate::domain::markdown;
use crate::domain::page::Page;
use crate::domain::policy::{Action, may};
use crate::domain::thought::Authored;
use crate::domain::visibility::Visibility;
use crate::paths::Paths;
use crate::web::access::Visitor;
use crate::web::hypermedia::nonce;

/// A list of thoughts, for one viewer: its items, and the link to the older ones, which are fetched as soon as it comes
/// into view, unless nothing stands above it.
pub struct List<'a> {
    /// Who is looking.
    pub visitor: &'a Visitor,
    /// What stands on this page of it.
    pub page: &'a Page<Authored>,
    /// Where the next page is, if there is one.
    pub older: Option<String>,
}

/// Written straight into the page: it is most of it.
impl Render for List<'_> {
    fn render_to(&self, page: &mut String) {
        let shown: Vec<_> = self.page.items.iter().map(|authored| shown(self.visitor, authored)).collect();
        page.reserve(shown.iter().map(|shown| "<li></li>".len() + shown.html().len()).sum());
        for shown in shown {
            item(shown.html(), page);
        }
        if let Some(older) = &self.older {
            // A page with nothing on it has cost as much as a full one, and so may the next.
            let by = if self.page.items.is_empty() { "click" } else { "revealed, click" };
            let link = html! {
                li .older {
                    a rel="next" href=(older) hx-get=(older) hx-trigger=(by) hx-target="closest li"
                        hx-swap="outerHTML ignoreTitle:true" hx-nonce=(nonce()) { "Older thoughts" }
                }
            };
            link.render_to(page);
        }
    }
}

/// The list, and what is said where it is empty.
pub fn list(list: &List<'_>, empty: &str) -> Markup {
    html! {
        ol #thoughts .thoughts role="list" { (list) }
        @if list.page.items.is_empty() { p .empty { (empty) } }
    }
}

/// One thought, with what this viewer may do with it.
pub fn post(visitor: &Visitor, authored: &Authored) -> Markup {
    html! { (made(shown(visitor, authored).html())) }
}

/// What others have seen in the same way is not made again.
fn shown(visitor: &Visitor, authored: &Authored) -> Arc<Shown> {
    let may = |action| visitor.viewer.member().is_some_and(|member| may(member, action, &authored.thought));
    let buttons =
        Buttons { any: visitor.viewer.member().is_some(), edit: may(Action::Edit), delete: may(Action::Delete) };
    let app = &visitor.app;
    app.rendered.thought(authored, buttons, || article(authored, buttons, &app.paths).into_string())
}

fn article(authored: &Authored, buttons: Buttons, paths: &Paths) -> Markup {
    let Authored { thought, author } = authored;
    let profile = paths.member(&author.handle);
    // A button is called by what it does and to which thought.
    let called = |button: &str| format!("{button}-{id} by-{id} at-{id}", id = thought.id);
    html! {
        article .thought id={ "t-" (thought.id) } aria-labelledby={ "by-" (thought.id) " at-" (thought.id) } {
            header {
                a href=(profile) tabindex="-1" aria-hidden="true" { (avatar(&author.name, author.id)) }
                div {
                    p .by id={ "by-" (thought.id) } {
                        a .name href=(profile) { bdi { (author.name) } } " "
                        span .handle { "@" (author.handle) }
                    }
                    p .meta {
                        a id={ "at-" (thought.id) } href=(paths.thought(thought.id)) { (time(thought.created_at)) }
                        @if let Some(edited_at) = thought.edited_at {
                            span title={ "Edited " (edited_at.strftime("%-d %B %Y, %H:%M UTC")) } { "edited" }
                        }
                        (badge(&thought.visibility))
                    }
                }
            }
            div .words dir="auto" hx-ignore { (words(&markdown::render(&thought.message))) }
            @if buttons.any {
                footer {
                    @if buttons.edit {
                        a .quiet href=(paths.edit(thought.id)) id={ "edit-" (thought.id) } aria-labelledby=(called("edit")) { "Edit" }
                    }
                    @if buttons.delete {
                        form method="post" action=(paths.thought(thought.id)) hx-delete=(paths.thought(thought.id))
                            hx-target="closest article" hx-swap="outerHTML ignoreTitle:true" hx-sync="this:drop" hx-nonce=(nonce()) {
                            input type="hidden" name="_method" value="delete";
                            button .quiet type="submit" id={ "delete-" (thought.id) } aria-labelledby=(called("delete")) { "Delete" }
                        }
                    }
                }
            }
        }
    }
}

/// Whom it is for, in a word or two. What is for anyone says nothing.
fn badge(visibility: &Visibility) -> Markup {
    html! {
        @match visibility {
            Visibility::Public => {}
            Visibility::Members => span .for title="Everyone who is signed in can see this" { "Members" },
            Visibility::Group(name) => span .for title={ "Members of “" (name) "” can see this" } { (name) },
            Visibility::Private => span .for title="Only its author can see this" { "Only you" },
        }
    }
}

/// Stands where a thought stood that has just been deleted, with the way back.
pub fn deleted(authored: &Authored, paths: &Paths) -> Markup {
    let restore = paths.restore(authored.thought.id);
    html! {
        article .thought .deleted id={ "t-" (authored.thought.id) } {
            p { "Thought deleted." }
            form method="post" action=(restore) hx-post=(restore) hx-target="closest article"
                hx-swap="outerHTML ignoreTitle:true" hx-sync="this:drop" hx-nonce=(nonce()) {
                button type="submit" autofocus { "Undo" }
            }
        }
    }
}
