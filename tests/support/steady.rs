//! Writers who do not give up: what was refused because the store did not answer is sent again, with the same `once`
//! value, when the site says that it can serve; what was not answered, because an instance is gone, to another instance.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::writers::{Answered, listed};
use super::{Answer, Person};

/// How long an answer may take, whatever is the matter with the store. Longer than this is a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// The writers, and one who asks again and again whether the site can serve.
pub struct Steady {
    notes: Arc<watch::Sender<Notes>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    asks: JoinHandle<()>,
}

/// What has happened to the writers.
#[derive(Default)]
pub struct Notes {
    answered: Answered,
    refused: usize,
    moved: usize,
    /// Whether one of them has failed, and says no more.
    given_up: bool,
}

impl Notes {
    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.answered.len()
    }

    /// How often one was told to come again.
    pub fn refusals(&self) -> usize {
        self.refused
    }

    /// How often somebody got no answer, and went to another instance.
    pub fn moves(&self) -> usize {
        self.moved
    }
}

impl Steady {
    /// Begins `many` of them, all in the name of `author`; what each writes begins with `words`.
    pub fn start(author: &Person, words: &str, many: usize) -> Self {
        Self::start_at(std::slice::from_ref(author), words, many)
    }

    /// The same, spread over instances at each of which one of `authors` is signed in. The first of them must stay.
    pub fn start_at(authors: &[Person], words: &str, many: usize) -> Self {
        let notes = Arc::new(watch::Sender::new(Notes::default()));
        let (stop, stopped) = watch::channel(false);
        let (serves, told) = watch::channel(0_u64);
        let tasks = (0..many).map(|writer| {
            let mut at = authors.to_vec();
            at.rotate_left(writer % authors.len());
            let begin = format!("{words}writer {writer}");
            let mut writer = Writer { at, begin, notes: notes.clone(), serves: told.clone() };
            let stopped = stopped.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    writer.share(number).await;
                    if *stopped.borrow() {
                        return;
                    }
                }
            })
        });
        let tasks = tasks.collect();
        let asks = tokio::spawn(ask(authors[0].clone(), serves));
        Self { notes, stop, tasks, asks }
    }

    /// What has happened so far.
    pub fn notes(&self) -> watch::Ref<'_, Notes> {
        self.notes.borrow()
    }

    /// Waits until this holds of what has happened.
    pub async fn until(&self, holds: impl Fn(&Notes) -> bool) {
        let mut told = self.notes.subscribe();
        let notes = told.wait_for(|notes| notes.given_up || holds(notes)).await.unwrap();
        assert!(!notes.given_up, "a writer has given up");
    }

    /// Lets each finish what it is at, and gives all that was answered.
    pub async fn stop(self) -> Answered {
        self.stop.send(true).unwrap();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.asks.abort();
        self.notes.send_replace(Notes::default()).answered
    }
}

struct Writer {
    /// Themselves at each instance, the one they use first.
    at: Vec<Person>,
    begin: String,
    notes: Arc<watch::Sender<Notes>>,
    serves: watch::Receiver<u64>,
}

impl Writer {
    /// Shares the next thought, however often it takes.
    async fn share(&mut self, number: u32) {
        let words = format!("{} thought {number}", self.begin);
        let fields = [("message", words.as_str()), ("visibility", "public"), ("once", &words)];
        loop {
            let answer = tokio::time::timeout(PATIENCE, self.at[0].try_post("/thoughts", &fields)).await;
            let Some(answer) = answer.unwrap_or_else(|_| panic!("{words}: there is no answer")) else {
                assert!(self.at.len() > 1, "{words}: the connection was closed, and there is no other instance");
                self.at.remove(0);
                self.notes.send_modify(|notes| notes.moved += 1);
                continue;
            };
            if answer.status == StatusCode::SEE_OTHER {
                let shared = (answer.location().unwrap(), words);
                self.notes.send_modify(|notes| notes.answered.extend([shared]));
                return;
            }
            says_come_again(&answer);
            self.notes.send_modify(|notes| notes.refused += 1);
            self.serves.mark_unchanged();
            self.serves.changed().await.unwrap();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.notes.send_modify(|notes| notes.given_up = true);
        }
    }
}

/// Holds that what was answered is listed once, in its own words, and nothing else is: who was not answered has asked
/// again. Gives how many that are.
pub async fn all_there_once(reader: &Person, answered: &Answered) -> usize {
    let found = listed(&reader.base).await;
    let unique: BTreeSet<_> = found.iter().collect();
    assert_eq!(found.len(), unique.len(), "a thought is listed twice");
    let words: BTreeSet<_> = answered.iter().map(|(_, words)| words).collect();
    assert_eq!(unique, words, "what is listed, and what was answered");
    for (path, words) in answered.iter().filter(|(path, _)| path.ends_with(['0', '7', 'A', 'Z'])) {
        assert_eq!(reader.get(path).await.text("article .words"), *words);
    }
    found.len()
}

/// Holds that this is the answer of a site whose store does not answer.
pub fn says_come_again(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), "5");
}

/// Counts how often the site has said that it can serve.
async fn ask(somebody: Person, serves: watch::Sender<u64>) {
    loop {
        let answer = tokio::time::timeout(PATIENCE, somebody.get("/readyz")).await.expect("/readyz has no answer");
        if answer.status == StatusCode::OK {
            serves.send_modify(|times| *times += 1);
        } else {
            says_come_again(&answer);
        }
    }
}
