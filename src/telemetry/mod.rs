//! What happened in signing in and out, said in one place: [`Telemetry::event`] logs it by its OWASP name, counts it, and
//! remembers sign-ins, so that none of the three can be forgotten where something happens. No event holds a token, a
//! code, a verifier or a secret: there is no field for one.
//!
//! Read on: `event` is what can happen and how it is logged, `counters` is what `/metrics` shows, `format` is how it is
//! written there, `sign_ins` is what an admin can look up by the reference that a person saw, `request` is which request
//! the log is about, and `requests` counts what was answered.
//!
//! To add an event: a variant, its line in the log, its counter. The compiler asks for the last two.

mod caches;
mod counters;
mod event;
mod fleet;
mod format;
mod request;
mod requests;
mod sign_ins;

use std::borrow::Cow;

pub use self::event::Event;
pub use self::format::Format;
pub use self::request::RequestId;
pub use self::requests::Route;
pub use self::sign_ins::{Outcome, SignIn, SignIns, Step};

use self::counters::Counters;
use crate::cache::Usage;
use crate::clock::Clock;

/// A label's value: a word of ours, or a name of the configuration. Never what a stranger sent, of which there is no end.
type Label = Cow<'static, str>;

/// Where everything that happened is told.
pub struct Telemetry {
    counters: Counters,
    sign_ins: SignIns,
}

impl Telemetry {
    /// Nothing has happened yet.
    pub fn new(clock: &Clock) -> Self {
        Self { counters: Counters::new(clock.now()), sign_ins: SignIns::new(clock) }
    }

    /// Something happened.
    pub fn event(&self, event: Event<'_>) {
        event.log();
        self.counters.count(&event);
        if let Event::SignInEnded(sign_in) = event {
            self.sign_ins.remember(sign_in);
        }
    }

    /// The sign-ins of the last day that came to an end on this instance.
    pub fn sign_ins(&self) -> &SignIns {
        &self.sign_ins
    }

    /// What counts the requests to one route, named by its pattern in the route table.
    pub fn route(&self, pattern: &'static str) -> Route {
        self.counters.requests.of(pattern)
    }

    /// What counts the requests to which no row of the table answers.
    pub fn no_route(&self) -> Route {
        self.counters.requests.of("none")
    }

    /// A request was refused in this way.
    pub fn refused(&self, kind: &'static str) {
        self.counters.refusals.inc([kind.into()]);
    }

    /// Another service was called with a member's token, and answered with this status or with none for this cause.
    pub fn upstream_call(&self, name: &str, answer: Result<u16, &'static str>) {
        let outcome = answer.map_or_else(|cause| cause, counters::status_class);
        self.counters.upstream_calls.inc([name.to_owned().into(), outcome.into()]);
    }

    /// How many streams are open now.
    pub fn open_streams(&self, count: usize) {
        self.counters.open_streams.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// By what other instances are heard, if they are.
    pub fn hearing(&self, by: Option<&'static str>) {
        self.counters.fleet.hearing(by);
    }

    /// Other instances have told of so many changes.
    pub fn changes_heard(&self, many: usize) {
        self.counters.fleet.heard(many);
    }

    /// How a provider is doing, and how many seconds its clock is ahead of ours, as far as is known.
    pub fn provider(&self, name: &str, up: Option<bool>, skew: Option<i64>) {
        self.counters.provider(name, up, skew);
    }

    /// What a cache holds, and how often it was of use.
    pub fn cache(&self, name: &'static str, usage: Usage) {
        self.counters.caches.show(name, usage);
    }

    /// Everything that was counted.
    pub fn exposition(&self, format: Format) -> String {
        format.write(self.counters.exposition())
    }
}
