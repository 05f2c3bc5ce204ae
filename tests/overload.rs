//! PostgreSQL is there and has no time: nobody waits for long, and nobody waits in a heap.

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::support::engine::Engine;
use crate::support::steady::says_come_again;
use crate::support::{Answer, Person, Site, postgres};

/// How many ask at once: more than three times the connections that an instance has.
const PEOPLE: usize = 64;

/// A site on a database of its own, and two connections beside the site's: one that holds it up, one that looks on.
async fn site_and_database() -> Option<(Site, Client, Client)> {
    let store = postgres::database().await?;
    let site = Site::on(&store).await;
    Some((site, client(&store).await, client(&store).await))
}

async fn client(store: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(store, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How many of the site's connections wait for a lock.
async fn waiting(database: &Client) -> i64 {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    database.query_one(waiting, &[]).await.unwrap().get(0)
}

/// The same page for everybody at once.
async fn ask(people: &[Person], path: &str) -> Vec<Answer> {
    join_all(people.iter().map(|person| person.get(path))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_lock_is_told_to_come_again_and_goes_on_when_it_is_free() {
    let Some((site, database, _)) = site_and_database().await else { return };
    site.member("Ann").await.share("There is something to read", "public").await;
    let people: Vec<_> = (0..PEOPLE).map(|_| site.stranger()).collect();
    database.batch_execute("BEGIN; LOCK TABLE thoughts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asked = tokio::spawn({
        let people = people.clone();
        async move { ask(&people, "/").await }
    });
    // With every connection waiting there is none to say whether the store answers.
    let operator = site.stranger();
    let ready = async {
        loop {
            let answer = operator.get("/readyz").await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    says_come_again(&ready.await);
    for answer in asked.await.unwrap() {
        says_come_again(&answer);
        assert_eq!(answer.text("h1"), "Back in a moment");
    }
    database.batch_execute("COMMIT").await.unwrap();
    for answer in ask(&people, "/").await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(operator.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_cannot_be_found_out_who_asks_all_are_told_to_come_again_and_stay_signed_in() {
    let Some((site, database, _)) = site_and_database().await else { return };
    let ann = site.member("Ann").await;
    let people: Vec<_> = (0..PEOPLE).map(|_| ann.clone()).collect();
    database.batch_execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for answer in ask(&people, "/").await {
        says_come_again(&answer);
    }
    assert_eq!(site.stranger().get("/").await.status, 200, "whoever is nobody is served");
    database.batch_execute("COMMIT").await.unwrap();
    for answer in ask(&people, "/profile").await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_wait_leave_room_to_read() {
    let Some((site, database, looking)) = site_and_database().await else { return };
    let ann = site.member("Ann").await;
    database.batch_execute("BEGIN; LOCK TABLE thoughts IN SHARE MODE").await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..PEOPLE {
        let (ann, once) = (ann.clone(), writer.to_string());
        writers.spawn(async move {
            ann.post("/thoughts", &[("message", "Held up"), ("visibility", "public"), ("once", &once)]).await
        });
    }
    while waiting(&looking).await < 15 {}
    assert_eq!(ann.get("/").await.status, 200);
    assert_eq!(ann.get("/readyz").await.status, 200);
    for answer in writers.join_all().await {
        says_come_again(&answer);
    }
    database.batch_execute("COMMIT").await.unwrap();
    ann.share("Goes on", "public").await;
    assert_eq!(ann.get("/").await.texts("article .words"), ["Goes on"], "what was refused was not stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_connections_are_all_taken_is_waited_for() {
    let Some(engine) = Engine::start_new("-c max_connections=8 -c superuser_reserved_connections=0").await else {
        return;
    };
    let site = Site::on(&engine.address("")).await;
    // All jobs begin at once, and may have all connections just then.
    let ann = loop {
        let ann = site.stranger();
        if ann.sign_in("Ann").await.status == 303 {
            break ann;
        }
    };
    let mut taken = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&engine.address(""), NoTls).await {
        taken.push((client, tokio::spawn(connection)));
    }
    let people: Vec<_> = (0..PEOPLE).map(|_| ann.clone()).collect();
    // Who each is they are told together, by what connections there are; their sessions take a statement each.
    let answers = ask(&people, "/profile").await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    for answer in &refused {
        says_come_again(answer);
    }
    assert!(!refused.is_empty(), "{} were served", served.len());
    for (client, connection) in taken {
        drop(client);
        connection.await.unwrap().unwrap();
    }
    while ann.get("/readyz").await.status != 200 {}
    ann.share("Goes on", "public").await;
}
