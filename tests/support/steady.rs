//! Writers who do not give up: what was refused because the store did not answer is sent again, with the same `once`
//! value, when the site says that it can serve.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::writers::Answered;
use super::{Answer, Person};

/// How long an answer may take, whatever is the matter with the store. Longer than this is a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// The writers, and one who asks again and again whether the site can serve.
pub struct Steady {
    answered: Arc<Mutex<Answered>>,
    refused: Arc<Mutex<usize>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    asks: JoinHandle<()>,
}

impl Steady {
    /// Begins `many` of them, all in the name of `author`; what each writes begins with `words`.
    pub fn start(author: &Person, words: &str, many: usize) -> Self {
        let (answered, refused) = (Arc::<Mutex<Answered>>::default(), Arc::<Mutex<usize>>::default());
        let (stop, stopped) = watch::channel(false);
        let (serves, told) = watch::channel(0_u64);
        let tasks = (0..many).map(|writer| {
            let mut writer = Writer {
                author: author.clone(),
                begin: format!("{words}writer {writer}"),
                answered: answered.clone(),
                refused: refused.clone(),
                serves: told.clone(),
            };
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
        let asks = tokio::spawn(ask(author.clone(), serves));
        Self { answered, refused, stop, tasks, asks }
    }

    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.answered.lock().unwrap().len()
    }

    /// How often one was told to come again.
    pub fn refusals(&self) -> usize {
        *self.refused.lock().unwrap()
    }

    /// Waits until this holds.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert!(self.tasks.iter().all(|task| !task.is_finished()), "a writer has given up");
            tokio::task::yield_now().await;
        }
    }

    /// Lets each finish what it is at, and gives all that was answered.
    pub async fn stop(self) -> Answered {
        self.stop.send(true).unwrap();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.asks.abort();
        std::mem::take(&mut *self.answered.lock().unwrap())
    }
}

struct Writer {
    author: Person,
    begin: String,
    answered: Arc<Mutex<Answered>>,
    refused: Arc<Mutex<usize>>,
    serves: watch::Receiver<u64>,
}

impl Writer {
    /// Shares its next thought, however often it takes.
    async fn share(&mut self, number: u32) {
        let words = format!("{} thought {number}", self.begin);
        let fields = [("message", words.as_str()), ("visibility", "public"), ("once", &words)];
        loop {
            let answer = tokio::time::timeout(PATIENCE, self.author.post("/thoughts", &fields)).await;
            let answer = answer.unwrap_or_else(|_| panic!("{words}: there is no answer"));
            if answer.status == StatusCode::SEE_OTHER {
                self.answered.lock().unwrap().insert((answer.location().unwrap(), words));
                return;
            }
            says_come_again(&answer);
            *self.refused.lock().unwrap() += 1;
            self.serves.mark_unchanged();
            self.serves.changed().await.unwrap();
        }
    }
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
