//! Where each endpoint is, below the issuer.

pub(super) const HOME: &str = "/";
pub(super) const METADATA: &str = "/.well-known/openid-configuration";
pub(super) const JWKS: &str = "/jwks";
/// Where the key set is with `Fault::JwksMoved`.
pub(super) const JWKS_MOVED: &str = "/jwks/moved";
pub(super) const AUTHORIZE: &str = "/authorize";
pub(super) const SIGN_IN: &str = "/sign-in";
pub(super) const PUSH: &str = "/push";
pub(super) const TOKEN: &str = "/token";
pub(super) const USERINFO: &str = "/userinfo";
pub(super) const REVOKE: &str = "/revoke";
pub(super) const END_SESSION: &str = "/end-session";
