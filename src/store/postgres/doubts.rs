//! Changes whose commit was not answered, or whose answer nobody waited for. If one came about all the same, nobody at its
//! own instance was told of it: that instance looks for it by the clock, and hears of it as of what others tell.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

use super::following::KEPT;

/// For how long one is looked for, from the first look on that was answered: as long as a change is kept.
const LOOKED_FOR: Duration = Duration::from_millis(KEPT.unsigned_abs());

/// Where a change of this instance stands, if it came about: when it was told, in milliseconds since 1970 by the
/// database's clock, and how many this instance had told before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) at: i64,
    pub(super) number: i64,
}

/// All changes of this instance of which nobody knows whether they came about.
#[derive(Default)]
pub(super) struct Doubts(Mutex<Vec<Doubt>>);

struct Doubt {
    place: Place,
    /// When it was looked for first with an answer. A database that is away for long is not looked into meanwhile.
    looked: Option<Instant>,
}

impl Doubts {
    /// A commit is under way that tells what stands in these places.
    pub(super) fn committing(&self, places: Vec<Place>) -> Committing<'_> {
        Committing { doubts: self, places }
    }

    fn add(&self, places: Vec<Place>) {
        self.all().extend(places.into_iter().map(|place| Doubt { place, looked: None }));
    }

    /// What is to be looked for.
    pub(super) fn places(&self) -> Vec<Place> {
        self.all().iter().map(|doubt| doubt.place).collect()
    }

    /// These were looked for, and some of them found.
    pub(super) fn looked_for(&self, places: &[Place], found: &[Place]) {
        let now = Instant::now();
        self.all().retain_mut(|doubt| {
            if !places.contains(&doubt.place) {
                return true;
            }
            let first = *doubt.looked.get_or_insert(now);
            !found.contains(&doubt.place) && now.duration_since(first) < LOOKED_FOR
        });
    }

    fn all(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A commit under way. Where it is dropped before it is answered, what it tells is in doubt.
pub(super) struct Committing<'a> {
    doubts: &'a Doubts,
    places: Vec<Place>,
}

impl Committing<'_> {
    /// It is known what came of it. Says whether it tells anything.
    pub(super) fn answered(mut self) -> bool {
        !std::mem::take(&mut self.places).is_empty()
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        if !self.places.is_empty() {
            self.doubts.add(std::mem::take(&mut self.places));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ONE: Place = Place { at: 1_000, number: 0 };
    const OTHER: Place = Place { at: 1_000, number: 1 };

    #[tokio::test(start_paused = true)]
    async fn one_is_looked_for_until_it_is_found() {
        let doubts = Doubts::default();
        doubts.add(vec![ONE, OTHER]);
        doubts.looked_for(&doubts.places(), &[]);
        doubts.looked_for(&doubts.places(), &[ONE]);
        assert_eq!(doubts.places(), [OTHER]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_is_looked_for_for_a_while_from_the_first_look_on_that_is_answered() {
        let doubts = Doubts::default();
        doubts.add(vec![ONE]);
        // The database is away for an hour.
        advance(Duration::from_hours(1)).await;
        doubts.looked_for(&doubts.places(), &[]);
        advance(LOOKED_FOR / 2).await;
        doubts.add(vec![OTHER]);
        doubts.looked_for(&[ONE], &[]);
        assert_eq!(doubts.places(), [ONE, OTHER]);
        advance(LOOKED_FOR / 2).await;
        doubts.looked_for(&doubts.places(), &[]);
        assert_eq!(doubts.places(), [OTHER]);
    }
}
