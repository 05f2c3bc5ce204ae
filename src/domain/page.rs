//! Lists are read a page at a time, by key and never by offset: a thought shared meanwhile moves nothing.

use super::id::ThoughtId;

/// How many thoughts stand on a page.
pub const PAGE_SIZE: usize = 20;

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Where the next page begins: what `?before=` takes. `None` on the last page.
    pub next: Option<ThoughtId>,
}

impl<T> Page<T> {
    /// Cuts a page of `size` out of `items`, of which one more than `size` was read, so that it is known
    /// whether there is a next page.
    pub fn cut(mut items: Vec<T>, size: usize, id: impl Fn(&T) -> ThoughtId) -> Self {
        let more = items.len() > size;
        items.truncate(size);
        let next = if more { items.last().map(id) } else { None };
        Self { items, next }
    }
}
