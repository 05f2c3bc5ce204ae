//! A thought: Markdown text, an author, a visibility, a time.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use super::Invalid;
use super::change::{Change, What};
use super::id::{MemberId, ThoughtId};
use super::member::Author;
use super::visibility::Visibility;

/// What a person wrote, as Markdown: 1 to 10,000 characters as a person counts them (extended grapheme
/// clusters, UAX #29), lines ended by `\n`, no control characters but line breaks and tabs, no blank ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Message(String);

impl Message {
    /// The most characters a message may have.
    pub const MAX_CHARS: usize = 10_000;

    /// The most bytes: a character may be made of many, and without a bound of endlessly many.
    pub const MAX_BYTES: usize = 300_000;

    /// Takes what came out of a form or a JSON body.
    ///
    /// # Errors
    /// `Invalid` when nothing but space is left, or more than [`Message::MAX_CHARS`] or [`Message::MAX_BYTES`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let clean: String = text
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .chars()
            .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
            .collect();
        let clean = clean.trim_end().trim_start_matches('\n');
        if clean.trim().is_empty() {
            return Err(Invalid::new("message", "Write something first: a thought needs at least one character."));
        }
        let count = Self::count(clean);
        if count > Self::MAX_CHARS {
            return Err(Invalid::new(
                "message",
                format!("This is {count} characters long; a thought has 10,000 at most."),
            ));
        }
        if clean.len() > Self::MAX_BYTES {
            let what = "This is too much for one thought: its characters are made of too many parts each.";
            return Err(Invalid::new("message", what));
        }
        Ok(Self(clean.to_owned()))
    }

    /// How many characters a person would count in `text`.
    pub fn count(text: &str) -> usize {
        text.graphemes(true).count()
    }

    /// The Markdown source.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person asks to have shared: everything about a thought that they decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewThought {
    /// What it says.
    pub message: Message,
    /// Whom it is for.
    pub visibility: Visibility,
}

/// A thought as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// Its name in URLs, and its place in time.
    pub id: ThoughtId,
    /// Who wrote it.
    pub author: MemberId,
    /// What it says now.
    pub message: Message,
    /// Whom it is for now.
    pub visibility: Visibility,
    /// When it was shared; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was last changed, if ever; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted, if it was; it can be restored for [`Thought::RESTORABLE_DAYS`] from then.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub deleted_at: Option<Timestamp>,
    /// Counts the edits: 0 as it was shared.
    pub version: u32,
}

impl Thought {
    /// Days for which a deleted thought can be restored.
    pub const RESTORABLE_DAYS: i64 = 30;

    /// That this became of it.
    pub fn became(&self, what: What) -> Change {
        Change::Thought { id: self.id, author: self.author, what }
    }
}

/// A thought together with what its author is called, as every list shows it: shared with whoever else is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// The thought.
    pub thought: Arc<Thought>,
    /// Who wrote it.
    pub author: Arc<Author>,
}

/// What a thought said before an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The thought's version while it said this.
    pub version: u32,
    /// What it said.
    pub message: Message,
    /// Since when it said this; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
}

/// The `once` value of a form: the same value from the same member again means the same request again.
/// 1 to 128 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once(String);

impl Once {
    /// Takes the value of the form's field.
    ///
    /// # Errors
    /// `Invalid` when it isn't one that a form of ours could have carried.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                "once",
                "The value that tells one sending from another has 1 to 128 bytes, none of them control characters.",
            ))
        }
    }

    /// The value as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_counted_as_a_person_counts() {
        let families = "👩‍👩‍👧‍👦".repeat(Message::MAX_CHARS);
        assert!(Message::parse(&families).is_ok());
        assert!(Message::parse(&format!("{families}!")).is_err());
        assert_eq!(Message::count("e\u{301}👍🏽"), 2);
    }

    #[test]
    fn a_character_without_end_is_refused() {
        assert!(Message::parse(&format!("a{}", "\u{301}".repeat(200_000))).is_err());
    }

    #[test]
    fn a_message_of_nothing_but_space_is_refused() {
        for text in ["", " ", "\r\n\t ", "\u{0}\u{7}", "\u{3000}"] {
            assert_eq!(Message::parse(text).unwrap_err().field, "message", "{text:?}");
        }
    }

    #[test]
    fn line_ends_are_one_character_and_control_characters_are_dropped() {
        let message = Message::parse("\none\r\ntwo\u{0}\r\tthree \n").unwrap();
        assert_eq!(message.as_str(), "one\ntwo\n\tthree");
    }

    #[test]
    fn a_once_value_is_short_and_plain() {
        assert!(Once::parse("0b2f1c9e-AB_/+=").is_ok());
        for text in ["", "a\nb", "\0", &"x".repeat(129)] {
            assert!(Once::parse(text).is_err(), "{text:?}");
        }
    }
}
