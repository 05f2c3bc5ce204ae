//! Members and thoughts by their number: the same each time, for the benchmark's stores and for tests that need many.

use std::collections::BTreeSet;

use jiff::Timestamp;
use thoughts::domain::id::{MemberId, ThoughtId};
use thoughts::domain::member::{Handle, Identity, Member, Profile};
use thoughts::domain::thought::{Message, Thought};
use ulid::Ulid;

/// When the first of them was shared, in milliseconds.
pub const BEGUN: u64 = 1_700_000_000_000;
/// And how far they lie apart.
pub const APART: u64 = 20_000;

/// The member of this number.
pub fn member(number: u64) -> Member {
    let name = format!("member{number}");
    let identity = Identity { iss: "http://localhost".to_owned(), sub: name.clone() };
    let groups = BTreeSet::from([format!("team {}", number % 20).parse().unwrap()]);
    let profile = Profile { name: format!("Member {number}"), groups, ..Profile::default() };
    let id = MemberId::from(Ulid::from_parts(BEGUN, u128::from(number)));
    Member::new(id, identity, Handle::suggest(&name), profile, at(0))
}

/// What the thought of this number is called.
pub fn thought_id(number: u64) -> ThoughtId {
    ThoughtId::from(Ulid::from_parts(BEGUN + number * APART, u128::from(number)))
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_millisecond((BEGUN + number * APART).cast_signed()).unwrap()
}

/// Of twenty, twelve are for anyone, five for members, two for a group, one for its author.
fn visibility(number: u64) -> String {
    match number % 20 {
        0..=11 => "public".to_owned(),
        12..=16 => "members".to_owned(),
        17..=18 => format!("group:team {}", number / 20 % 20),
        _ => "private".to_owned(),
    }
}

/// The thought of this number, on a site of so many members.
pub fn thought(number: u64, members: u64) -> Thought {
    // A prime apart, so that neighbours are of other members and other kinds of thoughts of each.
    let author = member(number * 7919 % members).id;
    Thought {
        id: thought_id(number),
        author,
        message: Message::parse(&words(number)).unwrap(),
        visibility: visibility(number).parse().unwrap(),
        created_at: at(number),
        edited_at: None,
        deleted_at: None,
        version: 0,
    }
}

/// Some 300 bytes of Markdown.
fn words(number: u64) -> String {
    const WORDS: [&str; 16] = [
        "river", "lamp", "quiet", "after", "seven", "letters", "under", "garden", "paper", "morning", "bread",
        "window", "slowly", "north", "copper", "remember",
    ];
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut text = format!("Thought **{number}** with a [link](https://example.org/{number}).\n\n");
    while text.len() < 290 {
        // xorshift64: any deterministic sequence will do.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text += WORDS[(state % 16) as usize];
        text += if state.is_multiple_of(11) { ".\n" } else { " " };
    }
    text
}
