//! What more than one screen shows.

mod avatar;
mod composer;
mod post;
mod time;

pub use avatar::avatar;
pub use composer::{Composer, composer, controls, message_field, preview};
pub use post::{List, deleted, items, list, post};
pub use time::time;

use maud::{Markup, PreEscaped};

use crate::domain::markdown::SafeHtml;

/// Prints what the sanitizer let through: the one place where text stands unescaped.
pub fn words(html: &SafeHtml) -> Markup {
    PreEscaped(html.as_str().to_owned())
}
