//! The plug is pulled: what was answered is there afterwards, once and whole.

use std::collections::BTreeSet;

use crate::support::program::Server;
use crate::support::writers::{Writers, listed};
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

    let writers = Writers::start(&ann, WRITERS);
    writers.until(ANSWERS).await;
    server.kill();
    let answered = writers.stop().await;

    let server = Server::start(folder.path(), site.provider.issuer());
    let listed = listed(&server.base).await;
    let unique: BTreeSet<_> = listed.iter().collect();
    assert_eq!(listed.len(), unique.len(), "a thought is listed twice");
    let reader = Person::new(&server.base);
    for (path, words) in answered {
        assert!(unique.contains(&words), "{words} was answered and is not listed");
        assert_eq!(reader.get(&path).await.text("article .words"), words);
    }
}
