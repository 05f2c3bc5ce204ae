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

    /// Takes one identity more, which is `whose` now; or says why not.
    pub fn link(&mut self, identity: &Identity, whose: Option<MemberId>) -> Linked {
        match whose {
            Some(whose) if whose == self.id => Linked::Already,
            Some(_) => Linked::ToAnother,
            None if self.identities.iter().any(|theirs| theirs.iss == identity.iss) => Linked::OneThere,
            None => {
                self.identities.push(identity.clone());
                Linked::Now
            }
        }
    }

    /// Whether this identity may be taken from them.
    ///
    /// # Errors
    /// Why it stays.
    pub fn may_unlink(&self, identity: &Identity) -> Result<(), Stays> {
        match (self.identities.contains(identity), self.identities.len()) {
            (false, _) => Err(Stays::NotTheirs),
            (true, 1) => Err(Stays::Last),
            (true, _) => Ok(()),
        }
    }

    /// Lets go of this identity.
    ///
    /// # Errors
    /// As [`Member::may_unlink`]; then nothing has changed.
    pub fn unlink(&mut self, identity: &Identity) -> Result<(), Stays> {
        self.may_unlink(identity)?;
        self.identities.retain(|theirs| theirs != identity);
        Ok(())
    }

    /// What others are shown of them.
    pub fn author(&self) -> Author {
        Author { id: self.id, handle: self.handle.clone(), name: self.name.clone() }
    }
}

/// What became of an identity that was to be linked to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is theirs from now on.
    Now,
    /// It was theirs already.
    Already,
    /// It is another member's, and stays so.
    ToAnother,
    /// They have another one at this issuer, and one is enough.
    OneThere,
}

/// Why an identity is not taken from a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// It is not theirs.
    NotTheirs,
    /// It is the only one they have.
    Last,
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
    fn one_identity_at_an_issuer_is_linked_once_and_the_last_one_stays() {
        let identity = |iss: &str, sub: &str| Identity { iss: iss.to_owned(), sub: sub.to_owned() };
        let (first, second) = (identity("https://one.example", "a"), identity("https://two.example", "a"));
        let [me, another] = [1, 2].map(|number| MemberId::from(ulid::Ulid(number)));
        let handle = Handle::suggest("ann");
        let mut member = Member::new(me, first.clone(), handle, Profile::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(member.link(&identity("https://one.example", "b"), None), Linked::OneThere);
        assert_eq!(member.link(&second, Some(another)), Linked::ToAnother);
        assert_eq!(member.link(&first, Some(me)), Linked::Already);
        assert_eq!(member.unlink(&second), Err(Stays::NotTheirs));
        assert_eq!(member.unlink(&first), Err(Stays::Last));
        assert_eq!(member.link(&second, None), Linked::Now);
        assert_eq!(member.unlink(&first), Ok(()));
        assert_eq!(member.identities, [second]);
    }

    #[test]
    fn a_taken_handle_gets_a_number_and_stays_within_its_length() {
        assert_eq!(Handle::suggest("ann").numbered(2).as_str(), "ann2");
        let long = Handle::suggest(&"a".repeat(30)).numbered(1000);
        assert!(long.as_str().parse::<Handle>().is_ok());
    }
}
