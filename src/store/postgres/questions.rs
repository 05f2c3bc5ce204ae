//! Questions asked together: of those that come at the same time one statement is made (a *data loader*, or request
//! coalescing).
//!
//! A question goes to the database at once while few statements are under way. What is put meanwhile waits until one of
//! them has returned, and then goes as one; so a statement of its own is what a question costs on a quiet site, and a
//! part of one on a busy site. Each is asked of the database after it was put: its answer is as fresh as if it had been
//! asked alone.
//!
//! Whoever asks may go away at any time. The statements are made by tasks of their own, and nobody waits for another
//! asker.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::connect::{SILENCE, WAIT};
use crate::store::{Result, StoreError};

/// Statements under way at once. The fewer, the more a statement asks for; but where there is one alone, a connection
/// that has died without a word holds up everybody until it is given up.
const AT_ONCE: usize = 4;

/// Questions of one statement at most.
const TOGETHER: usize = 100;

/// Questions that wait in line at most; further ones wait for a place there.
const IN_LINE: usize = 1000;

/// How long an answer is waited for: as long as one's own statement would wait for a connection and for the database.
const PATIENCE: Duration = Duration::from_secs(WAIT.as_secs() + SILENCE.as_secs());

/// Where questions of one kind are put.
pub(super) struct Questions<Q, A> {
    line: mpsc::Sender<Question<Q, A>>,
}

struct Question<Q, A> {
    about: Q,
    asker: oneshot::Sender<Result<Option<A>>>,
}

/// Those of the questions that have an answer. An answer that can't be read is its asker's misfortune alone.
pub(super) type Answers<Q, A> = HashMap<Q, Result<A>>;

impl<Q, A> Questions<Q, A>
where
    Q: Copy + Eq + Hash + Send + 'static,
    A: Clone + Send + 'static,
{
    /// Questions that `ask` asks the database, [`TOGETHER`] at most each time it is called.
    pub(super) fn new<F>(ask: impl Fn(Vec<Q>) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Answers<Q, A>>> + Send + 'static,
    {
        let (line, waiting) = mpsc::channel(IN_LINE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..AT_ONCE {
            tokio::spawn(ask_again_and_again(waiting.clone(), ask.clone()));
        }
        Self { line }
    }

    /// What the database says to this, if anything; asked after this was called.
    pub(super) async fn answer(&self, about: Q) -> Result<Option<A>> {
        let (asker, answer) = oneshot::channel();
        let answered = timeout(PATIENCE, async {
            self.line.send(Question { about, asker }).await.map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        });
        answered.await.map_err(|_| StoreError::Busy(format!("no answer came within {} s", PATIENCE.as_secs())))?
    }
}

/// Takes all that wait, asks for them together, and answers each; until nobody can ask any more.
async fn ask_again_and_again<Q, A, F>(
    waiting: Arc<Mutex<mpsc::Receiver<Question<Q, A>>>>,
    ask: impl Fn(Vec<Q>) -> F + Send + Sync,
) where
    Q: Copy + Eq + Hash + Send,
    A: Clone + Send,
    F: Future<Output = Result<Answers<Q, A>>> + Send,
{
    let mut questions = Vec::with_capacity(TOGETHER);
    while waiting.lock().await.recv_many(&mut questions, TOGETHER).await > 0 {
        questions.retain(|question| !question.asker.is_closed());
        if questions.is_empty() {
            continue;
        }
        let answers = ask(questions.iter().map(|question| question.about).collect()).await;
        for Question { about, asker } in questions.drain(..) {
            let answer = match &answers {
                Ok(answers) => answers.get(&about).cloned().transpose(),
                Err(error) => Err(error.clone()),
            };
            // Who is gone needs none.
            let _ = asker.send(answer);
        }
    }
}

#[cfg(test)]
mod tests;
