//! What each [`Fault`] does to an answer that was made right: a row a fault, a table an answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    faults::{Fault, Faults},
    jwt::Jwt,
    paths,
};

type Json = Map<String, Value>;
type Parameters = BTreeMap<&'static str, String>;
type Table<T> = &'static [(Fault, fn(&mut T))];

const ELSEWHERE: &str = "https://elsewhere.example";
const OTHER_CLIENT: &str = "another-client";
const HOUR: i64 = 3600;
/// The claims of an ID token that are not about the person.
const PROTOCOL: &[&str] = &["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid"];

const ID_TOKEN: Table<Jwt> = &[
    (Fault::IdTokenWrongIss, |t| t.set("iss", ELSEWHERE)),
    (Fault::IdTokenNoSub, |t| t.remove("sub")),
    (Fault::IdTokenWrongAud, |t| t.set("aud", OTHER_CLIENT)),
    (Fault::IdTokenNoAud, |t| t.remove("aud")),
    (Fault::IdTokenAudArray, |t| t.set("aud", json!([t.get("aud")]))),
    (Fault::IdTokenExtraAud, |t| {
        t.set("azp", t.get("aud"));
        t.set("aud", json!([t.get("aud"), OTHER_CLIENT]));
    }),
    (Fault::IdTokenExtraAudNoAzp, |t| t.set("aud", json!([t.get("aud"), OTHER_CLIENT]))),
    (Fault::IdTokenExtraAudOtherAzp, |t| {
        t.set("azp", OTHER_CLIENT);
        t.set("aud", json!([t.get("aud"), OTHER_CLIENT]));
    }),
    (Fault::IdTokenNoIat, |t| t.remove("iat")),
    (Fault::IdTokenIatAhead, |t| {
        t.shift("iat", HOUR);
        t.shift("exp", HOUR);
    }),
    (Fault::IdTokenExpired, |t| {
        t.shift("iat", -2 * HOUR);
        t.set("exp", t.seconds("iat") + HOUR);
    }),
    (Fault::IdTokenNoExp, |t| t.remove("exp")),
    (Fault::IdTokenWrongNonce, |t| t.set("nonce", "another-nonce")),
    (Fault::IdTokenNoNonce, |t| t.remove("nonce")),
    (Fault::IdTokenWrongAtHash, |t| t.set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")),
    (Fault::IdTokenNoAuthTime, |t| t.remove("auth_time")),
    (Fault::IdTokenAuthTimeOld, |t| t.shift("auth_time", -HOUR)),
    (Fault::IdTokenNoPersonalClaims, |t| t.claims.retain(|claim, _| PROTOCOL.contains(&claim.as_str()))),
    (Fault::IdTokenAlgNone, |t| t.set_header("alg", "none")),
    (Fault::IdTokenAlgHs256, |t| t.set_header("alg", "HS256")),
    (Fault::IdTokenAlgRs512, |t| t.set_header("alg", "RS512")),
    (Fault::IdTokenNoAlg, |t| t.remove_header("alg")),
    (Fault::IdTokenBadSignature, |t| t.spoil_signature = true),
    (Fault::IdTokenWrongTyp, |t| t.set_header("typ", "at+jwt")),
    (Fault::IdTokenNoKid, |t| t.remove_header("kid")),
];

const REFRESHED_ID_TOKEN: Table<Jwt> = &[
    (Fault::RefreshOtherIss, |t| t.set("iss", ELSEWHERE)),
    (Fault::RefreshOtherSub, |t| t.set("sub", "somebody-else")),
    (Fault::RefreshOtherAud, |t| t.set("aud", OTHER_CLIENT)),
];

const LOGOUT_TOKEN: Table<Jwt> = &[
    (Fault::LogoutTokenWrongIss, |t| t.set("iss", ELSEWHERE)),
    (Fault::LogoutTokenWrongAud, |t| t.set("aud", OTHER_CLIENT)),
    (Fault::LogoutTokenNoIat, |t| t.remove("iat")),
    // `exp` stays in the future, so that the age alone is wrong.
    (Fault::LogoutTokenIatOld, |t| t.shift("iat", -HOUR)),
    (Fault::LogoutTokenIatAhead, |t| {
        t.shift("iat", HOUR);
        t.shift("exp", HOUR);
    }),
    (Fault::LogoutTokenExpired, |t| t.shift("exp", -HOUR)),
    (Fault::LogoutTokenNoExp, |t| t.remove("exp")),
    (Fault::LogoutTokenNoJti, |t| t.remove("jti")),
    (Fault::LogoutTokenSameJti, |t| t.set("jti", "the-same-jti")),
    (Fault::LogoutTokenNoEvents, |t| t.remove("events")),
    (Fault::LogoutTokenWrongEvent, |t| t.set("events", json!({ ELSEWHERE: {} }))),
    (Fault::LogoutTokenWithNonce, |t| t.set("nonce", "a-nonce")),
    (Fault::LogoutTokenNoSub, |t| t.remove("sub")),
    (Fault::LogoutTokenNoSid, |t| t.remove("sid")),
    (Fault::LogoutTokenNoSubNoSid, |t| {
        t.remove("sub");
        t.remove("sid");
    }),
    (Fault::LogoutTokenUnknownSid, |t| {
        t.remove("sub");
        t.set("sid", "a-session-nobody-has");
    }),
    (Fault::LogoutTokenExtraClaims, |t| t.set("reason", json!({ "because": ["of", "maintenance"] }))),
    (Fault::LogoutTokenAlgNone, |t| t.set_header("alg", "none")),
    (Fault::LogoutTokenAlgHs256, |t| t.set_header("alg", "HS256")),
    (Fault::LogoutTokenAlgRs512, |t| t.set_header("alg", "RS512")),
    (Fault::LogoutTokenBadSignature, |t| t.spoil_signature = true),
    (Fault::LogoutTokenWrongTyp, |t| t.set_header("typ", "at+jwt")),
    (Fault::LogoutTokenNoKid, |t| t.remove_header("kid")),
];

const METADATA: Table<Json> = &[
    (Fault::MetadataOtherIssuer, |m| put(m, "issuer", ELSEWHERE)),
    (Fault::MetadataIssuerSlash, |m| {
        let issuer = text(m, "issuer");
        let other = issuer.strip_suffix('/').map_or_else(|| format!("{issuer}/"), str::to_owned);
        put(m, "issuer", other);
    }),
    (Fault::MetadataWeakAlgorithms, |m| {
        put(m, "id_token_signing_alg_values_supported", json!(["RS256", "RS512", "HS256", "none"]));
    }),
    (Fault::MetadataHs256Alone, |m| put(m, "id_token_signing_alg_values_supported", json!(["HS256"]))),
    (Fault::MetadataPkcePlainAlone, |m| put(m, "code_challenge_methods_supported", json!(["plain"]))),
    (Fault::MetadataNoPkce, |m| drop(m.remove("code_challenge_methods_supported"))),
    (Fault::JwksMoved, |m| {
        let moved = format!("{}{}", text(m, "issuer").trim_end_matches('/'), paths::JWKS_MOVED);
        put(m, "jwks_uri", moved);
    }),
    (Fault::ClientSecretBasicAlone, |m| {
        put(m, "token_endpoint_auth_methods_supported", json!(["client_secret_basic", "none"]));
    }),
    (Fault::ClientSecretPostAlone, |m| {
        put(m, "token_endpoint_auth_methods_supported", json!(["client_secret_post", "none"]));
    }),
    (Fault::MetadataNoPrivateKeyJwt, |m| {
        put(m, "token_endpoint_auth_methods_supported", json!(["client_secret_basic", "client_secret_post", "none"]));
    }),
    (Fault::ClientAssertionPs256Alone, |m| {
        put(m, "token_endpoint_auth_signing_alg_values_supported", json!(["PS256"]));
    }),
    (Fault::PushRequired, |m| put(m, "require_pushed_authorization_requests", true)),
    (Fault::PushRequiredNowhere, |m| put(m, "require_pushed_authorization_requests", true)),
    (Fault::MetadataNoEndSession, |m| drop_field(m, "end_session_endpoint")),
    (Fault::MetadataNoRevocation, |m| drop_field(m, "revocation_endpoint")),
    (Fault::MetadataNoIssParameter, |m| drop_field(m, "authorization_response_iss_parameter_supported")),
];

const TOKEN_RESPONSE: Table<Json> = &[
    (Fault::TokenHuge, |m| put(m, "padding", "x".repeat(10 * 1024 * 1024))),
    (Fault::TokenTypeOddCase, |m| put(m, "token_type", "bEARER")),
    (Fault::TokenNoExpiresIn, |m| drop_field(m, "expires_in")),
    (Fault::TokenNoIdToken, |m| drop_field(m, "id_token")),
    (Fault::TokenNoRefreshToken, |m| drop_field(m, "refresh_token")),
];

const USERINFO: Table<Json> =
    &[(Fault::UserinfoOtherSub, |m| put(m, "sub", "somebody-else")), (Fault::UserinfoNoSub, |m| drop_field(m, "sub"))];

const AUTHORIZATION_RESPONSE: Table<Parameters> = &[
    (Fault::ResponseWrongIss, |p| {
        p.insert("iss", ELSEWHERE.to_owned());
    }),
    (Fault::ResponseNoIss, |p| {
        p.remove("iss");
    }),
    (Fault::ResponseWrongState, |p| {
        p.insert("state", "another-state".to_owned());
    }),
    (Fault::ResponseNoState, |p| {
        p.remove("state");
    }),
    (Fault::ResponseNoCode, |p| {
        p.remove("code");
    }),
];

const LOGOUT_RETURN: Table<Parameters> = &[
    (Fault::LogoutReturnWrongState, |p| {
        p.insert("state", "another-state".to_owned());
    }),
    (Fault::LogoutReturnNoState, |p| {
        p.remove("state");
    }),
];

const AUTHORIZATION_ERRORS: &[(Fault, &str)] = &[
    (Fault::ErrorAccessDenied, "access_denied"),
    (Fault::ErrorLoginRequired, "login_required"),
    (Fault::ErrorInteractionRequired, "interaction_required"),
    (Fault::ErrorConsentRequired, "consent_required"),
    (Fault::ErrorInvalidRequest, "invalid_request"),
    (Fault::ErrorInvalidScope, "invalid_scope"),
    (Fault::ErrorUnauthorizedClient, "unauthorized_client"),
    (Fault::ErrorServerError, "server_error"),
    (Fault::ErrorTemporarilyUnavailable, "temporarily_unavailable"),
];

fn put(map: &mut Json, field: &str, value: impl Into<Value>) {
    map.insert(field.to_owned(), value.into());
}

fn text<'m>(map: &'m Json, field: &str) -> &'m str {
    map.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn drop_field(map: &mut Json, field: &str) {
    map.remove(field);
}

impl Faults {
    pub(super) fn twist_id_token(&self, token: &mut Jwt) {
        self.twist(ID_TOKEN, token);
    }

    pub(super) fn twist_refreshed_id_token(&self, token: &mut Jwt) {
        self.twist(REFRESHED_ID_TOKEN, token);
    }

    pub(super) fn twist_logout_token(&self, token: &mut Jwt) {
        self.twist(LOGOUT_TOKEN, token);
    }

    pub(super) fn twist_metadata(&self, metadata: &mut Json) {
        self.twist(METADATA, metadata);
    }

    pub(super) fn twist_token_response(&self, response: &mut Json) {
        self.twist(TOKEN_RESPONSE, response);
    }

    pub(super) fn twist_userinfo(&self, claims: &mut Json) {
        self.twist(USERINFO, claims);
    }

    pub(super) fn twist_authorization_response(&self, parameters: &mut Parameters) {
        self.twist(AUTHORIZATION_RESPONSE, parameters);
    }

    pub(super) fn twist_logout_return(&self, parameters: &mut Parameters) {
        self.twist(LOGOUT_RETURN, parameters);
    }

    /// The `error` to send in place of a code, if such a fault is on.
    pub(super) fn authorization_error(&self) -> Option<&'static str> {
        AUTHORIZATION_ERRORS.iter().find(|(fault, _)| self.is_on(*fault)).map(|(_, error)| *error)
    }

    fn twist<T>(&self, table: Table<T>, answer: &mut T) {
        for (fault, twist) in table {
            if self.is_on(*fault) {
                twist(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_token() -> Jwt {
        let claims = json!({ "iss": "http://localhost", "aud": "thoughts", "iat": 10_000, "exp": 10_600 });
        let header = json!({ "alg": "RS256", "kid": "k" });
        Jwt::new(header.as_object().cloned().unwrap(), claims.as_object().cloned().unwrap())
    }

    #[test]
    fn without_faults_a_token_stays_as_it_was_made() {
        let mut token = id_token();
        Faults::default().twist_id_token(&mut token);
        assert_eq!(token, id_token());
    }

    #[test]
    fn an_expired_token_was_issued_before_it_expired_and_expired_an_hour_ago() {
        let faults = Faults::default();
        faults.on(Fault::IdTokenExpired);
        let mut token = id_token();
        faults.twist_id_token(&mut token);
        assert_eq!((token.seconds("iat"), token.seconds("exp")), (2_800, 6_400));
    }

    #[test]
    fn a_second_audience_comes_with_the_client_as_authorized_party() {
        let faults = Faults::default();
        faults.on(Fault::IdTokenExtraAud);
        let mut token = id_token();
        faults.twist_id_token(&mut token);
        assert_eq!(token.get("aud"), json!(["thoughts", OTHER_CLIENT]));
        assert_eq!(token.get("azp"), json!("thoughts"));
    }
}
