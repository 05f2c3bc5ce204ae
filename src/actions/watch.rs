//! Watching what changes: what one viewer is told, from the moment they come until they go, are too slow, or are nobody
//! any more. Whoever listens to a stream owns it: it has no task of its own.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast;

use super::sessions::{self, Use};
use crate::app::App;
use crate::domain::id::{EventId, MemberId};
use crate::domain::policy::{Reach, Viewer};
use crate::domain::session::{End, Session, SessionHash};
use crate::live::event::{self, HEARTBEAT};
use crate::live::{Listener, Message};
use crate::store::SignedIn;

/// How long a stream says nothing. Source: HTML, section 9.2.7, which knows of proxies that take silence for an end.
pub const HEARTBEAT_EVERY: SignedDuration = SignedDuration::from_secs(25);

/// What a last event is called that can't be one of ours: nothing is known of what came after it.
pub const UNKNOWN: EventId = EventId::NONE;

/// Who wants to watch.
pub struct Wish {
    /// Through which session they are signed in, if they are.
    pub session: Option<Arc<Session>>,
    /// The session that their browser knows of, good or not.
    pub held: Option<SessionHash>,
    /// As whom their page was made, if it was made for a member: it is told where that is over.
    pub made_for: Option<MemberId>,
    /// The last event that they know.
    pub last: Option<EventId>,
}

/// A viewer's stream, encoded.
///
/// # Errors
/// Where the store can't say who they are.
pub async fn watch(app: &Arc<App>, wish: Wish) -> super::Result<impl Stream<Item = Bytes> + Send + use<>> {
    // First, so that nothing falls between what is read below and what is heard.
    let listener = app.live.listen(wish.last);
    let current = match &wish.session {
        Some(session) => sessions::resume(app, session.hash, Use::Watches).await?,
        None => None,
    };
    let member = current.as_ref().map(|current| current.member.id);
    let over =
        wish.session.is_some() != current.is_some() || wish.made_for.is_some_and(|made_for| member != Some(made_for));
    let (first, watcher) = if over {
        (vec![HEARTBEAT, event::ended(why(app, &wish, member).await?)], None)
    } else {
        let (first, watcher) = Watcher::new(app, listener, current);
        (first, Some(watcher))
    };
    let rest = stream::unfold(watcher, |watcher| async {
        let mut watcher = watcher?;
        match watcher.next().await {
            Next::Say(bytes) => Some((bytes, Some(watcher))),
            Next::SayLast(bytes) => Some((bytes, None)),
            Next::End => None,
        }
    });
    Ok(stream::once(std::future::ready(Bytes::from(first.concat()))).chain(rest))
}

/// Why a page is somebody's no more. A browser lets go of a session's id where one signs out; and what is not noted any
/// more has expired long ago.
async fn why(app: &App, wish: &Wish, member: Option<MemberId>) -> super::Result<End> {
    match wish.held {
        _ if member.is_some() => Ok(End::Replaced),
        Some(hash) => Ok(sessions::why_ended(app, hash).await?.unwrap_or(End::Expired)),
        None => Ok(End::SignedOut),
    }
}

fn next_beat(app: &App) -> Timestamp {
    app.clock.now().saturating_add(HEARTBEAT_EVERY).unwrap_or(Timestamp::MAX)
}

/// What a stream is, between one thing it says and the next.
struct Watcher {
    app: Arc<App>,
    messages: broadcast::Receiver<Message>,
    reach: Reach,
    /// The session that it goes on with, if somebody is signed in.
    session: Option<Held>,
    /// When something is said in any case.
    beat: Timestamp,
}

struct Held {
    member: MemberId,
    hash: SessionHash,
    /// When it ends if it is not used.
    until: Timestamp,
}

enum Next {
    Say(Bytes),
    SayLast(Bytes),
    End,
}

impl Watcher {
    /// One for whoever is signed in, or for a stranger, and the first that it says.
    fn new(app: &Arc<App>, listener: Listener, current: Option<SignedIn>) -> (Vec<Bytes>, Self) {
        let mut first = vec![HEARTBEAT];
        let (viewer, session) = match current {
            Some(SignedIn { member, session }) => {
                first.push(event::known(member.id));
                (Viewer::Member(member), Some(session))
            }
            None => (Viewer::Anonymous, None),
        };
        let reach = viewer.reach();
        match listener.missed {
            Some(missed) => first.extend(missed.iter().filter_map(|event| event.told(&reach))),
            None => first.push(event::missed()),
        }
        first.push(event::position(listener.position));
        let session = session.map(|session| Held {
            member: session.member,
            hash: session.hash,
            until: app.limits.ends(&session),
        });
        let beat = next_beat(app);
        (first, Self { app: app.clone(), messages: listener.messages, reach, session, beat })
    }

    async fn next(&mut self) -> Next {
        loop {
            let until = self.session.as_ref().map_or(self.beat, |session| session.until.min(self.beat));
            let said = tokio::select! {
                message = self.messages.recv() => match message {
                    Ok(message) => self.heard(message).await,
                    // Too slow, or the program has stopped.
                    Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => Some(Next::End),
                },
                () = self.app.clock.wait_until(until) => self.late().await,
            };
            if let Some(said) = said {
                if matches!(said, Next::Say(_)) {
                    self.beat = next_beat(&self.app);
                }
                return said;
            }
        }
    }

    async fn heard(&mut self, message: Message) -> Option<Next> {
        match (message, &self.session) {
            (Message::Event(event), _) => event.told(&self.reach).map(Next::Say),
            (Message::SessionEnded(hash, why), Some(session)) if session.hash == hash => {
                Some(Next::SayLast(event::ended(why)))
            }
            (Message::KnownAnew(member), Some(session)) if session.member == member => self.know_anew(member).await,
            (Message::SessionEnded(..) | Message::KnownAnew(_), _) => None,
            (Message::Lost | Message::Closed, _) => Some(Next::End),
        }
    }

    /// Whoever sees more or less than before has to look at everything anew.
    async fn know_anew(&mut self, member: MemberId) -> Option<Next> {
        match self.app.store.member(member).await {
            Ok(Some(member)) => {
                let reach = Reach::of(&member);
                let another = reach != self.reach;
                self.reach = reach;
                another.then(|| Next::Say(event::missed()))
            }
            // Nobody is told anything of whom nothing is known.
            Ok(None) | Err(_) => Some(Next::End),
        }
    }

    /// The time for something has come: for a heartbeat, or for a look whether the session was used meanwhile.
    async fn late(&mut self) -> Option<Next> {
        let now = self.app.clock.now();
        if let Some(session) = self.session.as_mut().filter(|session| session.until <= now) {
            match sessions::resume(&self.app, session.hash, Use::Watches).await {
                Ok(Some(used)) => session.until = self.app.limits.ends(&used.session),
                Ok(None) => {
                    let noted = sessions::why_ended(&self.app, session.hash).await.ok().flatten();
                    return Some(Next::SayLast(event::ended(noted.unwrap_or(End::Expired))));
                }
                Err(_) => return Some(Next::End),
            }
        }
        (self.beat <= now).then_some(Next::Say(HEARTBEAT))
    }
}
