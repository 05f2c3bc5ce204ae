//! Writers beside each other, and what they were answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Person;

/// A thought that was answered: its path and its words.
pub type Answered = BTreeSet<(String, String)>;

/// So many who share one thought after the other, each in words of its own, until they are told to stop or get no
/// answer.
pub struct Writers {
    /// Closed when every one of them has given up.
    answered: watch::Receiver<Answered>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Begins `many` of them, all in the name of `author`; what each writes begins with `words`.
    pub fn start(author: &Person, words: &str, many: usize) -> Self {
        let (tell, answered) = watch::channel(Answered::new());
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..many).map(|writer| {
            let (author, begin, tell, stop) = (author.clone(), words.to_owned(), tell.clone(), stop.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let words = format!("{begin}writer {writer} thought {number}");
                    let Some(path) = author.try_share(&words).await else { return };
                    tell.send_modify(|answered| answered.extend([(path, words)]));
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        });
        Self { tasks: tasks.collect(), answered, stop }
    }

    /// Waits until there are so many answers.
    pub async fn until(&self, answers: usize) {
        let mut told = self.answered.clone();
        told.wait_for(|answered| answered.len() >= answers).await.expect("not every writer has given up");
    }

    /// Waits until each has given up, and gives all that was answered.
    pub async fn until_they_give_up(self) -> Answered {
        for task in self.tasks {
            task.await.unwrap();
        }
        self.answered.borrow().clone()
    }

    /// What was answered so far.
    pub fn answered(&self) -> Answered {
        self.answered.borrow().clone()
    }

    /// Lets each finish what it is at, and gives all that was answered.
    pub async fn stop(self) -> Answered {
        self.stop.store(true, Ordering::SeqCst);
        self.until_they_give_up().await
    }
}

/// The words of every thought that a stranger is shown at `base`, page by page.
pub async fn listed(base: &str) -> Vec<String> {
    listed_at(base, "/").await
}

/// The same of another list than everybody's.
pub async fn listed_at(base: &str, path: &str) -> Vec<String> {
    let reader = Person::new(base);
    let mut listed = Vec::new();
    let mut page = reader.get(path).await;
    loop {
        listed.extend(page.texts("article .words"));
        if !page.has("a[rel=next]") {
            return listed;
        }
        page = reader.get(&page.attribute("a[rel=next]", "href")).await;
    }
}
