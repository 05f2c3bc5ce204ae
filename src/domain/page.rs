//! Lists are read a page at a time, by key and never by offset: a thought shared meanwhile moves nothing.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::id::{NotAnId, ThoughtId};

/// How many thoughts stand on a page, and how many members.
pub const PAGE_SIZE: usize = 20;

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, K = ThoughtId> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Where the next page begins: what `?before=` takes. `None` on the last page.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Cuts a page of `size` out of `items`, of which one more than `size` was read, so that it is known
    /// whether there is a next page.
    pub fn cut(mut items: Vec<T>, size: usize, key: impl Fn(&T) -> K) -> Self {
        let more = items.len() > size;
        items.truncate(size);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}

/// A place among the deleted thoughts, which stand in the order in which they were deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrashPlace {
    /// When it was deleted; whole milliseconds.
    pub at: Timestamp,
    /// Which thought it is.
    pub id: ThoughtId,
}

/// Milliseconds since 1970, a dash, the thought.
impl fmt::Display for TrashPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_millisecond(), self.id)
    }
}

impl FromStr for TrashPlace {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (at, id) = text.rsplit_once('-').ok_or(NotAnId)?;
        let at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or(NotAnId)?;
        Ok(Self { at, id: id.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_trash_reads_back_what_it_prints() {
        for millisecond in [-1, 0, 1_764_054_000_000] {
            let at = Timestamp::from_millisecond(millisecond).unwrap();
            let place = TrashPlace { at, id: ThoughtId::from_bytes([7; 16]) };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "-", "1", "x-01ARZ3NDEKTSV4RRFFQ69G5FAV", "1-x"] {
            assert_eq!(text.parse::<TrashPlace>(), Err(NotAnId), "{text}");
        }
    }
}
