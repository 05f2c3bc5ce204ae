//! A page of a feed: the lists that a reach admits, merged newest first, read only as far as the page goes.

use std::collections::BinaryHeap;
use std::sync::Arc;

use sled::Db;

use super::cached::Cached;
use super::keys::{self, List};
use super::records;
use crate::domain::id::ThoughtId;
use crate::domain::page::{Page, TrashPlace};
use crate::domain::policy::Reach;
use crate::domain::thought::{Authored, Thought};
use crate::store::{Result, Scope};

/// A page of `limit` thoughts of `scope` within reach.
pub(super) fn page(
    db: &Db,
    cached: &Cached,
    scope: Scope,
    reach: &Reach,
    before: Option<ThoughtId>,
    limit: usize,
) -> Result<Page<Authored>> {
    let key = (scope, reach.clone(), before, limit);
    if let Some(ids) = cached.page(&key) {
        let items = ids.iter().map(|id| shown(db, cached, *id, reach)).collect::<Result<Option<Vec<_>>>>()?;
        // Where the writer has taken one away since the page was kept, another comes in its stead.
        if let Some(items) = items {
            return Ok(Page::cut(items, limit, |item| item.thought.id));
        }
    }
    let batches = cached.batches();
    let mut items = Vec::new();
    for id in Newest::of(db, scope, reach, before)? {
        // The lists are read beside the writer, which may have deleted it or changed whom it is for.
        items.extend(shown(db, cached, id?, reach)?);
        if items.len() > limit {
            break;
        }
    }
    cached.keep_page(batches, key, items.iter().map(|item| item.thought.id).collect());
    Ok(Page::cut(items, limit, |item| item.thought.id))
}

/// A page of what is in the trash and within reach: as many places are looked at as a page may hold.
pub(super) fn trash(
    db: &Db,
    cached: &Cached,
    reach: &Reach,
    before: Option<TrashPlace>,
    limit: usize,
) -> Result<Page<Authored, TrashPlace>> {
    let latest = records::keys(db, &keys::trashed_until(before)).rev().take(limit.saturating_add(1));
    let places: Vec<_> = latest.map(|key| keys::trash_place(&key?)).collect::<Result<_>>()?;
    let Page { items: places, next } = Page::cut(places, limit, |place| *place);
    let mut items = Vec::new();
    for place in places {
        // The writer may have put it back meanwhile, or forgotten it.
        let there = cached.thought(db, place.id)?.filter(|thought| thought.deleted_at == Some(place.at));
        let Some(thought) = there.filter(|thought| reach.admits(thought.author, &thought.visibility)) else { continue };
        items.extend(authored(db, cached, thought)?);
    }
    Ok(Page { items, next })
}

/// The thought with its author, if it is within reach and not deleted.
pub(super) fn shown(db: &Db, cached: &Cached, id: ThoughtId, reach: &Reach) -> Result<Option<Authored>> {
    let Some(thought) = cached.thought(db, id)? else { return Ok(None) };
    if thought.deleted_at.is_some() || !reach.admits(thought.author, &thought.visibility) {
        return Ok(None);
    }
    authored(db, cached, thought)
}

/// The thought with its author. One who was deleted may have left thoughts that are not purged yet, which nobody is
/// given.
pub(super) fn authored(db: &Db, cached: &Cached, thought: Arc<Thought>) -> Result<Option<Authored>> {
    let known = cached.member(db, thought.author)?;
    Ok(known.map(|known| Authored { thought, author: known.author.clone() }))
}

/// The thoughts of several lists, newest first, each once.
struct Newest<I> {
    lists: Vec<I>,
    /// The newest of each list, with the list's place in `lists`.
    heads: BinaryHeap<(ThoughtId, usize)>,
    last: Option<ThoughtId>,
}

impl Newest<()> {
    fn of(
        db: &Db,
        scope: Scope,
        reach: &Reach,
        before: Option<ThoughtId>,
    ) -> Result<Newest<impl Iterator<Item = Result<ThoughtId>>>> {
        let lists = List::within(scope, reach).into_iter().map(|list| {
            let span = keys::listed_before(list, before);
            records::keys(db, &span)
                .rev()
                .map(|key| keys::ending("a place in a list", &key?).map(ThoughtId::from_bytes))
        });
        let mut newest = Newest { lists: lists.collect(), heads: BinaryHeap::new(), last: None };
        for list in 0..newest.lists.len() {
            newest.advance(list)?;
        }
        Ok(newest)
    }
}

impl<I: Iterator<Item = Result<ThoughtId>>> Newest<I> {
    fn advance(&mut self, list: usize) -> Result<()> {
        if let Some(id) = self.lists[list].next() {
            self.heads.push((id?, list));
        }
        Ok(())
    }
}

impl<I: Iterator<Item = Result<ThoughtId>>> Iterator for Newest<I> {
    type Item = Result<ThoughtId>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (id, list) = self.heads.pop()?;
            if let Err(e) = self.advance(list) {
                return Some(Err(e));
            }
            if self.last.replace(id) != Some(id) {
                return Some(Ok(id));
            }
        }
    }
}
