//! Identifiers: time-ordered, made by the instance, so that the order of ids is the order of sharing and a
//! feed can be read by key range.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// Declares an identifier: a ULID (48 bits of milliseconds, 80 bits of randomness) that can't be mistaken
/// for the identifier of something else. To add one more kind, add one line below.
macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Ulid);

        impl $name {
            /// The bytes in key order: big-endian, so that later ids sort after earlier ones.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.0.to_be_bytes()
            }

            /// The identifier with these bytes, the reverse of `to_bytes`.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid(u128::from_be_bytes(bytes)))
            }
        }

        impl From<Ulid> for $name {
            fn from(ulid: Ulid) -> Self {
                Self(ulid)
            }
        }

        /// Twenty-six letters and digits (Crockford's base 32), in either case.
        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let ulid = Ulid::from_string(text).map_err(|_| NotAnId)?;
                // The decoder takes 130 bits and drops two: one thing must not have several names.
                if ulid.to_string().eq_ignore_ascii_case(text) {
                    Ok(Self(ulid))
                } else {
                    Err(NotAnId)
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str(self.0.array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

identifiers! {
    /// Names a thought in its URL.
    ThoughtId;
    /// Names a member inside the store; people see the handle.
    MemberId;
    /// Names an API token where it is managed. It opens nothing.
    ApiTokenId;
    /// Names an event in a stream of them.
    EventId;
}

impl ThoughtId {
    /// Before all thoughts.
    pub const FIRST: Self = Self(Ulid(0));

    /// After all thoughts.
    pub const LAST: Self = Self(Ulid(u128::MAX));

    /// The least identifier of this time, in milliseconds since 1970.
    pub fn first_of(millisecond: u64) -> Self {
        Self(Ulid::from_parts(millisecond, 0))
    }

    /// When it was made, in milliseconds since 1970.
    pub fn millisecond(self) -> u64 {
        self.0.timestamp_ms()
    }

    /// The next identifier, whether or not it is anything's; there is none behind the last.
    #[must_use]
    pub fn next(self) -> Self {
        Self(Ulid(self.0.0.saturating_add(1)))
    }
}

impl EventId {
    /// Before all events.
    pub const NONE: Self = Self(Ulid(0));
}

/// The text is not an identifier. In a URL that means: not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of 26 letters and digits")]
pub struct NotAnId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = ThoughtId::from(Ulid::from_parts(1_764_054_000_000, 42));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(ThoughtId::from_bytes(id.to_bytes()), id);
    }

    #[test]
    fn bytes_sort_as_time_does() {
        let earlier = ThoughtId::from(Ulid::from_parts(1, u128::MAX >> 48));
        let later = ThoughtId::from(Ulid::from_parts(2, 0));
        assert!(earlier.to_bytes() < later.to_bytes());
    }

    #[test]
    fn anything_else_is_not_an_id() {
        for text in ["", "1", "../../etc", "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
            assert_eq!(text.parse::<ThoughtId>(), Err(NotAnId), "{text}");
        }
    }
}
