//! Leaving: one's account is deleted, with everything in it.

use http::StatusCode;
use maud::{Markup, html};
use poem::{Response, handler};

use crate::actions::account;
use crate::domain::Invalid;
use crate::paths;
use crate::web::access::Member;
use crate::web::form::Fields;
use crate::web::hypermedia::{Screen, nonce};
use crate::web::pages::logout;
use crate::web::recent::RecentMember;
use crate::web::refusal::Refusal;
use crate::web::unsent;

/// `GET /profile/delete`: what goes, and a form that asks for one's handle, which nobody types by mistake.
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    let waiting = unsent::waiting(&member, &member.app.paths.plain(paths::PROFILE)).await?;
    let typed = waiting.as_ref().map_or("", |fields| fields.get("handle"));
    Ok(member.show(Screen::new("Delete your account", view(&member, typed, None))))
}

/// `DELETE /profile`: ends signed out, on a page that says that the account is gone; 422 with the form where something
/// else than one's own handle was typed. It asks for a recent sign-in.
#[handler]
pub async fn delete_account(member: RecentMember, fields: Fields) -> Result<Response, Refusal> {
    let typed = fields.get("handle");
    let handle = typed.trim().trim_start_matches('@');
    if !handle.eq_ignore_ascii_case(member.member.handle.as_str()) {
        let error =
            Invalid::new("handle", format!("Type your own handle, {}, to delete your account.", member.member.handle));
        let screen = Screen::new("Delete your account", view(&member, typed, Some(&error)));
        return Ok(member.show(screen.status(StatusCode::UNPROCESSABLE_ENTITY)));
    }
    account::delete(&member.app, &member.member).await?;
    logout::account_deleted(&member, &member.session)
}

/// The ways out, at the end of the profile.
pub(super) fn section(member: &Member) -> Markup {
    html! {
        section {
            h2 { "Your data" }
            p { (export(member, "Download what you have shared and what is kept of you, as JSON")) }
            p { a href=(member.app.paths.plain(paths::DELETE_ACCOUNT)) { "Delete your account…" } }
        }
    }
}

/// A link to a file, which htmx has nothing to do with.
fn export(member: &Member, text: &str) -> Markup {
    html! { a href=(member.app.paths.plain(paths::EXPORT)) download hx-boost="false" hx-nonce=(nonce()) { (text) } }
}

fn view(member: &Member, typed: &str, error: Option<&Invalid>) -> Markup {
    let handle = &member.member.handle;
    html! {
        h1 tabindex="-1" { "Delete your account" }
        p { "What goes, for good and for everybody:" }
        ul {
            li { "all that you have shared, with what it said before you changed it, and what you have deleted and could still restore" }
            li { "your sessions, on every device, and your API tokens: programs that use them are refused at once" }
            li { "what you wrote while you were signed out, and have not sent" }
            li { "your name, your e-mail address, your groups, and who you are at your provider" }
            li { "your handle " strong { "@" (handle) } ": it is free then, and somebody else may get it" }
        }
        p {
            strong { "It can't be undone." } " Your account at your provider is not touched. If you sign in again, you begin \
            anew, as somebody who has never been here."
        }
        p { (export(member, "Take a copy along first")) }
        // It leaves the site's pages as signing out does.
        form .settings method="post" action=(member.app.paths.plain(paths::PROFILE)) hx-boost="false" hx-nonce=(nonce()) {
            input type="hidden" name="_method" value="delete";
            label for="handle" { "To go on, type your handle: " (handle) }
            input #handle name="handle" value=(typed) required autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "handle-note")] autofocus[error.is_some()];
            @if let Some(error) = error { p #handle-note .note .error role="alert" { (error.message) } }
            button .danger type="submit" { "Delete my account and everything in it" }
        }
        p .back { a href=(member.app.paths.plain(paths::PROFILE)) { "Keep it" } }
    }
}
