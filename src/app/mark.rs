//! How `thoughts check` learns what of a request arrives here, by way of whatever stands in front: it asks by a mark in
//! the query of `/healthz`, and the answer is in a header of the response. Both are sealed with the keys of this
//! installation, so that nobody else can ask, and nobody on the way can read or write the answer.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::Arrival;
use crate::keys::{Keys, Unsealable};

/// How far the time in a mark may be from ours. At as much between clocks sign-ins fail too.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(1);

/// Bytes that a mark may have: it has 72.
const MAX_BYTES: usize = 128;

/// What a mark is sealed for.
const ASKED: &[u8] = b"how does this arrive";

/// The mark of a request whose sender asks how it arrives.
#[derive(Debug)]
pub struct Mark(String);

impl Mark {
    /// What comes before the mark, which is all there is in the query.
    pub const QUERY: &str = "check=";

    /// The header of the response that has the answer.
    pub const ANSWER: &str = "thoughts-arrival";

    /// A new one, never the same twice.
    ///
    /// # Errors
    /// Where it can't be sealed.
    pub fn new(keys: &Keys, now: Timestamp) -> Result<Self, Unsealable> {
        let sealed = keys.seal(&now.as_millisecond(), ASKED)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The mark that this query is; `None` where it is none, is not of these keys, or is too old.
    pub fn of_query(query: &str, keys: &Keys, now: Timestamp) -> Option<Self> {
        let mark = query.strip_prefix(Self::QUERY).filter(|mark| mark.len() <= MAX_BYTES)?;
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(mark).ok()?;
        let made = Timestamp::from_millisecond(keys.open(&sealed, ASKED)?).ok()?;
        (now.duration_since(made).abs() <= GOOD_FOR).then(|| Self(mark.to_owned()))
    }

    /// The query that asks.
    pub fn query(&self) -> String {
        format!("{}{}", Self::QUERY, self.0)
    }

    /// The answer, for whoever has the keys and sent this very mark.
    ///
    /// # Errors
    /// Where it can't be sealed.
    pub fn seal(&self, keys: &Keys, arrival: &Arrival) -> Result<String, Unsealable> {
        Ok(BASE64_URL_SAFE_NO_PAD.encode(keys.seal(arrival, self.0.as_bytes())?))
    }

    /// Reads the answer; `None` where it is not to this mark, or not of these keys.
    pub fn open(&self, keys: &Keys, answer: &[u8]) -> Option<Arrival> {
        keys.open(&BASE64_URL_SAFE_NO_PAD.decode(answer).ok()?, self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn arrival() -> Arrival {
        Arrival { host: "thoughts.example".to_owned(), ..Arrival::default() }
    }

    #[test]
    fn who_has_the_keys_is_told_how_it_arrived() {
        let (theirs, ours) = (Keys::derive(&[1; 32], &[]), Keys::derive(&[2; 32], &[&[1; 32]]));
        let asked = Mark::new(&theirs, NOW).unwrap();
        let came = Mark::of_query(&asked.query(), &ours, NOW + GOOD_FOR).unwrap();
        let answer = came.seal(&theirs, &arrival()).unwrap();
        assert_eq!(asked.open(&ours, answer.as_bytes()), Some(arrival()));
        assert_eq!(Mark::new(&theirs, NOW).unwrap().open(&ours, answer.as_bytes()), None, "of another mark");
        assert_eq!(asked.open(&ours, b"?"), None);
    }

    #[test]
    fn anything_else_is_no_mark() {
        let keys = Keys::derive(&[1; 32], &[]);
        let query = Mark::new(&keys, NOW).unwrap().query();
        let is_one = |query: &str, now| Mark::of_query(query, &keys, now).is_some();
        assert!(is_one(&query, NOW) && query.len() <= Mark::QUERY.len() + MAX_BYTES);
        let second = SignedDuration::from_secs(1);
        assert!(!is_one(&query, NOW + GOOD_FOR + second), "old");
        assert!(!is_one(&query, NOW - GOOD_FOR - second), "of a time to come");
        assert!(Mark::of_query(&query, &Keys::derive(&[2; 32], &[]), NOW).is_none(), "of other keys");
        for other in ["", "check=", "check=abc", "a=b", &format!("{}{}", Mark::QUERY, "a".repeat(1000))] {
            assert!(!is_one(other, NOW), "{other}");
        }
    }
}
