//! Which request a line of the log is about.
//!
//! A span of `tracing` would say it too, and cost as much as a twentieth of a page: it is written down, looked up and
//! taken away again for every request, though hardly one of them has a line.

use std::fmt;
use std::future::Future;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The name of a request, on its response and in every line of the log that it causes: 72 random bits in the letters of
/// base64url (RFC 4648, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId([u8; 12]);

impl RequestId {
    /// A name made of these.
    pub fn new(random: [u8; 9]) -> Self {
        let mut letters = [b'A'; 12];
        // Nine bytes are twelve letters.
        let _ = BASE64_URL_SAFE_NO_PAD.encode_slice(random, &mut letters);
        Self(letters)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The request that this task is at, if it is at one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Does that as a part of this request.
    pub fn at<T>(self, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, work)
    }

    /// The same with a future, wherever it is polled.
    pub fn throughout<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
