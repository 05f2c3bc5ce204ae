//! An API token: what a program shows in a member's stead. The member is given its secret once; the store has the
//! SHA-256 of it and nothing else.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_segmentation::UnicodeSegmentation as _;

use super::Invalid;
use super::id::{ApiTokenId, MemberId};

/// The secret that a program holds: 256 random bits, as text behind a prefix by which people and scanners of
/// repositories know what they have found. Never stored, never logged.
pub struct ApiTokenSecret([u8; 32]);

impl ApiTokenSecret {
    /// What every token begins with.
    pub const PREFIX: &'static str = "thoughts_";

    /// A new secret out of 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The secret in the credentials of an `Authorization: Bearer` header, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.strip_prefix(Self::PREFIX)?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// What the member is shown, once: 52 characters.
    pub fn to_text(&self) -> String {
        format!("{}{}", Self::PREFIX, BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }

    /// What the store knows it by.
    pub fn hash(&self) -> ApiTokenHash {
        ApiTokenHash(Sha256::digest(self.0).into())
    }
}

/// The SHA-256 of a secret. It opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiTokenHash([u8; 32]);

impl ApiTokenHash {
    /// The bytes, for a key.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// What a member calls a token: 1 to 60 characters as a person counts them (extended grapheme clusters, UAX #29),
/// no control characters, no blank ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenName(String);

impl TokenName {
    /// The most characters a name may have.
    pub const MAX_CHARS: usize = 60;

    /// The most bytes: a character may be made of many, and without a bound of endlessly many.
    pub const MAX_BYTES: usize = 2000;

    /// Takes what was typed.
    ///
    /// # Errors
    /// `Invalid` when nothing but space is left, or more than [`TokenName::MAX_CHARS`] or [`TokenName::MAX_BYTES`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        let clean = clean.trim();
        if clean.is_empty() {
            return Err(Invalid::new("name", "Give it a name by which you will know it later, like “backup script”."));
        }
        let count = clean.graphemes(true).count();
        if count > Self::MAX_CHARS || clean.len() > Self::MAX_BYTES {
            let limit = format!("This name is {count} characters long; a token's has {} at most.", Self::MAX_CHARS);
            return Err(Invalid::new("name", limit));
        }
        Ok(Self(clean.to_owned()))
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a token may be used for. As text it is a `scope`: RFC 6749, section 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenScope {
    /// See what its member can see.
    #[serde(rename = "read")]
    Read,
    /// That, and share, change and delete as its member can.
    #[serde(rename = "read write")]
    ReadWrite,
}

impl TokenScope {
    /// All there are, the lesser first.
    pub const ALL: [Self; 2] = [Self::Read, Self::ReadWrite];

    /// Whether it is enough for a request that changes something.
    pub fn may_change(self) -> bool {
        match self {
            Self::Read => false,
            Self::ReadWrite => true,
        }
    }

    /// What it is called in the form and in `WWW-Authenticate`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::ReadWrite => "read write",
        }
    }
}

impl FromStr for TokenScope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        known.ok_or_else(|| Invalid::new("scope", "Choose what it may do: “read” or “read write”."))
    }
}

/// How long a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLifetime {
    /// So many days.
    Days(u16),
    /// Until it is revoked.
    UntilRevoked,
}

impl TokenLifetime {
    /// What can be chosen, the shortest first.
    pub const ALL: [Self; 4] = [Self::Days(30), Self::Days(90), Self::Days(365), Self::UntilRevoked];

    /// When a token made `now` ends, if it does by itself.
    pub fn ends(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Days(days) => {
                Some(now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now))
            }
            Self::UntilRevoked => None,
        }
    }
}

/// As the form says it.
impl fmt::Display for TokenLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}"),
            Self::UntilRevoked => f.write_str("never"),
        }
    }
}

impl FromStr for TokenLifetime {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|lifetime| lifetime.to_string() == text);
        known.ok_or_else(|| Invalid::new("expires", "Choose how long it is good: 30, 90 or 365 days, or “never”."))
    }
}

/// What a member asks for: everything about a token that they decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiToken {
    /// What they call it.
    pub name: TokenName,
    /// What it may be used for.
    pub scope: TokenScope,
    /// How long it is good.
    pub lifetime: TokenLifetime,
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its name where it is managed.
    pub id: ApiTokenId,
    /// Whose it is.
    pub member: MemberId,
    /// What it is known by.
    pub hash: ApiTokenHash,
    /// What its member calls it.
    pub name: TokenName,
    /// What it may be used for.
    pub scope: TokenScope,
    /// When it was made; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When it was last used, to the minute, if ever; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub last_used_at: Option<Timestamp>,
    /// When it ends by itself, if it does; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub expires_at: Option<Timestamp>,
}

impl ApiToken {
    /// How many a member may have, those that have expired and were not taken off the list included.
    pub const AT_MOST: usize = 50;

    /// How long a use is not written down after one that was.
    const TOUCH_EVERY: Duration = Duration::from_mins(1);

    /// Whether it has ended by itself at `now`: its end is the first moment at which it is good no longer.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// Whether its last use is so long ago that a new one is worth writing down.
    pub fn touch_is_due(&self, now: Timestamp) -> bool {
        let every = SignedDuration::try_from(Self::TOUCH_EVERY).unwrap_or(SignedDuration::MAX);
        self.last_used_at.is_none_or(|last| now.duration_since(last) >= every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn token(last_used_at: Option<Timestamp>, expires_at: Option<Timestamp>) -> ApiToken {
        ApiToken {
            id: ApiTokenId::from(Ulid(1)),
            member: MemberId::from(Ulid(1)),
            hash: ApiTokenSecret::new([7; 32]).hash(),
            name: TokenName::parse("x").unwrap(),
            scope: TokenScope::Read,
            created_at: at(0),
            last_used_at,
            expires_at,
        }
    }

    #[test]
    fn the_text_gives_the_secret_back_and_the_hash_does_not_hold_it() {
        let secret = ApiTokenSecret::new([9; 32]);
        let text = secret.to_text();
        assert!(text.starts_with("thoughts_") && text.len() == 52, "{text}");
        assert_eq!(ApiTokenSecret::parse(&text).unwrap().hash(), secret.hash());
        assert_ne!(secret.hash().to_bytes(), [9; 32]);
    }

    #[test]
    fn anything_else_is_no_secret() {
        let bare = BASE64_URL_SAFE_NO_PAD.encode([9; 32]);
        for text in ["", "thoughts_", &bare, &format!("thoughts_{bare}A"), &format!("Thoughts_{bare}"), "thoughts_é"] {
            assert!(ApiTokenSecret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_name_has_1_to_60_characters_as_a_person_counts_them() {
        assert_eq!(TokenName::parse(" my\u{0} script\n").unwrap().to_string(), "my script");
        assert!(TokenName::parse(&"👩‍👩‍👧".repeat(60)).is_ok());
        for text in [String::new(), " \n".into(), "x".repeat(61), format!("e{}", "\u{301}".repeat(5000))] {
            assert_eq!(TokenName::parse(&text).unwrap_err().field, "name", "{} bytes", text.len());
        }
    }

    #[test]
    fn scopes_and_lifetimes_read_back_what_they_print() {
        for scope in TokenScope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        for lifetime in TokenLifetime::ALL {
            assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        }
        assert!("31".parse::<TokenLifetime>().is_err() && "write".parse::<TokenScope>().is_err());
    }

    #[test]
    fn a_token_ends_at_its_end_and_one_without_never() {
        let ends = TokenLifetime::Days(30).ends(at(0));
        assert_eq!(ends, Some(at(30 * 86_400)));
        assert!(!token(None, ends).expired(at(30 * 86_400 - 1)));
        assert!(token(None, ends).expired(at(30 * 86_400)));
        assert!(!token(None, TokenLifetime::UntilRevoked.ends(at(0))).expired(Timestamp::MAX));
    }

    #[test]
    fn a_use_is_written_down_once_a_minute() {
        assert!(token(None, None).touch_is_due(at(0)));
        assert!(!token(Some(at(0)), None).touch_is_due(at(59)));
        assert!(token(Some(at(0)), None).touch_is_due(at(60)));
    }
}
