//! Texts that wait for their writers: by id, by when they were kept.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SledStore;
use super::draft::Draft;
use super::keys::{self, Span};
use super::records::get;
use crate::domain::id::MemberId;
use crate::domain::unsent::{Unsent, UnsentId};
use crate::store::{Result, UnsentTexts};

#[async_trait]
impl UnsentTexts for SledStore {
    async fn keep_unsent(&self, id: UnsentId, unsent: &Unsent) -> Result<()> {
        let unsent = unsent.clone();
        self.writer
            .write(move |draft| {
                let kept = draft.keys(&keys::unsent_texts(), Unsent::AT_MOST)?;
                if let (Unsent::AT_MOST.., Some(oldest)) = (kept.len(), kept.first()) {
                    forget(draft, oldest)?;
                }
                put(draft, id.to_bytes(), &unsent)
            })
            .await
    }

    async fn unsent(&self, id: UnsentId) -> Result<Option<Unsent>> {
        self.read(|db| get(db, &keys::unsent(id)))
    }

    async fn forget_unsent(&self, id: UnsentId) -> Result<()> {
        self.writer
            .write(move |draft| {
                let Some(unsent) = draft.get(&keys::unsent(id))? else { return Ok(()) };
                forget(draft, keys::unsent_kept(unsent.at, id.to_bytes()).as_bytes())
            })
            .await
    }

    async fn purge_unsent(&self, before: Timestamp, limit: usize) -> Result<usize> {
        let span: Span = keys::unsent_before(before);
        self.writer
            .write(move |draft| {
                let due = draft.keys(&span, limit)?;
                due.iter().try_for_each(|place| forget(draft, place))?;
                Ok(due.len())
            })
            .await
    }
}

/// Puts a text and its place in time.
pub(super) fn put(draft: &mut Draft<'_>, id: [u8; 16], unsent: &Unsent) -> Result<()> {
    draft.put(&keys::unsent_kept(unsent.at, id), &())?;
    draft.put(&keys::unsent_of(id), unsent)
}

/// Takes away what this member has written.
pub(super) fn forget_of(draft: &mut Draft<'_>, member: MemberId) -> Result<()> {
    for place in draft.keys(&keys::unsent_texts(), Unsent::AT_MOST)? {
        let id = keys::ending("the place of a text that was not sent", &place)?;
        if draft.get(&keys::unsent_of(id))?.is_some_and(|unsent| unsent.member == member) {
            forget(draft, &place)?;
        }
    }
    Ok(())
}

/// Takes away the text whose place in time this is.
fn forget(draft: &mut Draft<'_>, place: &[u8]) -> Result<()> {
    draft.remove(&keys::unsent_of(keys::ending("the place of a text that was not sent", place)?));
    draft.remove_raw(place);
    Ok(())
}
