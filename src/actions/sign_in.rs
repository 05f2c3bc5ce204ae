//! Signing in, once the provider has said who it is: may they enter, what are they called, a new session.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::sessions;
use crate::app::App;
use crate::clock::random;
use crate::config::{AllowRule, ClaimRule, Provider};
use crate::domain::change::Change;
use crate::domain::id::MemberId;
use crate::domain::member::{Handle, Identity, Member, Profile};
use crate::domain::session::{End, Session, SessionHash, SessionId};
use crate::domain::visibility::GroupName;
use crate::oidc::{SignedIn, Tokens};
use crate::store::StoreError;
use crate::telemetry::Event;

/// Where a sign-in came from, as the person will see it in their list of sessions.
pub struct Whence {
    /// What the browser calls itself.
    pub user_agent: String,
    /// The address it came from.
    pub address: Option<String>,
    /// The session that the new one replaces, if the person was signed in already.
    pub replaces: Option<SessionHash>,
}

/// What is kept sealed with a session.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// The provider's tokens. They never leave the server.
    pub tokens: Tokens,
    /// What the provider said of the person, as their profile shows it to them.
    pub claims: Map<String, Value>,
}

/// Why someone whom the provider knows was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The configuration's `allow` doesn't name them.
    #[error("the provider says it is {sub}, and THOUGHTS_OIDC_ALLOW does not let them in")]
    NotAllowed {
        /// Who it is, at the provider.
        sub: String,
    },
    /// A sign-in that was to confirm who somebody is says that they are somebody else.
    #[error("the provider says it is {sub}, who is not the member that asked")]
    SomebodyElse {
        /// Who it is, at the provider.
        sub: String,
    },
    /// The identity to be linked opens another member's account already.
    #[error("the provider says it is {sub}, who is another member here")]
    LinkedToAnother {
        /// Who it is, at the provider.
        sub: String,
    },
    /// The member has another identity at the provider already.
    #[error("the member is linked with another account at this provider")]
    OneThere,
    /// The member has gone meanwhile.
    #[error("the member is not there any more")]
    NoMember,
    /// The tokens could not be sealed.
    #[error(transparent)]
    Unsealable(#[from] crate::keys::Unsealable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets a person in whom `provider` vouches for: makes or updates the member, and begins a session with a
/// new id, which is given back for the cookie.
pub async fn sign_in(
    app: &App,
    provider: &Provider,
    signed_in: SignedIn,
    whence: Whence,
) -> Result<(SessionId, Member), Refused> {
    check_allowed(provider, &signed_in)?;
    let claims = signed_in.claims;
    let now = app.clock.now();
    let profile = profile(provider, &claims);
    let handle = Handle::suggest(&profile.preferred_handle);
    let identity = Identity { iss: signed_in.iss, sub: signed_in.sub };
    let member = app.store.admit(&identity, &profile, &handle, MemberId::from(app.ids.next(now)), now).await?;
    app.live.tell(&Change::MemberKnownAnew { member: member.id });

    let id = SessionId::new(random());
    let hash = id.hash();
    let kept = Kept { tokens: signed_in.tokens, claims };
    let session = Session {
        hash,
        member: member.id,
        provider: provider.name.to_string(),
        iss: identity.iss,
        sub: identity.sub,
        sid: signed_in.sid,
        created_at: now,
        authenticated_at: signed_in.auth_time.map_or(now, |then| then.min(now)),
        last_seen_at: now,
        user_agent: whence.user_agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        address: whence.address,
        sealed: app.keys.seal(&kept, &hash.to_bytes())?,
    };
    let replaced = app.store.begin_session(&session, app.limits.end_of(&session), whence.replaces).await?;
    sessions::ended(app, replaced.as_slice(), End::Replaced);
    app.telemetry.event(Event::SessionCreated(&session));
    Ok((id, member))
}

/// Renews the session of a member who has just proved once more who they are: as [`sign_in`], for them alone.
pub async fn confirm(
    app: &App,
    provider: &Provider,
    member: &Member,
    signed_in: SignedIn,
    whence: Whence,
) -> Result<(SessionId, Member), Refused> {
    let theirs = |identity: &Identity| identity.iss == signed_in.iss && identity.sub == signed_in.sub;
    if !member.identities.iter().any(theirs) {
        return Err(Refused::SomebodyElse { sub: signed_in.sub });
    }
    sign_in(app, provider, signed_in, whence).await
}

/// Whether the configuration lets in whom the provider vouches for.
pub(super) fn check_allowed(provider: &Provider, signed_in: &SignedIn) -> Result<(), Refused> {
    if allowed(&provider.allow, &signed_in.claims) {
        Ok(())
    } else {
        Err(Refused::NotAllowed { sub: signed_in.sub.clone() })
    }
}

/// What the claims say of a person. Source: OpenID Connect Core 1.0, section 5.1.
pub(super) fn profile(provider: &Provider, claims: &Map<String, Value>) -> Profile {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let email = text("email");
    let preferred = text("preferred_username").or(text("nickname")).or(email).or(text("name"));
    Profile {
        name: text("name").or(text("preferred_username")).unwrap_or_default().to_owned(),
        preferred_handle: preferred.unwrap_or_default().to_owned(),
        email: email.map(str::to_owned),
        groups: groups(claims.get(&provider.groups_claim)),
        admin: provider.admin.as_ref().is_some_and(|rule| holds(rule, claims)),
    }
}

/// The groups in a claim: a list of texts, or one text. What can't be a group's name is none.
fn groups(claim: Option<&Value>) -> BTreeSet<GroupName> {
    texts(claim).filter_map(|name| name.parse().ok()).collect()
}

/// Whether `allow` lets the bearer of these claims in; an empty one lets in whom the provider lets in. An
/// address doesn't count where the provider says that it has not verified it; some never say.
pub(super) fn allowed(allow: &[AllowRule], claims: &Map<String, Value>) -> bool {
    let unverified = claims.get("email_verified").is_some_and(|value| value != &Value::Bool(true));
    let email = claims.get("email").and_then(Value::as_str).filter(|_| !unverified);
    allow.is_empty()
        || allow.iter().any(|rule| match rule {
            AllowRule::Email(address) => email.is_some_and(|email| email.eq_ignore_ascii_case(address)),
            AllowRule::EmailDomain(domain) => email
                .and_then(|email| email.rsplit_once('@'))
                .is_some_and(|(_, theirs)| theirs.eq_ignore_ascii_case(domain)),
            AllowRule::Claim(rule) => holds(rule, claims),
        })
}

/// Whether the claim is the rule's value, or a list with it.
fn holds(rule: &ClaimRule, claims: &Map<String, Value>) -> bool {
    match claims.get(&rule.claim) {
        Some(Value::Bool(flag)) => rule.value == flag.to_string(),
        Some(Value::Number(number)) => rule.value == number.to_string(),
        claim => texts(claim).any(|text| text == rule.value),
    }
}

fn texts(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match claim {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}
