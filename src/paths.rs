//! Every URL of Thoughts: the patterns that the route table names, and the builders that views, redirects and
//! tests use. Both stand here, so that a path is written once. All of them stand below the base URL's path.
//!
//! To add one: a pattern, and a builder below it.

use crate::domain::id::{ApiTokenId, MemberId, ThoughtId};
use crate::domain::member::Handle;
use crate::domain::page::TrashPlace;
use crate::domain::session::SessionHash;

/// The feed.
pub const FEED: &str = "/";
/// The form for a new thought.
pub const SHARE_THOUGHT: &str = "/share-thought";
/// Where that form is sent to.
pub const THOUGHTS: &str = "/thoughts";
/// What a thought will look like.
pub const PREVIEW: &str = "/thoughts/preview";
/// One thought.
pub const THOUGHT: &str = "/thoughts/{id}";
/// The form to change it.
pub const EDIT: &str = "/thoughts/{id}/edit";
/// Where its deletion is undone.
pub const RESTORE: &str = "/thoughts/{id}/restore";
/// A member's page.
pub const MEMBER: &str = "/@{handle}";
/// Thoughts that say what somebody looks for.
pub const SEARCH: &str = "/search";
/// One's own page.
pub const PROFILE: &str = "/profile";
/// One of one's own sessions.
pub const SESSION: &str = "/profile/sessions/{id}";
/// All of one's own sessions but the one in use.
pub const OTHER_SESSIONS: &str = "/profile/sessions";
/// What another service says, on one's own page.
pub const PROFILE_UPSTREAM: &str = "/profile/upstreams/{name}";
/// The form for a new API token, and where it is sent to.
pub const API_TOKENS: &str = "/profile/api-tokens";
/// One of one's own API tokens.
pub const API_TOKEN: &str = "/profile/api-tokens/{id}";
/// What is one's own, as a file.
pub const EXPORT: &str = "/profile/export";
/// Where one is asked whether one's account is to be deleted.
pub const DELETE_ACCOUNT: &str = "/profile/delete";
/// A provider to sign in with: linking it, unlinking it.
pub const PROVIDER: &str = "/profile/providers/{name}";
/// How the site is doing, for its admins.
pub const ADMIN: &str = "/admin";
/// All members.
pub const ADMIN_MEMBERS: &str = "/admin/members";
/// One member, as an admin sees them.
pub const ADMIN_MEMBER: &str = "/admin/members/{handle}";
/// All of a member's sessions.
pub const ADMIN_SESSIONS: &str = "/admin/members/{handle}/sessions";
/// Who signs people in, and how that is doing.
pub const ADMIN_PROVIDERS: &str = "/admin/providers";
/// What became of the latest sign-ins.
pub const ADMIN_SIGN_INS: &str = "/admin/sign-ins";
/// The latest thoughts, to be looked over.
pub const ADMIN_MODERATION: &str = "/admin/moderation";
/// Those that were deleted.
pub const ADMIN_DELETED: &str = "/admin/moderation/deleted";
/// Where a sign-in starts.
pub const LOGIN: &str = "/login";
/// The redirect URI of every provider.
pub const CALLBACK: &str = "/callback";
/// Where a session is ended, and where a provider sends back whom it has signed out.
pub const LOGOUT: &str = "/logout";
/// Where a provider says that someone has signed out there.
pub const BACK_CHANNEL_LOGOUT: &str = "/backchannel-logout";
/// What changes, as a stream.
pub const EVENTS: &str = "/events";
/// Where the colours are chosen.
pub const THEME: &str = "/theme";
/// An embedded file.
pub const STATIC: &str = "/static/{file}";
/// Alive?
pub const HEALTHZ: &str = "/healthz";
/// Able to serve?
pub const READYZ: &str = "/readyz";
/// What every path of the API begins with.
pub const API: &str = "/api/";
/// Thoughts as JSON.
pub const API_THOUGHTS: &str = "/api/thoughts";
/// One thought as JSON.
pub const API_THOUGHT: &str = "/api/thoughts/{id}";
/// Who is asking, as JSON.
pub const API_ME: &str = "/api/me";
/// Another service's API, called with the member's access token.
pub const API_UPSTREAM: &str = "/api/upstream/{name}/{path}";

/// Builds paths below the base URL's path: what stands in an `href`, an `action`, a `Location`.
#[derive(Clone, Debug)]
pub struct Paths {
    base: String,
}

impl Paths {
    /// Paths below `base`, which is empty or begins with a slash and doesn't end with one.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into() }
    }

    /// The base path: empty, or `/thoughts` for `https://example.org/thoughts`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The path of a pattern that has no parameters.
    pub fn plain(&self, pattern: &str) -> String {
        format!("{}{pattern}", self.base)
    }

    /// The feed.
    pub fn feed(&self) -> String {
        self.plain(FEED)
    }

    /// The feed from the thought after `before` on.
    pub fn feed_before(&self, before: ThoughtId) -> String {
        format!("{}/?before={before}", self.base)
    }

    /// The feed, with the offer to undo a deletion.
    pub fn feed_deleted(&self, id: ThoughtId) -> String {
        format!("{}/?deleted={id}", self.base)
    }

    /// One thought.
    pub fn thought(&self, id: ThoughtId) -> String {
        format!("{}/thoughts/{id}", self.base)
    }

    /// The thought that [`thought`](Self::thought) gives this path for.
    pub fn thought_at(&self, path: &str) -> Option<ThoughtId> {
        path.strip_prefix(&self.plain(THOUGHTS))?.strip_prefix('/')?.parse().ok()
    }

    /// The form to edit it.
    pub fn edit(&self, id: ThoughtId) -> String {
        format!("{}/thoughts/{id}/edit", self.base)
    }

    /// Where its deletion is undone.
    pub fn restore(&self, id: ThoughtId) -> String {
        format!("{}/thoughts/{id}/restore", self.base)
    }

    /// A member's page.
    pub fn member(&self, handle: &Handle) -> String {
        format!("{}/@{handle}", self.base)
    }

    /// A member's page from the thought after `before` on.
    pub fn member_before(&self, handle: &Handle, before: ThoughtId) -> String {
        format!("{}/@{handle}?before={before}", self.base)
    }

    /// The thoughts that say what somebody has typed, from the one after `before` on.
    pub fn search_before(&self, typed: &str, before: ThoughtId) -> String {
        let typed = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect::<String>();
        format!("{}{SEARCH}?q={typed}&before={before}", self.base)
    }

    /// One of one's own sessions.
    pub fn session(&self, hash: SessionHash) -> String {
        format!("{}/profile/sessions/{hash}", self.base)
    }

    /// What the upstream of this name says, on one's own page.
    pub fn profile_upstream(&self, name: &str) -> String {
        format!("{}/profile/upstreams/{name}", self.base)
    }

    /// One of one's own API tokens.
    pub fn api_token(&self, id: ApiTokenId) -> String {
        format!("{}{API_TOKENS}/{id}", self.base)
    }

    /// A provider to sign in with, by its `name` in the configuration, which has no letter that a path can't have.
    pub fn provider(&self, name: &str) -> String {
        format!("{}/profile/providers/{name}", self.base)
    }

    /// The members who came before this one.
    pub fn admin_members_before(&self, before: MemberId) -> String {
        format!("{}{ADMIN_MEMBERS}?before={before}", self.base)
    }

    /// One member, as an admin sees them.
    pub fn admin_member(&self, handle: &Handle) -> String {
        format!("{}{ADMIN_MEMBERS}/{handle}", self.base)
    }

    /// All of that member's sessions.
    pub fn admin_sessions(&self, handle: &Handle) -> String {
        format!("{}{ADMIN_MEMBERS}/{handle}/sessions", self.base)
    }

    /// The thoughts to be looked over from the one after `before` on.
    pub fn admin_moderation_before(&self, before: ThoughtId) -> String {
        format!("{}{ADMIN_MODERATION}?before={before}", self.base)
    }

    /// Those that were deleted before this one.
    pub fn admin_deleted_before(&self, before: TrashPlace) -> String {
        format!("{}{ADMIN_DELETED}?before={before}", self.base)
    }

    /// Where a sign-in starts, to end at `return_to`, a path with the base path and query.
    pub fn login(&self, return_to: &str) -> String {
        let query = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect::<String>();
        format!("{}{LOGIN}?return_to={query}", self.base)
    }

    /// Where a person who is signed in proves once more who they are, to end at `return_to`.
    pub fn confirm(&self, return_to: &str) -> String {
        self.login(return_to) + "&for=confirm"
    }

    /// An embedded file, by its hashed name.
    pub fn asset(&self, file: &str) -> String {
        format!("{}/static/{file}", self.base)
    }

    /// A page of thoughts as JSON.
    pub fn api_before(&self, before: ThoughtId) -> String {
        format!("{}{API_THOUGHTS}?before={before}", self.base)
    }

    /// A thought as JSON.
    pub fn api_thought(&self, id: ThoughtId) -> String {
        format!("{}{API_THOUGHTS}/{id}", self.base)
    }
}
