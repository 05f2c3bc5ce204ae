//! What a sign-in is for: to sign in, or something that a session asks of it. It is sealed with the sign-in under way,
//! so that nobody can give another's sign-in a purpose of their own.
//!
//! To add one: a variant, its words where a sign-in fails, and an arm where one comes back (`pages/callback.rs`).

use serde::{Deserialize, Serialize};

use super::return_to::ReturnTo;
use crate::app::App;
use crate::domain::session::{Session, SessionHash};
use crate::paths;

/// What a sign-in is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To sign in.
    #[default]
    #[serde(rename = "s")]
    SignIn,
    /// To have whoever uses this session prove once more who they are.
    #[serde(rename = "c", with = "as_text")]
    Confirm(SessionHash),
    /// To have whoever uses this session sign in with this provider too, from then on.
    #[serde(rename = "l", with = "as_text")]
    Link(SessionHash),
}

impl Purpose {
    /// Seconds for which a sign-in at the provider may lie back that is to confirm: few enough that what it was asked
    /// for can be done at leisure before it is no longer recent ([`Session::RECENT`]), and not 0, which some providers
    /// take for nothing said.
    const CONFIRM_MAX_AGE: u32 = 60;

    /// The `max_age` to ask the provider for, in seconds. Not for a link: it needs a recent sign-in here, and there are
    /// providers that never say when one was.
    pub fn max_age(self) -> Option<u32> {
        match self {
            Self::Confirm(_) => Some(Self::CONFIRM_MAX_AGE),
            Self::SignIn | Self::Link(_) => None,
        }
    }

    /// Whether a sign-in for this may be finished by whoever uses this session: by the one that asked, and no other, so
    /// that nobody's sign-in can be put upon somebody else. Source: RFC 9700, 4.7.
    pub fn is_for(self, session: Option<&Session>) -> bool {
        match self {
            Self::SignIn => true,
            Self::Confirm(hash) | Self::Link(hash) => session.is_some_and(|session| session.hash == hash),
        }
    }

    /// Where it is started again.
    pub fn again(self, app: &App, return_to: &ReturnTo) -> String {
        match self {
            Self::SignIn => app.paths.login(return_to.as_str()),
            Self::Confirm(_) => app.paths.confirm(return_to.as_str()),
            Self::Link(_) => app.paths.plain(paths::PROFILE),
        }
    }
}

/// A session's hash as 43 characters: a cookie has little room.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::domain::session::SessionHash;

    pub(super) fn serialize<S: Serializer>(hash: &SessionHash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hash)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SessionHash, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::SessionId;

    #[test]
    fn a_purpose_comes_back_as_it_was_and_is_small() {
        let hash = SessionId::new([7; 32]).hash();
        for purpose in [Purpose::SignIn, Purpose::Confirm(hash), Purpose::Link(hash)] {
            let json = serde_json::to_string(&purpose).unwrap();
            assert!(json.len() <= 52, "{json}");
            assert_eq!(serde_json::from_str::<Purpose>(&json).unwrap(), purpose);
        }
    }

    #[test]
    fn what_a_session_asked_for_is_for_nobody_who_has_none() {
        let hash = SessionId::new([7; 32]).hash();
        assert!(Purpose::SignIn.is_for(None));
        assert!(!Purpose::Confirm(hash).is_for(None) && !Purpose::Link(hash).is_for(None));
    }
}
