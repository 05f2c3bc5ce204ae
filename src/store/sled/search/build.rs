//! How segments are made, one at a time, from the thoughts that are in their range: of what is new, of what has changed,
//! and, after an upgrade or a restore, of all that there is, the newest first.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sled::{Batch, Db};

use super::block::blocks;
use super::{
    Index, PIECE, Segment, State, Waiting, lock, marks, name_of, numbered, part, place_of_segment, readable, set,
};
use crate::domain::id::ThoughtId;
use crate::domain::search::Words;
use crate::domain::thought::Thought;
use crate::store::codec::encode;
use crate::store::lists::List;
use crate::store::sled::cached::Cached;
use crate::store::sled::{failed, keys, records};
use crate::store::{Result, StoreError};

/// How old a new thought is before it comes into a segment, in milliseconds: none that is still on its way is older, and
/// none comes later into what a segment has.
const SETTLED: u64 = 60_000;

/// Bytes of words from which on a segment takes no further thought, and from which on fresh ones wait for no others.
pub(super) const BYTES: usize = 16 * 1024 * 1024;

/// Names from which on a segment takes no further thought: each takes some 150 bytes while it is made.
const NAMES: usize = 200_000;

/// How long changes in segments wait for others: each may cost a whole segment.
const WAIT: SignedDuration = SignedDuration::from_hours(1);

/// How many of them wait for no more; nor do those of [`BYTES`].
const MANY: usize = 4096;

/// Which thoughts to make segments of: those from the first id up to, and without, the second, in the stead of the
/// segments that are there.
struct Range(ThoughtId, ThoughtId);

/// What came of building.
pub(in crate::store::sled) struct Built {
    /// Whether a segment was made: there may be more to make.
    pub(in crate::store::sled) segment: bool,
    /// Marks that nobody needs any more, each with how often it had been set again: they are to be taken away unless they
    /// are set once more meanwhile.
    pub(in crate::store::sled) settled: Vec<(ThoughtId, u64)>,
}

impl Index {
    /// Makes one segment more, or one anew, if there is a reason to. Blocks.
    pub(in crate::store::sled) fn build(&self, db: &Db, cached: &Cached, now: Timestamp) -> Result<Built> {
        let mut files = lock(&self.building);
        self.take_in(db, cached)?;
        let Some((range, round)) = self.due(db, now)? else {
            // What is fresh needs no marks: it is read at the start in any case, and by whoever builds.
            let top = self.read().as_ref().map_or(ThoughtId::FIRST, |state| state.top);
            return Ok(Built { segment: false, settled: marks(db, top, ThoughtId::LAST)? });
        };
        let settled = marks(db, range.0, range.1)?;
        // Waits for a batch that is being applied: what a mark stands for is read when the mark is.
        cached.batches();
        let (mut made, mut gathered, mut from) = (Vec::new(), Gathered::default(), range.0);
        for thought in records::values::<Thought>(db, &keys::thoughts_between(range.0, range.1)) {
            let Some(thought) = readable(thought.map(Some))?.filter(|thought| thought.deleted_at.is_none()) else {
                continue;
            };
            if gathered.is_full(self.size) {
                made.push(self.make(from, thought.id, std::mem::take(&mut gathered))?);
                from = thought.id;
            }
            gathered.add(&thought);
        }
        made.push(self.make(from, range.1, gathered)?);
        self.put(&range, made, round)?;
        self.clear()?;
        // What marks stand for is on disk before they go.
        db.flush().map_err(failed)?;
        files.sync().map_err(|e| failed(e.into()))?;
        Ok(Built { segment: true, settled })
    }

    /// What is to be made now, and how often changes have been taken in.
    fn due(&self, db: &Db, now: Timestamp) -> Result<Option<(Range, u64)>> {
        let (due, unindexed, round) = {
            let mut state = self.write();
            let Some(state) = &mut *state else { return Ok(None) };
            (state.settled(now, self.size).or_else(|| state.changed(now)), state.unindexed(), state.round)
        };
        let range = match (due, unindexed) {
            (None, Some(floor)) => Some(self.older(db, floor)?),
            (due, _) => due,
        };
        Ok(range.map(|range| (range, round)))
    }

    /// The newest thoughts below the oldest segment.
    fn older(&self, db: &Db, floor: ThoughtId) -> Result<Range> {
        let before = records::keys(db, &keys::thoughts_between(ThoughtId::FIRST, floor));
        let mut last = before.rev().skip(self.size - 1);
        let first = match (last.next(), last.next()) {
            (Some(key), Some(_)) => ThoughtId::from_bytes(keys::ending("a thought", &key?)?),
            _ => ThoughtId::FIRST,
        };
        Ok(Range(first, floor))
    }

    /// Writes a segment of these; it is none before [`Self::put`] says so.
    fn make(&self, from: ThoughtId, end: ThoughtId, gathered: Gathered) -> Result<(ThoughtId, Segment)> {
        let number = {
            let mut state = self.write();
            let Some(state) = &mut *state else { return Err(StoreError::Closed) };
            state.next += 1;
            state.next - 1
        };
        self.tree.insert(numbered(b'n', number), &[]).map_err(failed)?;
        for (piece, ids) in gathered.ids.chunks(PIECE).enumerate() {
            let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_bytes()).collect();
            self.tree.insert(part(b'i', number, piece), ids).map_err(failed)?;
        }
        let (records, blocks) = blocks(&gathered.names())?;
        for (block, record) in records.into_iter().enumerate() {
            self.tree.insert(part(b'w', number, block), record).map_err(failed)?;
        }
        self.tree.insert(numbered(b'b', number), encode("a segment of the index", &blocks)?).map_err(failed)?;
        Ok((from, Segment { number, end, blocks }))
    }

    /// From now on these are the segments of that range, and what they were made of is not fresh any more, unless it was
    /// taken in after that `round`.
    fn put(&self, range: &Range, made: Vec<(ThoughtId, Segment)>, round: u64) -> Result<()> {
        let mut state = self.write();
        let Some(state) = &mut *state else { return Ok(()) };
        let mut batch = Batch::default();
        for (from, _) in state.segments.range(range.0..range.1) {
            batch.remove(place_of_segment(*from));
        }
        for (from, segment) in &made {
            batch
                .insert(place_of_segment(*from), [&segment.number.to_be_bytes()[..], &segment.end.to_bytes()].concat());
        }
        self.tree.apply_batch(batch).map_err(failed)?;
        state.segments.retain(|from, _| *from < range.0 || *from >= range.1);
        state.segments.extend(made);
        state.top = state.top.max(range.1);
        let (top, within) = (state.top, range.0..range.1);
        state.fresh.retain(|id, fresh| {
            // A segment was being made meanwhile, which may have said otherwise; now none does.
            let says_nothing = *id >= top && fresh.thought.is_none();
            !(says_nothing || (within.contains(id) && fresh.round <= round))
        });
        Ok(())
    }

    /// Takes away what is of no segment: of those that were replaced, and of those that somebody was killed over.
    fn clear(&self) -> Result<()> {
        let kept: Vec<u64> = {
            let state = self.read();
            state.iter().flat_map(|state| state.segments.values()).map(|segment| segment.number).collect()
        };
        for number in self.begun() {
            let number = number?;
            if kept.contains(&number) {
                continue;
            }
            for space in *b"wib" {
                for key in self.tree.scan_prefix(numbered(space, number)).keys() {
                    self.tree.remove(key.map_err(failed)?).map_err(failed)?;
                }
            }
            self.tree.remove(numbered(b'n', number)).map_err(failed)?;
        }
        Ok(())
    }
}

/// Thoughts of which a segment is to be made.
#[derive(Default)]
struct Gathered {
    /// In their order.
    ids: Vec<ThoughtId>,
    /// Which of them have each word, and stand in each list.
    names: HashMap<Vec<u8>, Vec<u16>>,
    /// Of all their words.
    bytes: usize,
}

impl Gathered {
    /// Whether it is as much as a segment takes, of which so many thoughts.
    fn is_full(&self, size: usize) -> bool {
        self.ids.len() >= size || self.bytes >= BYTES || self.names.len() >= NAMES
    }

    fn add(&mut self, thought: &Thought) {
        let place = u16::try_from(self.ids.len()).unwrap_or(u16::MAX);
        self.ids.push(thought.id);
        let words = Words::of(thought.message.as_str());
        self.bytes += words.bytes();
        for word in words.iter() {
            self.has(word.as_bytes(), place);
        }
        for list in List::searched(thought) {
            self.has(&name_of(list), place);
        }
    }

    fn has(&mut self, name: &[u8], place: u16) {
        match self.names.get_mut(name) {
            Some(places) => places.push(place),
            None => drop(self.names.insert(name.to_vec(), vec![place])),
        }
    }

    /// The names in their order, each with the set of those that have it.
    fn names(self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut names: Vec<_> = self.names.into_iter().map(|(name, places)| (name, set::encode(&places))).collect();
        names.sort_unstable();
        names
    }
}

impl State {
    /// A segment's worth of new thoughts, if there are so many.
    fn settled(&self, now: Timestamp, size: usize) -> Option<Range> {
        // Where the clock was set back, ids go on from where they were.
        let newest = self.fresh.last_key_value().map_or(0, |(id, _)| id.millisecond());
        let now = u64::try_from(now.as_millisecond()).unwrap_or_default().max(newest);
        let settled = ThoughtId::first_of(now.saturating_sub(SETTLED)).max(self.top);
        let mut bytes = 0;
        let enough = self.fresh.range(self.top..settled).enumerate().find(|(before, (_, fresh))| {
            bytes += fresh.bytes();
            before + 1 >= size || bytes >= BYTES
        });
        enough.map(|(_, (last, _))| Range(self.top, last.next()))
    }

    /// The next segment of which something has changed, if enough has, or long enough ago.
    fn changed(&mut self, now: Timestamp) -> Option<Range> {
        let floor = self.floor();
        let changed = || self.fresh.range(floor..self.top);
        if changed().next().is_none() {
            self.waiting = None;
            return None;
        }
        let waiting = self.waiting.get_or_insert(Waiting { since: now, due: None });
        let many = || {
            let mut bytes = 0;
            changed().enumerate().any(|(before, (_, fresh))| {
                bytes += fresh.bytes();
                before >= MANY || bytes >= BYTES
            })
        };
        if waiting.due.is_none() && (now.duration_since(waiting.since) >= WAIT || many()) {
            waiting.due = Some(self.round);
        }
        let due = waiting.due?;
        let Some((first, _)) = changed().find(|(_, fresh)| fresh.round <= due) else {
            // All that there is came since.
            self.waiting = Some(Waiting { since: now, due: None });
            return None;
        };
        let (from, segment) = self.segments.range(..=*first).next_back()?;
        Some(Range(*from, segment.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::{Handle, Member};
    use crate::store::suite::support::{at, identity, new_member_id, profile, thought};

    #[test]
    fn a_segment_of_rare_words_takes_fewer_thoughts() {
        let ann = Member::new(new_member_id(), identity("ann"), Handle::suggest("ann"), profile("ann"), at(0));
        let mut gathered = Gathered::default();
        let mut numbers = 0..;
        while !gathered.is_full(8_192) {
            let words: Vec<_> = numbers.by_ref().take(1_400).map(|number: u32| format!("{number:06}")).collect();
            gathered.add(&thought(&ann, &words.join(" "), "public"));
        }
        assert!((100..200).contains(&gathered.ids.len()), "{}", gathered.ids.len());
    }
}
