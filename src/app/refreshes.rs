//! The refreshes of tokens that are under way: one for each session at a time, and each runs to its end though whoever
//! asked for it may be gone, for with rotation an answer that nobody writes down ends the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio_util::task::TaskTracker;

use crate::domain::session::SessionHash;

/// Who refreshes now, in this process; between processes the store gives the turn.
#[derive(Default)]
pub struct Refreshes {
    /// The tasks that refresh. The program waits for them before it stops; each is bounded by the time limit of calls
    /// to a provider.
    tasks: TaskTracker,
    /// A turn for each session that somebody waits for.
    turns: Mutex<HashMap<SessionHash, Weak<Turn<()>>>>,
}

impl Refreshes {
    /// Runs a refresh to its end. Gives what came of it, or nothing where it panicked.
    pub async fn run<T: Send + 'static>(&self, refresh: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.tasks.spawn(refresh).await.ok()
    }

    /// Waits for the turn of a session; it is given back when the guard is dropped.
    pub async fn turn(&self, hash: SessionHash) -> OwnedMutexGuard<()> {
        let turn = {
            // Each entry is good by itself, whatever panicked beside it.
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let there = turns.get(&hash).and_then(Weak::upgrade);
            there.unwrap_or_else(|| {
                let turn = Arc::new(Turn::new(()));
                turns.insert(hash, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Waits for all refreshes that are under way.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
