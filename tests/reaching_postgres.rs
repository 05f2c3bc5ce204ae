//! How PostgreSQL is reached: by TLS whose certificate is looked at, at the host that takes writes, by several instances
//! at once.

use std::net::TcpListener;
use std::process::Output;

use tokio_postgres::Client;

use crate::support::engine::{Engine, Hole, address};
use crate::support::program::{Server, run};
use crate::support::site::{SECRET, free_address};
use crate::support::steady::says_come_again;
use crate::support::{Person, Site, postgres, site};

/// Why a start with this store is refused: one line, and exit code 1.
fn refusal(store: &str) -> String {
    let settings = [
        ("THOUGHTS_STORE", store),
        ("THOUGHTS_SECRET", SECRET),
        ("THOUGHTS_LISTEN", "127.0.0.1:0"),
        ("THOUGHTS_OIDC_ISSUER", "http://127.0.0.1:9"),
        ("THOUGHTS_OIDC_CLIENT_ID", "x"),
    ];
    let Output { status, stderr, .. } = run(&["serve"], &settings);
    let line = String::from_utf8(stderr).unwrap().trim().to_owned();
    assert_eq!((status.code(), line.lines().count()), (Some(1), 1), "{line}");
    line
}

/// Whether the site's connections are by TLS, each of them.
async fn by_tls(database: &Client) -> Vec<bool> {
    let by_tls = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'thoughts'";
    database.query(by_tls, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_where_it_is_asked_for_or_offered() {
    let Some(engine) = Engine::start_new("").await else { return };
    let ca = engine.speak_tls("IP:127.0.0.1").await.display().to_string().replace('/', "%2F");
    let database = engine.client().await;
    for (mode, tls) in
        [("require", true), ("verify-ca", true), ("verify-full", true), ("prefer", true), ("disable", false)]
    {
        let site = Site::on(&engine.address(&format!("sslmode={mode}&sslrootcert={ca}"))).await;
        let ann = site.member("Ann").await;
        ann.share(mode, "public").await;
        let spoken = by_tls(&database).await;
        assert!(!spoken.is_empty() && spoken.iter().all(|spoken| *spoken == tls), "{mode}: {spoken:?}");
        site.app.store.close().await.unwrap();
        while !by_tls(&database).await.is_empty() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_good_is_refused_with_what_to_do() {
    let Some(engine) = Engine::start_new("").await else { return };
    let without = refusal(&engine.address("sslmode=require"));
    assert!(without.contains("speaks no TLS") && without.contains("`ssl = on`"), "{without}");
    let ca = engine.speak_tls("DNS:elsewhere.example").await;
    let ca = ca.display().to_string().replace('/', "%2F");
    for mode in ["prefer", "require", "verify-full"] {
        let unknown = refusal(&engine.address(&format!("sslmode={mode}")));
        assert!(unknown.contains("nobody here trusts") && unknown.contains("sslrootcert=<PEM file>"), "{unknown}");
        let elsewhere = refusal(&engine.address(&format!("sslmode={mode}&sslrootcert={ca}")));
        assert!(elsewhere.contains("is for another name"), "{elsewhere}");
    }
    let nothing = refusal(&engine.address("sslmode=require&sslrootcert=%2Fnowhere.pem"));
    assert!(nothing.contains("sslrootcert `/nowhere.pem`"), "{nothing}");
    engine.let_in("hostssl all all 127.0.0.1/32 trust\n").await;
    let plain = refusal(&engine.address("sslmode=disable"));
    assert!(plain.contains("no encryption"), "{plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_or_says_nothing_or_drops_packets_is_passed_over() {
    let Some(engine) = Engine::start_new("").await else { return };
    let (listener, _) = free_address();
    let down = listener.local_addr().unwrap().to_string();
    drop(listener);
    // The system takes connections for it, and nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hole = Hole::new().await;
    for other in [down, silent.local_addr().unwrap().to_string(), hole.host()] {
        let site = Site::on(&address(format!("{other},{}", engine.host()), "")).await;
        site.member("Ann").await.share(&other, "public").await;
        let only = refusal(&address(&other, ""));
        assert!(only.contains(&other), "{only}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_passed_over_and_by_itself_is_for_reading() {
    let Some(primary) = Engine::start_new("").await else { return };
    let standby = primary.synchronous_standby().await;
    let both = Site::on(&address(format!("{},{}", standby.host(), primary.host()), "")).await;
    both.member("Ann").await.share("Written", "public").await;
    let refused = refusal(&standby.address("target_session_attrs=read-write"));
    assert!(refused.contains("takes no writes"), "{refused}");
    let site = Site::on(&standby.address("")).await;
    let reader = site.stranger();
    while reader.get("/").await.texts("article .words") != ["Written"] {}
    says_come_again(&reader.get("/readyz").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_start_at_once_on_an_empty_database() {
    let Some(store) = postgres::database().await else { return };
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let (store, folder, issuer) = (store.clone(), folder.path().to_owned(), site.provider.issuer().to_owned());
            std::thread::spawn(move || Server::start_on(&store, &folder, &issuer))
        })
        .collect();
    let instances: Vec<_> = starting.into_iter().map(|starting| starting.join().unwrap()).collect();
    for instance in instances {
        assert_eq!(Person::new(&instance.base).get("/readyz").await.status, 200);
        assert_eq!(instance.stop(), Some(0));
    }
}
