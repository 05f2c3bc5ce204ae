//! A file a screen: the handlers above, the views below. To add one, add a file, a pattern in
//! [`paths`](crate::paths) and a row in [`routes`](super::routes).

pub mod admin;
pub mod back_channel_logout;
pub mod callback;
pub mod edit;
pub mod error;
pub mod events;
pub mod feed;
mod going_round;
pub mod health;
pub mod login;
pub mod logout;
pub mod member;
pub mod preview;
pub mod profile;
pub mod search;
pub mod share_thought;
pub mod sign_in_failed;
pub mod theme;
pub mod thought;

use std::str::FromStr;

use super::access::Visitor;
use super::form::named;
use super::refusal::Refusal;

/// Where a page of a list begins: `?before=`.
fn before<K: FromStr>(visitor: &Visitor) -> Result<Option<K>, Refusal> {
    match visitor.query().get("before") {
        "" => Ok(None),
        id => named(id).map(Some),
    }
}
