//! How an event goes over the wire: encoded once, and shared by all who may have it. It says what happened to which
//! thought, and nothing of what stands in it. Source: HTML, section 9.2 (Server-sent events).

use bytes::Bytes;

use crate::domain::change::{Change, Seen, What};
use crate::domain::id::{EventId, MemberId, ThoughtId};
use crate::domain::policy::Reach;
use crate::domain::session::End;

/// A comment, which keeps a connection from being thought dead.
pub const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// Something that whoever may see it is told, and told again where they were away.
#[derive(Debug)]
pub struct Event {
    /// Its place among all of them.
    pub id: EventId,
    whom: Whom,
}

#[derive(Debug)]
enum Whom {
    /// Those who see something of it.
    Some { author: MemberId, what: What, encoded: Vec<(Seen, Bytes)> },
    /// Everybody.
    All(Bytes),
}

impl Event {
    /// The event of a thought.
    pub(super) fn of_thought(id: EventId, thought: ThoughtId, author: MemberId, what: What) -> Self {
        let ways: &[Seen] = match &what {
            What::Shared { .. } => &[Seen::Shared],
            What::Edited { from, to } if from == to => &[Seen::Edited],
            What::Edited { .. } => &[Seen::Edited, Seen::Deleted, Seen::Shared],
            What::Deleted { .. } => &[Seen::Deleted],
            What::Restored { .. } => &[Seen::Restored],
        };
        let encode =
            |seen: &Seen| (*seen, Bytes::from(format!("id: {id}\nevent: {}\ndata: {thought}\n\n", seen.label())));
        Self { id, whom: Whom::Some { author, what, encoded: ways.iter().map(encode).collect() } }
    }

    /// The event of more than is told one by one.
    pub(super) fn of_many(id: EventId) -> Self {
        Self { id, whom: Whom::All(Bytes::from(format!("id: {id}\nevent: missed\ndata: all\n\n"))) }
    }

    /// What somebody with this reach is told of it, if anything.
    pub fn told(&self, reach: &Reach) -> Option<Bytes> {
        match &self.whom {
            Whom::All(bytes) => Some(bytes.clone()),
            Whom::Some { author, what, encoded } => {
                let seen = what.seen(*author, reach)?;
                encoded.iter().find(|(way, _)| *way == seen).map(|(_, bytes)| bytes.clone())
            }
        }
    }
}

/// What everyone is told whose place in the events is not known any more: look at everything anew.
pub fn missed() -> Bytes {
    Bytes::from_static(b"event: missed\ndata: all\n\n")
}

/// The last that a stream says whose session has ended.
pub fn ended(why: End) -> Bytes {
    Bytes::from(format!("event: ended\ndata: {}\n\n", why.label()))
}

/// The first that a member's stream says: it is theirs.
pub fn known(member: MemberId) -> Bytes {
    Bytes::from(format!("event: known\ndata: {member}\n\n"))
}

/// From where on to be told, the next time: an id without an event.
pub fn position(id: EventId) -> Bytes {
    Bytes::from(format!("id: {id}\n\n"))
}

/// What of a change is an event that can be told again.
pub(super) fn of(change: &Change, id: EventId) -> Option<Event> {
    match change {
        Change::Thought { id: thought, author, what } => Some(Event::of_thought(id, *thought, *author, what.clone())),
        Change::Many => Some(Event::of_many(id)),
        Change::SessionEnded { .. } | Change::MemberKnownAnew { .. } => None,
    }
}
