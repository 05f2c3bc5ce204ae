//! Who may see and do what: the one place where authorship, groups and roles are decided.
//!
//! Reading is decided by a [`Reach`], which the store takes with every query, so that what a viewer may not
//! see never leaves it. Doing is decided by [`may`], on a thought that the viewer's reach has already let
//! through: what is out of reach is not found, whatever one would do with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::id::MemberId;
use super::member::Member;
use super::thought::Thought;
use super::visibility::{GroupName, Visibility};

/// Who is looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Someone who is not signed in.
    Anonymous,
    /// Someone who is.
    Member(Arc<Member>),
}

impl Viewer {
    /// The member, if it is one.
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Anonymous => None,
            Self::Member(member) => Some(member),
        }
    }

    /// Everything this viewer may see.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Anonymous => Reach::Public,
            Self::Member(member) => Reach::of(member),
        }
    }
}

/// A set of thoughts, by whom they are for: what one viewer may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Public thoughts alone.
    Public,
    /// Public ones, the members' ones, those of these groups, and all of one's own.
    Member {
        /// Whose own thoughts are in reach whatever their visibility.
        id: MemberId,
        /// Whose groups' thoughts are in reach.
        groups: BTreeSet<GroupName>,
    },
}

impl Reach {
    /// What this member may see.
    pub fn of(member: &Member) -> Self {
        Self::Member { id: member.id, groups: member.groups.clone() }
    }

    /// Whether a thought of `author` for `visibility` is within reach.
    pub fn admits(&self, author: MemberId, visibility: &Visibility) -> bool {
        match (self, visibility) {
            (Self::Public | Self::Member { .. }, Visibility::Public) | (Self::Member { .. }, Visibility::Members) => {
                true
            }
            (Self::Public, Visibility::Members | Visibility::Group(_) | Visibility::Private) => false,
            (Self::Member { id, groups }, Visibility::Group(group)) => *id == author || groups.contains(group),
            (Self::Member { id, .. }, Visibility::Private) => *id == author,
        }
    }
}

/// What can be done with a thought that one can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change what it says or whom it is for.
    Edit,
    /// Delete it.
    Delete,
    /// Undo its deletion.
    Restore,
}

/// Whether this member is an admin: their provider said so when it was last asked.
pub fn administers(member: &Member) -> bool {
    member.admin
}

/// Whether this member may do this with this thought: its author may do all of it, an admin may delete
/// and restore, for that is moderation, and nobody may put words into another's mouth.
pub fn may(member: &Member, action: Action, thought: &Thought) -> bool {
    let author = member.id == thought.author;
    match action {
        Action::Edit => author,
        Action::Delete | Action::Restore => author || administers(member),
    }
}

/// Whether this member may address thoughts to this audience: a group only from inside.
pub fn may_address(member: &Member, visibility: &Visibility) -> bool {
    match visibility {
        Visibility::Public | Visibility::Members | Visibility::Private => true,
        Visibility::Group(group) => member.groups.contains(group),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    fn group(name: &str) -> GroupName {
        name.parse().unwrap()
    }

    fn reach(member: u128, groups: &[&str]) -> Reach {
        Reach::Member { id: MemberId::from(Ulid(member)), groups: groups.iter().map(|name| group(name)).collect() }
    }

    #[test]
    fn each_visibility_admits_just_whom_it_says() {
        let author = MemberId::from(Ulid(1));
        let friends = Visibility::Group(group("friends"));
        let cases = [
            (Reach::Public, [true, false, false, false]),
            (reach(2, &[]), [true, true, false, false]),
            (reach(2, &["friends"]), [true, true, true, false]),
            (reach(2, &["Friends"]), [true, true, false, false]),
            (reach(1, &[]), [true, true, true, true]),
        ];
        for (reach, expected) in cases {
            let seen = [&Visibility::Public, &Visibility::Members, &friends, &Visibility::Private]
                .map(|visibility| reach.admits(author, visibility));
            assert_eq!(seen, expected, "{reach:?}");
        }
    }
}
