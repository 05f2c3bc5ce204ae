//! Copying commands that are killed half way (SIGKILL), and given again.

use std::fs;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use thoughts::app::open_store;
use thoughts::backup::{Kept, keep};
use thoughts::store::Store;
use thoughts::store::copying::{Filling, Record};
use thoughts::store::sled::replace;

use crate::support::generator::{member, thought};
use crate::support::postgres;
use crate::support::program::{run, store_in, succeeds, sums, text, thoughts};
use crate::support::site::SECRET;

/// So many thoughts that a command is still at it when it is seen to have begun.
const THOUGHTS: u64 = 3_000;
const MEMBERS: u64 = 100;

/// The signal's number. Source: POSIX, `kill`.
const SIGKILL: i32 = 9;

/// A store with many thoughts, and a folder for what is made of it.
async fn many() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = store_in(&folder.path().join("source"));
    let store = open_store(&url.parse().unwrap()).await.unwrap();
    put(store.as_ref(), (0..MEMBERS).map(|number| Record::Member(member(number)))).await;
    put(store.as_ref(), thoughts_of(0..THOUGHTS)).await;
    store.close().await.unwrap();
    (folder, url)
}

fn thoughts_of(numbers: Range<u64>) -> impl Iterator<Item = Record> {
    numbers.map(|number| Record::Thought(thought(number, MEMBERS)))
}

async fn put(store: &dyn Store, records: impl Iterator<Item = Record>) {
    let so_far = Filling { from: "the test".to_owned(), records: 0 };
    store.fill(records.collect(), &so_far).await.unwrap();
    store.filled().await.unwrap();
}

fn on(store: &str, arguments: &[&str]) -> Output {
    run(arguments, &[("THOUGHTS_STORE", store), ("THOUGHTS_SECRET", SECRET)])
}

/// The counts and checksums of a command that ends well.
fn sums_of(output: &Output) -> Vec<String> {
    sums(&succeeds(output))
}

/// Starts a command and kills it as soon as `begun` says that it is at it. `false` where it had ended before.
async fn kill(store: &str, arguments: &[&str], begun: impl AsyncFn() -> bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut command = thoughts(arguments, &[("THOUGHTS_STORE", store), ("THOUGHTS_SECRET", SECRET)]);
    let command = command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    while !begun().await && child.try_wait().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    // It may have gone by itself.
    let _ = child.kill();
    child.wait().unwrap().signal() == Some(SIGKILL)
}

/// How often a kill that came too late is tried again, with something new.
const TRIES: usize = 10;

/// The stores that there are to fill: an embedded one, and one in PostgreSQL where this machine has that.
const STORES: [&str; 2] = ["sled", "postgres"];

/// A new, empty one.
async fn empty(kind: &str, folder: &Path, name: &str) -> Option<String> {
    if kind == "sled" { Some(store_in(&folder.join(name))) } else { postgres::database().await }
}

/// A store that is half filled by a command that was killed; `command` is given where it is.
async fn half_filled(kind: &str, folder: &Path, source: &str, command: impl Fn(&str) -> Vec<String>) -> Option<String> {
    for number in 0..TRIES {
        let target = empty(kind, folder, &format!("{}-{number}", command("")[0])).await?;
        let arguments = command(&target);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let store = if arguments[0] == "move" { source } else { &target };
        let killed = kill(store, &arguments, async || is_filled_in_part(&target).await).await;
        if killed && records_in(&target).await.is_some_and(|records| records > 0) {
            return Some(target);
        }
    }
    panic!("it was never killed half way")
}

/// Whether some thoughts are in a store, and not yet all.
async fn is_filled_in_part(store: &str) -> bool {
    let Some(folder) = store.strip_prefix("sled:") else {
        let (client, connection) = tokio_postgres::connect(store, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // Before the tables are there, there is nothing to count.
        return client.query_one("SELECT 1 FROM thoughts LIMIT 1", &[]).await.is_ok();
    };
    // What it is given stands in the journal first, as it is.
    let words = thought(300, MEMBERS).message;
    ["journal-0", "journal-1"].iter().any(|journal| {
        let written = fs::read(Path::new(folder).join("sled").join(journal)).unwrap_or_default();
        memchr::memmem::find(&written, words.as_str().as_bytes()).is_some()
    })
}

/// How many records a store says that it has, if it is being filled.
async fn records_in(store: &str) -> Option<u64> {
    let store = open_store(&store.parse().unwrap()).await.unwrap();
    let filling = store.filling().await.unwrap();
    store.close().await.unwrap();
    filling.map(|filling| filling.records)
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&argument| argument.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_goes_on_when_it_is_given_again() {
    let (folder, source) = many().await;
    let file = folder.path().join("all.backup");
    let made = sums_of(&on(&source, &["backup", text(&file)]));
    let restore = ["restore", text(&file)];
    for kind in STORES {
        let Some(target) = half_filled(kind, folder.path(), &source, |_| words(&restore)).await else { continue };
        assert_eq!(on(&target, &["backup", text(&folder.path().join("half"))]).status.code(), Some(1));
        assert_eq!(sums_of(&on(&target, &restore)), made);
        let again = folder.path().join("again.backup");
        assert_eq!(sums_of(&on(&target, &["backup", text(&again)])), made);
        fs::remove_file(again).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_goes_on_when_it_is_given_again_and_back() {
    let (folder, source) = many().await;
    for kind in STORES {
        let there = |target: &str| words(&["move", "--from", &source, "--to", target]);
        let Some(target) = half_filled(kind, folder.path(), &source, there).await else { continue };
        let moved = sums_of(&run(&["move", "--from", &source, "--to", &target], &[]));

        let back = |home: &str| words(&["move", "--from", &target, "--to", home]);
        let home = tempfile::tempdir().unwrap();
        let home = half_filled("sled", home.path(), &source, back).await.unwrap();
        assert_eq!(sums_of(&run(&["move", "--from", &target, "--to", &home], &[])), moved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_no_file_of_that_name_and_is_made_when_it_is_asked_for_again() {
    let (folder, source) = many().await;
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    let some = |file: fs::DirEntry| file.metadata().is_ok_and(|of| of.len() > 0);
    for number in 0..TRIES {
        let file = kept.join(format!("{number}.backup"));
        let begun = async || fs::read_dir(&kept).unwrap().any(|file| some(file.unwrap()));
        let killed = kill(&source, &["backup", text(&file)], begun).await;
        if file.exists() {
            fs::remove_file(file).unwrap();
            continue;
        }
        assert!(killed, "it ended by itself, and there is no file");
        let made = sums_of(&on(&source, &["backup", text(&file)]));
        assert!(made.iter().any(|line| line.contains(&THOUGHTS.to_string())), "{made:?}");
        assert_eq!(fs::read_dir(&kept).unwrap().count(), 1);
        return;
    }
    panic!("it was never killed half way")
}

/// A store as it was written, with a snapshot from before its last 1,000 thoughts.
async fn many_and_a_snapshot() -> (TempDir, PathBuf, String) {
    let (folder, url) = many().await;
    let source = folder.path().join("source");
    let store = open_store(&url.parse().unwrap()).await.unwrap();
    keep(&Kept::beside(&source), store.as_ref(), jiff::Timestamp::now()).await.unwrap();
    put(store.as_ref(), thoughts_of(THOUGHTS..THOUGHTS + 1_000)).await;
    store.close().await.unwrap();
    (folder, source, url)
}

/// The folders that `recover` makes beside the store.
fn left(source: &Path, beginning: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(beginning)).collect()
}

/// All is in it, and of what killed runs have left nothing.
fn is_recovered(source: &Path, output: &Output) {
    let sums = sums_of(output);
    assert!(sums.iter().any(|line| line.contains(&(THOUGHTS + 1_000).to_string())), "{sums:?}");
    assert_eq!(left(source, "recover-"), Vec::<PathBuf>::new());
    assert_eq!(left(source, "damaged-").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_killed_begins_anew_when_it_is_given_again() {
    let stages: [&dyn Fn(&Path) -> bool; 3] =
        [&|scratch| scratch.join("first").exists(), &|scratch| scratch.join("new/sled/db").exists(), &|scratch| {
            scratch.join("new/store").exists() && scratch.join("second/db").exists()
        }];
    for is_reached in stages {
        for tries in 1.. {
            let (_folder, source, url) = many_and_a_snapshot().await;
            let begun = async || left(&source, "recover-").iter().any(|scratch| is_reached(scratch));
            // It may have been too late.
            if kill(&url, &["recover"], begun).await && left(&source, "damaged-").is_empty() {
                assert_eq!(left(&source, "recover-").len(), 1);
                is_recovered(&source, &on(&url, &["recover"]));
                break;
            }
            assert!(tries < TRIES, "it was never killed half way");
        }
    }
}

/// What there is between the last two steps of a recovery, which are too close for a test to hit: the new store, and the
/// damaged one aside.
fn between_the_last_steps(source: &Path) -> (PathBuf, PathBuf) {
    let (new, aside) = (source.join("recover-2026-01-01T000000Z/new"), source.join("damaged-2026-01-01T000000Z"));
    fs::create_dir_all(new.join("sled")).unwrap();
    fs::create_dir(&aside).unwrap();
    fs::rename(source.join("sled"), aside.join("sled")).unwrap();
    (new, aside)
}

fn is_refused(output: &Output, with: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(with), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_is_killed_while_it_changes_the_stores_loses_nothing_of_either() {
    let (_folder, source, url) = many_and_a_snapshot().await;
    between_the_last_steps(&source);
    // What is called otherwise is somebody's own.
    fs::create_dir(source.join("recover-mine")).unwrap();
    // Whoever starts a server meanwhile is told to recover.
    is_refused(&on(&url, &["backup", text(&source.join("x.backup"))]), "thoughts recover");
    let recovered = on(&url, &["recover"]);
    fs::remove_dir(source.join("recover-mine")).unwrap();
    is_recovered(&source, &recovered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_put_aside_that_somebody_uses_there_or_has_begun_anew_stays_where_it_is() {
    let (_folder, source, url) = many_and_a_snapshot().await;
    let (new, aside) = between_the_last_steps(&source);
    let used = open_store(&store_in(&aside).parse().unwrap()).await;
    is_refused(&on(&url, &["recover"]), "in use by another process");
    assert!(aside.join("sled/db").exists() && !source.join("sled").exists());
    drop(used);

    fs::remove_file(source.join("store")).unwrap();
    open_store(&url.parse().unwrap()).await.unwrap().close().await.unwrap();
    is_refused(&on(&url, &["recover"]), text(&aside));
    assert!(aside.join("sled/db").exists() && new.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_without_its_mark_is_not_begun_anew_once_it_was_put_aside() {
    let (_folder, source, url) = many_and_a_snapshot().await;
    let (new, aside) = (source.join("new"), source.join("aside"));
    open_store(&store_in(&new).parse().unwrap()).await.unwrap().close().await.unwrap();
    fs::remove_file(source.join("store")).unwrap();
    // Its last step fails.
    fs::remove_dir_all(new.join("sled")).unwrap();
    replace(&source, &new, &aside).unwrap_err();
    assert!(aside.join("sled/db").exists());
    is_refused(&on(&url, &["backup", text(&source.join("x.backup"))]), "thoughts recover");
}
