//! Thoughts: a place for a group of people to share short posts, signed in with the OpenID Connect provider they
//! already have.
//!
//! # The map of the house, in reading order
//!
//! - [`web::routes`] is the table of everything a browser or a program can ask for, and who may.
//! - [`web`] turns a request into an answer: the guard, the handlers, the views. [`api`] does it in JSON.
//! - [`actions`] is what people do, a function a verb; both faces call it.
//! - [`domain`] says what a thought, a member and a session are, and who may see and do what. It is pure.
//! - [`store`] remembers: traits in the domain's words, and the stores that keep them.
//! - [`backup`] is all of a store in one file.
//! - [`live`] tells whoever is looking what has changed; [`fleet`] brings it what other instances change.
//! - [`oidc`] is the relying party: it signs people in and out with a provider. [`demo`] is a provider.
//! - [`telemetry`] logs, counts and remembers what happened in signing in and out; [`metrics`] shows the counts.
//! - [`app`] puts all of it together, [`server`] listens ([`control`] to commands) by [`serving`], [`jobs`] run by themselves, [`cli`] starts things.
//! - [`config`], [`clock`], [`keys`], [`paths`] and [`cache`] are each the one place for settings, time, secrets, URLs
//!   and what is kept in memory;
//!   [`jose`] is the key that proves to a provider who we are.
//!
//! One request takes one straight way: the row in `web/routes.rs` says who may; the guard in `web/access.rs` lets
//! them through or ends with a `Refusal`; the handler in `web/pages` takes the proof and parses what was sent; an
//! action asks the policy and stores; the same file's view shows it; `web/hypermedia.rs` puts the page round it,
//! or not.

pub mod actions;
pub mod api;
pub mod app;
pub mod backup;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;

pub mod domain;
pub mod fleet;
pub mod jobs;
pub mod jose;
pub mod keys;
pub mod live;
pub mod metrics;
pub mod oidc;
pub mod paths;
pub mod server;
pub mod serving;
pub mod store;
pub mod telemetry;
pub mod web;
