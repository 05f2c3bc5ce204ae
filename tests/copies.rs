//! Backups, moves, and what is done about a store that can't be read: with the program itself, on stores in use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use thoughts::app::open_store;
use thoughts::backup::{Kept, Reader, keep};
use thoughts::store::Store;
use thoughts::store::copying::{Filling, Kind};

use crate::account;
use crate::support::postgres;
use crate::support::program::{Server, fails, run, store_in, succeeds, sums, text};
use crate::support::site::{SECRET, client};
use crate::support::writers::{Writers, listed};
use crate::support::{Person, Site, site};

/// Runs a command on the store in `folder`.
fn on(folder: &Path, arguments: &[&str]) -> Output {
    run(arguments, &[("THOUGHTS_STORE", &format!("sled:{}", folder.display()))])
}

/// A server on the store in `folder`, and Ann, who has signed in there.
async fn served(site: &Site, folder: &Path) -> (Server, Person) {
    let server = Server::start(folder, site.provider.issuer());
    site.provider.set_clients(vec![client(&server.base)]);
    let ann = Person::new(&server.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    (server, ann)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_made_while_32_write_is_of_one_moment_and_restores_to_the_same() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (source, target, file) =
        (folder.path().join("source"), folder.path().join("target"), folder.path().join("all.backup"));
    fs::create_dir(&source).unwrap();
    let (server, ann) = served(&site, &source).await;
    let writers = Writers::start(&ann, "", 32);
    writers.until(200).await;
    let before = writers.answered();
    let made = tokio::task::spawn_blocking({
        let (source, file) = (source.clone(), file.clone());
        move || succeeds(&on(&source, &["backup", text(&file)]))
    });
    let made = made.await.unwrap();
    let answered = writers.stop().await;
    assert_eq!(server.stop(), Some(0));

    let restored = succeeds(&on(&target, &["restore", text(&file)]));
    assert_eq!(sums(&restored), sums(&made));
    let server = Server::start(&target, site.provider.issuer());
    let there: BTreeSet<_> = listed(&server.base).await.into_iter().collect();
    for (_, words) in before {
        assert!(there.contains(&words), "{words} was answered before the backup began");
    }
    let all: BTreeSet<_> = answered.into_iter().map(|(_, words)| words).collect();
    assert!(there.iter().all(|words| all.contains(words)), "only what was answered is in it");
}

#[tokio::test]
async fn nobody_is_signed_in_through_a_backup_that_came_back() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (source, target, file) =
        (folder.path().join("source"), folder.path().join("target"), folder.path().join("all.backup"));
    fs::create_dir(&source).unwrap();
    let (server, ann) = served(&site, &source).await;
    ann.share("Mine", "private").await;
    let cookie = ann.cookie("thoughts").unwrap();
    succeeds(&on(&source, &["backup", text(&file)]));
    drop(server);
    succeeds(&on(&target, &["restore", text(&file)]));
    let server = Server::start(&target, site.provider.issuer());
    let ann = Person::new(&server.base);
    ann.set_cookie("thoughts", &cookie);
    assert_eq!(ann.get("/profile").await.status, 303);
    site.provider.set_clients(vec![client(&server.base)]);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    assert_eq!(ann.get("/").await.text("article .words"), "Mine");
}

#[tokio::test]
async fn a_backup_that_was_cut_or_altered_is_refused_and_the_store_stays_empty() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (target, file) = (folder.path().join("target"), folder.path().join("all.backup"));
    let (_server, ann) = served(&site, folder.path()).await;
    ann.share("Hello", "public").await;
    succeeds(&on(folder.path(), &["backup", text(&file)]));
    let whole = fs::read(&file).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    for bytes in [&whole[..whole.len() - 1], &altered] {
        fs::write(&file, bytes).unwrap();
        assert!(fails(&on(&target, &["restore", text(&file)])).contains("is damaged"));
        assert!(!target.exists());
    }
}

#[tokio::test]
async fn only_an_empty_store_is_restored_into_and_no_file_is_written_over() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("all.backup");
    let (server, ann) = served(&site, folder.path()).await;
    ann.share("Hello", "public").await;
    succeeds(&on(folder.path(), &["backup", text(&file)]));
    assert!(fails(&on(folder.path(), &["backup", text(&file)])).contains("already"));
    assert!(fails(&on(folder.path(), &["restore", text(&file)])).contains("in use by another process"));
    assert_eq!(server.stop(), Some(0));
    assert!(fails(&on(folder.path(), &["restore", text(&file)])).contains("Give one that is empty"));
}

#[tokio::test]
async fn a_store_moves_with_everything_and_nobody_is_signed_out() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&source).unwrap();
    let (server, ann) = served(&site, &source).await;
    ann.share("Mine", "private").await;
    let cookie = ann.cookie("thoughts").unwrap();
    let [from, to] = [&source, &target].map(|folder| format!("sled:{}", folder.display()));
    let arguments = ["move", "--from", &from, "--to", &to];
    assert!(fails(&run(&arguments, &[])).contains("in use by another process"));
    assert_eq!(server.stop(), Some(0));
    let moved = succeeds(&run(&arguments, &[]));
    let back = folder.path().join("back");
    let back = succeeds(&run(&["move", "--from", &to, "--to", &format!("sled:{}", back.display())], &[]));
    assert_eq!(sums(&moved), sums(&back));
    assert!(sums(&moved).iter().any(|line| line.contains("1 sessions")), "{moved}");

    fs::copy(source.join("secret"), target.join("secret")).unwrap();
    let server = Server::start(&target, site.provider.issuer());
    let ann = Person::new(&server.base);
    ann.set_cookie("thoughts", &cookie);
    assert_eq!(ann.get("/").await.text("article .words"), "Mine");
}

#[tokio::test]
async fn a_store_moves_to_postgresql_and_back_and_is_the_same() {
    let Some(database) = postgres::database().await else { return };
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    let (server, ann) = served(&site, &source).await;
    let thought = ann.share("Mine", "private").await;
    ann.form(reqwest::Method::PUT, &thought, &[("message", "Mine, and better"), ("visibility", "members")]).await;
    let gone = ann.share("Gone", "public").await;
    ann.form(reqwest::Method::DELETE, &gone, &[]).await;
    assert_eq!(server.stop(), Some(0));
    let [from, back] = [source, folder.path().join("back")].map(|folder| format!("sled:{}", folder.display()));
    let there = succeeds(&run(&["move", "--from", &from, "--to", &database], &[]));
    let here = succeeds(&run(&["move", "--from", &database, "--to", &back], &[]));
    assert!(sums(&there).len() >= 4, "{there}");
    assert_eq!(sums(&there), sums(&here));
    assert!(fails(&run(&["move", "--from", &from, "--to", &database], &[])).contains("Give one that is empty"));
}

#[tokio::test]
async fn a_damaged_store_is_recovered_from_its_snapshot_and_kept_beside_it() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (server, ann) = served(&site, folder.path()).await;
    ann.share("Hello", "public").await;
    assert_eq!(server.stop(), Some(0));
    // A server that starts and finds no snapshot makes one.
    let server = Server::start(folder.path(), site.provider.issuer());
    let snapshots = folder.path().join("snapshots");
    let one = || {
        fs::read_dir(&snapshots)
            .is_ok_and(|mut files| files.any(|file| text(&file.unwrap().path()).ends_with(".backup")))
    };
    while !one() {
        tokio::task::yield_now().await;
    }
    server.kill();
    let data = folder.path().join("sled").join("db");
    let garbage: Vec<u8> = (0..=255).cycle().take(fs::read(&data).unwrap().len()).collect();
    fs::write(&data, &garbage).unwrap();

    let refused = on(folder.path(), &["check"]);
    assert_ne!(refused.status.code(), Some(0));
    let said = succeeds(&on(folder.path(), &["recover"]));
    assert!(said.contains("1 thoughts"), "{said}");
    let server = Server::start(folder.path(), site.provider.issuer());
    assert_eq!(listed(&server.base).await, ["Hello"]);
    let kept = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| text(path).contains("/damaged-")).unwrap();
    assert_eq!(fs::read(kept.join("sled").join("db")).unwrap(), garbage);
}

#[tokio::test]
async fn who_has_deleted_their_account_does_not_come_back_out_of_a_snapshot() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (server, ann) = served(&site, folder.path()).await;
    let thought = ann.share("Mine", "public").await;
    ann.form(reqwest::Method::PUT, &thought, &[("message", "Mine, and better"), ("visibility", "public")]).await;
    let bob = Person::new(&server.base);
    bob.sign_in("Bob").await;
    bob.share("By Bob", "public").await;
    assert_eq!(server.stop(), Some(0));
    let store = in_folder(folder.path()).await;
    keep(&Kept::beside(folder.path()), store.as_ref(), jiff::Timestamp::now()).await.unwrap();
    store.close().await.unwrap();
    drop(store);

    let server = Server::start(folder.path(), site.provider.issuer());
    site.provider.set_clients(vec![client(&server.base)]);
    let ann = Person::new(&server.base);
    ann.sign_in("Ann").await;
    assert_eq!(account::delete(&ann, "ann").await.status, 303);
    assert_eq!(server.stop(), Some(0));
    // The job that does it may have, or not.
    let store = in_folder(folder.path()).await;
    while store.purge_members(500).await.unwrap() {}
    store.close().await.unwrap();
    drop(store);

    // Nor does a second recovery bring them back, out of the same snapshot.
    for _ in 0..2 {
        let said = succeeds(&on(folder.path(), &["recover"]));
        assert!(said.contains("1 members") && said.contains("1 thoughts"), "{said}");
        assert!(!said.contains("earlier versions"), "{said}");
    }
    let server = Server::start(folder.path(), site.provider.issuer());
    assert_eq!(listed(&server.base).await, ["By Bob"]);
    assert_eq!(Person::new(&server.base).get("/@ann").await.status, 404);
}

/// The store in `folder`, opened by the test itself.
async fn in_folder(folder: &Path) -> Arc<dyn Store> {
    open_store(&store_in(folder).parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_store_that_is_served_is_not_recovered_and_goes_on() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let (server, ann) = served(&site, folder.path()).await;
    ann.share("Before", "public").await;
    let said = fails(&on(folder.path(), &["recover"]));
    assert!(said.contains("in use by another process. Stop the other Thoughts"), "{said}");
    ann.share("After", "public").await;
    assert_eq!(server.stop(), Some(0));
    let server = Server::start(folder.path(), site.provider.issuer());
    assert_eq!(listed(&server.base).await, ["After", "Before"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_copied_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let (none, file) = (folder.path().join("mistyped"), folder.path().join("all.backup"));
    let from = format!("sled:{}", none.display());
    let to = format!("sled:{}", folder.path().join("target").display());
    for refused in [on(&none, &["backup", text(&file)]), run(&["move", "--from", &from, "--to", &to], &[])] {
        assert!(fails(&refused).contains("there is no store in"), "{refused:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_that_is_half_filled_is_neither_served_nor_copied_until_it_is_whole() {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    let (server, ann) = served(&site, &source).await;
    ann.share("Hello", "public").await;
    assert_eq!(server.stop(), Some(0));
    let mut targets = vec![format!("sled:{}", folder.path().join("target").display())];
    targets.extend(postgres::database().await);
    for (number, target) in targets.iter().enumerate() {
        let file = folder.path().join(format!("{number}.backup"));
        let store = [("THOUGHTS_STORE", target.as_str()), ("THOUGHTS_SECRET", SECRET)];
        succeeds(&on(&source, &["backup", text(&file)]));
        half_fill(&source, target, &file).await;
        let (other, back) = (folder.path().join("other"), format!("sled:{}", folder.path().join("back").display()));
        for arguments in [&["serve"][..], &["backup", text(&other)], &["move", "--from", target, "--to", &back]] {
            let refused = run(arguments, &[&store[..], &PROVIDER].concat());
            assert!(fails(&refused).contains("the store is half filled"), "{arguments:?} {refused:?}");
        }
        if number == 0 {
            let said = fails(&run(&["recover"], &store));
            assert!(said.contains("was never whole"), "{said}");
        }
        let restored = succeeds(&run(&["restore", text(&file)], &store));
        let made = succeeds(&run(&["backup", text(&other)], &store));
        assert_eq!(sums(&restored), sums(&made));
        fs::remove_file(other).unwrap();
    }
}

/// Settings without which nothing is served; nobody answers there.
const PROVIDER: [(&str, &str); 2] =
    [("THOUGHTS_OIDC_ISSUER", "http://127.0.0.1:9"), ("THOUGHTS_OIDC_CLIENT_ID", "thoughts")];

/// Leaves `target` as a restore of this backup does that is killed after the first record.
async fn half_fill(source: &Path, target: &str, file: &Path) {
    let from = in_folder(source).await;
    let first = from.snapshot(&Kind::LASTING).await.unwrap().next(1).await.unwrap();
    from.close().await.unwrap();
    let so_far = Filling { from: Reader::verified(file).unwrap().name(), records: 1 };
    let store = open_store(&target.parse().unwrap()).await.unwrap();
    store.fill(first, &so_far).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_served_is_neither_filled_nor_moved_away() {
    let Some(database) = postgres::database().await else { return };
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("all.backup");
    let server = Server::start_on(&database, folder.path(), site.provider.issuer());
    let store = [("THOUGHTS_STORE", database.as_str()), ("THOUGHTS_SECRET", SECRET)];
    // A backup is made meanwhile.
    succeeds(&run(&["backup", text(&file)], &store));
    let to = format!("sled:{}", folder.path().join("target").display());
    for arguments in [&["restore", text(&file)][..], &["move", "--from", &database, "--to", &to]] {
        let said = fails(&run(arguments, &store));
        assert!(said.contains("is served by 1 instance(s) of Thoughts. Stop them all"), "{said}");
    }
    assert_eq!(server.stop(), Some(0));
    succeeds(&run(&["restore", text(&file)], &store));
}
