//! The identities that a member signs in with: linking one more, taking one away. Never by e-mail: what two providers
//! say of an address proves nothing of who has either account. Only a sign-in with both does.

use super::sign_in::{self, Refused};
use super::{Error, Result, sessions};
use crate::app::App;
use crate::config::Provider;
use crate::domain::member::{Identity, Linked, Member, Stays};
use crate::domain::session::{End, Session};
use crate::oidc::SignedIn;
use crate::store::Unlinked;
use crate::telemetry::Event;

/// The identity with which the member signs in at this provider.
pub fn at<'m>(member: &'m Member, provider: &Provider) -> Option<&'m Identity> {
    member.identities.iter().find(|identity| identity.iss == provider.issuer.as_str())
}

/// Whether the session was begun with this identity.
pub fn is_in_use(identity: &Identity, session: &Session) -> bool {
    identity.iss == session.iss && identity.sub == session.sub
}

/// Lets the member sign in with the identity that `provider` vouches for too. Their name, groups and role stay as the
/// provider says that they signed in with last.
///
/// # Errors
/// `NotAllowed` where the configuration wouldn't let that identity in, `LinkedToAnother` and `OneThere` as the store
/// says; then nothing has changed.
pub async fn link(
    app: &App,
    provider: &Provider,
    member: &Member,
    signed_in: SignedIn,
) -> std::result::Result<(), Refused> {
    sign_in::check_allowed(provider, &signed_in)?;
    let identity = Identity { iss: signed_in.iss, sub: signed_in.sub };
    match app.store.link(member.id, &identity).await? {
        Some(Linked::Now) => {
            app.telemetry.event(Event::IdentityLinked { member: member.id, provider: provider.name.as_str() });
            Ok(())
        }
        Some(Linked::Already) => Ok(()),
        Some(Linked::ToAnother) => Err(Refused::LinkedToAnother { sub: identity.sub }),
        Some(Linked::OneThere) => Err(Refused::OneThere),
        None => Err(Refused::NoMember),
    }
}

/// Takes from the member the identity that they have at this provider; the sessions begun with it end. What they use
/// now stays: nobody cuts off the branch they sit on. Gives the member as they are then.
///
/// # Errors
/// `NotFound` where they have none there, `Forbidden` where it is the one in use or the last.
pub async fn unlink(app: &App, provider: &Provider, member: &Member, session: &Session) -> Result<Member> {
    let identity = at(member, provider).ok_or(Error::NotFound)?;
    member.may_unlink(identity).map_err(stays)?;
    if is_in_use(identity, session) {
        return Err(Error::Forbidden("You are signed in with this one. Sign in with another to unlink it."));
    }
    match app.store.unlink(member.id, identity, app.clock.now()).await? {
        Some(Unlinked::Now { ended }) => {
            app.telemetry.event(Event::IdentityUnlinked { member: member.id, provider: provider.name.as_str() });
            sessions::ended(app, &ended, End::Elsewhere);
            app.store.member(member.id).await?.ok_or(Error::NotFound)
        }
        Some(Unlinked::Not(why)) => Err(stays(why)),
        None => Err(Error::NotFound),
    }
}

fn stays(why: Stays) -> Error {
    match why {
        Stays::NotTheirs => Error::NotFound,
        Stays::Last => Error::Forbidden("This is the only way you can sign in. Link another first."),
    }
}
