//! The promises of every store, on a real PostgreSQL; that several may open it at once; and the plans of all statements.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

use super::statements::{ALL, FEED_LISTS, FEEDS};
use super::{PostgresStore, connect};
use crate::domain::policy::Reach;
use crate::store::suite::store_suite;
use crate::store::suite::support::{Given, member, shared, thought};
use crate::store::{Found, Scope, StoreError};

mod citus;
mod full_text;
mod relay;
#[path = "../../../tests/support/postgres.rs"]
mod server;
mod signed_in;
mod together;

store_suite!(async {
    match server::database().await {
        Some(url) => Some((PostgresStore::open(&url.parse().unwrap(), None).await.unwrap(), url)),
        None => None,
    }
});

/// How long a test waits for what is to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection beside the store's.
async fn client(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_instances_open_an_empty_database_at_once() {
    let Some(url) = server::database().await else { return };
    opened_at_once(&url.parse().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_take_turns_they_open_it_all_the_same() {
    for instead in ["BEGIN RAISE feature_not_supported; END", "BEGIN END"] {
        let Some(url) = server::database().await else { return };
        let config: Config = server::ours_first(&url).parse().unwrap();
        let lock =
            format!("CREATE FUNCTION pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE plpgsql AS '{instead}'");
        client(&config).await.batch_execute(&lock).await.unwrap();
        opened_at_once(&config).await;
    }
}

async fn opened_at_once(config: &Config) {
    let mut opening = JoinSet::new();
    for _ in 0..8 {
        let config = config.clone();
        opening.spawn(async move { PostgresStore::open(&config, None).await.map(drop) });
    }
    for opened in opening.join_all().await {
        opened.unwrap();
    }
}

#[tokio::test]
async fn a_newer_layout_is_refused_with_a_line() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    drop(PostgresStore::open(&config, None).await.unwrap());
    client(&config).await.batch_execute("INSERT INTO layout (version) VALUES (999)").await.unwrap();
    let Err(StoreError::Open(line)) = PostgresStore::open(&config, None).await.map(drop) else {
        unreachable!("it was not refused")
    };
    assert!(line.contains("has layout 999") && !line.contains('\n'), "{line}");
}

#[tokio::test]
async fn an_older_layout_is_brought_up_with_what_is_in_it() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let ann = member(&store, "ann").await;
    let before = shared(&store, &ann, "public").await;
    // The first layout is without what instances tell each other, and without words.
    let begin = "DROP TABLE changes; ALTER TABLE thoughts DROP COLUMN words; DELETE FROM layout WHERE version > 1";
    client(&config).await.batch_execute(begin).await.unwrap();
    // Whoever only tries it leaves it as it is.
    for _ in 0..2 {
        assert_eq!(PostgresStore::try_out(&config, None).await.unwrap(), Found::Older);
    }
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let after = shared(&store, &ann, "public").await;
    let page = store.feed(Scope::Everyone, &Reach::Public, None, 20).await.unwrap();
    let there: Vec<_> = page.items.iter().map(|one| one.thought.id).collect();
    assert_eq!(there, [after.id, before.id]);
    let versions = client(&config).await.query("SELECT version FROM layout ORDER BY version", &[]).await.unwrap();
    assert_eq!(versions.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [1, 2, 3]);
    assert_eq!(PostgresStore::try_out(&config, None).await.unwrap(), Found::Store);
}

/// A transaction that reads thoughts, as a backup's does, and is not over.
async fn backup(config: &Config) -> Client {
    let backup = client(config).await;
    backup.batch_execute("BEGIN; LOCK TABLE thoughts IN ACCESS SHARE MODE").await.unwrap();
    backup
}

/// The database breaks off nothing by itself, and whoever searches waits for the advisory lock 1.
const NO_HURRY: &str = "CREATE FUNCTION set_config(name text, value text, is_local boolean) RETURNS text \
    LANGUAGE plpgsql AS $$ BEGIN \
        IF name = 'enable_bitmapscan' THEN PERFORM pg_advisory_xact_lock(1); \
        ELSE PERFORM pg_catalog.set_config('statement_timeout', '0', false); END IF; \
        RETURN pg_catalog.set_config(name, value, is_local); \
    END $$";

/// How many of the database's connections wait for a lock.
async fn waiting(looking: &Client) -> i64 {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    looking.query_one(waiting, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_migration_that_has_to_wait_for_a_backup_keeps_nobody_from_reading() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    drop(PostgresStore::open(&config, None).await.unwrap());
    let reader = client(&config).await;
    let without_words = "ALTER TABLE thoughts DROP COLUMN words; DELETE FROM layout WHERE version > 2; \
        SET statement_timeout = 30000";
    reader.batch_execute(without_words).await.unwrap();
    let backup = backup(&config).await;
    let opening = tokio::spawn({
        let config = config.clone();
        async move { PostgresStore::open(&config, None).await.map(drop) }
    });
    while waiting(&reader).await == 0 {}
    reader.batch_execute("SELECT FROM thoughts").await.unwrap();
    assert!(!opening.is_finished());
    backup.batch_execute("COMMIT").await.unwrap();
    opening.await.unwrap().unwrap();
    assert_eq!(PostgresStore::try_out(&config, None).await.unwrap(), Found::Store);
}

#[tokio::test]
async fn a_migration_that_was_made_beforehand_waits_for_no_backup() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    drop(PostgresStore::open(&config, None).await.unwrap());
    client(&config).await.batch_execute("DELETE FROM layout WHERE version > 2").await.unwrap();
    let _backup = backup(&config).await;
    let opened = timeout(PATIENCE, PostgresStore::open(&config, None)).await.expect("it waits");
    assert!(opened.unwrap().database.full_text);
    assert_eq!(PostgresStore::try_out(&config, None).await.unwrap(), Found::Store);
}

/// Asks, and goes away when the database waits for somebody else's lock.
async fn left(looking: &Client, asked: impl Future<Output = ()>) {
    tokio::select! {
        () = asked => panic!("it was answered"),
        () = async { while waiting(looking).await == 0 {} } => {}
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_broken_off_and_in_nobodys_way() {
    let Some(url) = server::database().await else { return };
    let config: Config = server::ours_first(&url).parse().unwrap();
    let (database, looking) = (client(&config).await, client(&config).await);
    database.batch_execute(NO_HURRY).await.unwrap();
    let store: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let ann = member(&store, "ann").await;
    database.batch_execute("BEGIN; LOCK TABLE members IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let goes_on = async || {
        store.ping().await.unwrap();
        timeout(PATIENCE, async { while waiting(&looking).await > 0 {} }).await.expect("it is not broken off");
    };
    left(&looking, async { drop(store.member(ann.id).await) }).await;
    goes_on().await;
    left(&looking, async { drop(store.share(&thought(&ann, "never mind", "public"), None).await) }).await;
    goes_on().await;
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_any_more_comes_about_and_is_in_nobodys_way() {
    let Some(url) = server::database().await else { return };
    let relay = relay::Relay::to(&url.parse().unwrap()).await;
    let store: Given = Arc::new(PostgresStore::open(&relay.config, None).await.unwrap());
    let last = thought(&member(&store, "ann").await, "last words", "public");
    relay.keep_back_the_next_answer_to_a_commit();
    tokio::select! {
        shared = store.share(&last, None) => panic!("{shared:?} before anybody went away"),
        () = relay.kept_back() => {}
    }
    store.ping().await.unwrap();
    assert!(store.thought(last.id, &Reach::Public).await.unwrap().is_some());
}

#[tokio::test]
async fn a_refusal_does_not_tell_the_password() {
    let config: Config = "postgres://ann:hunter2@%2Fnowhere/x".parse().unwrap();
    let refused = PostgresStore::open(&config, None).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("postgres:///nowhere/x") && !refused.contains("hunter2"), "{refused}");
}

#[tokio::test]
async fn of_several_hosts_each_says_why_it_will_not_do() {
    let none = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (hangs_up, nobody) = (none.local_addr().unwrap().port(), free_port().await);
    tokio::spawn(async move { while none.accept().await.is_ok() {} });
    let config: Config = format!("postgres://ann@127.0.0.1:{nobody},127.0.0.1:{hangs_up}/x").parse().unwrap();
    let refused = PostgresStore::open(&config, None).await.map(drop).unwrap_err().to_string();
    let each = [format!("127.0.0.1:{nobody}: error connecting to server"), format!("127.0.0.1:{hangs_up}: ")];
    assert!(each.iter().all(|host| refused.contains(host)) && !refused.contains('\n'), "{refused}");
}

/// What a server says when it lets somebody in: `AuthenticationOk` and `ReadyForQuery`.
const LETS_IN: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

#[tokio::test]
async fn a_server_that_lets_in_and_then_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut let_in = Vec::new();
        while let Ok((mut connection, _)) = silent.accept().await {
            connection.write_all(LETS_IN).await.unwrap();
            let_in.push(connection);
        }
    });
    let config: Config = format!("postgres://ann@127.0.0.1:{port}/x?sslmode=disable").parse().unwrap();
    let opened = timeout(PATIENCE, PostgresStore::open(&config, None)).await.expect("it is waited for");
    let refused = opened.map(drop).unwrap_err().to_string();
    assert!(refused.ends_with("can't be opened: the database did not answer in time"), "{refused}");
}

/// A port on which nobody listens.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// A client of a database that has the tables, and nothing in them; `None` where there is no PostgreSQL.
async fn client_of_tables() -> Option<Client> {
    let config: Config = server::database().await?.parse().unwrap();
    drop(PostgresStore::open(&config, None).await.unwrap());
    Some(client(&config).await)
}

/// Rows enough that reading all of a table is never the cheaper way.
const ROWS: &str = "
    INSERT INTO members SELECT key(n, 16), 'r' FROM generate_series(1, 20000) n;
    INSERT INTO identities SELECT key(n, 32), key(n, 16) FROM generate_series(1, 20000) n;
    INSERT INTO handles SELECT 'member' || n, key(n, 16) FROM generate_series(1, 20000) n;
    INSERT INTO leaving SELECT key(n, 16), 'gone' || n FROM generate_series(1, 20000) n;
    INSERT INTO thoughts SELECT key(n, 16), key(n % 1000, 16), CASE WHEN n % 5 = 0 THEN n END, 'r', ('w' || n % 1000)::tsvector FROM generate_series(1, 20000) n;
    INSERT INTO revisions SELECT key(n / 4, 16), n % 4, 'r' FROM generate_series(1, 20000) n;
    INSERT INTO lists SELECT key(n % 200, 18), key(n, 16) FROM generate_series(1, 20000) n;
    INSERT INTO once_values SELECT key(n % 1000, 16), key(n, 32), key(n, 16), n FROM generate_series(1, 20000) n;
    INSERT INTO api_tokens SELECT key(n, 32), key(n % 1000, 16), key(n, 16), 'r' FROM generate_series(1, 20000) n;
    INSERT INTO sessions SELECT key(n, 32), key(n % 5000, 16), n, n, key(n, 32), NULL, 'r' FROM generate_series(1, 20000) n;
    INSERT INTO ended_sessions SELECT key(n, 32), n, 'r' FROM generate_series(1, 20000) n;
    INSERT INTO logouts SELECT key(n, 32), n FROM generate_series(1, 20000) n;
    INSERT INTO unsent_texts SELECT key(n, 16), key(n, 16), n, 'r' FROM generate_series(1, 20000) n;
    INSERT INTO changes SELECT n, key(n % 10, 16), n, 'r' FROM generate_series(1, 20000) n;
    INSERT INTO notes SELECT 'note' || n, 'r' FROM generate_series(1, 20000) n;
    VACUUM ANALYZE;
";
const KEY: &str = "CREATE FUNCTION key(n bigint, length int) RETURNS bytea LANGUAGE sql IMMUTABLE AS \
    $$ SELECT substr(sha256(int8send(n)) || sha256(int8send(n)), 1, length) $$";

/// Reading this of a table is reading all of it.
const FORBIDDEN: [&str; 3] = ["Seq Scan", "Hash Join", "Merge Join"];

/// Nothing is sorted: everything is read in the order of an index. What is found by words is in no order, and no more
/// of it is kept than stands on a page.
fn sorts(name: &str, plan: &str) -> bool {
    let nodes: Vec<_> = std::iter::once("").chain(plan.lines().filter(|line| !line.contains(": "))).collect();
    let sorts = |node: &str| node.ends_with("Sort");
    let on_a_page = |pair: &[&str]| name == "SEARCH" && pair[0].ends_with("Limit");
    nodes.windows(2).any(|pair| sorts(pair[1]) && !on_a_page(pair))
}

/// `THOUGHTS_PLANS=write` writes down what they are now; `git diff` shows what that changes.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "whoever changes a statement asks for the plans to be written")]
async fn plans_are_those_that_are_written_down() {
    let Some(client) = client_of_tables().await else { return };
    client.batch_execute(KEY).await.unwrap();
    for fill in ROWS.split(';').map(str::trim).filter(|fill| !fill.is_empty()) {
        client.batch_execute(fill).await.unwrap();
    }
    client.batch_execute(connect::BEGIN).await.unwrap();
    let (mut plans, mut wrong) = (String::new(), Vec::new());
    let feeds = FEED_LISTS.iter().zip(&*FEEDS).map(|(lists, sql)| (format!("FEED_{lists}"), sql.as_str()));
    let all = ALL.iter().map(|(name, sql)| ((*name).to_owned(), *sql)).chain(feeds);
    for (name, sql) in all {
        let plan = plan(&client, &name, sql).await;
        if sorts(&name, &plan) || FORBIDDEN.iter().any(|forbidden| plan.contains(forbidden)) {
            wrong.push(format!("{name}\n{plan}"));
        }
        write!(plans, "{name}\n{plan}\n").unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/postgres/plans.txt");
    if std::env::var_os("THOUGHTS_PLANS").is_some_and(|wish| wish == "write") {
        std::fs::write(file, &plans).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), plans, "see THOUGHTS_PLANS=write");
}

/// How the statement runs, whatever its values.
async fn plan(client: &Client, name: &str, sql: &str) -> String {
    let values = client.prepare(sql).await.unwrap().params().len();
    if ["SEARCH", "HOW_MANY"].contains(&name) {
        client.batch_execute(&format!("BEGIN; {}", super::statements::BY_BITMAPS)).await.unwrap();
    }
    client.batch_execute(&format!("PREPARE {name} AS {sql}")).await.unwrap();
    let values = if values == 0 { String::new() } else { format!("({})", vec!["NULL"; values].join(", ")) };
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE {name}{values}"), &[]).await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    format!("    {}\n", lines.join("\n    "))
}
