//! Proof that somebody is asking who has signed in a short while ago: for what a session that was stolen, or left open,
//! must not do. A handler that needs it takes a [`RecentMember`] in the place of a [`Member`], or a [`RecentAdmin`] in
//! that of an [`Admin`], and nothing else; whoever has not is sent to sign in once more and comes back to the form as it
//! was. Source: RFC 9470; OWASP ASVS 5.0, 7.5.

use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody};

use super::access::{Admin, Member};
use super::form::{Fields, is_form, read_within_limit};
use super::refusal::Refusal;
use super::request::Kind;
use super::unsent;

/// A proof of who is asking, and that their sign-in is recent.
#[derive(Clone)]
pub struct Recent<P>(P);

/// Proof that a member is asking, and that their sign-in is recent.
pub type RecentMember = Recent<Member>;

/// Proof that an admin is asking, and that their sign-in is recent.
pub type RecentAdmin = Recent<Admin>;

impl<P: AsRef<Member>> Recent<P> {
    /// Whoever is asking, if their sign-in is recent: for a handler in which it depends on what is asked.
    ///
    /// # Errors
    /// `SignInAgain`.
    pub fn prove(who: P) -> Result<Self, Refusal> {
        let member = who.as_ref();
        if member.session.is_recent(member.app.clock.now()) { Ok(Self(who)) } else { Err(Refusal::SignInAgain) }
    }

    /// Whoever was asking, who has done what it was needed for.
    pub fn done(self) -> P {
        self.0
    }
}

impl<P> Deref for Recent<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

impl<'a> FromRequest<'a> for RecentMember {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let member = Member::from_request(request, body).await?;
        keep_what_was_typed(&member, request, body).await?;
        Ok(Self::prove(member)?)
    }
}

impl<'a> FromRequest<'a> for RecentAdmin {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let admin = Admin::from_request(request, body).await?;
        keep_what_was_typed(&admin, request, body).await?;
        Ok(Self::prove(admin)?)
    }
}

/// Keeps what stands in the form of whoever has to sign in again first.
async fn keep_what_was_typed(member: &Member, request: &Request, body: &mut RequestBody) -> Result<(), Refusal> {
    if member.kind != Kind::Api && is_form(request) && !member.session.is_recent(member.app.clock.now()) {
        let body = body.take().map_err(|_| Refusal::Internal("a body was read twice".to_owned()))?;
        unsent::keep_of(member, Fields::parse(&read_within_limit(body).await?)).await?;
    }
    Ok(())
}
