//! What Thoughts is about, and nothing else: no I/O, no HTTP, no async, nothing of ours imported.
//!
//! Every type here exists only if it is valid: its constructor is the one place that knows its rule.
//! Read in this order: [`id`], [`visibility`], [`thought`], [`member`], [`session`],
//! [`api_token`], [`page`], [`policy`], where it is decided who may see and do what, and then
//! [`change`].

pub mod api_token;
pub mod change;
pub mod id;
pub mod markdown;
pub mod member;
pub mod page;
pub mod policy;
pub mod search;
pub mod session;
pub mod thought;
pub mod unsent;
pub mod visibility;

/// Why something that was typed is not one of ours: which field, what was wrong, and what would be right.
/// Made to be shown to the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// The name of the form field or JSON member, as the contract calls it.
    pub field: &'static str,
    /// A sentence for people.
    pub message: String,
}

impl Invalid {
    /// A refusal of `field` for the reason `message`.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}
