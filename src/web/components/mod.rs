//! What more than one screen shows.

mod avatar;
mod composer;
mod post;
mod registration;
mod session;
mod time;

pub use avatar::avatar;
pub use composer::{Composer, composer, controls, message_field, preview};
pub use post::{List, deleted, list, post};
pub use registration::registration;
pub use session::{browser, session};
pub use time::time;

use maud::{Markup, PreEscaped, Render as _};

use crate::domain::markdown::SafeHtml;

/// Prints HTML that was made before, by a view: a fragment that is kept.
fn made(html: &str) -> PreEscaped<&str> {
    PreEscaped(html)
}

/// Writes an item of a list, made before as well, straight into the page.
fn item(html: &str, page: &mut String) {
    for piece in ["<li>", html, "</li>"] {
        PreEscaped(piece).render_to(page);
    }
}

/// Prints what the sanitizer let through. This and the ones above are the places where text stands unescaped.
pub fn words(html: &SafeHtml) -> Markup {
    PreEscaped(html.as_str().to_owned())
}
