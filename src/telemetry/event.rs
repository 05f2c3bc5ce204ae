//! What can happen, and its line in the log.

use super::sign_ins::{Outcome, SignIn};
use crate::domain::api_token::ApiToken;
use crate::domain::id::{ApiTokenId, MemberId};
use crate::domain::session::{End, Session, SessionHash};

/// Something that happened in signing in and out. The names in the log are OWASP's (Logging Vocabulary Cheat Sheet) where
/// it has one.
pub enum Event<'e> {
    /// Somebody was sent to the provider of this name.
    SignInStarted {
        /// Its name in the configuration.
        provider: &'e str,
    },
    /// A sign-in came to its end, good or bad.
    SignInEnded(SignIn),
    /// Somebody was sent to sign in a third time within a minute, and got a page instead.
    SentRound {
        /// What stands on that page and in the log.
        reference: &'e str,
        /// The likely cause in a word.
        cause: &'static str,
        /// What an operator would change.
        advice: &'e str,
    },
    /// A session began.
    SessionCreated(&'e Session),
    /// A session ended.
    SessionEnded(&'e Session, End),
    /// Somebody may not do what they asked for.
    Forbidden {
        /// The request's name.
        reference: &'e str,
        /// Who it was, where that is known.
        member: Option<MemberId>,
        /// Why not.
        why: &'e str,
    },
    /// A member is let in no more, their provider said at a refresh.
    AllowedNoMore(&'e Session),
    /// New tokens were had for old.
    TokensRefreshed(&'e Session),
    /// The provider gave no new tokens; the session lives.
    RefreshFailed {
        /// Whose tokens they are.
        session: SessionHash,
        /// The cause in a word.
        cause: &'static str,
        /// The same in a line.
        why: &'e str,
    },
    /// The provider takes a refresh token no more; the session ends.
    RefreshTokenDead {
        /// Whose it was.
        session: &'e Session,
        /// The provider's error code.
        why: &'e str,
    },
    /// A member can sign in with one more identity.
    IdentityLinked {
        /// Who.
        member: MemberId,
        /// At which provider.
        provider: &'e str,
    },
    /// A member can sign in with one identity less.
    IdentityUnlinked {
        /// Who.
        member: MemberId,
        /// At which provider.
        provider: &'e str,
    },
    /// A member made an API token.
    ApiTokenCreated(&'e ApiToken),
    /// A member revoked an API token.
    ApiTokenRevoked {
        /// Which.
        token: ApiTokenId,
        /// Whose it was.
        member: MemberId,
    },
    /// What was shown as an API token lets nobody in, for this cause.
    ApiTokenRefused(&'static str),
    /// A member deleted their account.
    UserDeleted(MemberId),
    /// A provider said that somebody signed out there.
    BackChannelLogout {
        /// Its name in the configuration.
        provider: &'e str,
        /// How many sessions ended.
        ended: usize,
    },
    /// A logout token was not believed.
    BackChannelLogoutRefused {
        /// The request's name.
        reference: &'e str,
        /// The cause in a word.
        cause: &'static str,
        /// The same in a line.
        why: &'e str,
    },
}

impl Event<'_> {
    /// Its line in the log.
    pub(super) fn log(&self) {
        match self {
            Self::SignInStarted { provider } => tracing::debug!(provider, "authn_login_started"),
            Self::SignInEnded(sign_in) => ended(sign_in),
            Self::SentRound { reference, cause, advice } => {
                tracing::warn!(reference, cause, advice, "sign_in_goes_round");
            }
            Self::SessionCreated(Session { hash, member, provider, .. }) => {
                tracing::info!(session = %hash, %member, provider, "session_created");
            }
            Self::SessionEnded(Session { hash, member, provider, .. }, End::Expired) => {
                tracing::info!(session = %hash, %member, provider, "session_expired");
            }
            Self::SessionEnded(Session { hash, member, provider, .. }, why) => {
                tracing::info!(session = %hash, %member, provider, why = why.label(), "session_ended");
            }
            Self::Forbidden { reference, member, why } => {
                let member = member.map(tracing::field::display);
                tracing::warn!(reference, member, why, "authz_fail");
            }
            Self::AllowedNoMore(Session { hash, member, .. }) => {
                tracing::warn!(session = %hash, %member, why = "THOUGHTS_OIDC_ALLOW lets them in no more", "authz_fail");
            }
            Self::TokensRefreshed(Session { hash, provider, .. }) => {
                tracing::info!(session = %hash, provider, "tokens_refreshed");
            }
            Self::RefreshFailed { session, cause, why } => {
                tracing::warn!(%session, cause, "no new access token: {why}");
            }
            Self::RefreshTokenDead { session: Session { hash, member, .. }, why } => {
                tracing::warn!(session = %hash, %member, error = why, "the provider refused to refresh a session");
            }
            Self::IdentityLinked { member, provider } => tracing::info!(%member, provider, "identity_linked"),
            Self::IdentityUnlinked { member, provider } => tracing::info!(%member, provider, "identity_unlinked"),
            Self::ApiTokenCreated(ApiToken { id, member, scope, .. }) => {
                tracing::info!(token = %id, %member, scope = scope.as_str(), "authn_token_created");
            }
            Self::ApiTokenRevoked { token, member } => tracing::info!(%token, %member, "authn_token_revoked"),
            Self::ApiTokenRefused(cause) => tracing::warn!(cause, "authn_token_fail"),
            Self::UserDeleted(member) => tracing::info!(%member, "user_deleted"),
            Self::BackChannelLogout { provider, ended } => {
                tracing::info!(provider, ended, "sessions_ended_by_provider");
            }
            Self::BackChannelLogoutRefused { reference, cause, why } => {
                tracing::warn!(reference, cause, error = why, "back_channel_logout_refused");
            }
        }
    }
}

fn ended(SignIn { reference, provider, outcome, .. }: &SignIn) {
    match outcome {
        Outcome::SignedIn(member) => tracing::info!(reference, %member, provider, "authn_login_success"),
        Outcome::Failed { cause, why } => tracing::warn!(reference, provider, cause, error = why, "authn_login_fail"),
    }
}
