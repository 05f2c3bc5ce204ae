//! Initials in a circle: nothing is loaded from elsewhere.

use maud::{Markup, html};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::id::MemberId;

/// How many colours the style sheet has for them.
const HUES: u8 = 10;

/// A member's initials, in a colour that stays theirs. Decoration: the name stands beside it.
pub fn avatar(name: &str, id: MemberId) -> Markup {
    let hue = id.to_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)) % HUES;
    html! { span class={ "avatar hue-" (hue) } aria-hidden="true" { (initials(name)) } }
}

/// The first character of the first word and of the last.
fn initials(name: &str) -> String {
    let mut words = name.unicode_words().filter_map(|word| word.graphemes(true).next());
    let first = words.next().unwrap_or("?");
    let last = words.next_back().unwrap_or_default();
    format!("{first}{last}").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, letters) in
            [("Ann", "A"), ("Ann Mary Smith", "AS"), ("élodie d'arc", "ÉD"), ("李 雷", "李雷"), ("", "?")]
        {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}
