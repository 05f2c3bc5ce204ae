//! The index for searching: an inverted index in segments, beside the store in a tree of its own.
//!
//! A segment has the thoughts of a range of ids, [`MOST`] of them at most, numbered from the oldest on, and says of each
//! word, and of each list (`store/lists.rs`), which of those numbers have it; so what is out of a reader's reach is
//! left out before anything is looked for. Segments lie side by side without gaps. What was shared since the newest of them, and what has changed in any,
//! is kept in memory (*fresh*) until [`build`] makes a segment of it, behind whatever is served; whatever was killed
//! before that is read again at the start: new thoughts by their ids, changed ones by the marks that stand in the tree of
//! the store (`q` in `keys.rs`). All of it is made from the thoughts and can be made again; each that is found is looked at
//! before it is shown.
//!
//! | first byte | the rest of the key | record |
//! | --- | --- | --- |
//! | `n` | segment | that it was begun |
//! | `i` | segment, number of a piece | [`PIECE`] of its thoughts, 16 bytes each, in their order |
//! | `w` | segment, number of a block | names side by side, each with which of them have it: a [`block`] |
//! | `b` | segment | the first name of each of its blocks |
//! | `s` | first id | the segment that begins there, and where it ends |
//!
//! A name is a word, or `FF` and a list. Segments are numbered with 8 bytes, pieces and blocks with two, big-endian. The record at `s` is written last, and others take its place in the same step:
//! a segment without is no segment.

mod block;
mod build;
mod set;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::{Db, Tree};

use self::block::add_named;
pub(super) use self::build::Built;
pub(super) use self::set::MOST;
use self::set::Set;
use self::state::{Findable, Segment, State, Waiting};
use super::cached::Cached;
use super::files::Files;
use super::keys::{self, List};
use super::records::decode;
use super::{failed, feed, records};
use crate::cache::{Bounded, Size, Usage};
use crate::domain::id::ThoughtId;
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::domain::thought::{Authored, Thought};
use crate::store::search::says;
use crate::store::{Result, Scope, StoreError};

/// What stands before a list, where words stand: no text in UTF-8 begins with it.
const LIST: u8 = 0xff;

const MADE_ANEW: &str = "the index for searching is damaged, and is made anew";

/// Bytes of blocks that are kept in memory.
const BLOCKS: usize = 6 * 1024 * 1024;

/// Bytes that must be free for a segment to be made, and much more than one takes.
pub(super) const ROOM: u64 = 64 * 1024 * 1024;

/// Thoughts of a segment that are looked at before more are asked for: somewhat more than stand on a page.
const AT_ONCE: usize = 32;

/// Segments that are asked before others have their turn.
const AT_A_TIME: usize = 16;

/// Thoughts of a piece.
const PIECE: usize = 256;

/// The index.
pub(super) struct Index {
    tree: Tree,
    /// Blocks that were read, by segment and number. No segment has another's number before all of them are forgotten.
    blocks: Bounded<(u64, usize), Arc<[u8]>>,
    /// Thoughts of a segment.
    size: usize,
    /// What the writer has changed, until it is taken in; nothing while nobody asks for the index.
    changed: Mutex<Option<Vec<ThoughtId>>>,
    state: RwLock<Option<State>>,
    /// Taken by whoever takes in what has changed.
    taking_in: Mutex<()>,
    /// Taken by whoever builds, who sees to it that what they have written is on disk.
    building: Mutex<Files>,
}

/// What is left to look for when some was found.
pub(super) enum Rest {
    /// Nothing: there is enough, or no more.
    Nothing,
    /// What is before this one.
    Before(ThoughtId),
    /// The same, which is in no segment yet.
    Unindexed(ThoughtId),
}

/// What a stretch of ids may have of what is looked for.
struct Stretch {
    /// Where it begins.
    from: ThoughtId,
    candidates: BTreeSet<ThoughtId>,
}

impl Index {
    /// The index of this store, with so many thoughts in a segment, [`MOST`] at most; what there is of it is read when
    /// somebody first asks for it.
    pub(super) fn of(db: &Db, segment: usize, files: Files) -> Result<Self> {
        Ok(Self {
            tree: db.open_tree("search").map_err(failed)?,
            blocks: Bounded::new(BLOCKS),
            size: segment.clamp(1, MOST),
            changed: Mutex::new(None),
            state: RwLock::new(None),
            taking_in: Mutex::new(()),
            building: Mutex::new(files),
        })
    }

    /// Notes that these have changed, or are new. Called by the writer, as soon as they can be read.
    pub(super) fn note(&self, ids: impl IntoIterator<Item = ThoughtId>) {
        if let Some(changed) = &mut *lock(&self.changed) {
            changed.extend(ids);
        }
    }

    /// Whether a thought of this id may be older than what the newest segment ends with, so that nobody would look for it at
    /// the next start: as where the clock was set back.
    pub(super) fn is_behind(&self, id: ThoughtId) -> bool {
        self.read().as_ref().is_none_or(|state| id < state.top)
    }

    /// The thoughts before this one are in no segment yet, if there are such; `None` also while nobody has asked for it.
    pub(super) fn unindexed(&self) -> Option<ThoughtId> {
        self.read().as_ref().and_then(State::unindexed)
    }

    /// What is kept of it in memory, by name: blocks that were read; and what is in no segment yet, which becomes one when
    /// it is as much as that.
    pub(super) fn usage(&self) -> [(&'static str, Usage); 2] {
        let bytes = self.read().as_ref().map_or(0, State::unindexed_bytes);
        let fresh = Usage { capacity: build::BYTES as u64, bytes: Some(bytes as u64), asked: None };
        [("search", self.blocks.usage()), ("unindexed", fresh)]
    }

    /// Adds to `found` what says so within reach before that thought, the newest first, until there is as much as is
    /// `wanted` or it has been at it for a while.
    pub(super) fn find(
        &self,
        db: &Db,
        cached: &Cached,
        (query, reach): (&Query, &Reach),
        mut before: ThoughtId,
        wanted: usize,
        found: &mut Vec<Authored>,
    ) -> Result<Rest> {
        self.take_in(db, cached)?;
        for _ in 0..AT_A_TIME {
            let stretch = self.stretch(query, reach, before).or_else(|error| self.begin_anew_after(error))?;
            let Some(stretch) = stretch else { return Ok(Rest::Unindexed(before)) };
            for id in stretch.candidates.into_iter().rev() {
                // It may have changed since, and its words are known as they were.
                found.extend(feed::shown(db, cached, id, reach)?.filter(|shown| says(query, &shown.thought)));
                if found.len() == wanted {
                    return Ok(Rest::Nothing);
                }
            }
            if stretch.from == ThoughtId::FIRST {
                return Ok(Rest::Nothing);
            }
            before = stretch.from;
        }
        Ok(Rest::Before(before))
    }

    /// Where a record of the index can't be read, all of it is made again; it holds nothing that is nowhere else.
    fn begin_anew_after(&self, error: StoreError) -> Result<Option<Stretch>> {
        let StoreError::Corrupt { .. } = error else { return Err(error) };
        tracing::error!(%error, "{MADE_ANEW}");
        self.begin_anew()?;
        Ok(None)
    }

    /// Forgets all of it.
    pub(super) fn begin_anew(&self) -> Result<()> {
        let _alone = (lock(&self.building), lock(&self.taking_in));
        let mut state = self.write();
        (*state, *lock(&self.changed)) = (None, None);
        // Numbers are given anew.
        self.blocks.clear();
        self.tree.clear().map_err(failed)
    }

    /// Whether there is anything of it.
    pub(super) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// What may be found in the stretch that ends before this thought; nothing where no segment is.
    fn stretch(&self, query: &Query, reach: &Reach, end: ThoughtId) -> Result<Option<Stretch>> {
        let state = self.read();
        let Some(state) = &*state else { return Ok(None) };
        let Stretch { from, mut candidates } = if end > state.top {
            Stretch { from: state.top, candidates: BTreeSet::new() }
        } else if let Some((from, segment)) = state.segments.range(..end).next_back() {
            self.in_segment(segment, *from..end, query, reach)?
        } else {
            return Ok(None);
        };
        for (id, fresh) in state.fresh.range(from..end) {
            let is_it = fresh.thought.as_ref().is_some_and(|thought| {
                reach.admits(thought.author, &thought.visibility) && query.is_in(&thought.words)
            });
            if is_it {
                candidates.insert(*id)
            } else {
                candidates.remove(id)
            };
        }
        Ok(Some(Stretch { from, candidates }))
    }

    /// What a segment says of these ids, or of the last of them, where it says more than is asked for at once.
    fn in_segment(&self, segment: &Segment, ids: Range<ThoughtId>, query: &Query, reach: &Reach) -> Result<Stretch> {
        // First what is within reach: whether something out of it says so changes nothing of what is done.
        let mut places = Set::empty();
        for list in List::within(Scope::Everyone, reach) {
            self.add_named(segment, &name_of(list), true, &mut places)?;
        }
        for term in query.terms() {
            if places.is_empty() {
                break;
            }
            let mut have_it = Set::empty();
            self.add_named(segment, term.text().as_bytes(), term.is_whole(), &mut have_it)?;
            places.keep(&have_it);
        }
        let (mut candidates, mut piece) = (BTreeSet::new(), None);
        for place in places.latest_first() {
            let number = place / PIECE;
            let bytes = match piece.take() {
                Some((same, bytes)) if same == number => bytes,
                _ => self.tree.get(part(b'i', segment.number, number)).map_err(failed)?.ok_or_else(damaged)?,
            };
            let id = bytes.as_chunks().0.get(place % PIECE).map(|id| ThoughtId::from_bytes(*id));
            candidates.extend(id.filter(|id| ids.contains(id)));
            if let Some(first) = candidates.first().filter(|_| candidates.len() == AT_ONCE) {
                return Ok(Stretch { from: *first, candidates });
            }
            piece = Some((number, bytes));
        }
        Ok(Stretch { from: ids.start, candidates })
    }

    /// Adds those of a segment's thoughts that have this name, or one that begins with it.
    fn add_named(&self, segment: &Segment, name: &[u8], whole: bool, places: &mut Set) -> Result<()> {
        // It may stand in the middle of the last block that begins before it.
        for block in segment.blocks.before(name, true).saturating_sub(1)..segment.blocks.len() {
            if !add_named(&self.block(segment.number, block)?, name, whole, places)? {
                break;
            }
        }
        Ok(())
    }

    fn block(&self, segment: u64, number: usize) -> Result<Arc<[u8]>> {
        if let Some(kept) = self.blocks.get(&(segment, number)) {
            return Ok(kept);
        }
        let record = self.tree.get(part(b'w', segment, number)).map_err(failed)?;
        let block: Arc<[u8]> = record.map(|record| Arc::from(&record[..])).unwrap_or_default();
        self.blocks.keep((segment, number), block.clone());
        Ok(block)
    }

    /// Takes in what the writer has changed since it was last called.
    fn take_in(&self, db: &Db, cached: &Cached) -> Result<()> {
        let _alone = lock(&self.taking_in);
        self.wake(db)?;
        let changed = lock(&self.changed).clone().unwrap_or_default();
        if changed.is_empty() {
            return Ok(());
        }
        let read = |id| Ok((id, readable(cached.thought(db, id))?.as_deref().and_then(Findable::of)));
        let once: BTreeSet<_> = changed.iter().copied().collect();
        let findable = once.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        // Only now: where one could not be read, all of them are for the next time.
        if let Some(noted) = &mut *lock(&self.changed) {
            noted.drain(..changed.len());
        }
        if let Some(state) = &mut *self.write() {
            state.round += 1;
            for (id, thought) in findable {
                state.refresh(id, thought);
            }
        }
        Ok(())
    }

    /// Reads what there is of it, if that was not done.
    fn wake(&self, db: &Db) -> Result<()> {
        if self.read().is_some() {
            return Ok(());
        }
        // From here on the writer tells what it changes, while what there is is read.
        lock(&self.changed).get_or_insert_default();
        let segments = match self.segments() {
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "{MADE_ANEW}");
                self.tree.clear().map_err(failed)?;
                BTreeMap::new()
            }
            segments => segments?,
        };
        let newest = records::keys(db, &keys::thoughts_from(ThoughtId::FIRST)).next_back();
        let newest = newest.map(|key| keys::ending("a thought", &key?).map(ThoughtId::from_bytes)).transpose()?;
        let top = match segments.last_key_value() {
            Some((_, newest)) => newest.end,
            None => newest.map_or(ThoughtId::FIRST, ThoughtId::next),
        };
        let next = self.begun().last().transpose()?.map_or(0, |last| last + 1);
        let fresh = BTreeMap::new();
        let mut state = State { segments, top, fresh, round: 0, next, waiting: None };
        for thought in records::values::<Thought>(db, &keys::thoughts_from(top)) {
            if let Some(thought) = readable(thought.map(Some))? {
                state.refresh(thought.id, Findable::of(&thought));
            }
        }
        for (id, _) in marks(db, ThoughtId::FIRST, ThoughtId::LAST)? {
            let thought = readable(records::get(db, &keys::thought(id)))?;
            state.refresh(id, thought.as_ref().and_then(Findable::of));
        }
        *self.write() = Some(state);
        Ok(())
    }

    /// The segments that there are.
    fn segments(&self) -> Result<BTreeMap<ThoughtId, Segment>> {
        let mut segments: BTreeMap<_, Segment> = BTreeMap::new();
        for entry in self.tree.scan_prefix([b's']) {
            let (key, record) = entry.map_err(failed)?;
            let from = keys::ending("a segment of the index", &key)?;
            let (number, end) = record.split_first_chunk().ok_or_else(damaged)?;
            let end = ThoughtId::from_bytes(end.try_into().map_err(|_| damaged())?);
            let number = u64::from_be_bytes(*number);
            let blocks = self.tree.get(numbered(b'b', number)).map_err(failed)?.ok_or_else(damaged)?;
            let segment = Segment { number, end, blocks: decode("a segment of the index", &blocks)? };
            let from = ThoughtId::from_bytes(from);
            if segments.last_key_value().is_some_and(|(_, before)| before.end != from) {
                return Err(damaged());
            }
            segments.insert(from, segment);
        }
        Ok(segments)
    }

    /// The numbers of all segments that were begun, in their order.
    fn begun(&self) -> impl Iterator<Item = Result<u64>> + use<> {
        let keys = self.tree.scan_prefix([b'n']).keys();
        keys.map(|key| keys::ending("a segment that was begun", &key.map_err(failed)?).map(u64::from_be_bytes))
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<State>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<State>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Size for Arc<[u8]> {
    fn bytes(&self) -> usize {
        self.len()
    }
}

/// What was read, or nothing where it can't be: nobody can be shown that either, and the others are to be found.
fn readable<T>(read: Result<Option<T>>) -> Result<Option<T>> {
    match read {
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(%error, "a thought is not indexed");
            Ok(None)
        }
        read => read,
    }
}

/// The marks of thoughts in this range, each with how often it was set again.
fn marks(db: &Db, from: ThoughtId, end: ThoughtId) -> Result<Vec<(ThoughtId, u64)>> {
    let span = keys::all_to_reindex(from, end);
    records::entries(db, &span)
        .map(|entry| {
            let (key, times) = entry?;
            Ok((ThoughtId::from_bytes(keys::ending(span.what(), &key)?), times))
        })
        .collect()
}

fn numbered(space: u8, number: u64) -> Vec<u8> {
    [&[space][..], &number.to_be_bytes()].concat()
}

/// What a list is called among words.
fn name_of(list: List<'_>) -> Vec<u8> {
    [&[LIST][..], &list.name()].concat()
}

/// A piece or a block of a segment: there are some thousands at most.
fn part(space: u8, number: u64, part: usize) -> Vec<u8> {
    [&numbered(space, number)[..], &u16::try_from(part).unwrap_or(u16::MAX).to_be_bytes()].concat()
}

fn place_of_segment(from: ThoughtId) -> Vec<u8> {
    [&[b's'][..], &from.to_bytes()].concat()
}

fn damaged() -> StoreError {
    StoreError::Corrupt { what: "a segment of the index", why: "it is not whole".to_owned() }
}

/// What a panic has left is whole: each change is made in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
