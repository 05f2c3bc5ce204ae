//! Who a thought is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Who may see a thought, besides its author, who always may.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Visibility {
    /// Anyone, signed in or not.
    Public,
    /// Whoever is signed in.
    Members,
    /// Members whose provider says that they are in this group.
    Group(GroupName),
    /// The author alone.
    Private,
}

impl FromStr for Visibility {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "public" => Ok(Self::Public),
            "members" => Ok(Self::Members),
            "private" => Ok(Self::Private),
            _ => match text.strip_prefix("group:") {
                Some(group) => group.parse().map(Self::Group),
                None => {
                    Err(Invalid::new("visibility", "Choose who may see it: public, members, group:<name> or private."))
                }
            },
        }
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Members => f.write_str("members"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Private => f.write_str("private"),
        }
    }
}

impl From<Visibility> for String {
    fn from(visibility: Visibility) -> Self {
        visibility.to_string()
    }
}

impl TryFrom<String> for Visibility {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

/// The name of a group as the provider's groups claim gives it: 1 to 128 characters, none of them a control
/// character, no space at either end. Compared to the letter, for the provider's spelling is what counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct GroupName(String);

impl GroupName {
    /// Characters a name may have at most.
    pub const MAX_CHARS: usize = 128;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let well_formed = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("visibility", "A group's name has 1 to 128 characters, and no space at either end."))
        }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> Self {
        name.0
    }
}

impl TryFrom<String> for GroupName {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visibility_reads_back_what_it_prints() {
        for text in ["public", "members", "group:Friends of Ann", "private"] {
            assert_eq!(text.parse::<Visibility>().map(|v| v.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn anything_else_names_the_choices() {
        for text in ["", "Public", "everyone", "group:", "group: x", "group:a\nb"] {
            assert!(text.parse::<Visibility>().is_err(), "{text:?}");
        }
    }
}
