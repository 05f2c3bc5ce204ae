//! Copying: every record read out in its order, and put back with the places by which it is found.

use std::slice;

use async_trait::async_trait;

use super::draft::Draft;
use super::look::Look;
use super::records::{KeptSession, Leaving, decode, get};
use super::{SledStore, api_tokens, keys, members, sessions, thoughts, unsent};
use crate::domain::id::{MemberId, ThoughtId};
use crate::store::copying::{Copying, Filling, Kind, Record, Snapshot, UsedOnce};
use crate::store::{Result, StoreError};

#[async_trait]
impl Copying for SledStore {
    async fn snapshot(&self, kinds: &'static [Kind]) -> Result<Box<dyn Snapshot>> {
        let look = self.read(|db| Ok(self.looks.open(db, kinds)))?;
        let mut kinds = kinds.iter();
        Ok(Box::new(SledSnapshot { look, kind: kinds.next().copied(), kinds, after: None }))
    }

    async fn fill(&self, records: Vec<Record>, so_far: &Filling) -> Result<()> {
        let so_far = so_far.clone();
        // What stands in an index is of other thoughts.
        if !self.index.is_empty() && records.iter().any(|record| record.kind() == Kind::Thoughts) {
            self.index.begin_anew()?;
        }
        self.writer
            .write(move |draft| {
                records.into_iter().try_for_each(|record| put(draft, record))?;
                draft.put(&keys::filling(), &so_far)
            })
            .await
    }

    async fn filling(&self) -> Result<Option<Filling>> {
        self.read(|db| get(db, &keys::filling()))
    }

    async fn filled(&self) -> Result<()> {
        self.writer
            .write(|draft| {
                draft.remove(&keys::filling());
                Ok(())
            })
            .await
    }

    async fn served_by(&self) -> Result<usize> {
        Ok(0)
    }
}

struct SledSnapshot {
    look: Look,
    /// What is being read.
    kind: Option<Kind>,
    /// What is read after it.
    kinds: slice::Iter<'static, Kind>,
    /// The last key of this kind that was read.
    after: Option<Vec<u8>>,
}

#[async_trait]
impl Snapshot for SledSnapshot {
    async fn next(&mut self, limit: usize) -> Result<Vec<Record>> {
        while let Some(kind) = self.kind {
            let entries = self.look.entries(&keys::all(kind).after(self.after.as_deref()), limit)?;
            let Some((last, _)) = entries.last() else {
                self.kind = self.kinds.next().copied();
                self.after = None;
                continue;
            };
            self.after = Some(last.clone());
            let records: Vec<_> = entries
                .iter()
                .filter_map(|(key, bytes)| record(&self.look, kind, key, bytes).transpose())
                .collect::<Result<_>>()?;
            if !records.is_empty() {
                return Ok(records);
            }
        }
        Ok(Vec::new())
    }
}

/// The record whose key this is; none where only its place is left.
pub(super) fn record(look: &Look, kind: Kind, key: &[u8], bytes: &[u8]) -> Result<Option<Record>> {
    let what = kind.as_str();
    Ok(Some(match kind {
        Kind::Members => Record::Member(decode(what, bytes)?),
        Kind::Leaving => {
            let leaving: Leaving = decode(what, bytes)?;
            Record::Leaving { member: MemberId::from_bytes(keys::ending(what, key)?), handle: leaving.handle }
        }
        Kind::Thoughts => Record::Thought(decode(what, bytes)?),
        Kind::Revisions => {
            let id = key.get(1..).and_then(|key| key.first_chunk()).copied();
            let id = id.ok_or_else(|| StoreError::Corrupt { what, why: "its key is too short".to_owned() })?;
            Record::Revision { thought: ThoughtId::from_bytes(id), revision: decode(what, bytes)? }
        }
        Kind::OnceValues => {
            let name = keys::ending(what, key)?;
            let Some(made) = look.get(&keys::once_of(name))? else { return Ok(None) };
            let (member, hash) = keys::once_parts(&name);
            Record::Once(UsedOnce { member, hash, made, at: keys::time_in(what, key)? })
        }
        Kind::ApiTokens => Record::ApiToken(decode(what, bytes)?),
        Kind::Sessions => {
            let kept: KeptSession = decode(what, bytes)?;
            Record::Session { session: kept.session, until: kept.until }
        }
        Kind::EndedSessions => {
            let hash = sessions::hash_in(key)?;
            // The places of sessions that go on are among them.
            let Some(ended) = look.get(&keys::ended(hash))? else { return Ok(None) };
            Record::Ended { hash, ended, until: keys::time_in(what, key)? }
        }
        Kind::Logouts => Record::Logout { name: keys::ending(what, key)?, until: keys::time_in(what, key)? },
        Kind::UnsentTexts => Record::Unsent { id: keys::ending(what, key)?, unsent: decode(what, bytes)? },
    }))
}

/// Puts a record and all its places, in the stead of what may be there of it.
fn put(draft: &mut Draft<'_>, record: Record) -> Result<()> {
    match record {
        Record::Member(member) => members::put(draft, &member),
        Record::Leaving { member, handle } => {
            draft.put(&keys::handle(&handle), &member)?;
            draft.put(&keys::leaving(member), &Leaving { handle, trash_seen: None })
        }
        Record::Thought(thought) => thoughts::put(draft, &thought),
        Record::Revision { thought, revision } => draft.put(&keys::revision(thought, revision.version), &revision),
        Record::Once(UsedOnce { member, hash, made, at }) => {
            let name = keys::once_joined(member, hash);
            draft.put(&keys::once_of(name), &made)?;
            draft.put(&keys::once_of_used(at, name), &())
        }
        Record::ApiToken(token) => api_tokens::put(draft, &token),
        Record::Session { session, until } => {
            sessions::put(draft, &KeptSession { session, until, refreshing_until: None })
        }
        Record::Ended { hash, ended, until } => {
            draft.put(&keys::session_end(until, hash), &())?;
            draft.put(&keys::ended(hash), &ended)
        }
        Record::Logout { name, until } => {
            draft.put(&keys::logout_of(name), &())?;
            draft.put(&keys::logout_end_of(until, name), &())
        }
        Record::Unsent { id, unsent } => unsent::put(draft, id, &unsent),
    }
}
