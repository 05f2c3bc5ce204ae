//! openidconnect's generic types with ours put in. Its `Core…` aliases drop every claim and every piece of metadata
//! that it has no field for; groups, `sid` and the logout endpoints are among them, so the aliases are made
//! anew here, with room for the rest.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, EmptyExtraTokenFields, EndSessionUrl, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenFields, ProviderMetadata, RevocationUrl, StandardErrorResponse,
    StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// Claims that openidconnect has no field for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OtherClaims {
    #[serde(flatten)]
    pub(super) claims: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

/// Metadata that openidconnect has no field for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OtherMetadata {
    /// Source: RP-Initiated Logout 1.0, 2.1.
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    /// Source: RFC 8414, 2.
    pub(super) revocation_endpoint: Option<RevocationUrl>,
    /// Source: RFC 9126, 5.
    pub(super) pushed_authorization_request_endpoint: Option<Url>,
    /// Whether no authorization request is taken but a pushed one. Source: RFC 9126, 5.
    #[serde(default)]
    pub(super) require_pushed_authorization_requests: bool,
    /// How a `code_challenge` may be made. Source: RFC 8414, 2.
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether every authorization response names its issuer. Source: RFC 9207, 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    /// Source: Back-Channel Logout 1.0, 2.1.
    #[serde(default)]
    pub(super) backchannel_logout_supported: bool,
}

impl AdditionalProviderMetadata for OtherMetadata {}

pub(super) type Metadata = ProviderMetadata<
    OtherMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(super) type KeySet = openidconnect::JsonWebKeySet<CoreJsonWebKey>;

pub(super) type IdToken =
    openidconnect::IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

pub(super) type IdTokenClaims = openidconnect::IdTokenClaims<OtherClaims, CoreGenderClaim>;

pub(super) type UserInfoClaims = openidconnect::UserInfoClaims<OtherClaims, CoreGenderClaim>;

pub(super) type TokenResponse = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

pub(super) type TokenErrorResponse = StandardErrorResponse<CoreErrorResponseType>;

/// The client as `from_provider_metadata` makes it.
pub(super) type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    TokenErrorResponse,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
