//! Who signs in: a name that was typed, and the claims that follow from it.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The longest name, in characters.
pub(super) const NAME_MAX: usize = 80;
/// The longest readable part of a subject, in bytes: with the digest it still fits the local part of an address.
const SLUG_MAX: usize = 40;
const GROUPS_MAX: usize = 50;
const GROUP_MAX: usize = 64;

/// Why a name cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameError {
    #[error("Type a name: any name will do.")]
    Empty,
    #[error("That name is longer than 80 characters. Type a shorter one.")]
    TooLong,
}

/// Somebody as they described themselves at this sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) sub: String,
    pub(super) name: String,
    groups: Vec<String>,
    admin: bool,
}

impl Person {
    /// `groups` is a comma-separated list; what is too long or too many is left out.
    pub(super) fn parse(name: &str, groups: &str, admin: bool) -> Result<Self, NameError> {
        let printable: String = name.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect();
        let name = printable.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.chars().count() > NAME_MAX {
            return Err(NameError::TooLong);
        }
        Ok(Self { sub: subject(&name), name, groups: parse_groups(groups), admin })
    }

    /// The claims that these scopes ask for (OpenID Connect Core 1.0, 5.4); `sub` always.
    /// `groups` and `admin` come with `profile` too, since most providers need no scope for them.
    pub(super) fn claims(&self, scope: &str) -> Map<String, Value> {
        let asked = |name: &str| scope.split(' ').any(|scope| scope == name);
        let mut claims = Map::new();
        let mut set = |claim: &str, value: Value| claims.insert(claim.to_owned(), value);
        set("sub", json!(self.sub));
        if asked("profile") {
            set("name", json!(self.name));
            set("preferred_username", json!(self.sub));
        }
        if asked("email") {
            set("email", json!(format!("{}@demo.example", self.sub)));
            set("email_verified", json!(true));
        }
        if asked("phone") {
            set("phone_number", json!("+1 555 0100"));
        }
        if asked("address") {
            set("address", json!({ "formatted": "1 Loopback Lane" }));
        }
        if asked("profile") || asked("groups") {
            set("groups", json!(self.groups));
            if self.admin {
                set("admin", json!(true));
            }
        }
        claims
    }
}

/// Lower-case ASCII letters, digits and hyphens, at most 51 bytes, never empty; the same for names that differ in
/// case or blanks alone. Whatever a plain slug would lose is told apart by a digest of the whole name.
fn subject(name: &str) -> String {
    // Upper case first, so that letters with several lower-case forms (ß and ss) fall together.
    let folded = name.to_uppercase().to_lowercase();
    let mut slug: String = folded.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let lossless = slug.len() <= SLUG_MAX && slug == folded.replace(' ', "-") && !folded.contains('-');
    if lossless {
        return slug;
    }
    slug.truncate(SLUG_MAX);
    let words = slug.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let stem = if words.is_empty() { "member" } else { &words };
    // 40 bits in hexadecimal, because base64url has upper case and `_`.
    let tail = Sha256::digest(&folded).iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    format!("{stem}-{tail:010x}")
}

fn parse_groups(typed: &str) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for group in typed.split(',').map(str::trim) {
        let fits = !group.is_empty() && group.chars().count() <= GROUP_MAX && !group.contains(char::is_control);
        if fits && groups.len() < GROUPS_MAX && !groups.iter().any(|known| known == group) {
            groups.push(group.to_owned());
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(name: &str) -> String {
        Person::parse(name, "", false).unwrap().sub
    }

    #[test]
    fn a_plain_name_is_its_own_subject() {
        assert_eq!(sub("  Ada   Lovelace "), "ada-lovelace");
        assert_eq!(sub("ADA LOVELACE"), "ada-lovelace");
    }

    #[test]
    fn names_that_differ_have_subjects_that_differ() {
        let names = ["Jose", "José", "ada lovelace", "ada-lovelace", "ada.lovelace", "日本", "中国", "!", "?"];
        let subjects: std::collections::BTreeSet<_> = names.iter().map(|name| sub(name)).collect();
        assert_eq!(subjects.len(), names.len());
    }

    #[test]
    fn a_subject_is_short_ascii_and_never_empty() {
        for name in ["a".repeat(80), "ß".repeat(80), "🦀".to_owned(), "-".to_owned(), "\u{202e}x".to_owned()] {
            let sub = sub(&name);
            assert!((1..=64).contains(&sub.len()), "{sub}");
            assert!(sub.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{sub}");
        }
    }

    #[test]
    fn a_name_has_between_1_and_80_characters() {
        assert_eq!(Person::parse(" \u{0} ", "", false), Err(NameError::Empty));
        assert!(Person::parse(&"é".repeat(80), "", false).is_ok());
        assert_eq!(Person::parse(&"é".repeat(81), "", false), Err(NameError::TooLong));
    }

    #[test]
    fn groups_are_trimmed_and_told_once() {
        let person = Person::parse("Ada", " staff, ,Readers,staff", true).unwrap();
        let claims = person.claims("openid profile");
        assert_eq!(claims["groups"], json!(["staff", "Readers"]));
        assert_eq!(claims["admin"], json!(true));
    }

    #[test]
    fn claims_follow_the_scopes() {
        let claims = Person::parse("Ada", "staff", true).unwrap().claims("openid");
        assert_eq!(Value::from(claims), json!({ "sub": "ada" }));
    }
}
