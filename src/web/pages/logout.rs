//! Signing out: here first, then at the provider, then a page that says what ended.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderValue;
use maud::{Markup, html};
use poem::{Response, handler};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tower_cookies::cookie::time;

use crate::actions::sessions;
use crate::app::{App, SignInProvider};
use crate::clock::random;
use crate::domain::session::Session;
use crate::oidc::Tokens;
use crate::paths;
use crate::web::access::Visitor;
use crate::web::components::registration;
use crate::web::cookies::{cookie, forget_session, name};
use crate::web::hypermedia::{Screen, nonce};
use crate::web::layout;
use crate::web::refusal::Refusal;
use crate::web::{sign_in_cookies, unsent};

/// How long the provider may take for each of the things that it is asked for, before we go on without.
const PROVIDER_WITHIN: Duration = Duration::from_secs(3);

/// What is remembered, sealed in the browser, of what has just ended.
#[derive(Serialize, Deserialize)]
enum Ended {
    /// A session.
    Session {
        /// What the provider is given to bring back.
        state: String,
        /// What the provider is called.
        provider: String,
        /// Whether it was asked to end its own session too.
        there: bool,
    },
    /// An account, with everything in it.
    Account {
        /// What the provider of the session is called that this was asked in.
        provider: String,
    },
}

const SIGNED_OUT: &str = "thoughts-signed-out";

/// `GET /logout`: a button for who is signed in, and for who was until just now what has ended. A wrong
/// `state`, or none, gives the same page. Source: OpenID Connect RP-Initiated Logout 1.0, section 3.
#[handler]
pub fn get(visitor: Visitor) -> Response {
    if visitor.session.is_some() {
        return visitor.show(Screen::new("Sign out", confirm(&visitor)));
    }
    let note = remembered(&visitor);
    let heading = match note {
        Some(Ended::Account { .. }) => "Your account is deleted",
        Some(Ended::Session { .. }) | None => "You are signed out",
    };
    visitor.show(Screen::new(heading, ended(&visitor, heading, note.as_ref())))
}

/// `POST /logout`
#[handler]
pub async fn post(visitor: Visitor) -> Result<Response, Refusal> {
    match visitor.session.clone() {
        Some(session) => sign_out(&visitor, &session).await,
        None => Ok(leave(&visitor, &visitor.app.paths.plain(paths::LOGOUT))),
    }
}

/// Ends the session that the visitor is using: here first, then at the provider.
pub async fn sign_out(visitor: &Visitor, session: &Session) -> Result<Response, Refusal> {
    let app = &visitor.app;
    let tokens = sessions::sign_out(app, session).await?;
    forget_session(app, &visitor.cookies);
    unsent::signed_out(visitor, session.hash);
    sign_in_cookies::forget_done(app, &visitor.cookies);
    let there = match app.providers.named(&session.provider) {
        Some(provider) => provider_logout(visitor, provider, tokens).await?,
        None => None,
    };
    Ok(leave(visitor, &there.unwrap_or_else(|| app.paths.plain(paths::LOGOUT))))
}

/// The same where the account is gone, with all of its sessions. What the person has at the provider is theirs, and
/// goes on.
pub fn account_deleted(visitor: &Visitor, session: &Session) -> Result<Response, Refusal> {
    let app = &visitor.app;
    let provider = app.providers.label(&session.provider);
    forget_session(app, &visitor.cookies);
    sign_in_cookies::forget_done(app, &visitor.cookies);
    remember(app, visitor, &Ended::Account { provider })?;
    Ok(leave(visitor, &app.paths.plain(paths::LOGOUT)))
}

/// On to where signing out ends; the browser forgets what it has kept of this site.
fn leave(visitor: &Visitor, location: &str) -> Response {
    let mut response = visitor.send_to(location);
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", clear);
    response
}

/// Revokes the refresh token, and gives where the provider ends its own session, if it can. One that doesn't answer
/// is left alone: the session here has ended whatever it does.
async fn provider_logout(
    visitor: &Visitor,
    provider: &SignInProvider,
    tokens: Option<Tokens>,
) -> Result<Option<String>, Refusal> {
    let state = BASE64_URL_SAFE_NO_PAD.encode(random::<16>());
    let revoked = async {
        if let Some(refresh_token) = tokens.as_ref().and_then(|tokens| tokens.refresh_token.as_deref())
            && timeout(PROVIDER_WITHIN, provider.oidc.revoke(refresh_token)).await.is_err()
        {
            tracing::warn!(provider = %provider.config.name, "a refresh token was not revoked in time");
        }
    };
    let id_token_hint = tokens.as_ref().map(|tokens| tokens.id_token.as_str());
    // A provider that is slow to revoke can end its session all the same.
    let (url, ()) =
        tokio::join!(timeout(PROVIDER_WITHIN, provider.oidc.end_session_url(id_token_hint, &state)), revoked);
    let url = url.unwrap_or_default();
    remember(&visitor.app, visitor, &Ended::Session { state, provider: provider.label(), there: url.is_some() })?;
    Ok(url.map(String::from))
}

fn remember(app: &App, visitor: &Visitor, note: &Ended) -> Result<(), Refusal> {
    let value = serde_json::to_string(note).map_err(|error| Refusal::Internal(error.to_string()))?;
    let max_age = Some(time::Duration::minutes(10));
    visitor.cookies.private(app.keys.cookies()).add(cookie(app, SIGNED_OUT, value, max_age));
    Ok(())
}

fn remembered(visitor: &Visitor) -> Option<Ended> {
    let app = &visitor.app;
    let name = name(app, SIGNED_OUT);
    let note = app.keys.all_cookies().find_map(|key| visitor.cookies.private(key).get(&name))?;
    serde_json::from_str(note.value()).ok()
}

fn confirm(visitor: &Visitor) -> Markup {
    html! {
        section .message {
            h1 tabindex="-1" { "Sign out" }
            p { "You are signed in." }
            (layout::sign_out(visitor, false))
        }
    }
}

fn ended(visitor: &Visitor, heading: &str, note: Option<&Ended>) -> Markup {
    let paths = &visitor.app.paths;
    html! {
        section .message {
            h1 tabindex="-1" { (heading) }
            @match note {
                Some(Ended::Session { state, provider, there: true }) if visitor.query().get("state") == *state => {
                    p { "Your session here has ended, and “" (provider) "” sent you back after ending its own." }
                }
                Some(Ended::Session { provider, there: true, .. }) => {
                    p { "Your session here has ended. “" (provider) "” was asked to end its own, and has not confirmed it." }
                }
                Some(Ended::Session { provider, there: false, .. }) => {
                    p {
                        "Your session here has ended. “" (provider) "” has no way to be told: you may still be signed in \
                         there, and then signing in here takes no password."
                    }
                }
                Some(Ended::Account { provider }) => {
                    p {
                        "Nothing of yours can be found here any more, and you are signed out here on every device. What you have at “"
                        (provider) "” goes on: if you sign in with it again, you begin anew, as somebody who has never been here."
                    }
                }
                None => p { "There is no session here that could end." },
            }
            // Whoever has just deleted theirs has one still at the provider.
            @if !matches!(note, Some(Ended::Account { .. })) { (registration(&visitor.app)) }
            p {
                a .button href=(paths.login(&paths.feed())) rel="nofollow" hx-boost="false" hx-nonce=(nonce()) { "Sign in again" }
                " " a href=(paths.feed()) { "To the feed" }
            }
        }
    }
}
