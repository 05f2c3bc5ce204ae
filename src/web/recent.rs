//! Proof that a member is asking who has signed in a short while ago: for what a session that was stolen, or left open,
//! must not do. A handler that needs it takes a [`RecentMember`] in the place of a
//! [`Member`](super::access::Member), and nothing else; whoever has not is sent to sign in once more and comes back to
//! the form as it was. Source: RFC 9470; OWASP ASVS 5.0, 7.5.

use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody};

use super::access::Member;
use super::form::{Fields, is_form, read_within_limit};
use super::refusal::Refusal;
use super::request::Kind;
use super::unsent;

/// Proof that a member is asking, and that their sign-in is recent.
#[derive(Clone)]
pub struct RecentMember(Member);

impl RecentMember {
    /// The member, if their sign-in is recent: for a handler in which it depends on what is asked.
    ///
    /// # Errors
    /// `SignInAgain`.
    pub fn prove(member: Member) -> Result<Self, Refusal> {
        if member.session.is_recent(member.app.clock.now()) { Ok(Self(member)) } else { Err(Refusal::SignInAgain) }
    }

    /// The member, who has done what it was needed for.
    pub fn into_member(self) -> Member {
        self.0
    }
}

impl Deref for RecentMember {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.0
    }
}

impl<'a> FromRequest<'a> for RecentMember {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let member = Member::from_request(request, body).await?;
        if member.kind != Kind::Api && is_form(request) && !member.session.is_recent(member.app.clock.now()) {
            let body = body.take().map_err(|_| Refusal::Internal("a body was read twice".to_owned()))?;
            unsent::keep_of(&member, Fields::parse(&read_within_limit(body).await?)).await?;
        }
        Ok(Self::prove(member)?)
    }
}
