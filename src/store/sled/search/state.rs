//! What is known of the index in memory: its segments, and what they don't say (yet).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_bytes::ByteBuf;

use super::block::Column;
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::search::Words;
use crate::domain::thought::Thought;
use crate::domain::visibility::Visibility;

/// What is known of it in memory.
pub(super) struct State {
    /// By the first id of its range.
    pub(super) segments: BTreeMap<ThoughtId, Segment>,
    /// Where the newest one ends; everything from here on is fresh.
    pub(super) top: ThoughtId,
    pub(super) fresh: BTreeMap<ThoughtId, Fresh>,
    /// How often changes were taken in.
    pub(super) round: u64,
    /// The number that the next segment has.
    pub(super) next: u64,
    /// What is known of changes in segments, while there are any.
    pub(super) waiting: Option<Waiting>,
}

/// Changes in segments, which wait for others.
pub(super) struct Waiting {
    pub(super) since: Timestamp,
    /// The round up to which they wait no more; those that come later wait for the next time.
    pub(super) due: Option<u64>,
}

#[derive(Clone)]
pub(super) struct Segment {
    pub(super) number: u64,
    /// Its range ends before this id.
    pub(super) end: ThoughtId,
    /// The first name of each block.
    pub(super) blocks: Column<ByteBuf>,
}

/// A thought as it is now, whatever a segment says of it.
pub(super) struct Fresh {
    /// When it was taken in.
    pub(super) round: u64,
    /// Nothing where it is deleted.
    pub(super) thought: Option<Findable>,
}

/// What of a thought it is found by.
pub(super) struct Findable {
    pub(super) author: MemberId,
    pub(super) visibility: Visibility,
    pub(super) words: Words,
}

impl State {
    /// The thought is this now.
    pub(super) fn refresh(&mut self, id: ThoughtId, thought: Option<Findable>) {
        self.fresh.insert(id, Fresh { round: self.round, thought });
    }

    /// Bytes of what is in no segment as it is now.
    pub(super) fn unindexed_bytes(&self) -> usize {
        self.fresh.values().map(Fresh::bytes).sum()
    }

    /// Where the oldest segment begins.
    pub(super) fn floor(&self) -> ThoughtId {
        self.segments.first_key_value().map_or(self.top, |(from, _)| *from)
    }

    pub(super) fn unindexed(&self) -> Option<ThoughtId> {
        Some(self.floor()).filter(|floor| *floor > ThoughtId::FIRST)
    }
}

impl Findable {
    /// What a thought is found by, unless it is deleted.
    pub(super) fn of(thought: &Thought) -> Option<Self> {
        thought.deleted_at.is_none().then(|| Self {
            author: thought.author,
            visibility: thought.visibility.clone(),
            words: Words::of(thought.message.as_str()),
        })
    }
}

impl Fresh {
    pub(super) fn bytes(&self) -> usize {
        size_of::<(ThoughtId, Self)>() + self.thought.as_ref().map_or(0, |thought| thought.words.bytes())
    }
}
