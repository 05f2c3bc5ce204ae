//! A page of a feed: the ends of the lists that a reach admits, merged by the database, and read only so far.

use std::cmp::Reverse;
use std::sync::Arc;

use tokio_postgres::Row;

use super::thoughts::WHAT;
use super::values::{LAST, bytes, limit, record, record_or_none, time};
use super::{PostgresStore, citus, statements as sql};
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::page::{Page, TrashPlace};
use crate::domain::policy::Reach;
use crate::domain::thought::Authored;
use crate::store::lists::List;
use crate::store::{Result, Scope};

/// A page of `size` thoughts of `scope` within reach.
pub(super) async fn page(
    store: &PostgresStore,
    scope: Scope,
    reach: &Reach,
    before: Option<ThoughtId>,
    size: usize,
) -> Result<Page<Authored>> {
    let lists: Vec<_> = List::within(scope, reach).into_iter().map(List::name).collect();
    let wanted = size.saturating_add(1);
    let mut before = before.map_or_else(|| LAST.to_vec(), |id| id.to_bytes().to_vec());
    let mut items = Vec::new();
    loop {
        let places = ends(store, &lists, &before, wanted).await?;
        for row in places.iter().filter_map(|(_, row)| row.as_ref()) {
            items.extend(
                authored(row, 1, 2)?.filter(|item| reach.admits(item.thought.author, &item.thought.visibility)),
            );
        }
        // What deleted members have left stands in the lists until it is purged, and fills no page.
        match places.last() {
            Some((last, _)) if places.len() == wanted && items.len() < wanted => before = last.to_vec(),
            Some(_) | None => break,
        }
    }
    Ok(Page::cut(items, size, |item| item.thought.id))
}

/// A place in a list, and the thought and the author that stand there, unless they have gone just now.
pub(super) type Place = ([u8; 16], Option<Row>);

/// The first so many places of these lists behind `before`, newest first, with what stands there. Of more lists than a
/// statement has room for some are read after the others.
async fn ends(store: &PostgresStore, lists: &[Vec<u8>], before: &[u8], wanted: usize) -> Result<Vec<Place>> {
    if store.database.citus {
        return citus::ends(&store.database, lists, before, wanted).await;
    }
    let mut places = Vec::new();
    for some in lists.chunks(sql::FEED_LISTS[sql::FEED_LISTS.len() - 1]) {
        for row in store.database.rows(sql::feed(some.len()), &[&some, &before, &limit(wanted)]).await? {
            places.push((bytes("a place in a list", &row, 0)?, Some(row)));
        }
    }
    Ok(merged(places, wanted))
}

/// The first so many of these, newest first, each once.
pub(super) fn merged<T>(mut places: Vec<([u8; 16], T)>, wanted: usize) -> Vec<([u8; 16], T)> {
    places.sort_by_key(|(place, _)| Reverse(*place));
    places.dedup_by_key(|(place, _)| *place);
    places.truncate(wanted);
    places
}

/// A page of what is in the trash and within reach: as many places are looked at as a page may hold.
pub(super) async fn trash(
    store: &PostgresStore,
    reach: &Reach,
    before: Option<TrashPlace>,
    size: usize,
) -> Result<Page<Authored, TrashPlace>> {
    let (at, id) = match before {
        Some(place) => (place.at.as_millisecond(), place.id.to_bytes().to_vec()),
        None => (i64::MAX, LAST.to_vec()),
    };
    let rows = store.database.rows(sql::TRASH_PAGE, &[&at, &id, &limit(size.saturating_add(1))]).await?;
    let places = rows.iter().map(|row| Ok((row, place(row)?))).collect::<Result<Vec<_>>>()?;
    let Page { items: places, next } = Page::cut(places, size, |(_, place)| *place);
    let mut items = Vec::new();
    for (row, _) in places {
        items.extend(authored(row, 2, 3)?.filter(|item| reach.admits(item.thought.author, &item.thought.visibility)));
    }
    Ok(Page { items, next })
}

fn place(row: &Row) -> Result<TrashPlace> {
    let what = "a place in the trash";
    Ok(TrashPlace { at: time(what, row, 0)?, id: ThoughtId::from_bytes(bytes(what, row, 1)?) })
}

/// The thought of a row, with its author, unless they were deleted.
pub(super) fn authored(row: &Row, thought: usize, author: usize) -> Result<Option<Authored>> {
    let author: Option<Member> = record_or_none("a member", row, author)?;
    author
        .map(|author| {
            Ok(Authored { thought: Arc::new(record(WHAT, row, thought)?), author: Arc::new(author.author()) })
        })
        .transpose()
}
