//! Misbehaviour that can be switched on by name, so that a relying party can be tried against every one.
//!
//! To add one: a line in the list below, and a row in the table of `twist.rs` that concerns it (or, where it is
//! not about the content of an answer, one question to [`Faults::is_on`] at the place it concerns).

use std::{collections::BTreeSet, fmt, str::FromStr};

use tokio::sync::watch;

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One way in which a provider can go wrong. Its name (`Display`, `FromStr`) is the variant in kebab-case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[doc = $doc])+ $variant,)+ }

        impl Fault {
            /// Every fault there is, in the order of the list.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)+];

            /// The name in kebab-case, as `FromStr` takes it.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$variant => $name,)+ }
            }
        }
    };
}

faults! {
    /// Every request is answered with 503.
    Unavailable = "unavailable",
    /// The provider's clock (`Date`, `iat`, `exp`, `auth_time`) is 5 minutes ahead.
    ClockAhead = "clock-ahead",
    /// The provider's clock is 5 minutes behind.
    ClockBehind = "clock-behind",

    /// `issuer` in the metadata is another one.
    MetadataOtherIssuer = "metadata-other-issuer",
    /// `issuer` in the metadata differs by a final slash.
    MetadataIssuerSlash = "metadata-issuer-slash",
    /// The metadata also offers RS512, HS256 and `none` for ID tokens.
    MetadataWeakAlgorithms = "metadata-weak-algorithms",
    /// The metadata offer HS256 alone for ID tokens, which are signed as ever.
    MetadataHs256Alone = "metadata-hs256-alone",
    /// The metadata offer PKCE with `plain` alone.
    MetadataPkcePlainAlone = "metadata-pkce-plain-alone",
    /// The metadata do not say whether there is PKCE.
    MetadataNoPkce = "metadata-no-pkce",
    /// The metadata names no `end_session_endpoint`.
    MetadataNoEndSession = "metadata-no-end-session",
    /// The metadata names no `revocation_endpoint`.
    MetadataNoRevocation = "metadata-no-revocation",
    /// The metadata does not promise `iss` in the authorization response (RFC 9207).
    MetadataNoIssParameter = "metadata-no-iss-parameter",
    /// The metadata is a web page.
    MetadataNotJson = "metadata-not-json",
    /// There are no metadata: 404.
    MetadataNotFound = "metadata-not-found",
    /// The metadata are said to be elsewhere, by a redirect.
    MetadataRedirects = "metadata-redirects",
    /// The metadata is answered with 500.
    Metadata500 = "metadata-500",
    /// The key set is answered with 500.
    Jwks500 = "jwks-500",
    /// The key set holds no keys.
    JwksEmpty = "jwks-empty",
    /// The key set is at another address, which the metadata name; the usual one answers 404. Fine.
    JwksMoved = "jwks-moved",
    /// The key set also holds a key that signed nothing, listed first.
    JwksSeveralKeys = "jwks-several-keys",
    /// Keys are rotated each time just before an ID token is signed.
    KeysRotateBeforeSigning = "keys-rotate-before-signing",

    /// `iss` in the authorization response is another one.
    ResponseWrongIss = "response-wrong-iss",
    /// The authorization response has no `iss`.
    ResponseNoIss = "response-no-iss",
    /// `state` in the authorization response is another one.
    ResponseWrongState = "response-wrong-state",
    /// The authorization response has no `state`.
    ResponseNoState = "response-no-state",
    /// The authorization response has neither code nor error.
    ResponseNoCode = "response-no-code",
    /// `error=access_denied` in place of the code, with an `error_description` of the provider's.
    ErrorAccessDenied = "error-access-denied",
    /// `error=login_required` in place of the code.
    ErrorLoginRequired = "error-login-required",
    /// `error=interaction_required` in place of the code.
    ErrorInteractionRequired = "error-interaction-required",
    /// `error=consent_required` in place of the code.
    ErrorConsentRequired = "error-consent-required",
    /// `error=invalid_request` in place of the code.
    ErrorInvalidRequest = "error-invalid-request",
    /// `error=invalid_scope` in place of the code.
    ErrorInvalidScope = "error-invalid-scope",
    /// `error=unauthorized_client` in place of the code.
    ErrorUnauthorizedClient = "error-unauthorized-client",
    /// `error=server_error` in place of the code.
    ErrorServerError = "error-server-error",
    /// `error=temporarily_unavailable` in place of the code.
    ErrorTemporarilyUnavailable = "error-temporarily-unavailable",

    /// A client's secret is taken by `client_secret_basic` alone, as the metadata say, which is fine.
    ClientSecretBasicAlone = "client-secret-basic-alone",
    /// A client's secret is taken by `client_secret_post` alone, as the metadata say, which is fine.
    ClientSecretPostAlone = "client-secret-post-alone",
    /// The metadata do not offer `private_key_jwt`.
    MetadataNoPrivateKeyJwt = "metadata-no-private-key-jwt",
    /// Client assertions are taken with PS256 alone, as the metadata say, which is fine.
    ClientAssertionPs256Alone = "client-assertion-ps256-alone",
    /// Authorization requests can be pushed (RFC 9126), as the metadata say, which is fine.
    PushOffered = "push-offered",
    /// Authorization requests must be pushed, as the metadata say, which is fine.
    PushRequired = "push-required",
    /// The metadata require that requests are pushed, and name no endpoint for it.
    PushRequiredNowhere = "push-required-nowhere",
    /// A pushed request is refused with `invalid_request`.
    PushRefused = "push-refused",
    /// A pushed request is answered with 500.
    Push500 = "push-500",
    /// A pushed request is answered with a web page.
    PushHtml = "push-html",
    /// A pushed request is answered without a `request_uri`.
    PushNoRequestUri = "push-no-request-uri",
    /// The token endpoint answers only once this fault is switched off (or the provider stops).
    TokenSlow = "token-slow",
    /// The token endpoint gives its tokens, and does not say so until this is off again.
    TokenAnswerSlow = "token-answer-slow",
    /// The token endpoint is answered with 500.
    Token500 = "token-500",
    /// The token endpoint answers 200 with a web page.
    TokenHtml = "token-html",
    /// A right token response, padded with 10 MB.
    TokenHuge = "token-huge",
    /// `token_type` in odd case, which is fine (RFC 6749, 5.1).
    TokenTypeOddCase = "token-type-odd-case",
    /// A token response without `expires_in`, which is fine.
    TokenNoExpiresIn = "token-no-expires-in",
    /// A token response without an ID token.
    TokenNoIdToken = "token-no-id-token",
    /// A token response without a refresh token, which is fine.
    TokenNoRefreshToken = "token-no-refresh-token",
    /// Refresh tokens are refused with `invalid_grant`.
    RefreshInvalidGrant = "refresh-invalid-grant",
    /// A refresh gives no new ID token, which is fine.
    RefreshNoIdToken = "refresh-no-id-token",
    /// The ID token of a refresh names another `iss`.
    RefreshOtherIss = "refresh-other-iss",
    /// The ID token of a refresh names another `sub`.
    RefreshOtherSub = "refresh-other-sub",
    /// The ID token of a refresh names another `aud`.
    RefreshOtherAud = "refresh-other-aud",

    /// ID token with another `iss`.
    IdTokenWrongIss = "id-token-wrong-iss",
    /// ID token without `sub`.
    IdTokenNoSub = "id-token-no-sub",
    /// ID token for another client.
    IdTokenWrongAud = "id-token-wrong-aud",
    /// ID token without `aud`.
    IdTokenNoAud = "id-token-no-aud",
    /// ID token whose `aud` is an array with the client alone, which is fine.
    IdTokenAudArray = "id-token-aud-array",
    /// ID token with a second audience, and `azp` naming the client.
    IdTokenExtraAud = "id-token-extra-aud",
    /// ID token with a second audience and no `azp`.
    IdTokenExtraAudNoAzp = "id-token-extra-aud-no-azp",
    /// ID token with a second audience, and `azp` naming that one.
    IdTokenExtraAudOtherAzp = "id-token-extra-aud-other-azp",
    /// ID token without `iat`.
    IdTokenNoIat = "id-token-no-iat",
    /// ID token issued an hour from now.
    IdTokenIatAhead = "id-token-iat-ahead",
    /// ID token that expired an hour ago.
    IdTokenExpired = "id-token-expired",
    /// ID token without `exp`.
    IdTokenNoExp = "id-token-no-exp",
    /// ID token with another nonce.
    IdTokenWrongNonce = "id-token-wrong-nonce",
    /// ID token without a nonce.
    IdTokenNoNonce = "id-token-no-nonce",
    /// ID token whose `at_hash` is of another access token.
    IdTokenWrongAtHash = "id-token-wrong-at-hash",
    /// ID token without `auth_time`, though `max_age` may have been asked for.
    IdTokenNoAuthTime = "id-token-no-auth-time",
    /// ID token whose `auth_time` is an hour ago, as where the provider takes no notice of `max_age`.
    IdTokenAuthTimeOld = "id-token-auth-time-old",
    /// ID token that says nothing of the person but `sub`; userinfo has the rest, which is fine.
    IdTokenNoPersonalClaims = "id-token-no-personal-claims",
    /// ID token with `alg` `none`, unsigned.
    IdTokenAlgNone = "id-token-alg-none",
    /// ID token signed with HS256 and the client's secret (for a public client, with the public key).
    IdTokenAlgHs256 = "id-token-alg-hs256",
    /// ID token rightly signed with RS512, which the metadata does not offer.
    IdTokenAlgRs512 = "id-token-alg-rs512",
    /// ID token without `alg`.
    IdTokenNoAlg = "id-token-no-alg",
    /// ID token with a bad signature.
    IdTokenBadSignature = "id-token-bad-signature",
    /// ID token with the `typ` of an access token.
    IdTokenWrongTyp = "id-token-wrong-typ",
    /// ID token without `kid`.
    IdTokenNoKid = "id-token-no-kid",

    /// Userinfo of another `sub`.
    UserinfoOtherSub = "userinfo-other-sub",
    /// Userinfo without `sub`.
    UserinfoNoSub = "userinfo-no-sub",
    /// Userinfo that is a web page.
    UserinfoNotJson = "userinfo-not-json",
    /// Userinfo is answered with 500.
    Userinfo500 = "userinfo-500",

    /// Revocation is answered with 500.
    Revocation500 = "revocation-500",
    /// Revocation is answered only once this fault is switched off (or the provider stops).
    RevocationSlow = "revocation-slow",
    /// The way back from the provider's sign-out carries another `state`.
    LogoutReturnWrongState = "logout-return-wrong-state",
    /// The way back from the provider's sign-out carries no `state`.
    LogoutReturnNoState = "logout-return-no-state",

    /// Logout token with another `iss`.
    LogoutTokenWrongIss = "logout-token-wrong-iss",
    /// Logout token for another client.
    LogoutTokenWrongAud = "logout-token-wrong-aud",
    /// Logout token without `iat`.
    LogoutTokenNoIat = "logout-token-no-iat",
    /// Logout token issued an hour ago.
    LogoutTokenIatOld = "logout-token-iat-old",
    /// Logout token issued an hour from now.
    LogoutTokenIatAhead = "logout-token-iat-ahead",
    /// Logout token that expired an hour ago.
    LogoutTokenExpired = "logout-token-expired",
    /// Logout token without `exp`.
    LogoutTokenNoExp = "logout-token-no-exp",
    /// Logout token without `jti`.
    LogoutTokenNoJti = "logout-token-no-jti",
    /// Logout tokens that all have the same `jti`.
    LogoutTokenSameJti = "logout-token-same-jti",
    /// Logout token without `events`.
    LogoutTokenNoEvents = "logout-token-no-events",
    /// Logout token with another event.
    LogoutTokenWrongEvent = "logout-token-wrong-event",
    /// Logout token with a nonce.
    LogoutTokenWithNonce = "logout-token-with-nonce",
    /// Logout token with `sid` alone, which is fine.
    LogoutTokenNoSub = "logout-token-no-sub",
    /// Logout token with `sub` alone, which is fine.
    LogoutTokenNoSid = "logout-token-no-sid",
    /// Logout token with neither `sub` nor `sid`.
    LogoutTokenNoSubNoSid = "logout-token-no-sub-no-sid",
    /// Logout token of a session nobody has, which ends nothing.
    LogoutTokenUnknownSid = "logout-token-unknown-sid",
    /// Logout token with claims of the provider's own, which is fine.
    LogoutTokenExtraClaims = "logout-token-extra-claims",
    /// Logout token with `alg` `none`, unsigned.
    LogoutTokenAlgNone = "logout-token-alg-none",
    /// Logout token signed with HS256 and the client's secret.
    LogoutTokenAlgHs256 = "logout-token-alg-hs256",
    /// Logout token rightly signed with RS512.
    LogoutTokenAlgRs512 = "logout-token-alg-rs512",
    /// Logout token with a bad signature.
    LogoutTokenBadSignature = "logout-token-bad-signature",
    /// Logout token with the `typ` of an access token.
    LogoutTokenWrongTyp = "logout-token-wrong-typ",
    /// Logout token without `kid`.
    LogoutTokenNoKid = "logout-token-no-kid",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// A name that no [`Fault`] has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault called `{0}`: see `demo::Fault` for their names")]
pub struct UnknownFault(pub String);

/// The faults that are switched on; clones are handles of the same set. None is on at first.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    on: watch::Sender<BTreeSet<Fault>>,
    /// How many requests have come to wait for a fault to be switched off.
    came: watch::Sender<usize>,
}

impl Faults {
    /// Switches a fault on, from the next request on.
    pub fn on(&self, fault: Fault) {
        self.on.send_modify(|set| {
            set.insert(fault);
        });
    }

    /// Switches a fault off. Off goes [`Fault::TokenSlow`], and the requests that wait are answered.
    pub fn off(&self, fault: Fault) {
        self.on.send_modify(|set| {
            set.remove(&fault);
        });
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.on.send_modify(BTreeSet::clear);
    }

    /// Whether a fault is on.
    pub fn is_on(&self, fault: Fault) -> bool {
        self.on.borrow().contains(&fault)
    }

    /// Comes back at once, or as soon as the fault is off.
    pub(super) async fn until_off(&self, fault: Fault) {
        // An error would mean that the sender is gone, and `self` is the sender.
        self.came.send_modify(|came| *came += usize::from(self.is_on(fault)));
        let _gone = self.on.subscribe().wait_for(|set| !set.contains(&fault)).await.is_err();
    }

    /// Comes back as soon as `number` requests have come to wait for a fault to be switched off.
    pub async fn until_waiting(&self, number: usize) {
        // An error would mean that the sender is gone, and `self` is the sender.
        let _gone = self.came.subscribe().wait_for(|came| *came >= number).await.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(*fault));
        }
    }

    #[test]
    fn a_fault_is_on_in_every_handle_of_the_set() {
        let faults = Faults::default();
        let other = faults.clone();
        faults.on(Fault::TokenHtml);
        assert!(other.is_on(Fault::TokenHtml));
        other.off(Fault::TokenHtml);
        assert!(!faults.is_on(Fault::TokenHtml));
    }
}
