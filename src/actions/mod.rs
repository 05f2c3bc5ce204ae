//! What people do, one function a verb: ask the policy, store, say what came of it. No HTTP, no HTML; pages,
//! the API, the command line and jobs all call these.
//!
//! To add one: a function here, named by its verb, that asks [`policy`](crate::domain::policy) before it stores.

pub mod access_token;
pub mod account;
pub mod admin;
pub mod api_tokens;
pub mod back_channel_logout;
pub mod delete;
pub mod edit;
pub mod export;
pub mod identities;
pub mod read;
pub mod sessions;
pub mod share;
pub mod sign_in;
pub mod unsent;
pub mod watch;

use crate::domain::Invalid;
use crate::store::StoreError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or this viewer may not know of it: the two can't be told apart.
    #[error("not found")]
    NotFound,
    /// This viewer sees it, and may not do this with it. The text says why, to them.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// What was typed isn't one of ours.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Something could not be sealed.
    #[error(transparent)]
    Unsealable(#[from] crate::keys::Unsealable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every action's answer.
pub type Result<T> = std::result::Result<T, Error>;
