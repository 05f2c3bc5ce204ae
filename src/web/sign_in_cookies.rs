//! What is remembered of a sign-in under way: sealed, in the browser, a cookie each, so that any number of tabs
//! can sign in at once and an anonymous request writes nothing to the store.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tower_cookies::cookie::time::Duration;
use tower_cookies::{Cookie, Cookies};

use super::cookies::{cookie, forget, name};
use super::purpose::Purpose;
use super::refusal::Refusal;
use super::return_to::ReturnTo;
use crate::app::App;
use crate::oidc::Attempt;

/// Minutes for which a sign-in that was started can be finished.
const GOOD_FOR_MINUTES: i64 = 10;

/// Bytes that all of these cookies together, names included, may take in a request.
const MAX_BYTES: usize = 4096;

/// A sign-in under way; without its `attempt` one that is done, of which only its end is still known.
#[derive(Serialize, Deserialize)]
pub struct UnderWay {
    /// What the provider's answer is checked against.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// The provider's `name` in the configuration.
    #[serde(rename = "p")]
    pub provider: String,
    /// Where the person wanted to be.
    #[serde(rename = "r")]
    pub return_to: String,
    /// What it is for.
    #[serde(rename = "f", default)]
    pub purpose: Purpose,
    /// When it was started, in milliseconds since the epoch.
    #[serde(rename = "t")]
    pub started: i64,
}

/// What this browser remembers of a `state`.
pub enum Found {
    /// The sign-in can be finished, once.
    UnderWay {
        /// What the provider's answer is checked against.
        attempt: Attempt,
        /// The provider's `name` in the configuration.
        provider: String,
        /// Where the person wanted to be.
        return_to: ReturnTo,
        /// What it is for.
        purpose: Purpose,
    },
    /// It has been finished.
    Done {
        /// Where the person wanted to be.
        return_to: ReturnTo,
    },
    /// This browser didn't start it, or too long ago.
    Nothing,
}

/// Remembers a sign-in under way; where there is no room, the oldest ones are forgotten.
///
/// # Errors
/// `Internal` where it can't be written down, which no value that comes here causes.
pub fn remember(app: &App, cookies: &Cookies, under_way: &UnderWay) -> Result<(), Refusal> {
    let state = under_way.attempt.as_ref().map(Attempt::state).unwrap_or_default();
    let plain = plain_name(state);
    put(app, cookies, &plain, under_way)?;
    make_room(app, cookies, &plain);
    Ok(())
}

/// Takes the sign-in that has this `state` out of the browser, where a note of its end stays, so that Back and
/// a reload lead there too.
///
/// # Errors
/// As [`remember`].
pub fn take(app: &App, cookies: &Cookies, state: &str) -> Result<Found, Refusal> {
    let plain = plain_name(state);
    let Some(mut under_way) = open(app, cookies, &plain).filter(|found| is_fresh(found, app.clock.now())) else {
        return Ok(Found::Nothing);
    };
    let return_to = ReturnTo::parse(app, &under_way.return_to);
    match under_way.attempt.take() {
        Some(attempt) if attempt.state() == state => {
            // Two requests at once may both bring the cookie.
            if !app.spent_states.spend(state, app.clock.now()) {
                return Ok(Found::Done { return_to });
            }
            put(app, cookies, &plain, &under_way)?;
            let UnderWay { provider, purpose, .. } = under_way;
            Ok(Found::UnderWay { attempt, provider, return_to, purpose })
        }
        Some(_) => Ok(Found::Nothing),
        None => Ok(Found::Done { return_to }),
    }
}

fn put(app: &App, cookies: &Cookies, plain: &str, under_way: &UnderWay) -> Result<(), Refusal> {
    let value = serde_json::to_string(under_way).map_err(|error| Refusal::Internal(error.to_string()))?;
    let max_age = Some(Duration::minutes(GOOD_FOR_MINUTES));
    cookies.private(app.keys.cookies()).add(cookie(app, plain, value, max_age));
    Ok(())
}

/// A cookie's name holds the beginning of its `state`: enough to find it, and no more than a query shows.
fn plain_name(state: &str) -> String {
    let short: String = state.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(8).collect();
    format!("{PREFIX}{short}")
}

const PREFIX: &str = "thoughts-sign-in-";

fn is_fresh(under_way: &UnderWay, now: Timestamp) -> bool {
    let age = SignedDuration::from_millis(now.as_millisecond() - under_way.started);
    age >= SignedDuration::ZERO && age < SignedDuration::from_mins(GOOD_FOR_MINUTES)
}

fn open(app: &App, cookies: &Cookies, plain: &str) -> Option<UnderWay> {
    let name = name(app, plain);
    let value = app.keys.all_cookies().find_map(|key| cookies.private(key).get(&name))?;
    serde_json::from_str(value.value()).ok()
}

/// The plain names of all of these cookies that the browser holds, with their bytes as it sends them back, and
/// with what stands between two.
fn all(app: &App, cookies: &Cookies) -> Vec<(String, usize)> {
    let prefix = name(app, PREFIX);
    let ours = |cookie: &Cookie<'_>| {
        let short = cookie.name().strip_prefix(&*prefix)?;
        Some((format!("{PREFIX}{short}"), cookie.stripped().to_string().len() + 2))
    };
    cookies.list().iter().filter_map(ours).collect()
}

/// How long ago, in seconds, the sign-ins began that this browser has finished within the last minute.
pub fn just_finished(app: &App, cookies: &Cookies) -> Vec<i64> {
    let now = app.clock.now().as_millisecond();
    let ages = done(app, cookies).into_iter().map(|(_, one)| (now - one.started) / 1000);
    ages.filter(|age| (0..60).contains(age)).collect()
}

/// Forgets the sign-ins that are done. Those under way in other tabs can still be finished.
pub fn forget_done(app: &App, cookies: &Cookies) {
    for (plain, _) in done(app, cookies) {
        forget(app, cookies, &plain);
    }
}

fn done(app: &App, cookies: &Cookies) -> Vec<(String, UnderWay)> {
    let opened =
        all(app, cookies).into_iter().filter_map(|(plain, _)| Some((plain.clone(), open(app, cookies, &plain)?)));
    opened.filter(|(_, one)| one.attempt.is_none()).collect()
}

/// Forgets what can't be read or has gone stale, and then the oldest, until the rest fits.
fn make_room(app: &App, cookies: &Cookies, newest: &str) {
    let mut kept = Vec::new();
    for (plain, bytes) in all(app, cookies) {
        match open(app, cookies, &plain) {
            Some(under_way) if is_fresh(&under_way, app.clock.now()) => kept.push((under_way.started, plain, bytes)),
            Some(_) | None => forget(app, cookies, &plain),
        }
    }
    // The one just made first, and then the younger before the older.
    kept.sort_by_key(|(started, plain, _)| (plain != newest, -started));
    let mut total = 0;
    for (_, plain, bytes) in kept {
        total += bytes;
        if total > MAX_BYTES {
            forget(app, cookies, &plain);
        }
    }
}
