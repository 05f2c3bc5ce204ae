//! Where an account comes from.

use maud::{Markup, html};

use crate::app::App;

/// The link for who has no account yet, where the configuration names one: shown wherever somebody is told to sign in.
pub fn registration(app: &App) -> Markup {
    html! {
        @if let Some(url) = &app.config.registration_url {
            p { "No account yet? " a href=(url) { "Get one" } "." }
        }
    }
}
