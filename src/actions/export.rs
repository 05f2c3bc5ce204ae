//! Taking one's own thoughts along, a page at a time.

use std::sync::Arc;

use super::Result;
use crate::app::App;
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::policy::Reach;
use crate::domain::thought::{Revision, Thought};
use crate::store::Scope;

/// How many thoughts are read at once.
const AT_ONCE: usize = 100;

/// Some of the member's own thoughts, newest first, each with what it said before, newest first.
pub struct Batch {
    /// The thoughts.
    pub thoughts: Vec<(Arc<Thought>, Vec<Revision>)>,
    /// Where the next batch begins, if there is more.
    pub next: Option<ThoughtId>,
}

/// The member's own thoughts that are older than `before`, whomever they are for. Deleted ones are none any more.
pub async fn batch(app: &App, member: &Member, before: Option<ThoughtId>) -> Result<Batch> {
    let reach = Reach::of(member);
    let page = app.store.feed(Scope::By(member.id), &reach, before, AT_ONCE).await?;
    let mut thoughts = Vec::with_capacity(page.items.len());
    for item in page.items {
        let revisions =
            if item.thought.version == 0 { Vec::new() } else { app.store.revisions(item.thought.id).await? };
        thoughts.push((item.thought, revisions));
    }
    Ok(Batch { thoughts, next: page.next })
}
