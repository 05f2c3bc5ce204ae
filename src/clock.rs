//! The only caller of "now" and of the system's randomness: both are handed in everywhere else, so that a
//! test of expiry waits for nothing.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use tokio::sync::watch;
use ulid::Ulid;

/// Tells the time, in whole milliseconds.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    /// Milliseconds since 1970; whoever waits for a time hears of each change.
    Manual(watch::Sender<i64>),
}

/// How a moment is written in the names of files and folders.
const NAME: &str = "%Y-%m-%dT%H%M%SZ";

/// What files and folders of this moment are called, to the second: they sort as they were made.
pub fn name_of(at: Timestamp) -> String {
    at.strftime(NAME).to_string()
}

/// Whether that is what [`name_of`] calls some moment.
pub fn is_name(text: &str) -> bool {
    DateTime::strptime(NAME, text).is_ok_and(|moment| moment.strftime(NAME).to_string() == text)
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows the system's time now, and from then on goes only when it is told to.
    pub fn manual() -> Self {
        Self(Source::Manual(watch::Sender::new(Self::system().now().as_millisecond())))
    }

    /// What time it is.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        let millisecond = match &self.0 {
            Source::System => Timestamp::now().as_millisecond(),
            Source::Manual(millisecond) => *millisecond.borrow(),
        };
        Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
    }

    /// Moves a manual clock on. The system's clock goes by itself, and stays as it is.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::System => {}
            Source::Manual(millisecond) => {
                let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
                millisecond.send_modify(|millisecond| *millisecond += by);
            }
        }
    }

    /// Waits until it is this late, or later.
    pub async fn wait_until(&self, at: Timestamp) {
        match &self.0 {
            Source::System => {
                while let Ok(left) = Duration::try_from(at.duration_since(self.now()))
                    && !left.is_zero()
                {
                    tokio::time::sleep(left).await;
                }
            }
            Source::Manual(millisecond) => {
                // The sender is here: it can't be gone.
                let _ = millisecond.subscribe().wait_for(|now| *now >= at.as_millisecond()).await;
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// Makes identifiers: later ones sort after earlier ones, within a millisecond too, and also where the
/// system's clock is set back.
#[derive(Debug, Default)]
pub struct Ids {
    last: Mutex<Ulid>,
}

impl Ids {
    /// The next identifier, at `now`.
    pub fn next(&self, now: Timestamp) -> Ulid {
        let millisecond = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let fresh = Ulid::from_parts(millisecond, u128::from_be_bytes(random()));
        // A poisoned lock still holds the last identifier that was given out.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if fresh > *last { fresh } else { last.increment().unwrap_or(fresh) };
        *last
    }
}

/// Unguessable bytes, from the operating system.
///
/// # Panics
/// Where the operating system has no randomness to give: nothing that needs it may go on without.
pub fn random<const N: usize>() -> [u8; N] {
    const { assert!(N <= DRAWN) };
    POOL.with_borrow_mut(|pool| {
        if pool.left < N {
            pool.draw();
        }
        let mut bytes = [0; N];
        bytes.swap_with_slice(&mut pool.bytes[pool.left - N..pool.left]);
        pool.left -= N;
        bytes
    })
}

/// Random bytes that are drawn at a time: to ask the system for few costs as much as to ask for many, and a page needs
/// some in three places.
const DRAWN: usize = 512;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; DRAWN], left: 0 }) };
}

/// Random bytes that nobody has been given. Where some were, there are zeros.
struct Pool {
    bytes: [u8; DRAWN],
    left: usize,
}

impl Pool {
    #[expect(clippy::expect_used, clippy::disallowed_methods, reason = "there is no safe way on without randomness")]
    fn draw(&mut self) {
        getrandom::fill(&mut self.bytes).expect("the operating system gives randomness");
        self.left = DRAWN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_manual_clock_goes_only_when_told_to() {
        let clock = Clock::manual();
        let then = clock.now();
        clock.clone().advance(Duration::from_secs(7));
        assert_eq!(clock.now().duration_since(then).as_secs(), 7);
    }

    #[tokio::test]
    async fn who_waits_for_a_time_waits_until_it_has_come() {
        let clock = Clock::manual();
        let at = clock.now() + Duration::from_secs(5);
        let mut waiting = Box::pin(clock.wait_until(at));
        assert!(waiting.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(4));
        assert!(waiting.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        waiting.await;
        clock.wait_until(at).await;
        Clock::system().wait_until(Clock::system().now()).await;
    }

    #[test]
    fn no_random_bytes_are_given_twice() {
        let mut given: Vec<[u8; 24]> = (0..DRAWN).map(|_| random()).collect();
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), DRAWN);
        POOL.with_borrow(|pool| assert!(pool.bytes[pool.left..].iter().all(|byte| *byte == 0)));
    }

    #[test]
    fn ids_of_one_moment_sort_in_the_order_they_were_made_even_when_the_clock_goes_back() {
        let ids = Ids::default();
        let now = Timestamp::from_second(1000).unwrap();
        let before = Timestamp::from_second(999).unwrap();
        let made = [ids.next(now), ids.next(now), ids.next(before), ids.next(now)];
        assert!(made.is_sorted());
    }
}
