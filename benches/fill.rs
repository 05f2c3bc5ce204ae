//! Stores to measure with, filled by a deterministic generator through the real store, and kept between runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use thoughts::domain::id::ThoughtId;
use thoughts::domain::member::Handle;
use thoughts::domain::session::{Session, SessionId};
use thoughts::store::Store;
use thoughts::store::copying::{Filling, Record};
use thoughts::store::sled::SledStore;
use tokio::task::JoinSet;

use crate::generator::{member, thought, thought_id};

/// What the generator makes; another number makes other stores.
const GENERATION: u32 = 2;

/// Members at most; a smaller store has a tenth of its thoughts.
const MEMBERS: u64 = 10_000;

/// The secret session id of the member who measures.
const SESSION: [u8; 32] = [42; 32];

/// A store that is ready, and who is signed in there.
pub struct Filled {
    /// Its folder.
    pub folder: PathBuf,
    /// How many thoughts it was filled with.
    pub thoughts: u64,
    /// The cookie of the member who measures.
    pub cookie: String,
}

impl Filled {
    /// A thought from the middle that anyone may read.
    pub fn middle(&self) -> ThoughtId {
        // The first of each twenty is for anyone.
        thought_id(self.thoughts / 40 * 20)
    }
}

/// The handle of a member who has shared as much as any other.
pub fn a_member() -> Handle {
    member(3).handle
}

/// The folder in which stores are kept; Cargo names it to a benchmark, and not to an example.
pub fn kept() -> PathBuf {
    Path::new(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp")).join("bench")
}

/// The store of so many thoughts: the kept one, or a new one.
pub async fn of(thoughts: u64) -> Filled {
    let folder = kept().join(format!("{thoughts}-{GENERATION}"));
    let whole = folder.join("whole");
    if !whole.exists() {
        // What a broken run has left is not whole.
        let _ = std::fs::remove_dir_all(&folder);
        eprintln!("filling a store with {thoughts} thoughts");
        let store = open(&folder).await;
        fill(&store, thoughts).await;
        store.close().await.unwrap();
        std::fs::write(whole, "").unwrap();
    }
    let store = open(&folder).await;
    let cookie = sign_in(store.as_ref()).await;
    store.close().await.unwrap();
    Filled { folder, thoughts, cookie }
}

/// An empty store but for the member who measures.
pub async fn empty(folder: &Path) -> Filled {
    let store = open(folder).await;
    store.fill(vec![Record::Member(member(0))], &so_far()).await.unwrap();
    let cookie = sign_in(store.as_ref()).await;
    store.close().await.unwrap();
    Filled { folder: folder.to_owned(), thoughts: 0, cookie }
}

async fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SledStore::open(folder).await.unwrap())
}

/// Fills a store that is empty.
pub async fn fill(store: &Arc<dyn Store>, thoughts: u64) {
    let members = (thoughts / 10).clamp(10, MEMBERS);
    put(store, (0..members).map(|number| Record::Member(member(number)))).await;
    put(store, (0..thoughts).map(|number| Record::Thought(thought(number, members)))).await;
    store.filled().await.unwrap();
}

/// Puts records into a store, many at a time.
pub async fn put(store: &Arc<dyn Store>, records: impl Iterator<Item = Record>) {
    let mut records = records.peekable();
    let mut under_way = JoinSet::new();
    while records.peek().is_some() {
        let piece: Vec<_> = records.by_ref().take(200).collect();
        let store = store.clone();
        under_way.spawn(async move { store.fill(piece, &so_far()).await.unwrap() });
        // As many at once as a pool has connections for: none waits for one, and none is lost unnoticed.
        while under_way.len() > 12 {
            under_way.join_next().await.unwrap().unwrap();
        }
    }
    under_way.join_all().await;
}

/// The member who measures is signed in from now on.
pub async fn sign_in(store: &dyn Store) -> String {
    sign_in_with(store, SESSION).await
}

/// The same, in so many browsers. Gives the cookie of each.
pub async fn sign_in_often(store: &dyn Store, browsers: u8) -> Vec<String> {
    let mut cookies = Vec::new();
    for browser in 0..browsers {
        cookies.push(sign_in_with(store, [browser; 32]).await);
    }
    cookies
}

async fn sign_in_with(store: &dyn Store, secret: [u8; 32]) -> String {
    let id = SessionId::new(secret);
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap();
    let session = Session {
        hash: id.hash(),
        member: member(0).id,
        provider: "default".to_owned(),
        iss: "http://localhost".to_owned(),
        sub: "member0".to_owned(),
        sid: None,
        created_at: now,
        authenticated_at: now,
        last_seen_at: now,
        user_agent: "bench".to_owned(),
        address: None,
        sealed: Vec::new(),
    };
    let until = now + jiff::SignedDuration::from_hours(24);
    store.fill(vec![Record::Session { session, until }], &so_far()).await.unwrap();
    store.filled().await.unwrap();
    format!("thoughts={}", id.to_cookie())
}

fn so_far() -> Filling {
    Filling { from: "the generator".to_owned(), records: 0 }
}

/// The number of one of so many that anyone may read, for any number another: those that follow each other lie far apart.
pub fn some_public(number: u64, thoughts: u64) -> u64 {
    // The first of each twenty is for anyone.
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % (thoughts / 20) * 20
}
