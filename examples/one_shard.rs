//! One shard's share of a large site, put into a PostgreSQL of its own and measured: bytes a row, and what the database
//! spends on a page and on a write. `docs/growing.md` is reckoned from what it prints.
//!
//! `cargo run --release --example one_shard -- --members 100000 --thoughts 1000000 --copies 9`
//!
//! The server is a temporary one with PostgreSQL's own settings, on the same machine, or the one that
//! `THOUGHTS_TEST_POSTGRES` names there; of Citus all servers are counted. A rate is therefore one that both
//! sides share their cores for; the CPU time and the blocks of the database are its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement ends where it is surprised, asks the system's time, and gives figures for people"
)]

#[path = "../benches/fill.rs"]
#[expect(dead_code, reason = "it is the benchmark's, which needs more of it")]
mod fill;
#[path = "../tests/support/generator.rs"]
mod generator;
#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "it is the tests', which need more of it")]
mod server;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::Timestamp;
use thoughts::domain::id::ThoughtId;
use thoughts::domain::policy::Reach;
use thoughts::domain::search::Query;
use thoughts::domain::session::{Session, SessionId};
use thoughts::domain::thought::{Once, Thought};
use thoughts::store::copying::Record;
use thoughts::store::postgres::PostgresStore;
use thoughts::store::{Scope, Shared, Store};
use tokio_postgres::{Client, NoTls};
use ulid::Ulid;

/// How many ask at once.
const AT_ONCE: u64 = 12;

/// Bytes of a session that are its tokens and claims, sealed: three JSON Web Tokens of some 800 bytes.
const SEALED: usize = 2500;

#[derive(Clone, Copy, Parser)]
struct Share {
    /// Members, each with a session
    #[arg(long, default_value_t = 100_000)]
    members: u64,
    /// Thoughts, measured at a tenth of them and at all
    #[arg(long, default_value_t = 1_000_000)]
    thoughts: u64,
    /// Copies of them all that the database then makes by itself, under ids of before; measured once more
    #[arg(long, default_value_t = 0)]
    copies: u64,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

#[tokio::main]
async fn main() {
    let share = Share::parse();
    let url = server::database().await.expect("this measures PostgreSQL");
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url.parse().unwrap(), None).await.unwrap());
    let (database, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);

    timed(
        "members",
        share.members,
        fill::put(&store, (0..share.members).map(|n| Record::Member(generator::member(n)))),
    )
    .await;
    timed("sessions", share.members, fill::put(&store, (0..share.members).map(session))).await;
    let tenth = share.thoughts / 10;
    for (from, to) in [(0, tenth), (tenth, share.thoughts)] {
        let thoughts = (from..to).map(|number| Record::Thought(generator::thought(number, share.members)));
        timed("thoughts", to - from, fill::put(&store, thoughts)).await;
        store.filled().await.unwrap();
        measure(&store, &database, Share { thoughts: to, copies: 0, ..share }).await;
    }
    if share.copies > 0 {
        timed("copies", share.copies * share.thoughts, copy(&database, share)).await;
        measure(&store, &database, share).await;
    }
    sizes(&database).await;
    store.close().await.unwrap();
}

/// Copies all thoughts and their places in lists, so that each copy lies before all that there are. What a copy says is
/// what it was copied of, its id included; whoever pages by that would find it at another place.
async fn copy(database: &Client, share: Share) {
    let earlier = "CREATE FUNCTION earlier(id bytea, by bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS \
        $$ SELECT substr(int8send(('x' || encode(substr(id, 1, 6), 'hex'))::bit(48)::bigint - by), 3) || substr(id, 7) $$; \
        CREATE TABLE all_thoughts AS SELECT * FROM thoughts ORDER BY id; \
        CREATE TABLE all_lists AS SELECT * FROM lists ORDER BY list, thought";
    database.batch_execute(earlier).await.unwrap();
    for copy in 1..=share.copies {
        let by = copy * share.thoughts * generator::APART;
        let copy = format!(
            "INSERT INTO thoughts SELECT earlier(id, {by}), author, deleted_at, record, words FROM all_thoughts; \
             INSERT INTO lists SELECT list, earlier(thought, {by}) FROM all_lists; CHECKPOINT"
        );
        database.batch_execute(&copy).await.unwrap();
    }
    database.batch_execute("DROP TABLE all_thoughts, all_lists").await.unwrap();
}

/// Says how fast so many records were put in.
async fn timed(what: &str, count: u64, work: impl Future<Output = ()>) {
    let begun = Instant::now();
    work.await;
    println!("{count} {what} were put in at {:.0} a second", count as f64 / begun.elapsed().as_secs_f64());
}

/// A session of the member of this number.
fn session(number: u64) -> Record {
    let member = generator::member(number);
    let at = member.joined_at;
    let session = Session {
        hash: session_id(number).hash(),
        member: member.id,
        provider: "default".to_owned(),
        iss: "https://id.example.org".to_owned(),
        sub: format!("member{number}"),
        sid: Some(format!("session-{number}")),
        created_at: at,
        authenticated_at: at,
        last_seen_at: at,
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned(),
        address: Some("2001:db8::1".to_owned()),
        sealed: sealed(number),
    };
    let until = Timestamp::from_millisecond(4_000_000_000_000).unwrap();
    Record::Session { session, until }
}

/// Bytes that PostgreSQL cannot compress, as sealed ones are.
fn sealed(number: u64) -> Vec<u8> {
    (0..SEALED as u64).map(|place| any(number * SEALED as u64 + place + 1, u64::MAX).to_be_bytes()[3]).collect()
}

fn session_id(number: u64) -> SessionId {
    let mut id = [1; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    SessionId::new(id)
}

/// Any number below `below`, another one each time.
fn any(turn: u64, below: u64) -> u64 {
    let mixed = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) % below
}

/// The place of a thought that lies so many before that one.
fn older(number: u64, by: u64) -> ThoughtId {
    let moment = generator::BEGUN + number * generator::APART - by * generator::APART;
    ThoughtId::from(Ulid::from_parts(moment, 0))
}

fn reach(number: u64) -> Reach {
    let member = generator::member(number);
    Reach::of(&member)
}

async fn measure(store: &Arc<dyn Store>, database: &Client, share: Share) {
    database.batch_execute("VACUUM ANALYZE").await.unwrap();
    let all: i64 = database.query_one("SELECT count(*) FROM thoughts", &[]).await.unwrap().get(0);
    let all = all.unsigned_abs();
    println!("\n{} members, {all} thoughts\n", share.members);
    println!(
        "| what | a second | p50 | p99 | CPU of the database | blocks | log |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    let Share { members, thoughts, copies, .. } = share;
    let feed = |scope: Scope, reach: Reach, before: Option<ThoughtId>| async move {
        let page = store.feed(scope, &reach, before, 20).await.unwrap();
        assert!(!page.items.is_empty() || matches!(scope, Scope::By(_)), "the page is empty");
    };
    row("feed, anonymous", database, share, |_| feed(Scope::Everyone, Reach::Public, None)).await;
    row("feed, a member in one group", database, share, |n| feed(Scope::Everyone, reach(any(n, members)), None)).await;
    // Anywhere but in the oldest tenth, which may be too short for a page.
    let old = |n| Some(older(thoughts - 1, any(n, thoughts * (copies + 1) * 9 / 10)));
    row("an older page of it", database, share, |n| feed(Scope::Everyone, reach(any(n, members)), old(n))).await;
    let somebody = |n| Scope::By(generator::member(any(n, members)).id);
    row("a member's page", database, share, |n| feed(somebody(n), reach(any(n + 1, members)), None)).await;
    row("a thought", database, share, |n| async move {
        // The first of each twenty is for anyone.
        let id = generator::thought_id(any(n, thoughts / 20) * 20);
        assert!(store.thought(id, &Reach::Public).await.unwrap().is_some());
    })
    .await;
    row("who asks: session and member", database, share, |n| async move {
        assert!(store.signed_in(session_id(any(n, members)).hash()).await.unwrap().is_some());
    })
    .await;
    // Copies say what they were copied of, and stand in weeks of which their words know nothing.
    if copies == 0 {
        let search = |typed: String, n| async move {
            let query = Query::parse(&typed).unwrap();
            store.search(&query, &reach(any(n, members)), None, 20).await.unwrap().items.len()
        };
        row("search: a word that nearly all have", database, share, |n| async move {
            assert_eq!(search("morning".to_owned(), n).await, 20);
        })
        .await;
        row("search: a word that one has, and another", database, share, |n| async move {
            search(format!("garden {}", any(n, thoughts / 20) * 20), n).await;
        })
        .await;
        row("search: a word that none has", database, share, |n| async move {
            assert_eq!(search(format!("zebra {n}"), n).await, 0);
        })
        .await;
    }
    row("share a thought", database, share, |n| async move {
        // Behind all that were put in, and each time another.
        let number = 100_000_000 + all + n % 100_000_000;
        let thought = Thought { author: generator::member(any(n, members)).id, ..generator::thought(number, members) };
        let once = Once::parse(&format!("{all} {n}")).unwrap();
        assert_eq!(store.share(&thought, Some(&once)).await.unwrap(), Shared::Now);
    })
    .await;
}

/// What the database has done so far: CPU time in seconds, blocks of 8 KB looked at, bytes of its log.
struct Spent {
    cpu: f64,
    blocks: f64,
    log: f64,
}

async fn spent(database: &Client) -> Spent {
    // A connection tells its figures a second after it has done something, at the latest.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let processes = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = current_database() \
        AND (application_name = 'thoughts' OR application_name LIKE 'citus\\_internal%')";
    let processes = everywhere(database, processes).await.concat();
    let cpu = processes.iter().map(|process| cpu(process)).sum();
    let figures = "SELECT blks_hit + blks_read || ' ' || (pg_current_wal_insert_lsn() - '0/0') \
        FROM pg_stat_database WHERE datname = current_database()";
    let figures = everywhere(database, figures).await;
    let sum = |place: usize| figures.iter().map(|of_one| of_one[place].parse::<f64>().unwrap()).sum();
    Spent { cpu, blocks: sum(0), log: sum(1) }
}

/// The words that each server says to this: on Citus all of them, which run on this machine.
async fn everywhere(database: &Client, sql: &str) -> Vec<Vec<String>> {
    let citus = database.query_one("SELECT to_regclass('pg_dist_partition') IS NOT NULL", &[]).await.unwrap().get(0);
    let rows = if citus {
        database.query("SELECT result FROM run_command_on_all_nodes($1)", &[&sql]).await
    } else {
        database.query(sql, &[]).await
    };
    let words = |text: Option<&str>| text.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    rows.unwrap().iter().map(|row| words(row.get(0))).collect()
}

/// Seconds of CPU time of a process.
fn cpu(process: &str) -> f64 {
    // One that has ended meanwhile is not counted.
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime, in hundredths of a second. Source: proc(5).
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// Does something again and again, and prints what it took.
async fn row<F: Future<Output = ()>>(what: &str, database: &Client, share: Share, work: impl Fn(u64) -> F) {
    // What every connection has to do once is done.
    together(Duration::from_millis(500), &work, 50_000_000).await;
    let before = spent(database).await;
    let begun = Instant::now();
    let mut took = together(Duration::from_secs_f64(share.seconds), &work, 0).await;
    let seconds = begun.elapsed().as_secs_f64();
    let after = spent(database).await;
    took.sort_unstable();
    let (count, at) = (took.len() as f64, |part: usize| took[took.len() * part / 100].as_secs_f64() * 1000.0);
    println!(
        "| {what} | {:.0} | {:.1} ms | {:.1} ms | {:.0} µs | {:.1} | {:.0} bytes |",
        count / seconds,
        at(50),
        at(99),
        (after.cpu - before.cpu) / count * 1e6,
        (after.blocks - before.blocks) / count,
        (after.log - before.log) / count,
    );
}

/// As many at once as a site would, for so long; gives how long each took.
async fn together<F: Future<Output = ()>>(time: Duration, work: &impl Fn(u64) -> F, first: u64) -> Vec<Duration> {
    let begun = Instant::now();
    let workers = (0..AT_ONCE).map(|worker| async move {
        let mut took = Vec::new();
        let mut turn = first + worker;
        while begun.elapsed() < time {
            let asked = Instant::now();
            work(turn).await;
            took.push(asked.elapsed());
            turn += AT_ONCE;
        }
        took
    });
    futures_util::future::join_all(workers).await.concat()
}

/// Prints how much room each table takes, and under it each of its indexes.
async fn sizes(database: &Client) {
    database.batch_execute("VACUUM ANALYZE").await.unwrap();
    let all = "SELECT t.relname::text, coalesce(i.relname::text, ''), coalesce(pg_relation_size(i.oid), pg_table_size(t.oid)) \
        FROM pg_class t CROSS JOIN LATERAL ( \
            SELECT NULL::oid AS oid, NULL::name AS relname \
            UNION ALL SELECT c.oid, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = t.oid \
        ) AS i \
        WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace \
        ORDER BY pg_total_relation_size(t.oid) DESC, t.relname, i.relname NULLS FIRST";
    println!("\n| table | index | rows | bytes a row | in all |\n| --- | --- | --- | --- | --- |");
    for part in database.query(all, &[]).await.unwrap() {
        let (table, index, bytes): (String, String, i64) = (part.get(0), part.get(1), part.get(2));
        let rows: i64 = database.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0);
        if rows > 100 {
            println!(
                "| {table} | {index} | {rows} | {:.0} | {:.0} MB |",
                bytes as f64 / rows as f64,
                bytes as f64 / 1e6
            );
        }
    }
}
