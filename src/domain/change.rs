//! What has just changed, told to those who are looking. Plain data: it can be sent to another instance as it is.

use serde::{Deserialize, Serialize};

use super::id::{MemberId, ThoughtId};
use super::policy::Reach;
use super::session::{End, SessionHash};
use super::visibility::Visibility;

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// A thought.
    Thought {
        /// Which.
        id: ThoughtId,
        /// Whose it is.
        author: MemberId,
        /// What became of it.
        what: What,
    },
    /// More than is told one by one.
    Many,
    /// A session ended.
    SessionEnded {
        /// Which.
        session: SessionHash,
        /// Why.
        why: End,
    },
    /// What is known of a member, their groups among it, may be another than before.
    MemberKnownAnew {
        /// Who.
        member: MemberId,
    },
}

/// What became of a thought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// It is new.
    Shared {
        /// Whom it is for.
        to: Visibility,
    },
    /// It says something else, or is for others.
    Edited {
        /// Whom it was for.
        from: Visibility,
        /// Whom it is for.
        to: Visibility,
    },
    /// It was deleted.
    Deleted {
        /// Whom it was for.
        from: Visibility,
    },
    /// It was put back.
    Restored {
        /// Whom it is for.
        to: Visibility,
    },
}

/// What of that somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A thought that was not there before.
    Shared,
    /// One that says something else.
    Edited,
    /// One that is not there any more.
    Deleted,
    /// One that is there again.
    Restored,
}

impl Seen {
    /// What it is called in a stream of events.
    pub fn label(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
        }
    }
}

impl What {
    /// What somebody with this reach sees of it, if anything: what comes within their reach is new to them, and what
    /// leaves it is gone.
    pub fn seen(&self, author: MemberId, reach: &Reach) -> Option<Seen> {
        let admits = |visibility: &Visibility| reach.admits(author, visibility);
        match self {
            Self::Shared { to } => admits(to).then_some(Seen::Shared),
            Self::Restored { to } => admits(to).then_some(Seen::Restored),
            Self::Deleted { from } => admits(from).then_some(Seen::Deleted),
            Self::Edited { from, to } => match (admits(from), admits(to)) {
                (true, true) => Some(Seen::Edited),
                (true, false) => Some(Seen::Deleted),
                (false, true) => Some(Seen::Shared),
                (false, false) => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    #[test]
    fn each_sees_of_a_change_what_is_within_their_reach() {
        let author = MemberId::from(Ulid(1));
        let reach = |id, groups: &[&str]| Reach::Member {
            id: MemberId::from(Ulid(id)),
            groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
        };
        let everyone = [Reach::Public, reach(2, &[]), reach(2, &["friends"]), reach(1, &[])];
        let visibility = |text: &str| text.parse::<Visibility>().unwrap();
        let edited = |from, to| What::Edited { from: visibility(from), to: visibility(to) };
        let [new, edit, gone, again] = [Seen::Shared, Seen::Edited, Seen::Deleted, Seen::Restored].map(Some);
        for (what, expected) in [
            (What::Shared { to: visibility("private") }, [None, None, None, new]),
            (What::Shared { to: visibility("group:friends") }, [None, None, new, new]),
            (What::Deleted { from: visibility("members") }, [None, gone, gone, gone]),
            (What::Restored { to: visibility("public") }, [again, again, again, again]),
            (edited("public", "public"), [edit, edit, edit, edit]),
            (edited("public", "group:friends"), [gone, gone, edit, edit]),
            (edited("private", "members"), [None, new, new, edit]),
            (edited("group:friends", "private"), [None, None, gone, edit]),
            (edited("private", "private"), [None, None, None, edit]),
        ] {
            let seen = everyone.each_ref().map(|reach| what.seen(author, reach));
            assert_eq!(seen, expected, "{what:?}");
        }
    }
}
