//! A member: a person known from a provider.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Invalid;
use super::id::MemberId;
use super::visibility::GroupName;

/// Who a person is: the issuer and the subject, both to the letter, and never an e-mail address.
/// Source: OpenID Connect Core 1.0, section 5.7.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's issuer identifier.
    pub iss: String,
    /// What that provider calls the person, for ever.
    pub sub: String,
}

/// What a provider says of a person at a sign-in: what they are called, and what they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// A name to show; blank where the provider gave none.
    pub name: String,
    /// What the person would like their handle to be, before it is made to fit.
    pub preferred_handle: String,
    /// Their address, if the provider gave one.
    pub email: Option<String>,
    /// Groups the provider says they are in.
    pub groups: BTreeSet<GroupName>,
    /// Whether the provider's claims make them an admin here.
    pub admin: bool,
}

/// A member as they are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Names the member inside the store.
    pub id: MemberId,
    /// Who they are; more than one where a second provider is linked.
    pub identities: Vec<Identity>,
    /// Their name in URLs: given at the first sign-in, theirs for good.
    pub handle: Handle,
    /// What they are called.
    pub name: String,
    /// Their address, if the provider gave one; shown to themselves alone.
    pub email: Option<String>,
    /// Groups they were in when their provider was last asked.
    pub groups: BTreeSet<GroupName>,
    /// Whether their provider said so when it was last asked.
    pub admin: bool,
    /// When they first signed in; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub joined_at: Timestamp,
}

impl Member {
    /// Makes a member of someone who signs in for the first time.
    pub fn new(id: MemberId, identity: Identity, handle: Handle, profile: Profile, at: Timestamp) -> Self {
        let mut member = Self {
            id,
            identities: vec![identity],
            handle,
            name: String::new(),
            email: None,
            groups: BTreeSet::new(),
            admin: false,
            joined_at: at,
        };
        member.take(profile);
        member
    }

    /// Takes over what the provider says now. The handle stays: links to it must go on working.
    pub fn take(&mut self, profile: Profile) {
        let name = profile.name.trim();
        self.name = if name.is_empty() { self.handle.to_string() } else { shortened(name, 80) };
        self.email = profile.email;
        self.groups = profile.groups;
        self.admin = profile.admin;
    }

    /// What others are shown of them.
    pub fn author(&self) -> Author {
        Author { id: self.id, handle: self.handle.clone(), name: self.name.clone() }
    }
}

/// What everybody may know of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Names the member inside the store.
    pub id: MemberId,
    /// Their name in URLs.
    pub handle: Handle,
    /// What they are called.
    pub name: String,
}

/// A member's name in URLs and mentions: 1 to 30 of `a`–`z`, `0`–`9`, `_` and `-`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Handle(String);

impl Handle {
    const MAX: usize = 30;

    /// Makes a handle of whatever a provider calls a person: an address gives its part before the `@`,
    /// other characters than a handle's become dashes, and where nothing is left it is `member`.
    pub fn suggest(preferred: &str) -> Self {
        let local = preferred.split('@').find(|part| !part.is_empty()).unwrap_or_default();
        let mut handle = String::new();
        for c in local.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' | '_' => handle.push(c),
                _ if handle.ends_with('-') || handle.is_empty() => {}
                _ => handle.push('-'),
            }
        }
        handle.truncate(Self::MAX);
        let handle = handle.trim_matches(['-', '_']);
        Self(if handle.is_empty() { "member".to_owned() } else { handle.to_owned() })
    }

    /// The `n`th way to spell this handle, for when the earlier ones are taken: `ann`, `ann2`, `ann3`, …
    #[must_use]
    pub fn numbered(&self, n: u32) -> Self {
        if n <= 1 {
            return self.clone();
        }
        let number = n.to_string();
        let mut handle = self.0.clone();
        handle.truncate(Self::MAX - number.len());
        Self(handle + &number)
    }

    /// The handle as text, without the `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Handle {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=Self::MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("handle", "A handle has 1 to 30 of a-z, 0-9, _ and -."))
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl TryFrom<String> for Handle {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

/// The first `max` characters of `text`, without control characters.
fn shortened(text: &str, max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_made_of_whatever_the_provider_says() {
        for (said, handle) in [
            ("ann", "ann"),
            ("Ann.Smith@example.org", "ann-smith"),
            ("  Ann   Smith ", "ann-smith"),
            ("@ann", "ann"),
            ("Ünal", "nal"),
            ("李雷", "member"),
            ("", "member"),
            ("--__--", "member"),
            ("a23456789012345678901234567890xyz", "a23456789012345678901234567890"),
        ] {
            assert_eq!(Handle::suggest(said).as_str(), handle, "{said:?}");
            assert!(Handle::suggest(said).as_str().parse::<Handle>().is_ok(), "{said:?}");
        }
    }

    #[test]
    fn a_taken_handle_gets_a_number_and_stays_within_its_length() {
        assert_eq!(Handle::suggest("ann").numbered(2).as_str(), "ann2");
        let long = Handle::suggest(&"a".repeat(30)).numbered(1000);
        assert!(long.as_str().parse::<Handle>().is_ok());
    }
}
