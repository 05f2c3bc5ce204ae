//! Full-text search beside an older binary, and where the database has none.

use futures_util::future::join_all;

use super::*;
use crate::domain::id::ThoughtId;
use crate::domain::search::Query;
use crate::store::suite::search::index;
use crate::store::suite::support::{at, change, ids, shared_many};

/// Takes the place of the type, and cannot be indexed.
const NONE: &str = "CREATE DOMAIN tsvector AS text";

/// The promises that it has a part in, where there is none.
macro_rules! without_it {
    ($($subject:ident::$promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let Some(url) = server::database().await else { return };
            let config: Config = server::ours_first(&url).parse().unwrap();
            client(&config).await.batch_execute(NONE).await.unwrap();
            let store = PostgresStore::open(&config, None).await.unwrap();
            assert!(!store.database.full_text);
            crate::store::suite::$subject::$promise(Arc::new(store)).await;
        }
    )*};
}

without_it! {
    search::what_was_shared_is_found_at_once_newest_first
    search::every_script_is_found
    search::nobody_finds_what_is_out_of_their_reach
    search::a_thought_is_found_by_what_it_says_now
    search::what_is_deleted_is_not_found_and_what_is_restored_is
    search::what_is_found_is_read_a_page_at_a_time_whatever_is_shared_meanwhile
    search::what_was_shared_long_ago_is_found
    search::words_are_found_together_however_common_each_is_and_when
    search::whatever_happens_what_is_found_is_what_says_so
    thoughts::the_same_id_is_not_stored_twice
    thoughts::the_same_once_value_stores_one_thought
    copying::what_was_put_back_is_found_as_it_was
}

#[tokio::test]
async fn searches_that_take_long_are_broken_off_and_leave_room_to_read() {
    let Some(url) = server::database().await else { return };
    let config: Config = server::ours_first(&url).parse().unwrap();
    let (database, looking) = (client(&config).await, client(&config).await);
    database.batch_execute(NO_HURRY).await.unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let all = shared_many(&store, &member(&store, "ann").await, "public", 3).await;
    database.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let query = Query::parse("public").unwrap();
    let searches = join_all((0..30).map(|_| store.search(&query, &Reach::Public, None, 20)));
    let read = async {
        while waiting(&looking).await < 5 {}
        store.feed(Scope::Everyone, &Reach::Public, None, 20).await
    };
    let (answers, read) = tokio::join!(searches, read);
    assert_eq!(ids(&read.unwrap().items), all);
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::Busy(_))), "{answer:?}");
    }
    database.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    assert_eq!(found(&store, "public").await, all);
}

async fn found(store: &Given, typed: &str) -> Vec<ThoughtId> {
    ids(&store.search(&Query::parse(typed).unwrap(), &Reach::Public, None, 100).await.unwrap().items)
}

#[tokio::test]
async fn what_an_older_binary_writes_is_found_and_indexed() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let older = client(&config).await;
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 5).await;
    for round in 0..3 {
        assert_eq!(found(&store, "public").await, all, "{round}");
        // As by a statement that knows no words.
        let forgotten =
            format!("UPDATE thoughts SET words = NULL WHERE id >= decode('{}', 'hex')", hex(all[2 * round]));
        older.batch_execute(&forgotten).await.unwrap();
        assert_eq!(store.unindexed().await.unwrap(), Some(all[0]));
        assert_eq!(found(&store, "public").await, all, "{round}");
        index(&store).await;
    }
}

/// Counts how often the words of a thought are written.
const COUNTING_WRITES: &str = "CREATE SEQUENCE written; \
    CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM nextval('written'); RETURN NULL; END $$; \
    CREATE TRIGGER counted AFTER UPDATE ON thoughts FOR EACH ROW EXECUTE FUNCTION counted()";

#[tokio::test]
async fn words_that_two_instances_are_about_to_write_are_written_once() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let one: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let other: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let all = shared_many(&one, &member(&one, "ann").await, "public", 5).await;
    let (database, looking) = (client(&config).await, client(&config).await);
    database.batch_execute("UPDATE thoughts SET words = NULL").await.unwrap();
    database.batch_execute(COUNTING_WRITES).await.unwrap();
    database.batch_execute("BEGIN; LOCK TABLE thoughts IN SHARE MODE").await.unwrap();
    let both_have_read = async {
        while waiting(&looking).await < 2 {}
        database.batch_execute("COMMIT").await.unwrap();
    };
    let (first, second, ()) = tokio::join!(one.index(at(1)), other.index(at(1)), both_have_read);
    assert_eq!((first.unwrap(), second.unwrap()), (false, false), "nothing is left");
    let written: i64 = database.query_one("SELECT last_value FROM written", &[]).await.unwrap().get(0);
    assert_eq!(written, 5);
    assert_eq!(found(&one, "public").await, all);
}

#[tokio::test]
async fn a_thought_that_cannot_be_read_is_in_no_others_way() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 3).await;
    let damaged = format!(
        "UPDATE thoughts SET words = NULL; UPDATE thoughts SET record = 'x' WHERE id = decode('{}', 'hex')",
        hex(all[0])
    );
    client(&config).await.batch_execute(&damaged).await.unwrap();
    index(&store).await;
    assert_eq!(found(&store, "public").await, all[1..]);
}

/// Counts how often a thought is asked whether it has the words.
const COUNTING: &str = "CREATE SEQUENCE asked; \
    CREATE FUNCTION counted(tsvector, tsquery) RETURNS boolean STRICT LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM nextval('asked'); RETURN ts_match_vq($1, $2); END $$; \
    CREATE OPERATOR public.@@ (LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = counted)";

#[tokio::test]
async fn what_is_older_than_a_thought_without_words_is_not_asked_for_again_and_again() {
    let Some(url) = server::database().await else { return };
    let config: Config = server::ours_first(&url).parse().unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let all = shared_many(&store, &member(&store, "ann").await, "public", 50).await;
    let database = client(&config).await;
    let forgotten = format!("UPDATE thoughts SET words = NULL WHERE id = decode('{}', 'hex')", hex(all[3]));
    database.batch_execute(&forgotten).await.unwrap();
    database.batch_execute(COUNTING).await.unwrap();
    let page = store.search(&Query::parse("public").unwrap(), &Reach::Public, None, 10).await.unwrap();
    assert_eq!(ids(&page.items), all[..10]);
    let asked: i64 = database.query_one("SELECT last_value FROM asked", &[]).await.unwrap().get(0);
    assert_eq!(asked, 49, "each that has words, once");
}

fn hex(id: ThoughtId) -> String {
    id.to_bytes().map(|byte| format!("{byte:02x}")).concat()
}

#[tokio::test]
async fn what_an_older_binary_has_edited_is_not_found_by_what_it_said() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let older = client(&config).await;
    let ann = member(&store, "ann").await;
    let all = shared_many(&store, &ann, "public", 30).await;
    let words = "SELECT words::text FROM thoughts ORDER BY id LIMIT 1";
    let before: String = older.query_one(words, &[]).await.unwrap().get(0);
    for id in &all {
        store.edit(*id, &change("another", "public"), at(5)).await.unwrap();
    }
    let after: String = older.query_one(words, &[]).await.unwrap().get(0);
    assert_ne!(before, after);
    older.execute("UPDATE thoughts SET words = $1::text::tsvector", &[&before]).await.unwrap();
    let page = store.search(&Query::parse("public").unwrap(), &Reach::Public, None, 3).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
}
