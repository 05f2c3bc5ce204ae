//! Thoughts: a place for a group of people to share short posts.

pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod oidc;
pub mod store;
