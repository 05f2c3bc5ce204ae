//! The form in which a thought is written, and the preview beside it.

use maud::{Markup, html};

use super::words;
use crate::domain::Invalid;
use crate::domain::markdown;
use crate::domain::member::Member;
use crate::domain::thought::Message;
use crate::domain::visibility::Visibility;
use crate::paths::{self, Paths};
use crate::web::hypermedia::nonce;

/// What the form shows.
pub struct Composer<'a> {
    /// Where it is sent to.
    pub paths: &'a Paths,
    /// Who writes.
    pub member: &'a Member,
    /// What has been typed.
    pub message: &'a str,
    /// What has been chosen.
    pub visibility: &'a str,
    /// Tells one sending from another; an edit needs none.
    pub once: &'a str,
    /// What was wrong with it.
    pub errors: &'a [Invalid],
    /// Whether the cursor goes into it.
    pub focus: bool,
}

/// The form for a new thought, with a preview below it.
pub fn composer(form: &Composer<'_>, below: &Markup) -> Markup {
    let action = form.paths.plain(paths::THOUGHTS);
    html! {
        form #composer .composer data-writer=(form.member.handle) method="post" action=(action) hx-post=(action) hx-target="this"
            hx-swap="outerHTML ignoreTitle:true" hx-sync="this:drop" hx-nonce=(nonce()) {
            input type="hidden" name="once" value=(form.once);
            (message_field(form, "Share a thought"))
            (controls(form, "Share"))
            div #preview .preview { (below) }
        }
    }
}

impl Composer<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }
}

/// The text, which is previewed while it is being written.
pub fn message_field(form: &Composer<'_>, label: &str) -> Markup {
    let error = form.error("message").or(form.error("once"));
    html! {
        label for="message" { (label) }
        textarea #message name="message" dir="auto" rows="4" required placeholder="What is on your mind?"
            aria-describedby="message-note" aria-invalid=[error.map(|_| "true")] autofocus[form.focus]
            hx-post=(form.paths.plain(paths::PREVIEW)) hx-trigger="input changed delay:300ms" hx-target="#preview"
            hx-swap="innerHTML ignoreTitle:true" hx-sync="this:replace" hx-nonce=(nonce()) { (form.message) }
        p #message-note .note .error[error.is_some()] role=[error.map(|_| "alert")] {
            (error.unwrap_or("Markdown works: **bold**, *italic*, lists, links."))
        }
    }
}

/// Whom it is for, and the buttons.
pub fn controls(form: &Composer<'_>, send: &str) -> Markup {
    let error = form.error("visibility");
    html! {
        div .controls {
            label .hidden for="visibility" { "Who can see it" }
            select #visibility name="visibility" aria-invalid=[error.map(|_| "true")]
                aria-describedby=[error.map(|_| "visibility-note")] {
                @for visibility in choices(form) {
                    option value=(visibility) selected[visibility.to_string() == form.visibility] {
                        (visibility_in_words(&visibility))
                    }
                }
            }
            noscript { button .secondary type="submit" formaction=(form.paths.plain(paths::PREVIEW)) { "Preview" } }
            button type="submit" { (send) }
        }
        @if let Some(error) = error {
            p #visibility-note .note .error role="alert" { (error) }
        }
    }
}

/// What may be chosen: one's own groups, and what has been chosen already, though it be one that was left.
fn choices(form: &Composer<'_>) -> Vec<Visibility> {
    let mut choices = vec![Visibility::Members, Visibility::Public];
    choices.extend(form.member.groups.iter().cloned().map(Visibility::Group));
    choices.push(Visibility::Private);
    if let Ok(chosen) = form.visibility.parse()
        && !choices.contains(&chosen)
    {
        choices.push(chosen);
    }
    choices
}

/// Who will see it, in words.
fn visibility_in_words(visibility: &Visibility) -> String {
    match visibility {
        Visibility::Public => "Anyone, even without signing in".to_owned(),
        Visibility::Members => "Everyone who is signed in".to_owned(),
        Visibility::Group(name) => format!("Members of “{name}”"),
        Visibility::Private => "Only you".to_owned(),
    }
}

/// What a message will look like, and how long it is; nothing where nothing is written.
pub fn preview(typed: &str) -> Markup {
    let count = Message::count(typed.trim());
    match Message::parse(typed) {
        Ok(message) => html! {
            p .note { "Preview · " (count) " of 10,000 characters" }
            div .words dir="auto" hx-ignore { (words(&markdown::render(&message))) }
        },
        Err(_) if count == 0 => html! {},
        Err(invalid) => html! { p .note .error { (invalid.message) } },
    }
}
