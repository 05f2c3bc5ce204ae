//! THE TABLE: every path of Thoughts, with its method, who may use it, and its handler. Read it from top to
//! bottom; there is nothing else.
//!
//! To add a route: a pattern in [`paths`], a handler in `pages/` or [`api`](crate::api), a row here, and a line
//! in the walk (`tests/routes.rs`), which says so itself when one is missing.

use std::fmt;

use http::Method;
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt as _, Response};

use super::access::Access;
use super::access::Access::{Admin, Member, Provider, Public, Reader};
use super::assets;
use super::pages::{
    admin, back_channel_logout, callback, edit, events, feed, health, login, logout, member, preview, profile, search,
    share_thought, theme, thought,
};
use crate::api;
use crate::paths;

/// Which methods a row takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Takes {
    /// This one; `GET` takes `HEAD` as well.
    One(Method),
    /// Whichever it is asked with.
    Any,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(method) => f.write_str(method.as_str()),
            Self::Any => f.write_str("ANY"),
        }
    }
}

/// A row of the table. Only [`route`] makes one, so there is none without its access.
pub struct Row {
    /// The method.
    pub method: Takes,
    /// The path below the base path; `{name}` stands for one segment, and `{path}` for all that follow.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    pub(super) handler: BoxEndpoint<'static, Response>,
}

fn route<E>(method: Takes, path: &'static str, access: Access, handler: E) -> Row
where
    E: Endpoint<Output = Response> + 'static,
{
    Row { method, path, access, handler: handler.boxed() }
}

/// The table, as it is mounted.
#[rustfmt::skip]
pub fn table() -> Vec<Row> {
    let (get, post) = (|| Takes::One(Method::GET), || Takes::One(Method::POST));
    let (put, delete, any) = (|| Takes::One(Method::PUT), || Takes::One(Method::DELETE), || Takes::Any);
    vec![
        // Reading and writing
        route(get(),    paths::FEED,           Reader, feed::get),
        route(get(),    paths::SHARE_THOUGHT,  Member, share_thought::get),
        route(get(),    paths::THOUGHTS,       Member, share_thought::get_thoughts),
        route(post(),   paths::THOUGHTS,       Member, share_thought::post_thought),
        route(get(),    paths::PREVIEW,        Member, preview::get),
        route(post(),   paths::PREVIEW,        Member, preview::post),
        route(get(),    paths::THOUGHT,        Reader, thought::get),
        route(put(),    paths::THOUGHT,        Member, thought::put),
        route(delete(), paths::THOUGHT,        Member, thought::delete_thought),
        route(get(),    paths::EDIT,           Member, edit::get),
        route(post(),   paths::RESTORE,        Member, thought::restore),
        route(get(),    paths::MEMBER,         Reader, member::get),
        route(get(),    paths::SEARCH,         Reader, search::get),
        route(get(),    paths::EVENTS,         Reader, events::get),

        // Oneself
        route(get(),    paths::PROFILE,        Member, profile::get),
        route(get(),    paths::PROFILE_UPSTREAM, Member, profile::upstreams::get),
        route(delete(), paths::SESSION,        Member, profile::sessions::end),
        route(delete(), paths::OTHER_SESSIONS, Member, profile::sessions::end_others),
        route(get(),    paths::API_TOKENS,     Member, profile::api_tokens::get),
        route(post(),   paths::API_TOKENS,     Member, profile::api_tokens::post),
        route(delete(), paths::API_TOKEN,      Member, profile::api_tokens::revoke),
        route(get(),    paths::EXPORT,         Member, profile::export::get),
        route(get(),    paths::DELETE_ACCOUNT, Member, profile::account::get),
        route(delete(), paths::PROFILE,        Member, profile::account::delete_account),
        route(post(),   paths::PROVIDER,       Member, profile::providers::link),
        route(delete(), paths::PROVIDER,       Member, profile::providers::unlink),
        route(post(),   paths::THEME,          Public, theme::post),

        // The site, for its admins
        route(get(),    paths::ADMIN,          Admin,  admin::overview::get),
        route(get(),    paths::ADMIN_MEMBERS,  Admin,  admin::members::get),
        route(get(),    paths::ADMIN_MEMBER,   Admin,  admin::member::get),
        route(delete(), paths::ADMIN_SESSIONS, Admin,  admin::member::end_sessions),
        route(get(),    paths::ADMIN_PROVIDERS, Admin, admin::providers::get),
        route(get(),    paths::ADMIN_SIGN_INS, Admin,  admin::sign_ins::get),
        route(get(),    paths::ADMIN_MODERATION, Admin, admin::moderation::get),
        route(get(),    paths::ADMIN_DELETED,  Admin,  admin::moderation::get_deleted),

        // Signing in and out
        route(get(),    paths::LOGIN,          Public, login::get),
        route(get(),    paths::CALLBACK,       Public, callback::get),
        route(get(),    paths::LOGOUT,         Public, logout::get),
        route(post(),   paths::LOGOUT,         Public, logout::post),
        route(post(),   paths::BACK_CHANNEL_LOGOUT, Provider, back_channel_logout::post),

        // Programs
        route(get(),    paths::API_THOUGHTS,   Reader, api::thoughts::list),
        route(post(),   paths::API_THOUGHTS,   Member, api::thoughts::post),
        route(get(),    paths::API_THOUGHT,    Reader, api::thoughts::get),
        route(put(),    paths::API_THOUGHT,    Member, api::thoughts::put),
        route(delete(), paths::API_THOUGHT,    Member, api::thoughts::delete_thought),
        route(get(),    paths::API_ME,         Member, api::me::get),
        route(any(),    paths::API_UPSTREAM,   Member, api::upstream::call),

        // The house itself
        route(get(),    paths::HEALTHZ,        Public, health::healthz),
        route(get(),    paths::READYZ,         Public, health::readyz),
        route(get(),    paths::STATIC,         Public, assets::get),
    ]
}
