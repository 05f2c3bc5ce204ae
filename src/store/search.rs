//! Searching where no index has the thoughts (yet): they are looked at themselves, so many at a time and no more.

use super::{Result, Scope, Thoughts};
use crate::domain::id::ThoughtId;
use crate::domain::page::Page;
use crate::domain::policy::Reach;
use crate::domain::search::{Query, Words};
use crate::domain::thought::{Authored, Thought};

/// Thoughts that one page costs to look at, at most.
const AT_MOST: usize = 1000;

/// And how many are read at once.
const AT_ONCE: usize = 100;

/// Whether a thought says what is looked for, as it is now: an index may know it as it was.
pub(super) fn says(query: &Query, thought: &Thought) -> bool {
    query.is_in(&Words::of(thought.message.as_str()))
}

/// A page of `limit`, of which some were `found` already: the rest of it among the thoughts before `before`. It may hold
/// fewer, or none, and have a next one.
pub(super) async fn look_through<S: Thoughts + ?Sized>(
    store: &S,
    query: &Query,
    reach: &Reach,
    mut before: Option<ThoughtId>,
    mut found: Vec<Authored>,
    limit: usize,
) -> Result<Page<Authored>> {
    let mut looked_at = 0;
    while found.len() <= limit {
        // Others come in between.
        tokio::task::yield_now().await;
        let page = store.feed(Scope::Everyone, reach, before, AT_ONCE).await?;
        looked_at += page.items.len();
        found.extend(page.items.into_iter().filter(|item| says(query, &item.thought)));
        match page.next {
            None => break,
            Some(next) if looked_at >= AT_MOST && found.len() <= limit => {
                return Ok(Page { items: found, next: Some(next) });
            }
            Some(next) => before = Some(next),
        }
    }
    Ok(Page::cut(found, limit, |item| item.thought.id))
}
