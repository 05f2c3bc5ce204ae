//! Everything that a store holds, as records that any store can give and take: what a backup is made of, and what is
//! moved from one store to another. The lists and places by which a store finds its records are not among them; each
//! store makes its own.
//!
//! To add one more kind: a variant of [`Record`] and of [`Kind`], and what the compiler asks for.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Result;
use crate::domain::api_token::ApiToken;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::{Handle, Member};
use crate::domain::session::{Ended, Session, SessionHash};
use crate::domain::thought::{Revision, Thought};
use crate::domain::unsent::Unsent;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A member, with their identities and their handle.
    Member(Member),
    /// What is left of a member who was deleted, until it is purged.
    Leaving {
        /// Who it was.
        member: MemberId,
        /// Theirs until everything else is gone.
        handle: Handle,
    },
    /// A thought, deleted or not.
    Thought(Thought),
    /// What a thought said before.
    Revision {
        /// Which thought.
        thought: ThoughtId,
        /// What it said.
        revision: Revision,
    },
    /// A `once` value that was used.
    Once(UsedOnce),
    /// An API token; of its secret the SHA-256.
    ApiToken(ApiToken),
    /// A session that has not ended.
    Session {
        /// The session.
        session: Session,
        /// When it ends at the latest; whole milliseconds.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        until: Timestamp,
    },
    /// What is noted of a session that has ended.
    Ended {
        /// Which session.
        hash: SessionHash,
        /// Whose it was, why and when it ended.
        ended: Ended,
        /// Until when that is known; whole milliseconds.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        until: Timestamp,
    },
    /// A provider's logout that has counted.
    Logout {
        /// The SHA-256 of the issuer and the `jti`.
        name: [u8; 32],
        /// Until when it is remembered; whole milliseconds.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        until: Timestamp,
    },
    /// A text that waits for its writer.
    Unsent {
        /// Its id.
        id: [u8; 16],
        /// The text, sealed.
        unsent: Unsent,
    },
}

/// A `once` value that was used, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedOnce {
    /// Whose it is.
    pub member: MemberId,
    /// The SHA-256 that the store knows it by.
    pub hash: [u8; 32],
    /// The thought or the API token that it made.
    pub made: ThoughtId,
    /// When it was used; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl Record {
    /// What it is a record of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Member(_) => Kind::Members,
            Self::Leaving { .. } => Kind::Leaving,
            Self::Thought(_) => Kind::Thoughts,
            Self::Revision { .. } => Kind::Revisions,
            Self::Once(_) => Kind::OnceValues,
            Self::ApiToken(_) => Kind::ApiTokens,
            Self::Session { .. } => Kind::Sessions,
            Self::Ended { .. } => Kind::EndedSessions,
            Self::Logout { .. } => Kind::Logouts,
            Self::Unsent { .. } => Kind::UnsentTexts,
        }
    }
}

/// What records are of, in the order in which a snapshot gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// By id.
    Members,
    /// By the member's id.
    Leaving,
    /// By id.
    Thoughts,
    /// By thought and version.
    Revisions,
    /// By when they were used, member and hash.
    OnceValues,
    /// By the hash of their secret.
    ApiTokens,
    /// By hash.
    Sessions,
    /// By until when they are known, and hash.
    EndedSessions,
    /// By until when they are remembered, and name.
    Logouts,
    /// By id.
    UnsentTexts,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 10] = [
        Self::Members,
        Self::Leaving,
        Self::Thoughts,
        Self::Revisions,
        Self::OnceValues,
        Self::ApiTokens,
        Self::Sessions,
        Self::EndedSessions,
        Self::Logouts,
        Self::UnsentTexts,
    ];

    /// What is worth keeping in a backup. A session that has ended since must not be good again because an old copy
    /// came back; so what belongs to sessions is none of it, and no provider's token is in a backup, sealed or not.
    pub const LASTING: [Self; 6] =
        [Self::Members, Self::Leaving, Self::Thoughts, Self::Revisions, Self::OnceValues, Self::ApiTokens];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Leaving => "deleted members",
            Self::Thoughts => "thoughts",
            Self::Revisions => "earlier versions",
            Self::OnceValues => "once values",
            Self::ApiTokens => "API tokens",
            Self::Sessions => "sessions",
            Self::EndedSessions => "ended sessions",
            Self::Logouts => "logouts",
            Self::UnsentTexts => "waiting texts",
        }
    }
}

/// That a store is being filled, from what and how far. A store that says so is not whole, and is not served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filling {
    /// Names what it is filled from: the same again may go on, nothing else may.
    pub from: String,
    /// How many records are in it.
    pub records: u64,
}

/// A store's contents as they were at one moment, whatever is written meanwhile.
#[async_trait]
pub trait Snapshot: Send {
    /// The next records: `limit` of them at most, and none only at the end. They come by kind, each kind in its order.
    async fn next(&mut self, limit: usize) -> Result<Vec<Record>>;
}

/// Copying everything.
#[async_trait]
pub trait Copying: Send + Sync {
    /// Everything of these kinds, as it is now.
    async fn snapshot(&self, kinds: &'static [Kind]) -> Result<Box<dyn Snapshot>>;

    /// Puts records into a store that nobody uses, each in the place of what may be there of it, and notes in the same
    /// step how far that is.
    async fn fill(&self, records: Vec<Record>, so_far: &Filling) -> Result<()>;

    /// What the store is being filled from, if it is.
    async fn filling(&self) -> Result<Option<Filling>>;

    /// Notes that it is filled: it is whole from now on.
    async fn filled(&self) -> Result<()>;

    /// How many instances serve it: those that follow what others change. An embedded store has none of those, and is one
    /// process's alone.
    async fn served_by(&self) -> Result<usize>;
}
