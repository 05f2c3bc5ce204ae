//! The promises of Thoughts, through its front door: a module a promise, a sentence a test.

#![expect(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test ends where it is surprised")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests ask the environment whether they run in CI, and bind what they test"
)]

mod support;

mod accessibility;
mod account;
mod admin;
mod api;
mod api_tokens;
mod assets;
mod back_channel;
mod broken_off;
mod caching;
mod certification;
mod check;
mod client_authentication;
mod copies;
mod crash;
mod deploy;
mod disk;
mod editing;
mod events;
mod failover;
mod fleet;
mod headers;
mod house;
mod interoperability;
mod linking;
mod live_in_the_browser;
mod log;
mod main_job;
mod metrics;
mod no_javascript;
mod nothing_is_lost;
mod overload;
mod program;
mod provider_faults;
mod reaching_postgres;
mod reading;
mod refreshing;
mod routes;
mod searching;
mod secrets;
mod sessions;
mod sharing;
mod signing_in;
mod signing_out;
mod step_up;
mod upstreams;
mod visibility;
mod weight;
mod with_javascript;
