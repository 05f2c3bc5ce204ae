//! What more than one screen shows.

mod avatar;
mod composer;
mod post;
mod session;
mod time;

pub use avatar::avatar;
pub use composer::{Composer, composer, controls, message_field, preview};
pub use post::{List, deleted, items, list, post};
pub use session::{browser, session};
pub use time::time;

use maud::{Markup, PreEscaped};

use crate::domain::markdown::SafeHtml;

/// Prints HTML that was made before, by a view: a fragment that is kept.
fn made(html: &str) -> Markup {
    PreEscaped(html.to_owned())
}

/// Prints what the sanitizer let through. This and the one above are the places where text stands unescaped.
pub fn words(html: &SafeHtml) -> Markup {
    PreEscaped(html.as_str().to_owned())
}
