//! What was read of the tree and is read all the time, as it was decoded: thoughts, members, sessions, and which thoughts
//! stand on a page.
//!
//! The writer alone changes the tree, and says what a batch changes; that is let go of in the same step in which the batch
//! is applied. Whoever reads something meanwhile doesn't keep it: what is kept is what the tree holds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sled::Db;

use super::draft::Changes;
use super::keys::{self, Changed};
use super::records::get;
use crate::cache::{Bounded, Size, Usage};
use crate::domain::id::{MemberId, ThoughtId};
use crate::domain::member::{Author, Member};
use crate::domain::policy::Reach;
use crate::domain::session::{Session, SessionHash};
use crate::domain::thought::Thought;
use crate::store::{Result, Scope};

/// Bytes that each holds.
const THOUGHTS: usize = 10 * 1024 * 1024;
const MEMBERS: usize = 8 * 1024 * 1024;
const SESSIONS: usize = 16 * 1024 * 1024;
const PAGES: usize = 6 * 1024 * 1024;

/// Which page: of which thoughts, for whom, older than which, how many.
pub(super) type PageKey = (Scope, Reach, Option<ThoughtId>, usize);

/// The thoughts that stand on a page, and the one behind it.
#[derive(Clone)]
struct Standing {
    ids: Arc<[ThoughtId]>,
    /// Bytes of the groups that the page is for.
    groups: usize,
}

/// A member, to themselves and to others.
pub(super) struct Known {
    pub(super) member: Arc<Member>,
    pub(super) author: Arc<Author>,
}

/// What is kept.
pub(super) struct Cached {
    /// How many batches have been applied; held while one is.
    batches: RwLock<u64>,
    /// How many of them changed thoughts or members.
    version: AtomicU64,
    thoughts: Bounded<ThoughtId, Arc<Thought>>,
    members: Bounded<MemberId, Arc<Known>>,
    sessions: Bounded<SessionHash, Arc<Session>>,
    pages: Bounded<PageKey, Standing>,
}

impl Default for Cached {
    fn default() -> Self {
        Self {
            batches: RwLock::new(0),
            version: AtomicU64::new(0),
            thoughts: Bounded::new(THOUGHTS),
            members: Bounded::new(MEMBERS),
            sessions: Bounded::new(SESSIONS),
            pages: Bounded::new(PAGES),
        }
    }
}

impl Cached {
    /// A thought, deleted or not.
    pub(super) fn thought(&self, db: &Db, id: ThoughtId) -> Result<Option<Arc<Thought>>> {
        self.one(&self.thoughts, id, || get(db, &keys::thought(id)))
    }

    /// A member.
    pub(super) fn member(&self, db: &Db, id: MemberId) -> Result<Option<Arc<Known>>> {
        let known = |member: Member| Known { author: Arc::new(member.author()), member: Arc::new(member) };
        self.one(&self.members, id, || Ok(get(db, &keys::member(id))?.map(known)))
    }

    /// A session.
    pub(super) fn session(&self, db: &Db, hash: SessionHash) -> Result<Option<Arc<Session>>> {
        self.one(&self.sessions, hash, || Ok(get(db, &keys::session(hash))?.map(|kept| kept.session)))
    }

    /// The thoughts that stood on a page, and the one behind it.
    pub(super) fn page(&self, key: &PageKey) -> Option<Arc<[ThoughtId]>> {
        self.pages.get(key).map(|standing| standing.ids)
    }

    /// Keeps which thoughts those are, unless a batch was applied since there were so many `batches`.
    pub(super) fn keep_page(&self, batches: u64, key: PageKey, ids: Arc<[ThoughtId]>) {
        self.unless_changed(batches, || {
            let groups = match &key.1 {
                Reach::Public => 0,
                // In a tree, with some room.
                Reach::Member { groups, .. } => groups.iter().map(|group| group.as_str().len() + 48).sum(),
            };
            self.pages.keep(key, Standing { ids, groups });
        });
    }

    /// Applies a batch by `apply`, lets go of what it changes, and tells which thoughts those were.
    pub(super) fn apply<T>(
        &self,
        changes: Changes,
        apply: impl FnOnce(Changes) -> T,
        tell: impl FnOnce(Vec<ThoughtId>),
    ) -> T {
        let outdated: Vec<_> = changes.keys().filter_map(keys::changed).collect();
        let mut batches = self.batches.write().unwrap_or_else(PoisonError::into_inner);
        *batches += 1;
        let applied = apply(changes);
        let counts = outdated.iter().any(|one| !matches!(one, Changed::Session(_)));
        let mut thoughts = Vec::new();
        for one in outdated {
            match one {
                Changed::Thought(id) => {
                    self.thoughts.forget(&id);
                    thoughts.push(id);
                }
                Changed::Member(id) => {
                    self.members.forget(&id);
                    // Where nobody is there any more, their thoughts are passed over.
                    self.pages.clear();
                }
                Changed::Session(hash) => self.sessions.forget(&hash),
                Changed::List => self.pages.clear(),
            }
        }
        tell(thoughts);
        // Last: whoever reads the new number reads nothing from before.
        if counts {
            self.version.fetch_add(1, Ordering::SeqCst);
        }
        applied
    }

    /// Counts the batches that changed thoughts or members.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// What they hold, by name.
    pub(super) fn usage(&self) -> Vec<(&'static str, Usage)> {
        vec![
            ("thoughts", self.thoughts.usage()),
            ("members", self.members.usage()),
            ("sessions", self.sessions.usage()),
            ("pages", self.pages.usage()),
        ]
    }

    fn one<K, T>(
        &self,
        cache: &Bounded<K, Arc<T>>,
        key: K,
        read: impl FnOnce() -> Result<Option<T>>,
    ) -> Result<Option<Arc<T>>>
    where
        K: std::hash::Hash + Eq + Clone,
        Arc<T>: Size,
    {
        if let Some(kept) = cache.get(&key) {
            return Ok(Some(kept));
        }
        let batches = self.batches();
        let Some(found) = read()?.map(Arc::new) else { return Ok(None) };
        self.unless_changed(batches, || cache.keep(key, found.clone()));
        Ok(Some(found))
    }

    /// How many batches have been applied.
    pub(super) fn batches(&self) -> u64 {
        *self.batches.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was read, unless a batch was applied since.
    fn unless_changed(&self, since: u64, keep: impl FnOnce()) {
        let batches = self.batches.read().unwrap_or_else(PoisonError::into_inner);
        if *batches == since {
            keep();
        }
    }
}

impl Size for Arc<Thought> {
    fn bytes(&self) -> usize {
        size_of::<Thought>() + self.message.as_str().len()
    }
}

impl Size for Arc<Known> {
    fn bytes(&self) -> usize {
        let Member { identities, groups, name, .. } = &*self.member;
        let identities = identities.iter().map(|identity| identity.iss.len() + identity.sub.len());
        let groups = groups.iter().map(|group| group.as_str().len());
        size_of::<Member>()
            + size_of::<Author>()
            + 2 * name.len()
            + identities.chain(groups).map(|bytes| bytes + 48).sum::<usize>()
    }
}

impl Size for Arc<Session> {
    fn bytes(&self) -> usize {
        size_of::<Session>() + self.sealed.len() + self.user_agent.len() + self.iss.len() + self.sub.len() + 128
    }
}

impl Size for Standing {
    fn bytes(&self) -> usize {
        size_of_val::<[ThoughtId]>(&self.ids) + self.groups
    }
}
