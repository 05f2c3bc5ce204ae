//! What one instance hears of another, on a real PostgreSQL.

use std::sync::Arc;

use tokio::time::timeout;

use super::relay::Relay;
use super::{Config, PATIENCE, PostgresStore, client, server};
use crate::domain::change::{Change, What};
use crate::domain::member::{Handle, Identity, Member, Profile};
use crate::domain::session::{End, ProviderLogout, Session};
use crate::domain::thought::Thought;
use crate::domain::visibility::Visibility;
use crate::store::codec::encode;
use crate::store::copying::Copying as _;
use crate::store::postgres::following::Follower;
use crate::store::suite::support::{
    Given, at, begun, change, identity, member, new_member_id, once, profile, session, shared, thought,
};
use crate::store::{Following, Heard, Hearing, Result, Shared, Store as _};

/// Two instances on one database, and what the second hears; where the database is, too.
struct Two {
    one: Given,
    other: Given,
    heard: Box<dyn Following>,
    config: Config,
}

async fn two() -> Option<Two> {
    let url = server::database().await?;
    two_at(&url).await
}

async fn two_at(url: &str) -> Option<Two> {
    let config: Config = url.parse().unwrap();
    let one: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let other: Given = Arc::new(PostgresStore::open(&config, None).await.unwrap());
    let mut heard = other.follow().await.unwrap().unwrap();
    assert_eq!(heard.next().await, Heard::By(Hearing::Notices));
    Some(Two { one, other, heard, config })
}

impl Two {
    async fn next(&mut self) -> Heard {
        timeout(PATIENCE, self.heard.next()).await.expect("nothing is heard")
    }

    /// The next so many changes that are heard.
    async fn changes(&mut self, many: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        while changes.len() < many {
            match self.next().await {
                Heard::Changes(more) => changes.extend(more),
                heard => panic!("{heard:?} after {changes:?}"),
            }
        }
        changes
    }

    /// Nothing but this was done: it is all that is heard before the next thing that is done.
    async fn hears(&mut self, expected: Vec<Change>) {
        let last = told(&shared(&self.one, &member(&self.one, "last").await, "private").await);
        let all: Vec<_> = expected.into_iter().chain([last]).collect();
        assert_eq!(self.changes(all.len()).await, all);
    }
}

fn told(thought: &Thought) -> Change {
    thought.became(What::Shared { to: thought.visibility.clone() })
}

fn ended(session: &Session, why: End) -> Change {
    Change::SessionEnded { session: session.hash, why }
}

#[tokio::test]
async fn what_becomes_of_a_thought_is_heard_by_the_others() {
    let Some(mut two) = two().await else { return };
    let one = two.one.clone();
    let ann = member(&one, "ann").await;
    let first = thought(&ann, "first", "members");
    for _ in 0..2 {
        one.share(&first, Some(&once("a"))).await.unwrap();
    }
    for _ in 0..2 {
        one.edit(first.id, &change("second", "public"), at(2)).await.unwrap();
        one.delete(first.id, at(3)).await.unwrap();
    }
    for _ in 0..2 {
        one.restore(first.id).await.unwrap();
    }
    let (members, public) = (Visibility::Members, Visibility::Public);
    two.hears(vec![
        told(&first),
        first.became(What::Edited { from: members, to: public.clone() }),
        first.became(What::Deleted { from: public.clone() }),
        first.became(What::Restored { to: public }),
    ])
    .await;
}

#[tokio::test]
async fn whatever_ends_a_session_is_heard_by_the_others() {
    let Some(mut two) = two().await else { return };
    let one = two.one.clone();
    let ann = member(&one, "ann").await;
    let mut expected = Vec::new();

    let signed_out = begun(&one, &ann, 1).await;
    for _ in 0..2 {
        one.end_session(signed_out.hash, End::SignedOut, at(2)).await.unwrap();
    }
    expected.push(ended(&signed_out, End::SignedOut));

    let replaced = begun(&one, &ann, 3).await;
    let stays = session(&ann, 4);
    one.begin_session(&stays, at(1_000_000), Some(replaced.hash)).await.unwrap();
    expected.push(ended(&replaced, End::Replaced));

    let (earlier, later) = (begun(&one, &ann, 5).await, begun(&one, &ann, 6).await);
    let gone = one.end_sessions_of(ann.id, Some(stays.hash), End::ByAdmin, at(7)).await.unwrap();
    assert_eq!(gone, [later, earlier]);
    expected.extend(gone.iter().map(|session| ended(session, End::ByAdmin)));

    let logout = ProviderLogout { iss: stays.iss.clone(), sub: Some(stays.sub.clone()), sid: None, jti: "j".into() };
    for _ in 0..2 {
        one.end_sessions_at_provider(&logout, at(8), at(9)).await.unwrap();
    }
    expected.push(ended(&stays, End::ByProvider));

    let second = Identity { iss: "https://other.example".into(), sub: "a".into() };
    one.link(ann.id, &second).await.unwrap();
    let with_it = Session { iss: second.iss.clone(), sub: second.sub.clone(), ..session(&ann, 10) };
    one.begin_session(&with_it, at(1_000_000), None).await.unwrap();
    one.unlink(ann.id, &second, at(11)).await.unwrap();
    expected.push(ended(&with_it, End::Elsewhere));

    let last = begun(&one, &ann, 12).await;
    for _ in 0..2 {
        one.delete_member(ann.id).await.unwrap();
    }
    expected.extend([ended(&last, End::AccountDeleted), Change::Many]);
    two.hears(expected).await;
}

#[tokio::test]
async fn who_is_known_anew_is_heard_of_where_that_says_anything_new() {
    let Some(mut two) = two().await else { return };
    let ann = member(&two.one, "ann").await;
    let grouped = Profile { groups: ["friends".parse().unwrap()].into(), ..profile("ann") };
    for _ in 0..2 {
        two.one.update_member(ann.id, &grouped).await.unwrap();
    }
    for _ in 0..2 {
        let handle = Handle::suggest("ann");
        two.one.admit(&identity("ann"), &profile("ann"), &handle, new_member_id(), at(1)).await.unwrap();
    }
    let anew = Change::MemberKnownAnew { member: ann.id };
    two.hears(vec![anew.clone(), anew]).await;
}

#[tokio::test]
async fn nobody_hears_themselves() {
    let Some(mut two) = two().await else { return };
    let ann = member(&two.other, "ann").await;
    shared(&two.other, &ann, "public").await;
    two.hears(vec![]).await;
}

#[tokio::test]
async fn what_was_committed_without_an_answer_is_heard_by_its_own_instance_too_and_once() {
    is_heard_once(async |relay, share| {
        let (shared, ()) = tokio::join!(share, async {
            relay.kept_back().await;
            relay.cut_off();
        });
        shared.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn so_is_what_nobody_waited_for_any_more_when_it_was_committed() {
    is_heard_once(async |relay, share| {
        tokio::select! {
            shared = share => panic!("{shared:?} before anybody went away"),
            () = relay.kept_back() => relay.cut_off(),
        }
    })
    .await;
}

/// A thought whose `share` is done in that way, by which nobody is told that it came about.
async fn is_heard_once(way: impl AsyncFnOnce(&Relay, &mut (dyn Future<Output = Result<Shared>> + Unpin))) {
    let Some(url) = server::database().await else { return };
    let relay = Relay::to(&url.parse().unwrap()).await;
    let store: Given = Arc::new(PostgresStore::open(&relay.config, None).await.unwrap());
    let mut heard = store.follow().await.unwrap().unwrap();
    assert_eq!(heard.next().await, Heard::By(Hearing::Notices));
    let ann = member(&store, "ann").await;
    let answered = shared(&store, &ann, "public").await;
    let unanswered = thought(&ann, "who knows", "public");
    relay.keep_back_the_next_answer_to_a_commit();
    timeout(PATIENCE, way(&relay, &mut store.share(&unanswered, None))).await.expect("nothing is committed");
    let other: Given = Arc::new(PostgresStore::open(&url.parse().unwrap(), None).await.unwrap());
    let last = async || told(&shared(&other, &ann, "public").await);
    let mut all = Vec::new();
    let (first, second) = (told(&unanswered), last().await);
    while all.len() < 2 {
        match timeout(PATIENCE, heard.next()).await.expect("nothing is heard") {
            Heard::Changes(more) => all.extend(more),
            heard => panic!("{heard:?} after {all:?}, {answered:?} was answered"),
        }
    }
    assert!(all.contains(&first) && all.contains(&second), "{all:?}");
    let third = last().await;
    assert_eq!(timeout(PATIENCE, heard.next()).await.unwrap(), Heard::Changes(vec![third]));
}

#[tokio::test]
async fn what_is_committed_later_than_what_was_told_after_it_is_heard_and_once() {
    let Some(mut two) = two().await else { return };
    let ann = member(&two.one, "ann").await;
    let slow = thought(&ann, "slow", "public");
    let mut late = client(&two.config).await;
    let transaction = late.transaction().await.unwrap();
    let insert =
        "INSERT INTO changes SELECT extract(epoch FROM clock_timestamp()) * 1000, substr(sha256(''), 1, 16), 0, $1";
    transaction.execute(insert, &[&encode("a change", &told(&slow)).unwrap()]).await.unwrap();
    let quick = shared(&two.one, &ann, "public").await;
    assert_eq!(two.changes(1).await, [told(&quick)]);
    transaction.commit().await.unwrap();
    assert_eq!(two.changes(1).await, [told(&slow)]);
    two.hears(vec![]).await;
}

#[tokio::test]
async fn what_took_long_to_be_committed_is_heard_where_notices_never_cease() {
    let Some(mut two) = two().await else { return };
    let slow = told(&thought(&member(&two.one, "ann").await, "slow", "public"));
    // It was told three seconds before it is there: looks by notice don't go back as far.
    let insert = "INSERT INTO changes SELECT extract(epoch FROM clock_timestamp()) * 1000 - 3000, substr(sha256(''), 1, 16), 0, $1";
    let (beside, busy) = (client(&two.config).await, client(&two.config).await);
    // The first look of all is by the clock.
    two.hears(vec![]).await;
    let never_cease = async {
        loop {
            busy.batch_execute("NOTIFY thoughts_changes").await.unwrap();
        }
    };
    let is_heard = async {
        beside.execute(insert, &[&encode("a change", &slow).unwrap()]).await.unwrap();
        assert_eq!(two.changes(1).await, [slow]);
    };
    tokio::select! {
        () = never_cease => {}
        () = is_heard => {}
    }
}

#[tokio::test]
async fn what_is_told_while_the_connection_is_cut_off_is_heard_later() {
    let Some(mut two) = two().await else { return };
    let ann = member(&two.one, "ann").await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name LIKE '% (changes of others)'";
    let administrator = client(&two.config).await;
    assert_eq!(administrator.query(cut, &[]).await.unwrap().len(), 1);
    let missed = shared(&two.one, &ann, "public").await;
    assert!(matches!(two.next().await, Heard::By(Hearing::CutOff { .. })));
    assert_eq!(two.next().await, Heard::By(Hearing::Notices));
    assert_eq!(two.changes(1).await, [told(&missed)]);
    two.hears(vec![]).await;
}

/// Nobody can read the time, and how often that was tried is counted.
const TIMELESS: &str = "CREATE SEQUENCE tried; \
    CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS \
        $$ BEGIN PERFORM nextval('tried'); RAISE 'no time'; END $$";

#[tokio::test]
async fn who_connects_and_cannot_read_does_not_say_that_they_hear() {
    let Some(url) = server::database().await else { return };
    let Some(mut two) = two_at(&server::ours_first(&url)).await else { return };
    let database = client(&two.config).await;
    database.batch_execute(TIMELESS).await.unwrap();
    assert!(matches!(two.next().await, Heard::By(Hearing::CutOff { .. })));
    let tried = async || database.query_one("SELECT last_value FROM tried", &[]).await.unwrap().get::<_, i64>(0);
    tokio::select! {
        () = async { while tried().await < 4 {} } => {}
        heard = two.heard.next() => panic!("{heard:?}"),
    }
    database.batch_execute("DROP FUNCTION public.clock_timestamp()").await.unwrap();
    assert_eq!(two.next().await, Heard::By(Hearing::Notices));
    two.hears(vec![]).await;
}

#[tokio::test]
async fn where_nothing_can_be_taken_away_others_are_heard_all_the_same() {
    let Some(mut two) = two().await else { return };
    let refused = "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no writes'; END $$; \
        CREATE TRIGGER refused BEFORE DELETE ON changes FOR EACH STATEMENT EXECUTE FUNCTION refused()";
    client(&two.config).await.batch_execute(refused).await.unwrap();
    two.hears(vec![]).await;
}

#[tokio::test]
async fn without_notices_it_is_heard_by_the_clock() {
    let Some(url) = server::database().await else { return };
    let url = server::ours_first(&url);
    let silence = "CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE sql AS ''";
    client(&url.parse().unwrap()).await.batch_execute(silence).await.unwrap();
    let Some(mut two) = two_at(&url).await else { return };
    let ann = member(&two.one, "ann").await;
    for _ in 0..3 {
        let thought = shared(&two.one, &ann, "public").await;
        assert_eq!(two.changes(1).await, [told(&thought)]);
    }
}

#[tokio::test]
async fn what_is_told_in_an_unknown_way_may_be_anything() {
    let Some(mut two) = two().await else { return };
    let insert =
        "INSERT INTO changes SELECT extract(epoch FROM clock_timestamp()) * 1000, substr(sha256(''), 1, 16), 0, 'new'";
    client(&two.config).await.batch_execute(insert).await.unwrap();
    assert_eq!(two.changes(1).await, [Change::Many]);
}

#[tokio::test]
async fn many_changes_are_heard_each_once() {
    let Some(mut two) = two().await else { return };
    let one = two.one.clone();
    let authors: Vec<Member> = futures_util::future::join_all((0..8).map(|n| {
        let one = one.clone();
        async move { member(&one, &format!("author{n}")).await }
    }))
    .await;
    let write = futures_util::future::join_all(authors.iter().map(|author| async {
        let mut written = Vec::new();
        for _ in 0..200 {
            written.push(shared(&one, author, "public").await.id);
        }
        written
    }));
    let (written, heard) = tokio::join!(write, two.changes(1600));
    let mut written: Vec<_> = written.concat();
    let mut heard: Vec<_> = heard
        .into_iter()
        .map(|change| match change {
            Change::Thought { id, .. } => id,
            other => panic!("{other:?}"),
        })
        .collect();
    written.sort_unstable();
    heard.sort_unstable();
    assert_eq!(heard, written);
    two.hears(vec![]).await;
}

#[tokio::test]
async fn who_was_cut_off_for_longer_than_changes_are_kept_says_so() {
    let Some(url) = server::database().await else { return };
    let store = PostgresStore::open(&url.parse().unwrap(), None).await.unwrap();
    let mut follower = Follower::start(store.database.way.clone(), store.database.teller.clone()).await;
    assert_eq!(follower.next().await, Heard::By(Hearing::Notices));
    follower.looked = follower.looked.map(|looked| looked - 10 * 60_000);
    assert_eq!(follower.next().await, Heard::Lost);
}

#[tokio::test]
async fn so_does_who_could_not_listen_from_the_start() {
    let Some(url) = server::database().await else { return };
    let config: Config = url.parse().unwrap();
    let store = PostgresStore::open(&config, None).await.unwrap();
    let database = client(&config).await;
    database.batch_execute("ALTER TABLE changes RENAME TO hidden").await.unwrap();
    let mut follower = Follower::start(store.database.way.clone(), store.database.teller.clone()).await;
    database.batch_execute("ALTER TABLE hidden RENAME TO changes").await.unwrap();
    assert_eq!(follower.next().await, Heard::By(Hearing::Notices));
    assert_eq!(timeout(PATIENCE, follower.next()).await.expect("nothing is heard"), Heard::Lost);
}

#[tokio::test]
async fn changes_are_kept_for_some_minutes() {
    let Some(mut two) = two().await else { return };
    let client = client(&two.config).await;
    let minutes_ago = "INSERT INTO changes SELECT extract(epoch FROM clock_timestamp()) * 1000 - 60000 * n, substr(sha256(''), 1, 16), n, 'r' \
        FROM generate_series(2, 8, 2) n";
    client.batch_execute(minutes_ago).await.unwrap();
    let kept = async || {
        let rows = client.query("SELECT number FROM changes ORDER BY number", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>()
    };
    let swept = async { while kept().await != [2, 4] {} };
    tokio::select! {
        () = swept => {}
        heard = two.heard.next() => panic!("{heard:?}"),
    }
}

#[tokio::test]
async fn who_follows_is_known_by_it_however_long_a_name_they_were_given() {
    for name in ["x".repeat(80), "ä".repeat(40)] {
        let Some(url) = server::database().await else { return };
        let mut config: Config = url.parse().unwrap();
        config.application_name(&name);
        let store = PostgresStore::open(&config, None).await.unwrap();
        let _following = store.follow().await.unwrap();
        assert_eq!(store.served_by().await.unwrap(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_closed_store_is_not_followed() {
    let Some(two) = two().await else { return };
    two.other.close().await.unwrap();
    assert!(two.other.follow().await.is_err());
    assert_eq!(two.one.delete_member(new_member_id()).await.unwrap(), None);
}
