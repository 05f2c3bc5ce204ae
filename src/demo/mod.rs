//! A small OpenID Provider that runs inside the process, for `thoughts demo` and for the tests.
//!
//! It speaks the real protocol over real HTTP on a loopback address, lets anyone in under any name, and forgets
//! everything when it stops. It uses nothing of the rest of Thoughts but [`serving`](crate::serving), which knows of no
//! protocol above HTTP, so that both sides cannot share a mistake.
//! Every [`Fault`] can be switched on while it runs.
//!
//! In reading order: [`Settings`] and [`Client`] (what it is told), `state` and `context` (what it knows),
//! `metadata`, `authorization_request`, `pushed`, `authorize`, `sign_in_page`, `token`, `userinfo`, `end_session` and
//! `back_channel` (its endpoints), `client_auth` and `client_assertion` (who calls them), `keys` and `jwt` (what it signs with), `faults` and `twist` (how it misbehaves).

mod answer;
mod authorization_request;
mod authorize;
mod back_channel;
mod bounded;
mod client_assertion;
mod client_auth;
mod context;
mod end_session;
mod error;
mod faults;
#[cfg(test)]
mod flow_tests;
mod jwt;
mod keys;
mod metadata;
mod pages;
mod paths;
mod person;
mod pushed;
mod random;
mod settings;
mod sign_in_page;
mod state;
mod token;
mod twist;
mod userinfo;

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response, Route, get, http::StatusCode, post};
use tokio::{sync::oneshot, task::JoinHandle};

pub use self::{
    back_channel::{LogoutAnswer, LogoutDelivery, LogoutTarget},
    error::Error,
    faults::{Fault, Faults, UnknownFault},
    settings::{Client, Clock, Settings},
};
use self::{context::Context, person::Person};
use crate::serving::{Listener, Patience, serve};

/// How long requests under way may still take once the provider is stopped.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// A provider that is serving. Dropped without [`Provider::stop`], it stops as well, only nobody waits for it.
pub struct Provider {
    context: Arc<Context>,
    /// Gone or used, it ends the server.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// A session of the provider's with somebody's browser, as an operator would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSession {
    /// As in the ID tokens given through it.
    pub sid: String,
    /// Whose it is.
    pub sub: String,
    /// The clients that were signed in to, by `client_id`.
    pub client_ids: Vec<String>,
}

impl Provider {
    /// Serves on the listener until stopped. Call it inside a tokio runtime.
    ///
    /// Errors: [`Error::NotLoopback`] and [`Error::Listener`] for the listener, [`Error::Issuer`] and [`Error::Key`]
    /// for the settings.
    pub async fn start(listener: TcpListener, settings: Settings) -> Result<Self, Error> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let listener = Listener::of(listener)?;
        let context = Arc::new(Context::new(settings).await?);
        let (stop, stopped) = oneshot::channel::<()>();
        let endpoint = endpoint(context.clone());
        let patience = Patience { finish: STOP_LIMIT, ..Patience::default() };
        // Owned by the provider; ends with `stop`.
        let server = tokio::spawn(async move {
            let stopped = async {
                // An error means that the provider was dropped, which is a stop too.
                let _dropped = stopped.await.is_err();
            };
            serve(listener, endpoint, patience, stopped).await;
        });
        Ok(Self { context, stop, server })
    }

    /// The issuer, as relying parties configure it.
    pub fn issuer(&self) -> &str {
        &self.context.issuer
    }

    /// The handle that switches misbehaviour on and off.
    pub fn faults(&self) -> &Faults {
        &self.context.faults
    }

    /// Registers these clients in place of those before.
    pub fn set_clients(&self, clients: Vec<Client>) {
        self.context.state().clients = clients;
    }

    /// Signs with another key from now on, and gives its `kid`. The key before it stays in the published set.
    ///
    /// Errors: [`Error::Key`] if the next spare key cannot be read; the old one then goes on signing.
    pub async fn rotate_keys(&self) -> Result<String, Error> {
        Ok(self.context.keys.rotate().await?.kid.clone())
    }

    /// A new signing key (RSA, 2048 bits) as PKCS#1 PEM, to be kept for [`Settings::key_pem`]. It takes up to some
    /// seconds in a debug build, so call it through `spawn_blocking` where that matters.
    ///
    /// Errors: [`Error::Key`].
    pub fn new_key_pem() -> Result<String, Error> {
        keys::new_key_pem()
    }

    /// Whether an access token is good for the API at `resource` (RFC 8707), or, with none, for the userinfo endpoint.
    pub fn access_token_is_good(&self, token: &str, resource: Option<&str>) -> bool {
        self.context.state().is_good_for(token, resource, self.context.now())
    }

    /// From now on the person of this name is in these groups (names with commas between), whatever was typed at
    /// sign-in: as when an operator changes them.
    ///
    /// Errors: what is wrong with the name or the groups, in words.
    pub fn change_groups(&self, name: &str, groups: &str) -> Result<(), String> {
        let person = Person::parse(name, groups, false).map_err(|error| error.to_string())?;
        self.context.state().change(person);
        Ok(())
    }

    /// Every access, refresh and ID token that was issued (the latest 10,000), so that a test can look for leaks.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.context.state().issued()
    }

    /// Every authorization code that was issued, and every `code_verifier` that came (the latest 10,000 in all), likewise.
    pub fn codes_and_verifiers(&self) -> Vec<String> {
        self.context.state().codes_and_verifiers()
    }

    /// The sessions that are alive, in no particular order.
    pub fn sessions(&self) -> Vec<ProviderSession> {
        let state = self.context.state();
        let sessions = state.sessions.values().map(|session| ProviderSession {
            sid: session.sid.clone(),
            sub: session.person.sub.clone(),
            client_ids: session.clients.iter().cloned().collect(),
        });
        sessions.collect()
    }

    /// Ends sessions at the provider and tells the clients, as an operator would: those that were signed in to through
    /// them, or all with a `backchannel_logout_uri` where the provider knows no such session.
    pub async fn back_channel_logout(&self, target: LogoutTarget) -> Vec<LogoutDelivery> {
        let ended = back_channel::end(&self.context, target);
        back_channel::deliver(&self.context, ended).await
    }

    /// Closes the listener, gives requests under way a second, and comes back when all are done.
    ///
    /// Errors: [`Error::Listener`] if the server had ended badly.
    pub async fn stop(self) -> Result<(), Error> {
        // An error means that the server has ended already, which is what was asked for.
        let _ended = self.stop.send(()).is_err();
        self.server.await.map_err(io::Error::other)?;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the provider's own routes, which are no rows of the app's table")]
fn endpoint(context: Arc<Context>) -> impl Endpoint<Output = Response> + 'static {
    let shared = context.clone();
    Route::new()
        .at(paths::HOME, get(pages::home))
        .at(paths::METADATA, get(metadata::configuration))
        .at(paths::JWKS, get(metadata::jwks))
        .at(paths::JWKS_MOVED, get(metadata::jwks))
        .at(paths::AUTHORIZE, get(authorize::authorize).post(authorize::authorize))
        .at(paths::SIGN_IN, post(authorize::sign_in))
        .at(paths::PUSH, post(pushed::push))
        .at(paths::TOKEN, post(token::redeem_for_tokens))
        .at(paths::USERINFO, get(userinfo::userinfo).post(userinfo::userinfo))
        .at(paths::REVOKE, post(userinfo::revoke))
        .at(paths::END_SESSION, get(end_session::end_session).post(end_session::end_session))
        .data(context)
        .around(move |endpoint, request: Request| {
            let context = shared.clone();
            async move {
                let mut response = if context.faults.is_on(Fault::Unavailable) {
                    answer::not_json(StatusCode::SERVICE_UNAVAILABLE)
                } else {
                    endpoint.get_response(request).await
                };
                pages::add_headers(&mut response, context.now());
                Ok(response)
            }
        })
        .into_endpoint()
}
