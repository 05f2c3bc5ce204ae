//! More claims, from the userinfo endpoint. Who has signed in is known without it: where it can't be asked, the
//! ID token's claims have to do.

use openidconnect::{AccessToken, SubjectIdentifier, UserInfoError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::discovery::Known;
use super::error::{SignInError, shown};
use super::provider::Provider;
use super::provider_error::ProviderError;
use super::types::UserInfoClaims;

/// What the ID token alone says: its signature stands for these, and userinfo can't change them.
const PROTOCOL: [&str; 15] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "nonce",
    "acr",
    "amr",
    "auth_time",
    "at_hash",
    "c_hash",
    "sid",
];

/// Claims of whoever the access token is for, who must be `sub`. Nothing where there is no userinfo endpoint, or
/// where it can't be reached or answers with an error. Source: OpenID Connect Core 1.0, 5.3.
pub(super) async fn fetch(
    provider: &Provider,
    known: &Known,
    access_token: &AccessToken,
    sub: &SubjectIdentifier,
) -> Result<Option<Map<String, Value>>, SignInError> {
    let Ok(request) = known.client.user_info(access_token.clone(), None) else {
        return Ok(None);
    };
    let answer: Result<UserInfoClaims, _> = request.request_async(&provider.peer).await;
    let without = |why: &ProviderError| {
        tracing::warn!(provider = provider.name(), cause = why.cause(), "signed in without userinfo: {why}");
        Ok(None)
    };
    match answer {
        Ok(claims) if claims.subject() == sub => as_map(&claims).map(Some),
        Ok(claims) => Err(SignInError::UserinfoSubject { found: shown(claims.subject()), expected: shown(sub) }),
        Err(UserInfoError::Request(error)) => match error {
            ProviderError::Unreachable { .. }
            | ProviderError::Slow { .. }
            | ProviderError::Tls { .. }
            | ProviderError::Status { .. } => without(&error),
            ProviderError::TooLarge { .. }
            | ProviderError::Nonsense { .. }
            | ProviderError::ClientAuthentication { .. }
            | ProviderError::NotThere { .. }
            | ProviderError::Issuer { .. } => Err(error.into()),
        },
        // A 401 is no lie either: where the access token is for an API of its own, userinfo may not take it.
        Err(UserInfoError::Response(status, _, _)) if status != http::StatusCode::OK => {
            let endpoint = known.client.user_info_url().map(ToString::to_string).unwrap_or_default();
            without(&ProviderError::Status { endpoint, status: status.as_u16() })
        }
        Err(UserInfoError::Response(_, _, why)) => Err(nonsense(&why)),
        // The parser's own words may quote a claim, so only the place is told.
        Err(UserInfoError::Parse(why)) => Err(nonsense(&format!("it can't be read at `{}`", why.path()))),
        Err(other) => Err(nonsense(&other.to_string())),
    }
}

/// Claims as JSON, for who reads them by name.
pub(super) fn as_map(claims: &impl Serialize) -> Result<Map<String, Value>, SignInError> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => Ok(claims),
        Ok(_) | Err(_) => Err(nonsense("its claims are no JSON object")),
    }
}

/// The claims of both; see [`SignedIn::claims`](super::SignedIn::claims).
pub(super) fn merged(mut id_token: Map<String, Value>, userinfo: Map<String, Value>) -> Map<String, Value> {
    let personal = userinfo.into_iter().filter(|(name, _)| !PROTOCOL.contains(&name.as_str()));
    id_token.extend(personal);
    id_token
}

/// The claims of the protocol alone.
pub(super) fn of_the_protocol(claims: Map<String, Value>) -> Map<String, Value> {
    claims.into_iter().filter(|(name, _)| PROTOCOL.contains(&name.as_str())).collect()
}

fn nonsense(why: &str) -> SignInError {
    ProviderError::Nonsense { what: "the userinfo response", why: shown(why) }.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn userinfo_wins_but_for_the_claims_of_the_protocol() {
        let Value::Object(id_token) = json!({"sub": "1", "iss": "a", "name": "Old", "groups": ["x"]}) else { panic!() };
        let Value::Object(userinfo) = json!({"sub": "1", "iss": "b", "name": "New", "aud": "c"}) else { panic!() };
        let expected = json!({"sub": "1", "iss": "a", "name": "New", "groups": ["x"]});
        assert_eq!(Value::Object(merged(id_token, userinfo)), expected);
    }
}
