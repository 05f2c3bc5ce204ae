//! A provider says that someone has signed out there.

use jiff::{SignedDuration, Timestamp};

use super::sessions;
use crate::app::App;
use crate::domain::session::{End, ProviderLogout};
use crate::oidc::{LogoutTokenError, unverified_issuer};
use crate::store::StoreError;
use crate::telemetry::Event;

/// Why a logout token ended no session. Sessions live on.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It names no provider of ours.
    #[error("the logout token's iss is no provider of ours")]
    UnknownIssuer,
    /// It failed a check.
    #[error(transparent)]
    Token(#[from] LogoutTokenError),
    /// It has been used before.
    #[error("the logout token's jti has been used already")]
    Replayed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refused {
    /// The cause in a word, for metrics and the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::UnknownIssuer => "unknown_issuer",
            Self::Token(_) => "token",
            Self::Replayed => "replayed",
            Self::Store(_) => "store",
        }
    }
}

/// Ends the sessions that the token names, on every instance: all of them ask the store. Gives how many; none is
/// fine, for there may be nothing left to end. Source: OpenID Connect Back-Channel Logout 1.0, 2.7.
pub async fn back_channel_logout(app: &App, logout_token: &str) -> Result<usize, Refused> {
    let iss = unverified_issuer(logout_token).ok_or(Refused::UnknownIssuer)?;
    let provider = app.providers.with_issuer(&iss).ok_or(Refused::UnknownIssuer)?;
    let said = provider.oidc.logged_out(logout_token).await?;
    let now = app.clock.now();
    let until = now.saturating_add(SignedDuration::from_secs(said.remember_for)).unwrap_or(Timestamp::MAX);
    let logout = ProviderLogout { iss: said.iss, sub: said.sub, sid: said.sid, jti: said.jti };
    let ended = app.store.end_sessions_at_provider(&logout, now, until).await?.ok_or(Refused::Replayed)?;
    sessions::ended(app, &ended, End::ByProvider);
    let provider = provider.config.name.as_str();
    app.telemetry.event(Event::BackChannelLogout { provider, ended: ended.len() });
    Ok(ended.len())
}
