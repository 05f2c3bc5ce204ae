//! What is known of a provider: its metadata and keys, when to fetch them anew, and since when it is down.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::discovery::{self, Known};
use super::http::{Http, Peer};
use super::provider_error::ProviderError;
use super::settings::{Checked, Settings, SettingsError};
use crate::clock::Clock;

/// How long metadata and keys are good without asking again.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// How long a provider that failed is left in peace.
const BACK_OFF: SignedDuration = SignedDuration::from_secs(5);

/// How far apart keys are fetched because an ID token didn't fit them.
const KEYS_APART: SignedDuration = SignedDuration::from_secs(30);

/// A provider that people sign in with. One for each that is configured, shared by all requests.
pub struct Provider {
    pub(super) settings: Checked,
    pub(super) peer: Peer,
    pub(super) clock: Clock,
    state: Mutex<State>,
    /// Held while metadata or keys are fetched, so that there is one fetch at a time and the others wait for its
    /// result. The one lock here that is held over an await: it guards no data, and HTTP's time limit ends it.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    known: Option<Arc<Known>>,
    trouble: Option<Trouble>,
    keys_refetched_at: Option<Timestamp>,
}

struct Trouble {
    since: Timestamp,
    /// When discovery failed last. Nothing where another call failed: then discovery is tried at once.
    discovery_failed_at: Option<Timestamp>,
    error: ProviderError,
}

/// How a provider is doing, as far as is known without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has asked it yet.
    Unasked,
    /// It answered the last time.
    Up,
    /// It could not be asked.
    Down {
        /// Since when.
        since: Timestamp,
        /// What happened last, a line for the log or for an administrator.
        why: String,
    },
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name()).field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider with these settings. It isn't asked for anything: the program starts whatever it does.
    pub fn new(settings: Settings, http: Http, clock: Clock) -> Result<Self, SettingsError> {
        Ok(Self {
            settings: settings.check()?,
            peer: Peer::new(http, clock.clone()),
            clock,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// What people and the configuration call it.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Its issuer identifier, as configured.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// How many seconds its clock is ahead of ours (negative: behind), by the `Date` header of its last answer.
    pub fn skew(&self) -> Option<i64> {
        self.peer.skew()
    }

    /// Whether it tells us when somebody signs out there, once it is known.
    /// Source: Back-Channel Logout 1.0, 2.1.
    pub fn backchannel_logout_supported(&self) -> Option<bool> {
        self.state().known.as_ref().map(|known| known.metadata.additional_metadata().backchannel_logout_supported)
    }

    /// Fetches metadata and keys where they are missing or an hour old, or where the provider was down. After a
    /// failure the next try is 5 s away at least, and the error until then is the same. One fetch at a time: who
    /// asks meanwhile gets its result.
    pub async fn discover(&self) -> Result<(), ProviderError> {
        self.fresh().await.map(drop)
    }

    /// How the provider is doing.
    pub fn status(&self) -> Status {
        let state = self.state();
        match (&state.trouble, &state.known) {
            (Some(trouble), _) => Status::Down { since: trouble.since, why: trouble.error.to_string() },
            (None, Some(_)) => Status::Up,
            (None, None) => Status::Unasked,
        }
    }

    /// The origins that a browser can be sent to after a form, for `form-action` of the Content-Security-Policy, with
    /// spaces between them: the issuer's, and, once they are known, those of `authorization_endpoint` and
    /// `end_session_endpoint`.
    pub fn form_action(&self) -> Arc<str> {
        self.state().known.as_ref().map_or(&self.settings.form_action, |known| &known.form_action).clone()
    }

    /// Metadata and keys, fetched anew as [`discover`](Self::discover) says.
    pub(super) async fn fresh(&self) -> Result<Arc<Known>, ProviderError> {
        if let Some(answer) = self.at_hand() {
            return answer;
        }
        let _turn = self.fetching.lock().await;
        // Another may have fetched them while this one waited for its turn.
        if let Some(answer) = self.at_hand() {
            return answer;
        }
        match discovery::discover(&self.peer, &self.settings.issuer).await {
            Ok((metadata, keys)) => Ok(self.learn(Known::new(metadata, keys, &self.settings, self.clock.now()))),
            Err(error) => {
                tracing::warn!(
                    provider = self.name(),
                    cause = error.cause(),
                    "discovery failed: {}",
                    error.with_advice()
                );
                self.note(error.clone(), Some(self.clock.now()));
                Err(error)
            }
        }
    }

    /// Metadata and keys, however old, if they are known.
    pub(super) fn known_already(&self) -> Option<Arc<Known>> {
        self.state().known.clone()
    }

    /// Metadata and keys, however old. A sign-in that was begun with them is finished with them.
    pub(super) async fn known(&self) -> Result<Arc<Known>, ProviderError> {
        match self.known_already() {
            Some(known) => Ok(known),
            None => self.fresh().await,
        }
    }

    /// The keys fetched anew, because an ID token didn't fit those of `used`. Nothing where that was done less
    /// than 30 s ago: a provider that signs nonsense must not make us hammer it.
    /// Source: OpenID Connect Core 1.0, 10.1.1.
    pub(super) async fn rotated(&self, used: &Arc<Known>) -> Result<Option<Arc<Known>>, ProviderError> {
        let _turn = self.fetching.lock().await;
        let now = self.clock.now();
        {
            let mut state = self.state();
            match &state.known {
                // Another fetched them while this one waited for its turn.
                Some(newer) if !Arc::ptr_eq(newer, used) => return Ok(Some(newer.clone())),
                Some(_) | None => {}
            }
            if state.keys_refetched_at.is_some_and(|then| between(then, now) < KEYS_APART) {
                return Ok(None);
            }
            state.keys_refetched_at = Some(now);
        }
        let keys = discovery::keys(&self.peer, &used.metadata).await?;
        tracing::info!(provider = self.name(), "an ID token fitted no key: the keys were fetched anew");
        Ok(Some(self.learn(Known::new(used.metadata.clone(), keys, &self.settings, used.at))))
    }

    /// Remembers that a call failed in a way that means the provider is down.
    pub(super) fn note_failed_call(&self, error: &ProviderError) {
        match error {
            ProviderError::Unreachable { .. } | ProviderError::Slow { .. } | ProviderError::Tls { .. } => {
                self.note(error.clone(), None);
            }
            ProviderError::TooLarge { .. }
            | ProviderError::Status { .. }
            | ProviderError::Nonsense { .. }
            | ProviderError::ClientAuthentication { .. }
            | ProviderError::NotThere { .. }
            | ProviderError::Issuer { .. } => {}
        }
    }

    /// What [`fresh`](Self::fresh) answers without asking the provider, if that is enough.
    fn at_hand(&self) -> Option<Result<Arc<Known>, ProviderError>> {
        let now = self.clock.now();
        let state = self.state();
        match (&state.trouble, &state.known) {
            (Some(trouble), _) => {
                let resting = trouble.discovery_failed_at.is_some_and(|then| between(then, now) < BACK_OFF);
                resting.then(|| Err(trouble.error.clone()))
            }
            (None, Some(known)) => (between(known.at, now) < FRESH).then(|| Ok(known.clone())),
            (None, None) => None,
        }
    }

    fn learn(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        let mut state = self.state();
        state.known = Some(known.clone());
        state.trouble = None;
        known
    }

    fn note(&self, error: ProviderError, discovery_failed_at: Option<Timestamp>) {
        let mut state = self.state();
        let since = state.trouble.as_ref().map_or_else(|| self.clock.now(), |trouble| trouble.since);
        state.trouble = Some(Trouble { since, discovery_failed_at, error });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and each field is good by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time between two moments. A clock that was set back counts as well, else we would wait for it to come round.
fn between(then: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(then).abs()
}
