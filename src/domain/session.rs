//! A session: the server's record of a sign-in. The browser holds an unguessable id of it and nothing else.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::id::MemberId;

/// The secret that a browser holds: 256 random bits, base64url in the cookie. Never stored, never logged.
/// Source: OWASP ASVS 5.0, 7.2.3.
pub struct SessionId([u8; 32]);

impl SessionId {
    /// A new id out of 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The id in a cookie's value, if it is one.
    pub fn from_cookie(value: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// What goes into the cookie: 43 characters.
    pub fn to_cookie(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the store knows it by.
    pub fn hash(&self) -> SessionHash {
        SessionHash(Sha256::digest(self.0).into())
    }
}

/// The SHA-256 of a session id: what is stored, and what names a session where it is managed. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionHash([u8; 32]);

impl SessionHash {
    /// The bytes, for a key.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The hash with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text doesn't name a session. In a URL that means: not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a session")]
pub struct NotASession;

impl FromStr for SessionHash {
    type Err = NotASession;

    fn from_str(text: &str) -> Result<Self, NotASession> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| NotASession)?;
        bytes.try_into().map(Self).map_err(|_| NotASession)
    }
}

/// The record of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What it is known by.
    pub hash: SessionHash,
    /// Whose it is.
    pub member: MemberId,
    /// The provider's `name` in the configuration.
    pub provider: String,
    /// The issuer that was signed in with.
    pub iss: String,
    /// Who that issuer says it is.
    pub sub: String,
    /// The provider's own name for its session, if it gave one (OpenID Connect Back-Channel Logout 1.0, 2.1).
    pub sid: Option<String>,
    /// When the person signed in here; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub created_at: Timestamp,
    /// When the person last proved to their provider who they are: its `auth_time`, or where it gives none, when they
    /// signed in here; whole milliseconds. A record of before this was kept says: long ago.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub authenticated_at: Timestamp,
    /// When it was last used, to the minute; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub last_seen_at: Timestamp,
    /// What the browser called itself at sign-in; 200 characters at most.
    pub user_agent: String,
    /// The address that the sign-in came from.
    pub address: Option<String>,
    /// The tokens and the claims, sealed; opened by the keys of `THOUGHTS_SECRET` alone.
    pub sealed: Vec<u8>,
}

impl Session {
    /// How long a sign-in is recent enough for what a stolen or forgotten session must not do.
    /// Source: OWASP ASVS 5.0, 7.5.1 to 7.5.3.
    pub const RECENT: Duration = Duration::from_mins(5);

    /// Whether the person has proved so recently who they are.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.authenticated_at) < signed(Self::RECENT)
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The person signed out in it.
    SignedOut,
    /// Its member ended it from another session of theirs, by itself or with the way to sign in that it was begun with.
    Elsewhere,
    /// Somebody signed in anew in the same browser: its member once more, or another.
    Replaced,
    /// Its provider said that it has ended, over the back channel or by taking its refresh token no more.
    ByProvider,
    /// An admin ended it.
    ByAdmin,
    /// Its provider said at a refresh what `THOUGHTS_OIDC_ALLOW` lets in no more.
    NotAllowed,
    /// Its member deleted their account.
    AccountDeleted,
    /// It was not used for too long, or began too long ago.
    Expired,
}

impl End {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::Elsewhere,
        Self::Replaced,
        Self::ByProvider,
        Self::ByAdmin,
        Self::NotAllowed,
        Self::AccountDeleted,
        Self::Expired,
    ];

    /// What it is called in the log, in metrics and in a stream of events.
    pub fn label(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Elsewhere => "elsewhere",
            Self::Replaced => "replaced",
            Self::ByProvider => "by_provider",
            Self::ByAdmin => "by_admin",
            Self::NotAllowed => "not_allowed",
            Self::AccountDeleted => "account_deleted",
            Self::Expired => "expired",
        }
    }
}

/// What is noted of a session that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Whose it was.
    pub member: MemberId,
    /// Why it ended.
    pub why: End,
    /// When it ended; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

/// What a provider says has ended with it. Source: OpenID Connect Back-Channel Logout 1.0, section 2.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLogout {
    /// Which provider says so.
    pub iss: String,
    /// Who has signed out there: all of their sessions with this provider end, unless `sid` names one.
    pub sub: Option<String>,
    /// Which of the provider's sessions has ended.
    pub sid: Option<String>,
    /// The name of this message, which counts once.
    pub jti: String,
}

impl ProviderLogout {
    /// Whether it is about this session. Where it names nobody and nothing, it is about none.
    pub fn names(&self, session: &Session) -> bool {
        let sub = self.sub.as_ref().is_none_or(|sub| *sub == session.sub);
        let sid = self.sid.as_ref().is_none_or(|sid| session.sid.as_ref() == Some(sid));
        self.iss == session.iss && sub && sid && (self.sub.is_some() || self.sid.is_some())
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A session ends when it has not been used for this long. Source: OWASP ASVS 5.0, 7.3.1.
    pub idle: Duration,
    /// A session ends this long after the sign-in in any case. Source: OWASP ASVS 5.0, 7.3.2.
    pub max: Duration,
}

impl Limits {
    /// Whether the session is still good at `now`: both limits are the first moment at which it is not.
    pub fn admit(&self, session: &Session, now: Timestamp) -> bool {
        now.duration_since(session.last_seen_at) < signed(self.idle)
            && now.duration_since(session.created_at) < signed(self.max)
    }

    /// Whether its last use is so long ago that a new one is worth writing down: a minute, or a tenth of the
    /// idle limit where that is shorter.
    pub fn touch_is_due(&self, session: &Session, now: Timestamp) -> bool {
        let every = (self.idle / 10).min(Duration::from_mins(1));
        now.duration_since(session.last_seen_at) >= signed(every)
    }

    /// When the session ends if it is not used until then.
    pub fn ends(&self, session: &Session) -> Timestamp {
        let idle = session.last_seen_at.saturating_add(signed(self.idle)).unwrap_or(Timestamp::MAX);
        idle.min(self.end_of(session))
    }

    /// When the session ends at the latest.
    pub fn end_of(&self, session: &Session) -> Timestamp {
        session.created_at.saturating_add(signed(self.max)).unwrap_or(Timestamp::MAX)
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    const LIMITS: Limits = Limits { idle: Duration::from_secs(100), max: Duration::from_secs(1000) };

    fn session(created: i64, seen: i64) -> Session {
        Session {
            hash: SessionId::new([7; 32]).hash(),
            member: MemberId::from(Ulid(1)),
            provider: "default".into(),
            iss: "https://op.example".into(),
            sub: "ann".into(),
            sid: None,
            created_at: at(created),
            authenticated_at: at(created),
            last_seen_at: at(seen),
            user_agent: String::new(),
            address: None,
            sealed: Vec::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_ends_at_its_idle_limit() {
        assert!(LIMITS.admit(&session(0, 0), at(99)));
        assert!(!LIMITS.admit(&session(0, 0), at(100)));
    }

    #[test]
    fn a_session_in_use_ends_at_its_absolute_limit() {
        assert!(LIMITS.admit(&session(0, 990), at(999)));
        assert!(!LIMITS.admit(&session(0, 990), at(1000)));
    }

    #[test]
    fn a_session_ends_at_the_first_of_its_limits_if_it_is_not_used() {
        for (session, end) in [(session(0, 0), 100), (session(0, 50), 150), (session(0, 950), 1000)] {
            assert_eq!(LIMITS.ends(&session), at(end));
            assert!(LIMITS.admit(&session, at(end - 1)) && !LIMITS.admit(&session, at(end)));
        }
    }

    #[test]
    fn a_touch_is_due_after_a_tenth_of_a_short_idle_limit() {
        assert!(!LIMITS.touch_is_due(&session(0, 0), at(9)));
        assert!(LIMITS.touch_is_due(&session(0, 0), at(10)));
    }

    #[test]
    fn a_sign_in_is_recent_for_five_minutes() {
        assert!(session(0, 299).is_recent(at(299)));
        assert!(!session(0, 300).is_recent(at(300)));
    }

    #[test]
    fn a_session_of_before_sign_ins_were_dated_is_not_recent() {
        let mut stored = serde_json::to_value(session(0, 0)).unwrap();
        stored.as_object_mut().unwrap().remove("authenticated_at");
        let session: Session = serde_json::from_value(stored).unwrap();
        assert!(!session.is_recent(at(1_764_000_000)));
    }

    #[test]
    fn why_a_session_ended_is_stored_as_it_is_called() {
        for why in End::ALL {
            assert_eq!(serde_json::to_value(why).unwrap(), why.label());
        }
    }

    #[test]
    fn the_cookie_gives_the_id_back_and_the_hash_does_not_hold_it() {
        let id = SessionId::new([9; 32]);
        let again = SessionId::from_cookie(&id.to_cookie()).unwrap();
        assert_eq!(again.hash(), id.hash());
        assert_ne!(id.hash().to_string(), id.to_cookie());
        assert!(SessionId::from_cookie("short").is_none());
    }
}
