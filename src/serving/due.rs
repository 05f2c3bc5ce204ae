//! A time that is put off again and again, as with each request on a connection. The runtime's timer is set anew only
//! where it comes due before that time, and most never do: to set it takes a lock, and a fortieth of a page.
//! Nor is it asked again by whom it wakes already.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use hyper::rt;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep};

/// The runtime's timer, set to no later than whatever is waited for.
pub(super) struct Due {
    timer: Pin<Box<Sleep>>,
    /// Whom it wakes.
    wakes: Option<Waker>,
}

impl Due {
    /// For what comes due after `patience` at the earliest.
    pub(super) fn after(patience: Duration) -> Self {
        Self { timer: Box::pin(sleep(patience)), wakes: None }
    }

    /// Whether it is that time.
    pub(super) fn poll(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        let wakes_us = self.wakes.as_ref().is_some_and(|wakes| wakes.will_wake(context.waker()));
        if wakes_us && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        self.wakes = Some(context.waker().clone());
        loop {
            // A task that has used up its turn would be told to come again, by a timer that doesn't know it yet.
            ready!(pin!(unconstrained(self.timer.as_mut())).poll(context));
            if at <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(at);
        }
    }
}

/// hyper's timer on one connection: it waits for the head of each request anew, for as long as for any other.
pub(super) struct Heads(Arc<Mutex<Due>>);

impl Heads {
    /// Of a connection whose heads may take that long.
    pub(super) fn within(patience: Duration) -> Self {
        Self(Arc::new(Mutex::new(Due::after(patience))))
    }
}

impl rt::Timer for Heads {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Head { due: self.0.clone(), at: deadline.into() })
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }
}

/// How long one head is waited for.
struct Head {
    due: Arc<Mutex<Due>>,
    at: Instant,
}

impl Future for Head {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A panic leaves a timer that is set or is not; it is set anew in either case.
        self.due.lock().unwrap_or_else(PoisonError::into_inner).poll(self.at, context)
    }
}

impl rt::Sleep for Head {}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use hyper::rt::Timer as _;
    use tokio::task::coop;
    use tokio::time::{advance, timeout};

    const PATIENCE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn it_comes_to_a_task_too_that_had_used_up_its_turn() {
        let (mut due, at) = (Due::after(PATIENCE), Instant::now() + PATIENCE);
        let mut is_first = true;
        let comes = poll_fn(|context| {
            while is_first && let Poll::Ready(turn) = coop::poll_proceed(context) {
                turn.made_progress();
            }
            is_first = false;
            due.poll(at, context)
        });
        timeout(2 * PATIENCE, comes).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn each_head_has_as_long_as_the_first() {
        let heads = Heads::within(PATIENCE);
        for _ in 0..3 {
            let in_time = heads.sleep(PATIENCE);
            advance(PATIENCE / 2).await;
            drop(in_time);
        }
        let begun = Instant::now();
        heads.sleep(PATIENCE).await;
        assert!((PATIENCE..PATIENCE + Duration::from_secs(1)).contains(&begun.elapsed()));
    }
}
