//! The lists of thoughts: which there are, in which a thought stands, and which a reach admits. Every store keeps them.

use std::iter;

use super::Scope;
use crate::domain::id::MemberId;
use crate::domain::policy::Reach;
use crate::domain::thought::Thought;
use crate::domain::visibility::{GroupName, Visibility};

/// A list of thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List<'a> {
    /// Those for this audience, everybody's or one member's.
    For(Scope, Audience<'a>),
    /// All of this member's, whomever they are for, as the member alone finds them.
    Own(MemberId),
}

/// Whom the thoughts of a list are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience<'a> {
    /// Anyone.
    Public,
    /// Whoever is signed in.
    Members,
    /// Who is in this group.
    Group(&'a GroupName),
}

impl<'a> Audience<'a> {
    /// The audience a thought has besides its author, if it has one.
    pub(super) fn of(visibility: &'a Visibility) -> Option<Self> {
        match visibility {
            Visibility::Public => Some(Self::Public),
            Visibility::Members => Some(Self::Members),
            Visibility::Group(name) => Some(Self::Group(name)),
            Visibility::Private => None,
        }
    }
}

impl<'a> List<'a> {
    /// The lists that a thought stands in: its author's own, and those for whom it is for, everybody's and its author's.
    pub(super) fn of(thought: &'a Thought) -> impl Iterator<Item = Self> {
        let shown = Audience::of(&thought.visibility).into_iter().flat_map(|audience| {
            [Self::For(Scope::Everyone, audience), Self::For(Scope::By(thought.author), audience)]
        });
        iter::once(Self::Own(thought.author)).chain(shown)
    }

    /// Those of them in which it is searched for: everybody's for whom it is for, and its author's own where it is for so
    /// few that its author may not find it there.
    pub(super) fn searched(thought: &'a Thought) -> impl Iterator<Item = Self> {
        let for_few = !matches!(thought.visibility, Visibility::Public | Visibility::Members);
        Self::of(thought).filter(move |list| match list {
            Self::Own(_) => for_few,
            Self::For(scope, _) => *scope == Scope::Everyone,
        })
    }

    /// The lists that hold what is of `scope` and within reach.
    pub(super) fn within(scope: Scope, reach: &'a Reach) -> Vec<Self> {
        match (scope, reach) {
            (_, Reach::Public) => vec![Self::For(scope, Audience::Public)],
            // What is one's own is within one's reach.
            (Scope::By(author), Reach::Member { id, .. }) if author == *id => vec![Self::Own(author)],
            (Scope::Everyone | Scope::By(_), Reach::Member { id, groups }) => {
                let groups = groups.iter().map(Audience::Group);
                let audiences = [Audience::Public, Audience::Members].into_iter().chain(groups);
                let mut lists: Vec<_> = audiences.map(|audience| Self::For(scope, audience)).collect();
                if scope == Scope::Everyone {
                    lists.push(Self::Own(*id));
                }
                lists
            }
        }
    }

    /// What it is called in a key; none begins with another's. `e` and an audience (everybody's thoughts for it), `b`, a
    /// member and an audience (that member's), or `o` and a member (all of that member's). An audience is `p` (public),
    /// `m` (members), or `g` and a group's name (its length in two bytes, then its text).
    pub(super) fn name(self) -> Vec<u8> {
        let (mut name, audience) = match self {
            Self::Own(author) => return [&b"o"[..], &author.to_bytes()].concat(),
            Self::For(Scope::Everyone, audience) => (b"e".to_vec(), audience),
            Self::For(Scope::By(author), audience) => ([&b"b"[..], &author.to_bytes()].concat(), audience),
        };
        match audience {
            Audience::Public => name.push(b'p'),
            Audience::Members => name.push(b'm'),
            Audience::Group(group) => {
                name.push(b'g');
                name.extend(length(group.as_str()));
                name.extend(group.as_str().bytes());
            }
        }
        name
    }
}

/// A name has at most 512 bytes (128 characters): its length fits.
fn length(name: &str) -> [u8; 2] {
    u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes()
}
