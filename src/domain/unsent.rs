//! What someone had typed when they turned out to be signed out: kept for them until they have signed in again.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::MemberId;

/// Names a text that is kept, in the browser that it came from and nowhere else: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnsentId([u8; 16]);

impl UnsentId {
    /// A new id out of 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The bytes, for a key.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for UnsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsentId([secret])")
    }
}

/// A text that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Whose it is: it is shown to nobody else.
    pub member: MemberId,
    /// The text, sealed.
    pub sealed: Vec<u8>,
    /// When it was kept; whole milliseconds.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

impl Unsent {
    /// Minutes for which a text is kept.
    pub const MINUTES: i64 = 60;

    /// How many texts are kept at most; one more takes the place of the oldest.
    pub const AT_MOST: usize = 1000;
}
