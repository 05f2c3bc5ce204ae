//! Backups, moves, and what is done about a store that can't be read: with the program itself, on stores in use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::postgres;
use crate::support::program::{Server, run};
use crate::support::site::client;
use crate::support::writers::{Writers, listed};
use crate::support::{Person, Site, site};

/// Runs a command on the store in `folder`.
fn on(folder: &Path, arguments: &[&str]) -> Output {
    run(arguments, &[("THOUGHTS_STORE", &format!("sled:{}", folder.display()))])
}

fn succeeds(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The line with which it ends badly.
fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap().lines().last().unwrap_or_default().to_owned()
}

/// The lines with counts and checksums.
fn sums(printed: &str) -> Vec<String> {
    printed.lines().filter(|line| line.contains("sha256")).map(str::to_owned).collect()
}

/// A server on the store in `folder`, and Ann, who has signed in there.
async fn served(site: &Site, folder: &Path) -> (Server, Person) {
    let server = Server::start(folder, site.provider.issuer());
    site.provider.set_clients(vec![client(&server.base)]);
    let ann = Person::new(&server.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    (server, ann)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
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
