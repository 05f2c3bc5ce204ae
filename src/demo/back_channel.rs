//! Telling clients that a session ended (OpenID Connect Back-Channel Logout 1.0).

use std::collections::BTreeSet;

use poem::http::header;
use serde_json::{Map, json};
use url::form_urlencoded;

use super::{context::Context, error::Error, random::random_id, settings::Client, state::Session};

/// How long a logout token lasts, in seconds.
const LOGOUT_TOKEN_LIFE: i64 = 120;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whose sign-in an operator ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogoutTarget {
    /// One session, by the `sid` of its ID tokens.
    Sid(String),
    /// All sessions of a person, by `sub`; the logout token then has no `sid`.
    Sub(String),
}

/// A logout token that was sent to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutDelivery {
    /// The client it was for.
    pub client_id: String,
    /// The token as it was sent, so that it can be sent once more.
    pub logout_token: String,
    /// What the client answered, or why it could not be reached.
    pub answer: Result<LogoutAnswer, String>,
}

/// A client's answer to a logout token (section 2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutAnswer {
    /// The HTTP status: 200, or 400 for a token that is refused.
    pub status: u16,
    /// The `Cache-Control` header, which should be `no-store`.
    pub cache_control: Option<String>,
    /// The body, as far as it is text.
    pub body: String,
}

/// A sign-in that is over, and the clients to tell.
pub(super) struct Ended {
    sub: Option<String>,
    sid: Option<String>,
    client_ids: BTreeSet<String>,
}

impl From<Session> for Ended {
    fn from(session: Session) -> Self {
        Self { sub: Some(session.person.sub), sid: Some(session.sid), client_ids: session.clients }
    }
}

/// Ends what the target names. Where no session is known by it, every client is told all the same: the provider may
/// have been restarted, and its clients not.
pub(super) fn end(context: &Context, target: LogoutTarget) -> Vec<Ended> {
    let mut state = context.state();
    let everyone: BTreeSet<String> = state.clients.iter().map(|client| client.client_id.clone()).collect();
    match target {
        LogoutTarget::Sid(sid) => {
            let ended = state.end_sessions(|session| session.sid == sid);
            if ended.is_empty() {
                return vec![Ended { sub: None, sid: Some(sid), client_ids: everyone }];
            }
            ended.into_iter().map(Ended::from).collect()
        }
        LogoutTarget::Sub(sub) => {
            let ended = state.end_sessions(|session| session.person.sub == sub);
            let known: BTreeSet<String> = ended.into_iter().flat_map(|session| session.clients).collect();
            let client_ids = if known.is_empty() { everyone } else { known };
            vec![Ended { sub: Some(sub), sid: None, client_ids }]
        }
    }
}

/// Sends a logout token to each client that has a `backchannel_logout_uri`, one after the other, at most 5 s each.
pub(super) async fn deliver(context: &Context, ended: Vec<Ended>) -> Vec<LogoutDelivery> {
    let mut deliveries = Vec::new();
    for ended in ended {
        for client_id in &ended.client_ids {
            let Some(client) = context.state().client(client_id) else {
                continue;
            };
            let Some(uri) = client.backchannel_logout_uri.clone() else {
                continue;
            };
            match logout_token(context, &client, &ended) {
                Ok(logout_token) => {
                    let answer = post(context, &uri, &logout_token).await.map_err(|error| error.to_string());
                    deliveries.push(LogoutDelivery { client_id: client.client_id, logout_token, answer });
                }
                Err(error) => {
                    tracing::error!(%error, "the demo provider could not make a logout token");
                }
            }
        }
    }
    deliveries
}

/// The logout token (section 2.4).
fn logout_token(context: &Context, client: &Client, ended: &Ended) -> Result<String, Error> {
    let now = context.now();
    let key = context.keys.current();
    let mut token = key.token("logout+jwt", Map::new());
    token.set("iss", context.issuer.as_str());
    token.set("aud", client.client_id.as_str());
    token.set("iat", now);
    token.set("exp", now + LOGOUT_TOKEN_LIFE);
    token.set("jti", random_id()?);
    token.set("events", json!({ EVENT: {} }));
    if let Some(sub) = &ended.sub {
        token.set("sub", sub.as_str());
    }
    if let Some(sid) = &ended.sid {
        token.set("sid", sid.as_str());
    }
    context.faults.twist_logout_token(&mut token);
    key.sign(&token, client.client_secret.as_deref())
}

async fn post(context: &Context, uri: &str, logout_token: &str) -> Result<LogoutAnswer, reqwest::Error> {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", logout_token).finish();
    let response = context
        .http
        .post(uri)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?;
    let cache_control = response.headers().get(header::CACHE_CONTROL);
    Ok(LogoutAnswer {
        status: response.status().as_u16(),
        cache_control: cache_control.and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: response.text().await?,
    })
}
