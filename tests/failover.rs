//! PostgreSQL goes away and comes back, or another one takes its place: people are told to come again meanwhile, nothing
//! that was answered is lost, nothing is there twice, and the site finds its way back by itself. And one of two instances
//! goes away.
//!
//! `THOUGHTS_FAILOVER_ROUNDS=20 cargo test --test main failover -- --nocapture` kills the primary twenty times, each time
//! another one.

use crate::support::engine::{Engine, address};
use crate::support::program::Server;
use crate::support::site::client;
use crate::support::steady::{Steady, all_there_once, says_come_again};
use crate::support::writers::Answered;
use crate::support::{Person, Site, postgres, site};

/// How many write at once.
const WRITERS: usize = 32;

/// How many answers there are before something happens: any number up to this.
const ANSWERS: usize = 200;

/// How often the primary is killed.
fn rounds() -> usize {
    std::env::var("THOUGHTS_FAILOVER_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

fn random() -> usize {
    usize::from(u16::from_be_bytes(thoughts::clock::random())) % ANSWERS
}

/// A site on these hosts.
async fn site_on(hosts: &[&Engine], parameters: &str) -> Site {
    let hosts: Vec<_> = hosts.iter().map(|engine| engine.host()).collect();
    Site::on(&address(hosts.join(","), parameters)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_is_killed_and_its_standby_takes_over() {
    let Some(mut primary) = Engine::start_new("").await else { return };
    let mut standby = primary.synchronous_standby().await;
    let site = site_on(&[&primary, &standby], "target_session_attrs=read-write").await;
    let ann = site.member("Ann").await;
    let mut answered = Answered::new();
    for round in 1..=rounds() {
        let writers = Steady::start(&ann, &format!("round {round} "), WRITERS);
        let before = random();
        writers.until(|notes| notes.answers() >= before).await;
        primary.kill();
        writers.until(|notes| notes.refusals() > 0).await;
        says_come_again(&ann.get("/").await);
        standby.promote().await;
        let refused = go_on(&writers).await;
        answered.extend(writers.stop().await);
        let found = all_there_once(&site.stranger(), &answered).await;
        println!("round {round}: {} answered, {found} found; {refused} were told to come again", answered.len());
        std::mem::swap(&mut primary, &mut standby);
        standby.follow(&primary).await;
    }
}

/// A primary with its standby, and a site on them with people who write.
struct Pair {
    primary: Engine,
    standby: Engine,
    site: Site,
    ann: Person,
    writers: Steady,
}

impl Pair {
    /// So many have been answered that it could be any moment.
    async fn at_a_random_moment() -> Option<Self> {
        let primary = Engine::start_new("").await?;
        let standby = primary.synchronous_standby().await;
        let site = site_on(&[&primary, &standby], "").await;
        let ann = site.member("Ann").await;
        let writers = Steady::start(&ann, "", WRITERS);
        let before = random();
        writers.until(|notes| notes.answers() >= before).await;
        Some(Self { primary, standby, site, ann, writers })
    }

    /// The standby takes the primary's place, and everything that was answered is there.
    async fn takes_over(self) {
        self.standby.promote().await;
        go_on(&self.writers).await;
        let answered = self.writers.stop().await;
        all_there_once(&self.site.stranger(), &answered).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_says_nothing_any_more_is_left() {
    let Some(pair) = Pair::at_a_random_moment().await else { return };
    pair.primary.freeze();
    pair.takes_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_whose_machine_is_gone_is_left() {
    let Some(pair) = Pair::at_a_random_moment().await else { return };
    let _hole = pair.primary.vanish().await;
    // Each is told, and whoever comes in between.
    pair.writers.until(|notes| notes.refusals() >= WRITERS).await;
    says_come_again(&pair.ann.get("/").await);
    says_come_again(&pair.site.stranger().get("/readyz").await);
    pair.takes_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_is_found_again_when_it_is_started() {
    let Some(engine) = Engine::start_new("").await else { return };
    let site = site_on(&[&engine], "").await;
    let ann = site.member("Ann").await;
    let writers = Steady::start(&ann, "", WRITERS);
    writers.until(|notes| notes.answers() > WRITERS).await;
    engine.stop().await;
    writers.until(|notes| notes.refusals() >= WRITERS).await;
    let page = ann.get("/").await;
    says_come_again(&page);
    assert_eq!(page.text("h1"), "Back in a moment");
    says_come_again(&ann.htmx().get("/").await);
    says_come_again(&ann.get("/api/thoughts").await);
    says_come_again(&site.stranger().get("/readyz").await);
    engine.start().await;
    go_on(&writers).await;
    let answered = writers.stop().await;
    all_there_once(&site.stranger(), &answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_writes_any_more_is_left() {
    let Some(engine) = Engine::start_new("").await else { return };
    let site = site_on(&[&engine], "").await;
    let ann = site.member("Ann").await;
    ann.share("Before", "public").await;
    let admin = engine.client().await;
    admin.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    // A setting takes a moment to come to every connection.
    let mut number = 0;
    let refused = loop {
        let once = number.to_string();
        let answer = ann.post("/thoughts", &[("message", "After"), ("visibility", "public"), ("once", &once)]).await;
        if answer.status != 303 {
            break answer;
        }
        number += 1;
    };
    says_come_again(&refused);
    assert_eq!(ann.get("/").await.status, 200, "it can be read");
    says_come_again(&ann.get("/readyz").await);
    admin.batch_execute("ALTER SYSTEM RESET default_transaction_read_only").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    while ann.get("/readyz").await.status != 200 {}
    ann.share("Later", "public").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_instances_is_killed_and_only_what_was_under_way_there_has_to_be_sent_again() {
    let Some(store) = postgres::database().await else { return };
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let start = || Server::start_on(&store, folder.path(), site.provider.issuer());
    let (stays, goes) = (start(), start());
    site.provider.set_clients(vec![client(&stays.base)]);
    let ann = Person::new(&stays.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    let mut at_the_other = ann.clone();
    at_the_other.base.clone_from(&goes.base);
    let writers = Steady::start_at(&[ann.clone(), at_the_other], "", WRITERS);
    let before = WRITERS + random();
    writers.until(|notes| notes.answers() >= before).await;
    goes.kill();
    go_on(&writers).await;
    assert_eq!(writers.notes().refusals(), 0, "the other one serves as before");
    assert_eq!(
        writers.notes().moves(),
        WRITERS / 2,
        "each of those who were at the one that is gone sent one thought again"
    );
    let answered = writers.stop().await;
    let found = all_there_once(&ann, &answered).await;
    println!("{} answered, {found} found; {} were sent again", answered.len(), WRITERS / 2);
}

/// Waits until everybody is served again, and gives how often one was told to come again till then.
async fn go_on(writers: &Steady) -> usize {
    let before = writers.notes().answers();
    writers.until(|notes| notes.answers() >= before + 2 * WRITERS).await;
    writers.notes().refusals()
}
