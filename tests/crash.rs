//! The program is killed (SIGKILL) wherever it is: what was answered is there afterwards, once and whole. That it is on the
//! disk, and not with the system, is not shown by that.
//!
//! `THOUGHTS_CRASH_ROUNDS=50 cargo test --test main crash -- --nocapture` does it fifty times on one store, and prints
//! what was answered and what was found; with `THOUGHTS_TEST_STORE=postgres` that is a PostgreSQL that goes on running.
//! That it is PostgreSQL which is killed is tried in either case.

use std::collections::BTreeSet;

use crate::support::engine::Engine;
use crate::support::program::{Server, store_in};
use crate::support::site::{client, on_postgres};
use crate::support::steady::Steady;
use crate::support::writers::{Answered, Writers, listed, listed_at};
use crate::support::{Person, Site, postgres, site, steady};

/// How many write at once.
const WRITERS: usize = 32;

/// How often it is killed.
fn rounds() -> usize {
    std::env::var("THOUGHTS_CRASH_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap())
}

/// How many answers there are before it is killed: any number up to this.
const ANSWERS: usize = 300;

fn random() -> usize {
    usize::from(u16::from_be_bytes(thoughts::clock::random())) % ANSWERS
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_in_the_middle_of_writing_everything_that_was_answered_is_there_once() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let store = if on_postgres() { postgres::database().await.unwrap() } else { store_in(folder.path()) };
    let start = || Server::start_on(&store, folder.path(), site.provider.issuer());
    let mut answered = Answered::new();
    for round in 1..=rounds() {
        let server = start();
        site.provider.set_clients(vec![client(&server.base)]);
        let ann = Person::new(&server.base);
        assert_eq!(ann.sign_in("Ann").await.status, 303);
        // Long ones fill the embedded store's journal, so that checkpoints are made meanwhile as well.
        let long = "many words ".repeat(if round % 2 == 0 { 800 } else { 0 });
        let writers = Writers::start(&ann, &format!("round {round} {long}"), WRITERS);
        writers.until(random()).await;
        server.kill();
        answered.extend(writers.stop().await);

        let server = start();
        let found = listed(&server.base).await;
        println!("Thoughts killed, round {round}: {} answered, {} found", answered.len(), found.len());
        all_there_once(&server, &answered, &found).await;
        assert_eq!(listed_at(&server.base, "/@ann").await, found, "her list is another than everybody's");
        let of_this_round: Vec<_> = found.into_iter().filter(|words| is_of(round, words)).collect();
        assert_eq!(searched(&server.base, round).await, of_this_round, "what is found is other than what is listed");
        server.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_of_the_database_everything_that_was_answered_is_there_once() {
    let Some(engine) = Engine::start_new("").await else { return };
    let site = Site::on(&engine.address("")).await;
    let ann = site.member("Ann").await;
    let mut answered = Answered::new();
    for round in 1..=rounds() {
        let writers = Steady::start(&ann, &format!("round {round} "), WRITERS);
        let before = random();
        writers.until(|notes| notes.answers() >= before).await;
        engine.kill();
        writers.until(|notes| notes.refusals() > 0).await;
        engine.start().await;
        answered.extend(writers.stop().await);
        let found = steady::all_there_once(&site.stranger(), &answered).await;
        println!("PostgreSQL killed, round {round}: {} answered, {found} found", answered.len());
    }
}

fn is_of(round: usize, words: &str) -> bool {
    words.split_whitespace().take(2).eq(["round", &round.to_string()])
}

/// What is found that was shared in this round, newest first.
async fn searched(base: &str, round: usize) -> Vec<String> {
    let found = listed_at(base, &format!("/search?q=round+{round}")).await;
    // Others have the number in other places.
    found.into_iter().filter(|words| is_of(round, words)).collect()
}

/// What was answered is listed once, in its own words; what was not answered may be there, as a whole.
async fn all_there_once(server: &Server, answered: &Answered, found: &[String]) {
    let unique: BTreeSet<_> = found.iter().collect();
    assert_eq!(found.len(), unique.len(), "a thought is listed twice");
    for words in found {
        let whole = words.strip_prefix("round ").and_then(|rest| rest.split_once(" writer "));
        assert!(whole.is_some_and(|(_, rest)| rest.contains(" thought ")), "{words} is not whole");
    }
    let reader = Person::new(&server.base);
    for (path, words) in answered {
        assert!(unique.contains(words), "{words} was answered and is not listed");
        if path.ends_with(['0', '7', 'A', 'Z']) {
            assert_eq!(reader.get(path).await.text("article .words"), *words);
        }
    }
}
