//! Who is signed in, asked of a real PostgreSQL by many at once.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::{PostgresStore, client, server};
use crate::domain::session::{End, Session, SessionHash};
use crate::store::suite::support::{Given, at, begun, member};
use crate::store::{SignedIn, StoreError};

/// A store with so many sessions, and a connection beside it.
async fn store_with(sessions: i64) -> Option<(Given, Vec<Session>, tokio_postgres::Client, String)> {
    let url = server::database().await?;
    let store: Given = Arc::new(PostgresStore::open(&url.parse().unwrap(), None).await.unwrap());
    let ann = member(&store, "ann").await;
    let mut begun_here = Vec::new();
    for number in 0..sessions {
        begun_here.push(begun(&store, &ann, number).await);
    }
    Some((store, begun_here, client(&url.parse().unwrap()).await, url))
}

/// Asks for all of them at once.
async fn ask(store: &Given, sessions: &[Session]) -> Vec<Result<Option<SignedIn>, StoreError>> {
    join_all(sessions.iter().map(|session| store.signed_in(session.hash))).await
}

/// Asks again and again, until it is dropped.
fn busy(store: &Given, hash: SessionHash) -> JoinHandle<()> {
    let store = store.clone();
    tokio::spawn(async move {
        loop {
            store.signed_in(hash).await.unwrap();
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_another_instance_ends_is_refused_at_once_however_much_is_asked() {
    let Some((here, sessions, _, url)) = store_with(132).await else { return };
    let elsewhere: Given = Arc::new(PostgresStore::open(&url.parse().unwrap(), None).await.unwrap());
    let (stay, go) = sessions.split_at(32);
    // Some ask for what stays, and some for what goes.
    let busy: Vec<_> = stay.iter().chain(&go[..32]).map(|session| busy(&here, session.hash)).collect();
    for session in go {
        assert!(here.signed_in(session.hash).await.unwrap().is_some());
        elsewhere.end_session(session.hash, End::SignedOut, at(1000)).await.unwrap();
        assert_eq!(here.signed_in(session.hash).await.unwrap(), None);
    }
    for asker in busy {
        asker.abort();
        assert!(asker.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_the_misfortune_of_who_asks_for_it() {
    let Some((store, sessions, database, _)) = store_with(20).await else { return };
    let hash = sessions[7].hash.to_bytes();
    database.execute("UPDATE sessions SET record = 'x' WHERE hash = $1", &[&&hash[..]]).await.unwrap();
    for (number, answer) in ask(&store, &sessions).await.into_iter().enumerate() {
        match answer {
            Ok(Some(_)) => assert_ne!(number, 7),
            Err(StoreError::Corrupt { what, .. }) => assert_eq!((what, number), ("a session", 7)),
            other => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_the_database_refuses_is_told_to_all_who_asked_and_is_over_with_its_cause() {
    let Some((store, sessions, database, _)) = store_with(20).await else { return };
    database.batch_execute("ALTER TABLE sessions RENAME TO hidden").await.unwrap();
    for answer in ask(&store, &sessions).await {
        assert!(matches!(&answer, Err(StoreError::Failed(why)) if why.contains("sessions")), "{answer:?}");
    }
    database.batch_execute("ALTER TABLE hidden RENAME TO sessions").await.unwrap();
    assert!(ask(&store, &sessions).await.into_iter().all(|answer| answer.unwrap().is_some()));
}

#[tokio::test]
async fn when_connections_are_cut_off_the_next_question_takes_another() {
    let Some((store, sessions, database, _)) = store_with(20).await else { return };
    let cut = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'thoughts'";
    for _ in 0..3 {
        ask(&store, &sessions).await;
        assert!(!database.query(cut, &[]).await.unwrap().is_empty());
        // Some may be cut off while they ask.
        while ask(&store, &sessions).await.iter().any(Result::is_err) {}
    }
}

#[tokio::test]
async fn who_asks_a_closed_store_is_told_so() {
    let Some((store, sessions, ..)) = store_with(20).await else { return };
    let (answers, closed) = tokio::join!(ask(&store, &sessions), store.close());
    closed.unwrap();
    for answer in answers {
        assert!(matches!(answer, Ok(Some(_)) | Err(StoreError::Closed)), "{answer:?}");
    }
    assert!(matches!(store.signed_in(sessions[0].hash).await, Err(StoreError::Closed)));
}
