//! What every endpoint is given: the one shared value behind the provider.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use poem::{Request, http::header};

use super::{
    error::Error,
    faults::{Fault, Faults},
    keys::{self, Keys},
    person::Person,
    random::random_id,
    settings::{Clock, Settings},
    state::{Session, State},
};

/// The name of the provider's own session cookie. Cookies know no ports, so it must not be the relying party's.
pub(super) const COOKIE: &str = "thoughts_demo_provider";
/// How far the faults about the clock set it off, in seconds.
const CLOCK_FAULT: i64 = 300;
/// How long a back-channel call may take.
const CALL_LIMIT: Duration = Duration::from_secs(5);

pub(super) struct Context {
    pub(super) issuer: String,
    pub(super) faults: Faults,
    pub(super) keys: Keys,
    /// For back-channel calls.
    pub(super) http: reqwest::Client,
    pub(super) access_token_life: i64,
    pub(super) refresh_token_life: i64,
    clock: Clock,
    state: Mutex<State>,
}

impl Context {
    pub(super) async fn new(settings: Settings) -> Result<Self, Error> {
        let pem = match settings.key_pem {
            Some(pem) => pem,
            None => tokio::task::spawn_blocking(keys::new_key_pem)
                .await
                .map_err(|error| Error::Key(error.to_string()))??,
        };
        // An error means that one is installed already, which does as well.
        let _installed = rustls::crypto::ring::default_provider().install_default().is_ok();
        let seconds = |life: Duration| i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        Ok(Self {
            issuer: checked_issuer(settings.issuer)?,
            faults: settings.faults,
            keys: Keys::new(&pem, settings.spare_key_pems)?,
            http: reqwest::Client::builder()
                .timeout(CALL_LIMIT)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()?,
            access_token_life: seconds(settings.access_token_life),
            refresh_token_life: seconds(settings.refresh_token_life),
            clock: settings.clock,
            state: Mutex::new(State::new(settings.clients)),
        })
    }

    /// The memory. Held for a few map operations, never over an await.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider's time in Unix seconds, wrong if a fault says so.
    pub(super) fn now(&self) -> i64 {
        let mut now = self.clock.unix_seconds();
        if self.faults.is_on(Fault::ClockAhead) {
            now += CLOCK_FAULT;
        }
        if self.faults.is_on(Fault::ClockBehind) {
            now -= CLOCK_FAULT;
        }
        now
    }

    /// The address of an endpoint; `path` begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }

    /// The session that a request's cookie names.
    pub(super) fn session(&self, request: &Request) -> Option<Session> {
        self.state().sessions.get(cookie(request)?).cloned()
    }

    /// Begins a session for somebody who typed their name, under a new cookie value, in place of the browser's old
    /// one. The same person keeps the `sid`, and with it the clients that will be told of its end.
    pub(super) fn begin_session(&self, request: &Request, person: Person) -> Result<(String, Session), Error> {
        let cookie_value = random_id()?;
        let sid = random_id()?;
        let auth_time = self.now();
        let mut state = self.state();
        let old = cookie(request).and_then(|old| state.sessions.remove(old));
        let session = match old {
            Some(old) if old.person.sub == person.sub => Session { person, auth_time, ..old },
            Some(_) | None => Session { sid, person, auth_time, clients: BTreeSet::new() },
        };
        state.sessions.insert(cookie_value.clone(), session.clone());
        Ok((cookie_value, session))
    }
}

/// The value of the session cookie.
pub(super) fn cookie(request: &Request) -> Option<&str> {
    request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn checked_issuer(issuer: String) -> Result<String, Error> {
    let fits = url::Url::parse(&issuer).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if fits { Ok(issuer) } else { Err(Error::Issuer(issuer)) }
}
