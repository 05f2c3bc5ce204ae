//! Questions asked of a database that answers when the test says so.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet, yield_now};

use super::*;

/// A database that knows even numbers: twice each is its answer.
struct Even {
    questions: Questions<u64, u64>,
    asked: Arc<Asked>,
}

struct Asked {
    /// What the statements asked for.
    statements: Mutex<Vec<Vec<u64>>>,
    /// A statement returns for each permit.
    may_return: Semaphore,
    /// What becomes of the next statement that returns, if it goes wrong.
    fails: Mutex<Option<StoreError>>,
}

impl Even {
    fn new() -> Self {
        let asked = Asked { statements: Mutex::default(), may_return: Semaphore::new(0), fails: Mutex::default() };
        let asked = Arc::new(asked);
        let questions = Questions::new({
            let asked = asked.clone();
            move |numbers: Vec<u64>| answers(asked.clone(), numbers)
        });
        Self { questions, asked }
    }

    /// Statements as many as may be under way, each asking for one number, from 1000 on.
    async fn busy() -> (Arc<Self>, Vec<JoinHandle<Result<Option<u64>>>>) {
        let even = Arc::new(Self::new());
        let mut under_way = Vec::new();
        for number in 0..AT_ONCE {
            under_way.push(even.ask(1000 + number as u64));
            while even.statements().len() <= number {
                yield_now().await;
            }
        }
        (even, under_way)
    }

    /// Asks, and stands in line when this returns to the test's next wait.
    fn ask(self: &Arc<Self>, number: u64) -> JoinHandle<Result<Option<u64>>> {
        let even = self.clone();
        tokio::spawn(async move { even.questions.answer(number).await })
    }

    /// Asks for all of these, and returns when they stand in line.
    async fn line_up(self: &Arc<Self>, numbers: impl IntoIterator<Item = u64>) -> Vec<JoinHandle<Result<Option<u64>>>> {
        let before = self.questions.line.capacity();
        let asked: Vec<_> = numbers.into_iter().map(|number| self.ask(number)).collect();
        while self.questions.line.capacity() > before - asked.len() {
            yield_now().await;
        }
        asked
    }

    fn statements(&self) -> Vec<Vec<u64>> {
        self.asked.statements.lock().unwrap().clone()
    }

    /// Of so many statements, those under way first.
    fn return_from(&self, statements: usize) {
        self.asked.may_return.add_permits(statements);
    }
}

async fn answers(asked: Arc<Asked>, numbers: Vec<u64>) -> Result<Answers<u64, u64>> {
    asked.statements.lock().unwrap().push(numbers.clone());
    asked.may_return.acquire().await.unwrap().forget();
    match asked.fails.lock().unwrap().take() {
        Some(error) => Err(error),
        None => Ok(numbers.into_iter().filter(|number| number % 2 == 0).map(|even| (even, Ok(2 * even))).collect()),
    }
}

async fn all(asked: Vec<JoinHandle<Result<Option<u64>>>>) -> Vec<Result<Option<u64>>> {
    futures_util::future::join_all(asked).await.into_iter().map(std::result::Result::unwrap).collect()
}

async fn all_good(asked: Vec<JoinHandle<Result<Option<u64>>>>) -> Vec<Option<u64>> {
    all(asked).await.into_iter().map(std::result::Result::unwrap).collect()
}

#[tokio::test]
async fn the_first_go_at_once_and_what_comes_meanwhile_goes_together() {
    let (even, first) = Even::busy().await;
    assert_eq!(even.statements(), (0..AT_ONCE as u64).map(|n| vec![1000 + n]).collect::<Vec<_>>());
    let meanwhile = even.line_up(1..=5).await;
    even.return_from(1);
    while even.statements().len() == AT_ONCE {
        yield_now().await;
    }
    assert_eq!(even.statements()[AT_ONCE], [1, 2, 3, 4, 5]);
    even.return_from(AT_ONCE);
    assert_eq!(all_good(meanwhile).await, [None, Some(4), None, Some(8), None], "each has its own answer");
    assert_eq!(all_good(first).await[..2], [Some(2000), None]);
    assert_eq!(even.statements().len(), AT_ONCE + 1);
}

#[tokio::test]
async fn a_statement_asks_for_so_many_and_no_more() {
    let (even, first) = Even::busy().await;
    let many = 2 * TOGETHER as u64 + 1;
    let asked = even.line_up(0..many).await;
    even.return_from(100);
    assert_eq!(all_good(asked).await.iter().flatten().count(), TOGETHER + 1, "the even ones");
    all_good(first).await;
    let sizes: Vec<_> = even.statements()[AT_ONCE..].iter().map(Vec::len).collect();
    assert_eq!(sizes, [TOGETHER, TOGETHER, 1]);
}

#[tokio::test]
async fn the_same_question_of_two_is_answered_to_both() {
    let (even, _first) = Even::busy().await;
    let asked = even.line_up([2, 2]).await;
    even.return_from(100);
    assert_eq!(all_good(asked).await, [Some(4), Some(4)]);
}

#[tokio::test]
async fn an_error_of_the_database_reaches_everyone_who_was_asked_for_and_nobody_else() {
    let (even, first) = Even::busy().await;
    let asked = even.line_up(1..=3).await;
    even.return_from(AT_ONCE);
    all_good(first).await;
    let later = even.ask(4);
    *even.asked.fails.lock().unwrap() = Some(StoreError::Busy("too much to do".to_owned()));
    even.return_from(1);
    for answer in all(asked).await {
        assert!(matches!(&answer, Err(StoreError::Busy(why)) if why == "too much to do"), "{answer:?}");
    }
    even.return_from(1);
    assert_eq!(later.await.unwrap().unwrap(), Some(8));
    let of_the_three = even.statements().iter().filter(|statement| statement.contains(&2)).count();
    assert_eq!(of_the_three, 1, "nobody asks again by themselves");
}

#[tokio::test]
async fn whoever_goes_away_harms_nobody() {
    let (even, first) = Even::busy().await;
    for asker in &first {
        asker.abort();
    }
    let mut asked = even.line_up(1..=4).await;
    for gone in asked.drain(1..3) {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    let alone = even.line_up([6]).await.remove(0);
    even.return_from(100);
    assert_eq!(all_good(asked).await, [None, Some(8)]);
    assert_eq!(alone.await.unwrap().unwrap(), Some(12));
    assert_eq!(even.statements()[AT_ONCE..], [[1, 4, 6]], "nobody is asked for who is gone");
}

#[tokio::test]
async fn where_all_are_gone_the_database_is_not_asked() {
    let (even, _first) = Even::busy().await;
    for gone in even.line_up(1..=3).await {
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
    }
    even.return_from(100);
    assert_eq!(even.questions.answer(8).await.unwrap(), Some(16));
    assert_eq!(even.statements()[AT_ONCE..], [[8]]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_good() {
    let (even, _first) = Even::busy().await;
    let asked = even.line_up(1..=3).await;
    for answer in all(asked).await {
        assert!(matches!(answer, Err(StoreError::Busy(_))), "{answer:?}");
    }
    even.return_from(100);
    assert_eq!(even.questions.answer(8).await.unwrap(), Some(16), "it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answer_is_older_than_its_question() {
    let now = Arc::new(AtomicU64::new(0));
    let questions = Arc::new(Questions::new({
        let now = now.clone();
        move |askers: Vec<u64>| {
            let now = now.clone();
            async move {
                let moment = now.load(Ordering::SeqCst);
                yield_now().await;
                Ok(askers.into_iter().map(|asker| (asker, Ok(moment))).collect())
            }
        }
    }));
    let mut askers = JoinSet::new();
    for asker in 0..64 {
        let (now, questions) = (now.clone(), questions.clone());
        askers.spawn(async move {
            for _ in 0..500 {
                let put = now.fetch_add(1, Ordering::SeqCst) + 1;
                let answer = questions.answer(asker).await.unwrap().unwrap();
                assert!(answer >= put, "asked at {put}, and answered as of {answer}");
            }
        });
    }
    askers.join_all().await;
}
