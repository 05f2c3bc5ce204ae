//! A member's access token for an upstream, refreshed where it must be: one refresh of a session at a time, on all
//! instances together, and the others wait for its result.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::sign_in::{self, Kept};
use super::{Error, sessions};
use crate::app::{App, SignInProvider, SignedInUpstream};
use crate::domain::change::Change;
use crate::domain::session::{End, Session, SessionHash};
use crate::oidc::{Api, RefreshError, Refreshed, SignInError};
use crate::store::StoreError;
use crate::telemetry::Event;

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// The session has ended: the provider takes its refresh token no more, or lets the person in no more.
    #[error("the session has ended")]
    SessionEnded,
    /// What was kept can't be opened any more, has expired without a way to refresh it, or is of a provider that isn't
    /// configured any more. Signing in again helps.
    #[error("the access token has expired and can't be refreshed")]
    SignInAgain,
    /// The provider did not give one this time. The session lives.
    #[error("the provider gave no new access token: {0}")]
    Provider(RefreshError),
    /// Another instance refreshes, and has taken too long.
    #[error("another instance has not finished refreshing")]
    Busy,
    /// Something of ours broke.
    #[error("{0}")]
    Internal(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long a turn lasts if it isn't given back, because an instance died with it: longer than a call to a provider.
const TURN: SignedDuration = SignedDuration::from_secs(15);

/// How often an instance looks whether another has finished.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often it looks before it gives up: after [`TURN`], and a little.
const LOOKS: u32 = 320;

/// An access token that `upstream` takes, good for a minute at least where it can be refreshed.
pub async fn access_token(app: &Arc<App>, session: &Session, upstream: &SignedInUpstream) -> Result<String, NoToken> {
    let provider = app.providers.named(&session.provider).ok_or(NoToken::SignInAgain)?;
    let api = upstream.api(&app.config, &provider.config);
    if let Some(token) = at_hand(&opened(app, session)?, &api, app.clock.now())? {
        return Ok(token.to_owned());
    }
    let refresh = Refresh { app: app.clone(), hash: session.hash, api, scopes: upstream.scopes() };
    let done = app.refreshes.run(refresh.run()).await;
    done.unwrap_or_else(|| Err(NoToken::Internal("a refresh panicked".to_owned())))
}

fn opened(app: &App, session: &Session) -> Result<Kept, NoToken> {
    sessions::kept(app, session).ok_or(NoToken::SignInAgain)
}

/// A token that needs no refresh, or can't have one.
fn at_hand<'k>(kept: &'k Kept, api: &Api, now: Timestamp) -> Result<Option<&'k str>, NoToken> {
    match kept.tokens.good_for(api, now) {
        None if kept.tokens.refresh_token.is_none() => {
            kept.tokens.last_for(api, now).map(Some).ok_or(NoToken::SignInAgain)
        }
        good => Ok(good),
    }
}

/// A refresh that is wanted.
struct Refresh {
    app: Arc<App>,
    hash: SessionHash,
    api: Api,
    scopes: Vec<String>,
}

/// What a refresh begins with, once it has the turn.
enum Turn {
    /// Another has refreshed meanwhile: the token.
    Done(String),
    /// The session as it is now, and what is kept with it.
    Ours(Box<(Session, Kept)>),
}

impl Refresh {
    async fn run(self) -> Result<String, NoToken> {
        let _turn = self.app.refreshes.turn(self.hash).await;
        let (session, kept) = match self.begin().await? {
            Turn::Done(token) => return Ok(token),
            Turn::Ours(ours) => *ours,
        };
        let provider = self.app.providers.named(&session.provider).ok_or(NoToken::SignInAgain)?;
        match provider.oidc.refresh(&kept.tokens, &self.api, &self.scopes).await {
            Ok(refreshed) => self.refreshed(provider, &session, kept, refreshed).await,
            Err(RefreshError::Dead { error }) => self.dead(&session, &error).await,
            Err(error) => {
                self.app.store.end_refresh(self.hash, None).await?;
                let (session, cause, why) = (self.hash, error.cause(), error.to_string());
                self.app.telemetry.event(Event::RefreshFailed { session, cause, why: &why });
                Err(NoToken::Provider(error))
            }
        }
    }

    /// Takes the turn among all instances, or finds that another has used it.
    async fn begin(&self) -> Result<Turn, NoToken> {
        let mut ours = false;
        for _ in 0..LOOKS {
            let session = self.session().await?.ok_or(NoToken::SessionEnded)?;
            let kept = opened(&self.app, &session)?;
            let now = self.app.clock.now();
            if let Some(token) = at_hand(&kept, &self.api, now)? {
                if ours {
                    self.app.store.end_refresh(self.hash, None).await?;
                }
                return Ok(Turn::Done(token.to_owned()));
            }
            if ours {
                return Ok(Turn::Ours(Box::new((session, kept))));
            }
            // Another instance may finish between the look and the turn: with the turn, look again.
            ours = self
                .app
                .store
                .begin_refresh(self.hash, now, now.saturating_add(TURN).unwrap_or(Timestamp::MAX))
                .await?;
            if !ours {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        Err(NoToken::Busy)
    }

    async fn session(&self) -> Result<Option<Session>, StoreError> {
        let session = self.app.store.session(self.hash).await?;
        Ok(session.filter(|session| self.app.limits.admit(session, self.app.clock.now())))
    }

    /// Writes the new tokens down before any of them is used, then reads anew what the provider says of the person.
    async fn refreshed(
        &self,
        provider: &SignInProvider,
        session: &Session,
        mut kept: Kept,
        refreshed: Refreshed,
    ) -> Result<String, NoToken> {
        kept.tokens = refreshed.tokens.clone();
        self.keep(&kept).await?;
        self.app.telemetry.event(Event::TokensRefreshed(session));
        match provider.oidc.read_again(&refreshed, &kept.claims).await {
            Ok(Some(claims)) if claims != kept.claims => self.read_again(provider, session, &mut kept, claims).await?,
            Ok(Some(_) | None) => {}
            Err(error) => self.distrusted(&error),
        }
        let token = kept.tokens.last_for(&self.api, self.app.clock.now()).ok_or(NoToken::SignInAgain)?;
        Ok(token.to_owned())
    }

    async fn keep(&self, kept: &Kept) -> Result<(), NoToken> {
        let sealed = self.app.keys.seal(kept, &self.hash.to_bytes());
        let sealed = sealed.map_err(|error| NoToken::Internal(error.to_string()))?;
        // Whoever signed out meanwhile is signed out.
        if self.app.store.end_refresh(self.hash, Some(sealed)).await? { Ok(()) } else { Err(NoToken::SessionEnded) }
    }

    /// The person may have other groups now, or be let in no more.
    async fn read_again(
        &self,
        provider: &SignInProvider,
        session: &Session,
        kept: &mut Kept,
        claims: Map<String, Value>,
    ) -> Result<(), NoToken> {
        if !sign_in::allowed(&provider.config.allow, &claims) {
            self.app.telemetry.event(Event::AllowedNoMore(session));
            return Err(self.end(End::NotAllowed).await);
        }
        kept.claims = claims;
        self.app.store.update_member(session.member, &sign_in::profile(&provider.config, &kept.claims)).await?;
        self.app.live.tell(&Change::MemberKnownAnew { member: session.member });
        self.keep(kept).await
    }

    fn distrusted(&self, error: &SignInError) {
        tracing::warn!(session = %self.hash, cause = error.cause(), "the claims were not read anew: {error}");
    }

    /// The provider takes the refresh token no more. Another instance may have used it; else the session is dead.
    async fn dead(&self, used: &Session, error: &str) -> Result<String, NoToken> {
        let Some(session) = self.session().await? else { return Err(NoToken::SessionEnded) };
        if session.sealed != used.sealed {
            let kept = opened(&self.app, &session)?;
            let token = kept.tokens.good_for(&self.api, self.app.clock.now());
            return token.map(str::to_owned).ok_or(NoToken::Busy);
        }
        self.app.telemetry.event(Event::RefreshTokenDead { session: &session, why: error });
        Err(self.end(End::ByProvider).await)
    }

    async fn end(&self, why: End) -> NoToken {
        match sessions::end(&self.app, self.hash, why).await {
            Ok(_) => NoToken::SessionEnded,
            Err(Error::Store(error)) => NoToken::Store(error),
            Err(error) => NoToken::Internal(error.to_string()),
        }
    }
}
