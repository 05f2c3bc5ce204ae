//! A moment, for people and for programs.

use jiff::Timestamp;
use maud::{Markup, html};

/// A moment in UTC; our script shows it in the reader's own zone.
pub fn time(at: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(at.strftime("%-d %B %Y, %H:%M UTC")) { (at.strftime("%-d %b %Y, %H:%M")) }
    }
}
