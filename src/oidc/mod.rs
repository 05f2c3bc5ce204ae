//! The relying party: OpenID Connect's Authorization Code Flow with PKCE, from the settings of a provider to
//! who has signed in. It knows nothing of thoughts, members, sessions or cookies: settings and strings go in,
//! typed results come out.
//!
//! A sign-in is [`Provider::begin`], a round trip of the browser with an [`Attempt`] kept for it, and
//! [`Provider::finish`]. Read on in this order:
//!
//! | file | what is in it |
//! | --- | --- |
//! | `settings` | what is configured of a provider, checked |
//! | `provider` | what is known of it, fetched anew when old, and since when it is down |
//! | `discovery` | fetching metadata and keys |
//! | `client_authentication` | who we are, wherever the provider asks |
//! | `attempt` | what is remembered of a sign-in under way, and what the browser brings back |
//! | `sign_in` | `begin` and `finish`: the order of all checks |
//! | `pushed` | the request handed over beforehand, where the provider takes it |
//! | `id_token` | the checks of an ID token |
//! | `userinfo` | more claims, from the userinfo endpoint |
//! | `tokens` | what is kept after a sign-in |
//! | `refresh` | new tokens for old |
//! | `upstream` | another service's API, called with an access token |
//! | `facts` | what can be found out about it without a sign-in |
//! | `description` | what is known of it, for an admin |
//! | `sign_out` | RP-Initiated Logout, revocation |
//! | `logout_token` | Back-Channel Logout |
//! | `error` | everything that can go wrong, whose fault it is, and how it is logged |
//! | `http` | the one HTTP client and its limits |
//! | `types` | openidconnect's generic types, with ours put in |
//!
//! # What openidconnect leaves to its caller
//! It checks `iss`, `aud`, `typ`, the algorithm against our list, and the signature. What its version 4.1 leaves
//! open is done here: keys that rotate (`provider`), `state` and `iss` of the response (`sign_in`), leeway, `iat`,
//! `azp`, `nonce`, `at_hash` and keys without a `kid` (`id_token`), the limits of HTTP (`http`), `private_key_jwt`
//! (`client_authentication`), pushed authorization requests (`pushed`).
//!
//! # How to add one more check
//! A variant in [`SignInError`] (the compiler then asks for its cause, whose fault it is, and its line in the
//! log), the check where the value first is known, and a test in `tests` against a provider that gets it wrong.

mod attempt;
mod client_authentication;
mod description;
mod discovery;
mod error;
mod facts;
mod http;
mod id_token;
mod logout_token;
mod provider;
mod provider_error;
mod pushed;
mod refresh;
mod settings;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;
mod tokens;
mod types;
mod upstream;
mod userinfo;

pub use attempt::{Attempt, AuthorizationResponse};
pub use client_authentication::Credential;
pub use description::Description;
pub use error::{SignInError, Whose};
pub use facts::{Facts, Introduction};
pub use http::{Http, HttpSetupError};
pub use logout_token::{LoggedOut, LogoutTokenError, unverified_issuer};
pub use provider::{Provider, Status};
pub use provider_error::ProviderError;
pub use refresh::{RefreshError, Refreshed};
pub use settings::{Settings, SettingsError};
pub use sign_in::{SignedIn, Step};
pub use tokens::{Api, Tokens};
pub use upstream::{Answer, Upstream, UpstreamError, UpstreamSettings};
