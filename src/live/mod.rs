//! A change becomes an event for those who may see it. Actions [`tell`](Hub::tell) the hub what changed, and every open
//! stream [`listen`](Hub::listen)s.
//!
//! All of it is in memory and bounded: one ring of the last [`REMEMBERED`] events, from which a stream that was away is
//! told what it has missed, and one channel of as many places that all streams share. A stream that can't keep up falls
//! out of the channel, and ends; its browser comes back, and is told from the ring.
//!
//! An event's id is a ULID of the moment at which this instance was told of it, so ids are ordered, and one of before a
//! restart, or of longer ago than the ring reaches, is known to be just that: then the stream says `missed`. It ends in a
//! mark of the instance. Who comes from another instance is told from a while before their last event on: instances
//! are told in an order of their own. What is told twice does no harm, for a page knows what it shows.
//!
//! A [`Change`] is plain data: what happens on another instance is told here by whoever hears of it.

pub mod event;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use ulid::Ulid;

use self::event::Event;
use crate::clock::{Clock, random};
use crate::domain::change::Change;
use crate::domain::id::{EventId, MemberId};
use crate::domain::session::{End, SessionHash};

/// How many events are remembered, and how many a stream may lie behind.
pub const REMEMBERED: usize = 1024;

/// How far what one instance is told may lie behind what another is told, their clocks' difference included: in
/// milliseconds, as it stands in an id.
const BETWEEN_INSTANCES: u128 = 10_000 << RANDOM_BITS;

/// The bits of a ULID behind its milliseconds.
const RANDOM_BITS: u32 = 80;

/// Those of them that are the instance's mark; the rest counts.
const MARK_BITS: u32 = 32;

/// What a stream hears.
#[derive(Clone, Debug)]
pub enum Message {
    /// Something happened that it may have to tell.
    Event(Arc<Event>),
    /// A session ended.
    SessionEnded(SessionHash, End),
    /// A member may be in other groups than before.
    KnownAnew(MemberId),
    /// Not everything that happened was heard.
    Lost,
    /// The program stops.
    Closed,
}

/// Where changes come together, and go out from.
pub struct Hub {
    clock: Clock,
    mark: u32,
    messages: broadcast::Sender<Message>,
    past: Mutex<Past>,
    /// How often something has changed that a page could show.
    version: AtomicU64,
    /// Whether what other instances change is not heard now.
    deaf: AtomicBool,
}

/// What has been told.
struct Past {
    events: VecDeque<Arc<Event>>,
    /// Whoever has seen this one has missed none that is not remembered.
    since: EventId,
    /// The last id that was given, without the mark.
    last: u128,
    closed: bool,
}

/// What a stream listens by.
pub struct Listener {
    /// What it will hear from now on.
    pub messages: broadcast::Receiver<Message>,
    /// What it has missed; `None` where that is not known.
    pub missed: Option<Vec<Arc<Event>>>,
    /// Where it stands now.
    pub position: EventId,
}

impl Hub {
    /// A hub that remembers nothing yet.
    pub fn new(clock: &Clock) -> Self {
        let events = VecDeque::with_capacity(REMEMBERED);
        let past = Past { events, since: EventId::NONE, last: 0, closed: false };
        let hub = Self {
            clock: clock.clone(),
            mark: u32::from_be_bytes(random()),
            messages: broadcast::Sender::new(REMEMBERED),
            past: Mutex::new(past),
            version: AtomicU64::new(0),
            deaf: AtomicBool::new(false),
        };
        hub.forget();
        hub
    }

    /// Remembers nothing of what was, so that whoever comes looks at everything anew.
    fn forget(&self) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.events.clear();
        past.since = self.next_id(&mut past);
    }

    /// Not everything that happened was heard: every stream ends, so that its browser comes again, is asked again who
    /// it is, and is told to look at everything anew.
    pub fn lose(&self) {
        self.doubt();
        self.forget();
        let _ = self.messages.send(Message::Lost);
    }

    /// Something may have changed that nobody tells of: what a page could show is read anew.
    pub fn doubt(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether what other instances change is heard.
    pub fn hears(&self, hears: bool) {
        let was_deaf = self.deaf.swap(!hears, Ordering::SeqCst);
        if was_deaf && hears {
            self.doubt();
        }
    }

    /// Counts what changes of all that a page could show: what was read since this number was is what there is for as long
    /// as the number stays. `None` while something could change that is not heard of.
    pub fn version(&self) -> Option<u64> {
        let version = self.version.load(Ordering::SeqCst);
        (!self.deaf.load(Ordering::SeqCst)).then_some(version)
    }

    /// Tells whom it concerns.
    pub fn tell(&self, change: &Change) {
        match change {
            Change::Thought { .. } | Change::MemberKnownAnew { .. } | Change::Many => self.doubt(),
            Change::SessionEnded { .. } => {}
        }
        // Under the lock the order of ids is the order of telling. What is behind it is whole, whatever panicked.
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match change {
            Change::SessionEnded { session, why } => Message::SessionEnded(*session, *why),
            Change::MemberKnownAnew { member } => Message::KnownAnew(*member),
            Change::Thought { .. } | Change::Many => {
                let Some(event) = event::of(change, self.next_id(&mut past)) else { return };
                Message::Event(past.remember(event))
            }
        };
        // Nobody listening is no error.
        let _ = self.messages.send(message);
    }

    /// Listens, from after `last` on where that is given.
    pub fn listen(&self, last: Option<EventId>) -> Listener {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let mut messages = self.messages.subscribe();
        if past.closed {
            messages = closed();
        }
        let position = self.next_id(&mut past);
        let missed = match last {
            None => Some(Vec::new()),
            Some(last) if last > position => None,
            Some(last) => {
                let last = self.as_ours(last);
                let first = past.events.partition_point(|event| event.id <= last);
                (last >= past.since).then(|| past.events.range(first..).cloned().collect())
            }
        };
        Listener { messages, missed, position }
    }

    /// Ends every stream, and whichever begins later.
    pub fn close(&self) {
        self.past.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        let _ = self.messages.send(Message::Closed);
    }

    /// How many streams are open.
    pub fn streams(&self) -> usize {
        self.messages.receiver_count()
    }

    /// An id of ours as it is, and for another's one that lies safely before it.
    fn as_ours(&self, id: EventId) -> EventId {
        let number = u128::from_be_bytes(id.to_bytes());
        let ours = number % (1 << MARK_BITS) == u128::from(self.mark);
        if ours { id } else { EventId::from(Ulid(number.saturating_sub(BETWEEN_INSTANCES))) }
    }

    /// A later id than all before it, also where the clock is set back.
    fn next_id(&self, past: &mut Past) -> EventId {
        let millisecond = u128::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        past.last = (millisecond << RANDOM_BITS).max(past.last + (1 << MARK_BITS));
        EventId::from(Ulid(past.last | u128::from(self.mark)))
    }
}

/// What is heard where nobody speaks any more.
fn closed() -> broadcast::Receiver<Message> {
    broadcast::Sender::new(1).subscribe()
}

impl Past {
    fn remember(&mut self, event: Event) -> Arc<Event> {
        if self.events.len() == REMEMBERED
            && let Some(oldest) = self.events.pop_front()
        {
            self.since = oldest.id;
        }
        let event = Arc::new(event);
        self.events.push_back(event.clone());
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::What;
    use crate::domain::id::ThoughtId;
    use crate::domain::policy::Reach;
    use crate::domain::visibility::Visibility;
    use std::time::Duration;
    use ulid::Ulid;

    fn shared(number: u128) -> Change {
        let what = What::Shared { to: Visibility::Public };
        Change::Thought { id: ThoughtId::from(Ulid(number)), author: MemberId::from(Ulid(1)), what }
    }

    fn told(missed: &[Arc<Event>]) -> String {
        missed.iter().map(|event| String::from_utf8(event.told(&Reach::Public).unwrap().to_vec()).unwrap()).collect()
    }

    #[test]
    fn who_was_away_is_told_what_was_missed_in_its_order() {
        let hub = Hub::new(&Clock::manual());
        let here = hub.listen(None).position;
        hub.tell(&shared(1));
        hub.tell(&shared(2));
        let missed = hub.listen(Some(here)).missed.unwrap();
        let lines = told(&missed);
        let data: Vec<_> = lines.lines().filter(|line| line.starts_with("data")).collect();
        assert_eq!(data, ["data: 00000000000000000000000001", "data: 00000000000000000000000002"]);
        assert_eq!(told(&hub.listen(Some(missed[0].id)).missed.unwrap()).matches("data").count(), 1);
        assert!(hub.listen(Some(missed[1].id)).missed.unwrap().is_empty());
    }

    #[test]
    fn who_was_away_too_long_is_not_told_half_of_it() {
        let clock = Clock::manual();
        let hub = Hub::new(&clock);
        let here = hub.listen(None).position;
        for number in 0..=REMEMBERED as u128 {
            hub.tell(&shared(number));
        }
        assert!(hub.listen(Some(here)).missed.is_none());
        clock.advance(Duration::from_secs(1));
        let restarted = Hub::new(&clock);
        assert!(restarted.listen(Some(here)).missed.is_none(), "before the restart");
        let later = EventId::from(Ulid(u128::MAX));
        assert!(restarted.listen(Some(later)).missed.is_none(), "no id of ours");
    }

    #[test]
    fn who_comes_from_another_instance_is_told_from_a_while_before_on() {
        let clock = Clock::manual();
        let (here, there) = (Hub::new(&clock), Hub::new(&clock));
        let before = there.listen(None).position;
        assert!(here.listen(Some(before)).missed.is_none(), "too soon after the start to know");
        clock.advance(Duration::from_mins(1));
        here.tell(&shared(1));
        clock.advance(Duration::from_secs(5));
        let last = there.listen(None).position;
        here.tell(&shared(2));
        assert_eq!(here.listen(Some(last)).missed.unwrap().len(), 2, "the first may not have been told there");
        assert!(here.listen(Some(here.listen(None).position)).missed.unwrap().is_empty());
    }

    #[test]
    fn where_something_was_lost_every_stream_ends_and_looks_anew() {
        let hub = Hub::new(&Clock::manual());
        let mut open = hub.listen(None);
        hub.tell(&shared(1));
        hub.lose();
        assert!(matches!(open.messages.try_recv(), Ok(Message::Event(_))));
        assert!(matches!(open.messages.try_recv(), Ok(Message::Lost)));
        assert!(hub.listen(Some(open.position)).missed.is_none());
        assert!(hub.listen(Some(hub.listen(None).position)).missed.is_some());
    }

    #[test]
    fn who_can_not_keep_up_falls_out() {
        let hub = Hub::new(&Clock::manual());
        let mut slow = hub.listen(None);
        for number in 0..=REMEMBERED as u128 {
            hub.tell(&shared(number));
        }
        assert!(matches!(slow.messages.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
    }

    #[test]
    fn the_version_changes_with_what_a_page_could_show_and_there_is_none_while_others_are_not_heard() {
        let hub = Hub::new(&Clock::manual());
        let first = hub.version().unwrap();
        hub.tell(&Change::SessionEnded { session: SessionHash::from_bytes([0; 32]), why: End::SignedOut });
        assert_eq!(hub.version(), Some(first));
        let mut versions = vec![first];
        for change in [shared(1), Change::MemberKnownAnew { member: MemberId::from(Ulid(1)) }, Change::Many] {
            hub.tell(&change);
            versions.push(hub.version().unwrap());
        }
        hub.hears(false);
        assert_eq!(hub.version(), None);
        hub.lose();
        hub.hears(true);
        versions.push(hub.version().unwrap());
        assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
    }

    #[test]
    fn a_closed_hub_ends_who_listens_and_who_comes_later() {
        let hub = Hub::new(&Clock::manual());
        let mut open = hub.listen(None);
        assert_eq!(hub.streams(), 1);
        hub.close();
        assert!(matches!(open.messages.try_recv(), Ok(Message::Closed)));
        assert!(matches!(hub.listen(None).messages.try_recv(), Err(broadcast::error::TryRecvError::Closed)));
    }
}
