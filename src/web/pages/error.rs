//! What a person is shown where something was refused or went wrong: what it was, and what they can do.

use maud::{Markup, html};

use crate::web::access::Visitor;
use crate::web::hypermedia::{Screen, nonce};
use crate::web::refusal::Refusal;

/// The screen for a refusal.
pub fn screen(visitor: &Visitor, refusal: &Refusal) -> Screen {
    let (title, what) = words(refusal);
    Screen::new(title, view(visitor, title, &what))
}

/// The same in a few words, for the panel beside what was asked from.
pub fn panel(visitor: &Visitor, refusal: &Refusal) -> Screen {
    let (title, what) = words(refusal);
    let main = html! {
        div role="alert" {
            p { strong { (title) ". " } (what) " " span .note { "Reference: " code { (visitor.request_id) } } }
            (close())
        }
    };
    Screen::new(title, main)
}

/// Empties the panel, by our script: without one there is nothing in it.
fn close() -> Markup {
    html! { button .quiet type="button" data-close { "Close" } }
}

fn words(refusal: &Refusal) -> (&'static str, String) {
    match refusal {
        Refusal::SignIn => ("Sign in to continue", "This is for members.".into()),
        Refusal::InvalidToken(why) => ("Not let in", why.clone()),
        Refusal::InsufficientScope => ("Not allowed", "This API token may read and no more.".into()),
        Refusal::SignInAgain => ("Sign in again to continue", "This needs a recent sign-in.".into()),
        Refusal::Forbidden(why) => ("Not allowed", (*why).into()),
        Refusal::NotFound => {
            ("Not found", "There is nothing here, or nothing that you may see. It may have been deleted, or the address may be mistyped.".into())
        }
        Refusal::MethodNotAllowed(_) => ("Not that way", "This address can't be used in the way it was asked.".into()),
        Refusal::Invalid(errors) => {
            ("That can't be taken", errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "))
        }
        Refusal::TooLarge(_) => ("Too long", "What was sent is longer than anything here can be.".into()),
        Refusal::BadGateway(why) | Refusal::GatewayTimeout(why) => {
            ("Another service did not do its part", sentence(why))
        }
        Refusal::NoRoom(_) => {
            ("No room left", "This was not stored: the disk is full. What is there can be read. Keep what you wrote, and tell whoever runs this site.".into())
        }
        Refusal::Unavailable(_) => {
            ("Back in a moment", "Thoughts can't reach what it has stored. Nothing is lost. Try again in a few seconds.".into())
        }
        Refusal::Internal(_) => {
            ("Something broke", "That was our fault, not yours. Try again; if it goes on, tell whoever runs this site.".into())
        }
    }
}

/// What another service did, as a sentence, and what to do about it.
pub fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}. Try again in a while.", letters.as_str())
}

fn view(visitor: &Visitor, title: &str, what: &str) -> Markup {
    html! {
        section .message {
            h1 tabindex="-1" { (title) }
            p { (what) }
            p { a href=(visitor.app.paths.feed()) { "To the feed" } }
            p .note { "Reference: " code { (visitor.request_id) } }
        }
    }
}

/// Offers to sign in once more. What was typed comes along, so this window is the one.
pub fn confirm_panel(confirm: &str) -> Markup {
    html! {
        div role="alert" {
            p { strong { "This needs a recent sign-in." } " Nothing has been done yet. Sign in again; you come back to this page, and can go on." }
            a .button href=(confirm) rel="nofollow" hx-boost="false" hx-nonce=(nonce()) { "Sign in again" }
            (close())
        }
    }
}

/// Offers to sign in, beside a form that stays as it is.
pub fn sign_in_panel(login: &str) -> Markup {
    html! {
        div role="alert" data-signed-out {
            p { strong { "You have been signed out." } " What you wrote is still here: sign in, then send it again." }
            a .button href=(login) target="_blank" rel="nofollow" hx-boost="false" hx-nonce=(nonce()) { "Sign in, in a new tab" }
            (close())
        }
    }
}
