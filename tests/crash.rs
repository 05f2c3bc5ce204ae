//! The plug is pulled: what was answered is there afterwards, once and whole.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::program::Server;
use crate::support::{Person, site};

/// How many write at once, and how many answers there are before the plug is pulled.
const WRITERS: usize = 8;
const ANSWERS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_in_the_middle_of_writing_everything_that_was_answered_is_there_once() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    site.provider.set_clients(vec![crate::support::site::client(&server.base)]);
    let ann = Person::new(&server.base);
    assert_eq!(ann.sign_in("Ann").await.status, 303);

    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    let count = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (ann, answered, count, stop) = (ann.clone(), answered.clone(), count.clone(), stop.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let words = format!("writer {writer} thought {number}");
                    let Some(path) = ann.try_share(&words).await else { return };
                    answered.lock().unwrap().insert((path, words));
                    count.fetch_add(1, Ordering::SeqCst);
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        })
        .collect();
    while count.load(Ordering::SeqCst) < ANSWERS {
        assert!(writers.iter().any(|writer| !writer.is_finished()), "every writer has given up");
        tokio::task::yield_now().await;
    }
    server.kill();
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }

    let server = Server::start(folder.path(), site.provider.issuer());
    site.provider.set_clients(vec![crate::support::site::client(&server.base)]);
    let reader = Person::new(&server.base);
    let mut listed = Vec::new();
    let mut page = reader.get("/").await;
    loop {
        listed.extend(page.texts("article .words"));
        if !page.has("a[rel=next]") {
            break;
        }
        page = reader.get(&page.attribute("a[rel=next]", "href")).await;
    }
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), unique.len(), "a thought is listed twice");
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    for (path, words) in answered {
        assert!(unique.contains(&words), "{words} was answered and is not listed");
        assert_eq!(reader.get(&path).await.text("article .words"), words);
    }
}
