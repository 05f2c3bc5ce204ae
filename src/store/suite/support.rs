//! What makes the promises short: members with a name, thoughts a second apart, reaches in words.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ulid::Ulid;

use crate::domain::api_token::{ApiToken, ApiTokenSecret, TokenName, TokenScope};
use crate::domain::id::{ApiTokenId, MemberId, ThoughtId};
use crate::domain::member::{Handle, Identity, Member, Profile};
use crate::domain::page::PAGE_SIZE;
use crate::domain::policy::Reach;
use crate::domain::session::{Session, SessionHash};
use crate::domain::thought::{Authored, Message, NewThought, Once, Thought};
use crate::domain::visibility::GroupName;
use crate::store::{Scope, Shared, Store};

/// The store under test, as a promise is given it.
pub(in crate::store) type Given = Arc<dyn Store>;

/// Where ids and times come from: each is used once, and later ones sort after earlier ones.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// So many seconds after the beginning.
pub(in crate::store) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

/// An identity at the one issuer.
pub(in crate::store) fn identity(sub: &str) -> Identity {
    Identity { iss: "https://op.example".to_owned(), sub: sub.to_owned() }
}

/// A profile with nothing but a name.
pub(in crate::store) fn profile(name: &str) -> Profile {
    Profile { name: name.to_owned(), ..Profile::default() }
}

/// An id nobody has yet.
pub(in crate::store) fn new_member_id() -> MemberId {
    MemberId::from(Ulid::from(u128::from(next()) << 64))
}

/// A member of that name, made if need be.
pub(in crate::store) async fn member(store: &Given, name: &str) -> Member {
    let handle = Handle::suggest(name);
    store.admit(&identity(name), &profile(name), &handle, new_member_id(), at(0)).await.unwrap()
}

/// A message.
pub(in crate::store) fn message(text: &str) -> Message {
    Message::parse(text).unwrap()
}

/// A `once` value.
pub(in crate::store) fn once(text: &str) -> Once {
    Once::parse(text).unwrap()
}

/// What a person asks for.
pub(in crate::store) fn change(text: &str, visibility: &str) -> NewThought {
    NewThought { message: message(text), visibility: visibility.parse().unwrap() }
}

/// A thought later than all before it, not shared yet.
pub(in crate::store) fn thought(author: &Member, text: &str, visibility: &str) -> Thought {
    let NewThought { message, visibility } = change(text, visibility);
    Thought {
        id: ThoughtId::from(Ulid::from(u128::from(next()))),
        author: author.id,
        message,
        visibility,
        created_at: at(1),
        edited_at: None,
        deleted_at: None,
        version: 0,
    }
}

/// A thought, shared.
pub(in crate::store) async fn shared(store: &Given, author: &Member, visibility: &str) -> Thought {
    let thought = thought(author, visibility, visibility);
    assert_eq!(store.share(&thought, None).await.unwrap(), Shared::Now);
    thought
}

/// So many thoughts, shared one after the other; their ids newest first.
pub(in crate::store) async fn shared_many(
    store: &Given,
    author: &Member,
    visibility: &str,
    many: usize,
) -> Vec<ThoughtId> {
    let mut ids = Vec::new();
    for _ in 0..many {
        ids.insert(0, shared(store, author, visibility).await.id);
    }
    ids
}

/// The reach of a member who is in these groups.
pub(in crate::store) fn reach(member: &Member, groups: &[&str]) -> Reach {
    let groups: BTreeSet<GroupName> = groups.iter().map(|name| name.parse().unwrap()).collect();
    Reach::Member { id: member.id, groups }
}

/// The ids on the first page.
pub(in crate::store) async fn first_page(store: &Given, scope: Scope, reach: &Reach) -> Vec<ThoughtId> {
    ids(&store.feed(scope, reach, None, PAGE_SIZE).await.unwrap().items)
}

/// The ids on all pages of so many, one after the other.
pub(in crate::store) async fn all_pages(store: &Given, scope: Scope, reach: &Reach, size: usize) -> Vec<ThoughtId> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = store.feed(scope, reach, before, size).await.unwrap();
        assert!(page.items.len() <= size);
        all.extend(ids(&page.items));
        match page.next {
            Some(next) => before = Some(next),
            None => return all,
        }
    }
}

/// The ids of these.
pub(in crate::store) fn ids(items: &[Authored]) -> Vec<ThoughtId> {
    items.iter().map(|item| item.thought.id).collect()
}

/// A session of that member's, begun then.
pub(in crate::store) fn session(member: &Member, begun: i64) -> Session {
    let mut hash = [0xa5; 32];
    hash[..8].copy_from_slice(&next().to_be_bytes());
    Session {
        hash: SessionHash::from_bytes(hash),
        member: member.id,
        provider: "default".to_owned(),
        iss: "https://op.example".to_owned(),
        sub: member.name.clone(),
        sid: Some("at the provider".to_owned()),
        created_at: at(begun),
        authenticated_at: at(begun),
        last_seen_at: at(begun),
        user_agent: "Browser".to_owned(),
        address: None,
        sealed: vec![0, 127, 128, 255],
    }
}

/// A session of that member's, begun then and stored, until long after.
pub(in crate::store) async fn begun(store: &Given, member: &Member, begun: i64) -> Session {
    let session = session(member, begun);
    store.begin_session(&session, at(begun + 1_000_000), None).await.unwrap();
    session
}

/// An API token of that member's, later than all before it, not stored yet.
pub(in crate::store) fn api_token(member: &Member) -> ApiToken {
    let number = next();
    let mut secret = [0x5a; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    ApiToken {
        id: ApiTokenId::from(Ulid::from(u128::from(number))),
        member: member.id,
        hash: ApiTokenSecret::new(secret).hash(),
        name: TokenName::parse("a program").unwrap(),
        scope: TokenScope::ReadWrite,
        created_at: at(1),
        last_used_at: None,
        expires_at: None,
    }
}
