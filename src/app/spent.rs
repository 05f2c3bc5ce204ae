//! The `state` of every sign-in that has come back lately: each is good once, though a browser may send the cookie
//! that remembers it twice at the same moment. Other instances don't know them; there the provider refuses the code.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Minutes for which a state is remembered: as long as the cookie with it is good.
const MINUTES: i64 = 10;

/// How many are remembered at most, about 1 MB of them. Beyond that the provider's own check has to do.
const AT_MOST: usize = 10_000;

/// The states that are spent, and when each was.
#[derive(Debug, Default)]
pub struct SpentStates(Mutex<HashMap<String, Timestamp>>);

impl SpentStates {
    /// Spends a state. `false` where it was spent before.
    pub fn spend(&self, state: &str, now: Timestamp) -> bool {
        // Each entry is good by itself, whatever panicked beside it.
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= AT_MOST {
            spent.retain(|_, at| now.duration_since(*at) < SignedDuration::from_mins(MINUTES));
        }
        if spent.len() >= AT_MOST {
            return !spent.contains_key(state);
        }
        spent.insert(state.to_owned(), now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once() {
        let spent = SpentStates::default();
        let now = Timestamp::UNIX_EPOCH;
        assert!(spent.spend("a", now) && spent.spend("b", now));
        assert!(!spent.spend("a", now));
    }

    #[test]
    fn no_more_are_remembered_than_fit_and_old_ones_make_room() {
        let spent = SpentStates::default();
        let then = Timestamp::UNIX_EPOCH;
        for number in 0..AT_MOST {
            assert!(spent.spend(&number.to_string(), then));
        }
        assert!(spent.spend("one more", then) && !spent.spend("7", then));
        let later = then.saturating_add(SignedDuration::from_mins(MINUTES)).unwrap();
        assert!(spent.spend("one more", later) && !spent.spend("one more", later));
    }
}
