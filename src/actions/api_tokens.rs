//! API tokens: making one, finding out whose it is, seeing one's own, revoking them.

use jiff::Timestamp;

use crate::app::App;
use crate::clock::random;
use crate::domain::Invalid;
use crate::domain::api_token::{ApiToken, ApiTokenSecret, NewApiToken};
use crate::domain::id::ApiTokenId;
use crate::domain::member::Member;
use crate::domain::thought::Once;
use crate::store::{Created, StoreError};
use crate::telemetry::Event;

use super::{Error, Result};

/// What came of asking for a token.
pub enum Made {
    /// It was made. This is the only time that its secret is known.
    Now(ApiToken, ApiTokenSecret),
    /// The same `once` value had already made one, whose secret was told then.
    Already,
}

/// Makes a token in the member's name. Random bits, so that nothing that is kept can make them again: the same `once`
/// value again makes no second token, and does not tell the first one's secret again either.
///
/// # Errors
/// `Invalid` where the member has as many as one may have.
pub async fn create(app: &App, member: &Member, new: NewApiToken, once: Option<&Once>) -> Result<Made> {
    let now = app.clock.now();
    let secret = ApiTokenSecret::new(random());
    let token = ApiToken {
        id: ApiTokenId::from(app.ids.next(now)),
        member: member.id,
        hash: secret.hash(),
        name: new.name,
        scope: new.scope,
        created_at: now,
        last_used_at: None,
        expires_at: new.lifetime.ends(now),
    };
    match app.store.create_api_token(&token, once).await? {
        Created::Now => {
            app.telemetry.event(Event::ApiTokenCreated(&token));
            Ok(Made::Now(token, secret))
        }
        Created::Already => Ok(Made::Already),
        Created::TooMany => {
            let limit = format!("You have {} tokens, which is the most. Revoke one first.", ApiToken::AT_MOST);
            Err(Invalid::new("name", limit).into())
        }
        Created::NoMember => Err(Error::NotFound),
    }
}

/// Why what was shown as a token lets nobody in. The text is for whoever shows it.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It can't be one of ours.
    #[error(
        "This is no API token of Thoughts: one is “{}” and 43 characters, sent as `Authorization: Bearer …`.",
        ApiTokenSecret::PREFIX
    )]
    Malformed,
    /// It is none of ours, or was revoked: the two can't be told apart, for nothing is kept of one that was.
    #[error("This API token is not known here, or was revoked. Make a new one on your profile.")]
    Unknown,
    /// It has ended by itself.
    #[error("This API token has expired. Make a new one on your profile.")]
    Expired,
    /// The store failed.
    #[error("the token can't be looked up: {0}")]
    Store(#[from] StoreError),
}

impl Refused {
    /// The cause in a word, for the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Store(_) => "store",
        }
    }
}

/// Who holds this token, if it is good: notes the use, at most once a minute, by an update that can't bring a revoked
/// token back.
pub async fn holder(app: &App, secret: &ApiTokenSecret) -> std::result::Result<(Member, ApiToken), Refused> {
    let token = app.store.api_token(secret.hash()).await?.ok_or(Refused::Unknown)?;
    let now = app.clock.now();
    if token.expired(now) {
        return Err(Refused::Expired);
    }
    if token.touch_is_due(now) && !touch(app, &token, now).await {
        return Err(Refused::Unknown);
    }
    let member = app.store.member(token.member).await?.ok_or(Refused::Unknown)?;
    Ok((member, token))
}

/// Notes a use. `false` where the token was revoked meanwhile.
async fn touch(app: &App, token: &ApiToken, now: Timestamp) -> bool {
    app.store.touch_api_token(token.hash, now).await.unwrap_or_else(|error| {
        // A disk that is full must not keep programs from reading.
        tracing::warn!(%error, "a token's use was not noted");
        true
    })
}

/// The member's tokens, the latest made first, those too that have expired: a program that stopped is explained by
/// them.
pub async fn own(app: &App, member: &Member) -> Result<Vec<ApiToken>> {
    Ok(app.store.api_tokens_of(member.id).await?)
}

/// Revokes one of the member's own tokens, at once.
///
/// # Errors
/// `NotFound` where there is no such token, or it is another's.
pub async fn revoke(app: &App, member: &Member, id: ApiTokenId) -> Result<()> {
    app.store.revoke_api_token(member.id, id).await?.ok_or(Error::NotFound)?;
    app.telemetry.event(Event::ApiTokenRevoked { token: id, member: member.id });
    Ok(())
}
