//! A file a screen: the handlers above, the views below. To add one, add a file, a pattern in
//! [`paths`](crate::paths) and a row in [`routes`](super::routes).

pub mod back_channel_logout;
pub mod callback;
pub mod edit;
pub mod error;
pub mod feed;
mod going_round;
pub mod health;
pub mod login;
pub mod logout;
pub mod member;
pub mod preview;
pub mod profile;
pub mod share_thought;
pub mod sign_in_failed;
pub mod theme;
pub mod thought;

use std::str::FromStr;

use super::access::Visitor;
use super::form::Fields;
use super::refusal::Refusal;
use crate::domain::id::ThoughtId;

/// The part of a path that names something; what can't be a name names nothing.
fn named<T: FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}

/// The fields of a request's query.
fn query(visitor: &Visitor) -> Fields {
    Fields::parse(visitor.path.split_once('?').map_or("", |(_, query)| query).as_bytes())
}

/// Where a page of a list begins: `?before=`.
fn before(visitor: &Visitor) -> Result<Option<ThoughtId>, Refusal> {
    match query(visitor).get("before") {
        "" => Ok(None),
        id => named(id).map(Some),
    }
}
