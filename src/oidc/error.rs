//! Everything that can go wrong with a provider or a sign-in. What people are told is written elsewhere, from
//! the variant; [`Display`](std::fmt::Display) here is for the log, and never holds a token, a code, a
//! verifier or a secret.

use super::id_token::LEEWAY;
use super::provider_error::ProviderError;

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The person who signs in: trying again, in one browser, may be all it takes.
    Person,
    /// This site: its configuration here, or its registration at the provider.
    Site,
    /// The provider.
    Provider,
}

/// Why nobody has signed in. An ID token's checks have a variant each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The response's `state` is missing, or is of another attempt or browser. Source: RFC 6749, 10.12.
    #[error("the authorization response's state is missing or not the one that was sent")]
    StateMismatch,
    /// The response names another issuer: perhaps a mix-up attack. Source: RFC 9207, 2.4.
    #[error("the authorization response's iss is {found}, not {expected}{}", by_a_slash(found, expected))]
    ResponseIssuerMismatch {
        /// What the response says.
        found: String,
        /// The configured issuer.
        expected: String,
    },
    /// The response names no issuer, though the metadata promises that it does. Source: RFC 9207, 2.4.
    #[error(
        "the authorization response has no iss, though the provider's metadata says \
         authorization_response_iss_parameter_supported; it should be {expected}"
    )]
    ResponseIssuerMissing {
        /// The configured issuer.
        expected: String,
    },
    /// The provider did not take the authorization request from us. Source: RFC 9126, 2.3.
    #[error("the pushed authorization request was refused: {error}")]
    PushRefused {
        /// The `error` code, such as `invalid_request` or `invalid_client`.
        error: String,
    },
    /// The answer to the pushed authorization request is of no use. Source: RFC 9126, 2.2.
    #[error("the answer to the pushed authorization request can't be used: {why}")]
    PushUnreadable {
        /// What is wrong with it.
        why: String,
    },
    /// The provider answered with an error instead of a code. Source: RFC 6749, 4.1.2.1.
    #[error("the provider refused the authorization request: {error}")]
    Refused {
        /// The `error` code.
        error: String,
    },
    /// The response has neither a code nor an error.
    #[error("the authorization response has neither code nor error")]
    NoCode,
    /// The provider could not be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The token endpoint refused the code. Source: RFC 6749, 5.2.
    #[error("the token endpoint refused the code: {error}")]
    CodeRefused {
        /// The `error` code, such as `invalid_client` or `invalid_grant`.
        error: String,
    },
    /// An access token that isn't a bearer token. Source: RFC 6749, 7.1.
    #[error("the token_type is {found}, not Bearer")]
    TokenType {
        /// What it is.
        found: String,
    },
    /// The token response has no ID token. Source: OpenID Connect Core 1.0, 3.1.3.3.
    #[error("the token response has no id_token; is the scope openid allowed for this client?")]
    IdTokenMissing,
    /// The ID token can't be read.
    #[error("the ID token can't be read: {why}")]
    IdTokenMalformed {
        /// What is wrong with it.
        why: String,
    },
    /// The ID token lacks a claim that it must have. Source: OpenID Connect Core 1.0, 2.
    #[error("the ID token has no {claim}")]
    IdTokenClaimMissing {
        /// Which.
        claim: &'static str,
    },
    /// The ID token isn't signed. Source: RFC 9700, RFC 8725, 3.1.
    #[error("the ID token's alg is none: it is not signed")]
    IdTokenUnsigned,
    /// The ID token is signed in a way that isn't accepted. Source: RFC 8725, 3.1.
    #[error("the ID token's alg is {found}; set the client at the provider to one of RS256, PS256, ES256, EdDSA")]
    IdTokenAlgorithm {
        /// Its `alg`.
        found: String,
    },
    /// The token is of another kind, such as an access token. Source: RFC 8725, 3.11.
    #[error("the ID token is of another kind: {why}")]
    IdTokenType {
        /// What the header says.
        why: String,
    },
    /// No key of the provider fits the ID token, nor does one after they were fetched anew.
    #[error("no key in the provider's jwks_uri fits the ID token's kid and alg")]
    IdTokenKey,
    /// The signature is not the provider's.
    #[error("the ID token's signature is wrong: {why}")]
    IdTokenSignature {
        /// What the check said.
        why: String,
    },
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 2.
    #[error("the ID token's iss is wrong: {why}")]
    IdTokenIssuer {
        /// What it is, and what it should be.
        why: String,
    },
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 3.
    #[error("the ID token's aud is wrong: {why}")]
    IdTokenAudience {
        /// What it is, and what it should be.
        why: String,
    },
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 4 and 5.
    #[error(
        "the ID token's azp is {}, not {expected}, and its aud is for {audiences}",
        found.as_deref().unwrap_or("missing")
    )]
    IdTokenAuthorizedParty {
        /// Its `azp`.
        found: Option<String>,
        /// Our `client_id`.
        expected: String,
        /// How many audiences it has.
        audiences: usize,
    },
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 9.
    #[error("the ID token expired {by} s ago, {LEEWAY} s are forgiven{}", clocks(*skew))]
    IdTokenExpired {
        /// Seconds between `exp` and our clock.
        by: i64,
        /// Seconds that the provider's clock is ahead of ours, by its `Date` header.
        skew: Option<i64>,
    },
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 10.
    #[error("the ID token's iat is {by} s ahead of our clock, {LEEWAY} s are forgiven{}", clocks(*skew))]
    IdTokenIssuedAhead {
        /// Seconds between our clock and `iat`.
        by: i64,
        /// Seconds that the provider's clock is ahead of ours, by its `Date` header.
        skew: Option<i64>,
    },
    /// The ID token is of another sign-in. Source: OpenID Connect Core 1.0, 3.1.3.7, 11.
    #[error("the ID token's nonce is not the one that was sent")]
    IdTokenNonce,
    /// A recent sign-in was asked for, and the ID token doesn't say when it was.
    /// Source: OpenID Connect Core 1.0, 2 and 3.1.2.1.
    #[error("the ID token has no auth_time, though max_age was asked for")]
    AuthTimeMissing,
    /// A recent sign-in was asked for, and the provider has let the person pass with an older one.
    /// Source: OpenID Connect Core 1.0, 3.1.3.7, 13.
    #[error("the ID token's auth_time is {age} s ago, max_age was {max_age} s, {LEEWAY} s are forgiven")]
    AuthTimeTooOld {
        /// Seconds between `auth_time` and our clock.
        age: i64,
        /// The `max_age` that was asked for, in seconds.
        max_age: u32,
    },
    /// The access token isn't the one that was issued with the ID token. Source: OpenID Connect Core 1.0, 3.1.3.8.
    #[error("the ID token's at_hash is not of the access token that came with it")]
    AccessTokenHash,
    /// The ID token of a refresh is of somebody else. Source: OpenID Connect Core 1.0, 12.2.
    #[error("the new ID token's sub is {found}, the one before had {expected}")]
    IdTokenSubject {
        /// Its `sub`.
        found: String,
        /// The `sub` of the ID token before.
        expected: String,
    },
    /// The userinfo endpoint tells of somebody else. Source: OpenID Connect Core 1.0, 5.3.2.
    #[error("the userinfo's sub is {found}, the ID token's is {expected}")]
    UserinfoSubject {
        /// Its `sub`.
        found: String,
        /// The ID token's.
        expected: String,
    },
}

impl SignInError {
    /// A stable label for metrics and the log.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::StateMismatch => "state_mismatch",
            Self::ResponseIssuerMismatch { .. } => "response_iss_mismatch",
            Self::ResponseIssuerMissing { .. } => "response_iss_missing",
            Self::PushRefused { .. } => "push_refused",
            Self::PushUnreadable { .. } => "push_unreadable",
            Self::Refused { .. } => "refused",
            Self::NoCode => "no_code",
            Self::Provider(error) => error.cause(),
            Self::CodeRefused { .. } => "code_refused",
            Self::TokenType { .. } => "token_type",
            Self::IdTokenMissing => "id_token_missing",
            Self::IdTokenMalformed { .. } => "id_token_malformed",
            Self::IdTokenClaimMissing { .. } => "id_token_claim_missing",
            Self::IdTokenUnsigned => "id_token_unsigned",
            Self::IdTokenAlgorithm { .. } => "id_token_alg",
            Self::IdTokenType { .. } => "id_token_typ",
            Self::IdTokenKey => "id_token_key",
            Self::IdTokenSignature { .. } => "id_token_signature",
            Self::IdTokenIssuer { .. } => "id_token_iss",
            Self::IdTokenAudience { .. } => "id_token_aud",
            Self::IdTokenAuthorizedParty { .. } => "id_token_azp",
            Self::IdTokenExpired { .. } => "id_token_expired",
            Self::IdTokenIssuedAhead { .. } => "id_token_iat",
            Self::IdTokenNonce => "id_token_nonce",
            Self::AuthTimeMissing => "auth_time_missing",
            Self::AuthTimeTooOld { .. } => "auth_time_too_old",
            Self::AccessTokenHash => "at_hash",
            Self::IdTokenSubject { .. } => "id_token_sub",
            Self::UserinfoSubject { .. } => "userinfo_sub",
        }
    }

    /// Who can do something about it.
    pub fn whose(&self) -> Whose {
        match self {
            Self::StateMismatch => Whose::Person,
            Self::PushRefused { error } | Self::Refused { error } | Self::CodeRefused { error } => whose_code(error),
            Self::Provider(error) => error.whose(),
            Self::IdTokenExpired { skew, .. } | Self::IdTokenIssuedAhead { skew, .. } => whose_clock(*skew),
            Self::IdTokenMissing | Self::IdTokenAlgorithm { .. } => Whose::Site,
            Self::PushUnreadable { .. }
            | Self::ResponseIssuerMismatch { .. }
            | Self::ResponseIssuerMissing { .. }
            | Self::NoCode
            | Self::TokenType { .. }
            | Self::IdTokenMalformed { .. }
            | Self::IdTokenClaimMissing { .. }
            | Self::IdTokenUnsigned
            | Self::IdTokenType { .. }
            | Self::IdTokenKey
            | Self::IdTokenSignature { .. }
            | Self::IdTokenIssuer { .. }
            | Self::IdTokenAudience { .. }
            | Self::IdTokenAuthorizedParty { .. }
            | Self::IdTokenNonce
            | Self::AuthTimeMissing
            | Self::AuthTimeTooOld { .. }
            | Self::AccessTokenHash
            | Self::IdTokenSubject { .. }
            | Self::UserinfoSubject { .. } => Whose::Provider,
        }
    }
}

/// Whose an error code of OAuth is. Source: RFC 6749, 4.1.2.1 and 5.2; OpenID Connect Core 1.0, 3.1.2.6.
fn whose_code(error: &str) -> Whose {
    match error {
        // Most often a code that waited too long or was sent twice.
        "invalid_grant"
        | "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => Whose::Person,
        "server_error" | "temporarily_unavailable" => Whose::Provider,
        _ => Whose::Site,
    }
}

/// Where the clocks differ, ours is the one that this site can set.
fn whose_clock(skew: Option<i64>) -> Whose {
    match skew {
        Some(skew) if skew.abs() > LEEWAY => Whose::Site,
        Some(_) | None => Whose::Provider,
    }
}

fn clocks(skew: Option<i64>) -> String {
    match skew {
        None => String::new(),
        Some(0) => "; by its Date header the provider's clock agrees with ours".to_owned(),
        Some(skew) => {
            let way = if skew > 0 { "ahead of" } else { "behind" };
            format!("; by its Date header the provider's clock is {} s {way} ours: set both by NTP", skew.abs())
        }
    }
}

pub(super) fn by_a_slash(one: &str, other: &str) -> &'static str {
    let same_but_for_it = one != other && one.trim_end_matches('/') == other.trim_end_matches('/');
    if same_but_for_it { ": they differ by a final slash" } else { "" }
}

/// What came from outside as it may stand in the log: on one line, and not endless.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let short: String = text.chars().take(MOST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() { short + "…" } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_issuer_is_not_said_to_differ_by_a_slash() {
        assert_eq!(by_a_slash("https://id.example", "https://id.example.org/"), "");
    }

    #[test]
    fn an_expired_token_names_the_skew_and_the_clock_becomes_ours_to_set() {
        let error = SignInError::IdTokenExpired { by: 90, skew: Some(-95) };
        assert!(error.to_string().contains("95 s behind ours"), "{error}");
        assert_eq!(error.whose(), Whose::Site);
    }

    #[test]
    fn words_from_outside_stay_on_one_line_and_end() {
        let line = shown(&format!("a\n{}", "b".repeat(1000)));
        assert!(line.starts_with("a\u{fffd}b") && line.chars().count() == 201);
    }
}
