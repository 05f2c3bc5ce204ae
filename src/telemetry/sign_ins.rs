//! What became of the latest sign-ins, so that an admin whom somebody tells a reference can say what happened. In memory,
//! bounded, of this instance, and nothing that opens anything.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::domain::id::MemberId;
use crate::oidc;

/// How many are remembered at most.
const AT_MOST: usize = 1000;

/// For how long.
const FOR: SignedDuration = SignedDuration::from_hours(24);

/// A step of a sign-in that was passed, in the order in which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The browser was sent to the provider.
    Started,
    /// The provider sent it back.
    CameBack,
    /// This browser did start it, and the answer is to what was asked.
    StateKnown,
    /// The provider gave tokens for the code.
    CodeRedeemed,
    /// The ID token held up to every check.
    IdTokenVerified,
    /// The userinfo endpoint told more.
    UserinfoRead,
    /// The configuration lets the person in.
    Allowed,
    /// A session was made, or an identity linked.
    SessionMade,
}

impl Step {
    /// What it is called, for a person.
    pub fn label(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::CameBack => "came back",
            Self::StateKnown => "state known",
            Self::CodeRedeemed => "code redeemed",
            Self::IdTokenVerified => "ID token verified",
            Self::UserinfoRead => "userinfo read",
            Self::Allowed => "allowed",
            Self::SessionMade => "session made",
        }
    }
}

impl From<oidc::Step> for Step {
    fn from(step: oidc::Step) -> Self {
        match step {
            oidc::Step::StateKnown => Self::StateKnown,
            oidc::Step::CodeRedeemed => Self::CodeRedeemed,
            oidc::Step::IdTokenVerified => Self::IdTokenVerified,
            oidc::Step::UserinfoRead => Self::UserinfoRead,
        }
    }
}

/// What came of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This member is signed in.
    SignedIn(MemberId),
    /// Nobody is.
    Failed {
        /// The cause in a word, as it is counted.
        cause: &'static str,
        /// The same in a line, as it is logged.
        why: String,
    },
}

/// A sign-in that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The request's name: what the person saw, and what stands in the log.
    pub reference: String,
    /// The provider's name in the configuration; empty where it isn't known.
    pub provider: String,
    /// The steps that were passed.
    pub steps: Vec<Step>,
    /// When it ended.
    pub at: Timestamp,
    /// Where the browser is, as far as is known.
    pub address: Option<IpAddr>,
    /// What came of it.
    pub outcome: Outcome,
}

/// The latest of them.
pub struct SignIns {
    clock: Clock,
    /// The oldest first.
    ended: Mutex<VecDeque<SignIn>>,
}

impl SignIns {
    pub(super) fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), ended: Mutex::default() }
    }

    pub(super) fn remember(&self, sign_in: SignIn) {
        let mut ended = self.remembered();
        if ended.len() == AT_MOST {
            ended.pop_front();
        }
        ended.push_back(sign_in);
    }

    /// The one with this reference.
    pub fn find(&self, reference: &str) -> Option<SignIn> {
        self.remembered().iter().find(|sign_in| sign_in.reference == reference).cloned()
    }

    /// The latest, the newest first, as many as are wanted.
    pub fn latest(&self, count: usize) -> Vec<SignIn> {
        self.remembered().iter().rev().take(count).cloned().collect()
    }

    /// Those that are not too old.
    fn remembered(&self) -> MutexGuard<'_, VecDeque<SignIn>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        while ended.front().is_some_and(|oldest| now.duration_since(oldest.at) > FOR) {
            ended.pop_front();
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn failed(reference: &str, clock: &Clock) -> SignIn {
        SignIn {
            reference: reference.to_owned(),
            provider: "default".to_owned(),
            steps: vec![Step::CameBack],
            at: clock.now(),
            address: None,
            outcome: Outcome::Failed { cause: "no_code", why: "there was no code".to_owned() },
        }
    }

    #[test]
    fn one_is_found_by_what_the_person_saw_and_the_newest_come_first() {
        let clock = Clock::manual();
        let sign_ins = SignIns::new(&clock);
        sign_ins.remember(failed("a", &clock));
        sign_ins.remember(failed("b", &clock));
        assert_eq!(sign_ins.find("a"), Some(failed("a", &clock)));
        assert_eq!(sign_ins.find("c"), None);
        assert_eq!(sign_ins.latest(1), [failed("b", &clock)]);
    }

    #[test]
    fn no_more_than_a_thousand_are_remembered_and_none_for_more_than_a_day() {
        let clock = Clock::manual();
        let sign_ins = SignIns::new(&clock);
        for number in 0..=AT_MOST {
            sign_ins.remember(failed(&number.to_string(), &clock));
        }
        assert_eq!(sign_ins.latest(usize::MAX).len(), AT_MOST);
        assert_eq!(sign_ins.find("0"), None);
        clock.advance(Duration::from_hours(25));
        assert_eq!(sign_ins.latest(usize::MAX), []);
    }
}
