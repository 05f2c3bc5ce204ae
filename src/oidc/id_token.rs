//! The checks of an ID token. openidconnect checks `typ`, `iss`, `aud` and the signature, with one key at a time;
//! the rest is here, because it has no leeway for `exp`, accepts any `iat`, and looks at neither `azp` nor `at_hash`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl, Nonce,
    SignatureVerificationError,
};
use serde_json::Value;

use super::attempt::same;
use super::error::{SignInError, shown};
use super::types::{IdToken, IdTokenClaims, KeySet};

/// How far clocks may differ, in seconds.
pub(super) const LEEWAY: i64 = 60;

/// RS256, PS256, ES256 and `EdDSA` with Ed25519, whatever the provider's metadata say. openidconnect verifies all four.
/// Source: RFC 8725, 3.1.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Which `nonce` an ID token must have.
#[derive(Clone, Copy)]
pub(super) enum ExpectedNonce<'a> {
    /// The one that was sent. Source: OpenID Connect Core 1.0, 3.1.3.7.
    Sent(&'a str),
    /// None, or the one of the ID token before. Source: OpenID Connect Core 1.0, 12.2.
    IfRepeated(Option<&'a str>),
}

/// What an ID token must agree with.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a IssuerUrl,
    pub(super) client_id: &'a ClientId,
    pub(super) nonce: ExpectedNonce<'a>,
    pub(super) access_token: &'a AccessToken,
    pub(super) now: Timestamp,
    /// Seconds that the provider's clock is ahead of ours: it excuses nothing, but explains.
    pub(super) skew: Option<i64>,
}

/// The claims of an ID token that passes all checks. Source: OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8.
pub(super) fn verify<'t>(
    token: &'t IdToken,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<&'t IdTokenClaims, SignInError> {
    let algorithm = algorithm(token)?;
    let (claims, key) = signed_claims(token, keys, expected)?;
    if claims.subject().is_empty() {
        return Err(SignInError::IdTokenClaimMissing { claim: "sub" });
    }
    let audiences = claims.audiences().len();
    check_authorized_party(audiences, claims.authorized_party().map(|azp| azp.as_str()), expected.client_id)?;
    check_times(claims.expiration().timestamp(), claims.issue_time().timestamp(), expected)?;
    check_nonce(claims.nonce().map(Nonce::secret), expected.nonce)?;
    if let Some(at_hash) = claims.access_token_hash() {
        let actual = AccessTokenHash::from_token(expected.access_token, algorithm, key);
        if actual.ok().as_ref() != Some(at_hash) {
            return Err(SignInError::AccessTokenHash);
        }
    }
    Ok(claims)
}

/// Where `max_age` was asked for, in seconds, the token must say when the person proved who they are, and that must
/// be so recent. Without it, `auth_time` is nobody's business here.
/// Source: OpenID Connect Core 1.0, 3.1.2.1 and 3.1.3.7, 13.
pub(super) fn check_auth_time(
    auth_time: Option<Timestamp>,
    max_age: Option<u32>,
    now: Timestamp,
) -> Result<(), SignInError> {
    let Some(max_age) = max_age else { return Ok(()) };
    let auth_time = auth_time.ok_or(SignInError::AuthTimeMissing)?;
    let age = now.as_second().saturating_sub(auth_time.as_second());
    // One that lies ahead of us, beyond what clocks differ by, says nothing of when it was.
    if (-LEEWAY..=i64::from(max_age) + LEEWAY).contains(&age) {
        return Ok(());
    }
    Err(SignInError::AuthTimeTooOld { age, max_age })
}

/// Whether a token was refused for its key, so that the keys may have been rotated since they were fetched.
pub(super) fn may_be_rotation(error: &SignInError) -> bool {
    matches!(error, SignInError::IdTokenKey | SignInError::IdTokenSignature { .. })
}

fn algorithm(token: &IdToken) -> Result<&CoreJwsSigningAlgorithm, SignInError> {
    match token.signing_alg() {
        Ok(algorithm) if ALGORITHMS.contains(algorithm) => Ok(algorithm),
        Ok(other) => {
            let name = serde_json::to_value(other).ok();
            let found = name.as_ref().and_then(Value::as_str).unwrap_or("unknown").to_owned();
            Err(SignInError::IdTokenAlgorithm { found })
        }
        Err(SignatureVerificationError::NoSignature) => Err(SignInError::IdTokenUnsigned),
        Err(other) => Err(SignInError::IdTokenAlgorithm { found: shown(&other.to_string()) }),
    }
}

/// Tries the keys one by one: openidconnect refuses a token without a `kid` as soon as two keys would fit it.
fn signed_claims<'t, 'k>(
    token: &'t IdToken,
    keys: &'k KeySet,
    expected: &Expected<'_>,
) -> Result<(&'t IdTokenClaims, &'k CoreJsonWebKey), SignInError> {
    let mut refused = SignInError::IdTokenKey;
    for key in keys.keys() {
        match token.claims(&verifier(key, expected), |_: Option<&Nonce>| Ok(())) {
            Ok(claims) => return Ok((claims, key)),
            Err(error) => match refusal(error) {
                SignInError::IdTokenKey => {}
                wrong @ SignInError::IdTokenSignature { .. } => refused = wrong,
                final_word => return Err(final_word),
            },
        }
    }
    Err(refused)
}

fn verifier<'a>(key: &CoreJsonWebKey, expected: &Expected<'_>) -> IdTokenVerifier<'a, CoreJsonWebKey> {
    let keys = KeySet::new(vec![key.clone()]);
    IdTokenVerifier::new_public_client(expected.client_id.clone(), expected.issuer.clone(), keys)
        .set_allowed_algs(ALGORITHMS)
        // More audiences than us are fine where `azp` says that the token was made for us.
        .set_other_audience_verifier_fn(|_| true)
        // Its check of `exp` has no leeway: at the beginning of time nothing has expired. See `check_times`.
        .set_time_fn(Default::default)
}

fn refusal(error: ClaimsVerificationError) -> SignInError {
    match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            SignInError::IdTokenKey
        }
        ClaimsVerificationError::SignatureVerification(why) => {
            SignInError::IdTokenSignature { why: shown(&why.to_string()) }
        }
        ClaimsVerificationError::InvalidIssuer(why) => SignInError::IdTokenIssuer { why: shown(&why) },
        ClaimsVerificationError::InvalidAudience(why) => SignInError::IdTokenAudience { why: shown(&why) },
        ClaimsVerificationError::Unsupported(why) => SignInError::IdTokenType { why: shown(&why) },
        other => SignInError::IdTokenMalformed { why: shown(&other.to_string()) },
    }
}

/// Source: OpenID Connect Core 1.0, 3.1.3.7, 4 and 5, as OAuth's security practice reads them: a token for several
/// must have been made for us.
fn check_authorized_party(audiences: usize, azp: Option<&str>, client_id: &str) -> Result<(), SignInError> {
    let right = match azp {
        Some(azp) => azp == client_id,
        None => audiences <= 1,
    };
    if right {
        return Ok(());
    }
    Err(SignInError::IdTokenAuthorizedParty { found: azp.map(shown), expected: client_id.to_owned(), audiences })
}

/// `exp` and `iat` are in seconds since 1970.
fn check_times(exp: i64, iat: i64, expected: &Expected<'_>) -> Result<(), SignInError> {
    let now = expected.now.as_second();
    let expired_by = now.saturating_sub(exp);
    if expired_by > LEEWAY {
        return Err(SignInError::IdTokenExpired { by: expired_by, skew: expected.skew });
    }
    let ahead_by = iat.saturating_sub(now);
    if ahead_by > LEEWAY {
        return Err(SignInError::IdTokenIssuedAhead { by: ahead_by, skew: expected.skew });
    }
    Ok(())
}

fn check_nonce(nonce: Option<&String>, expected: ExpectedNonce<'_>) -> Result<(), SignInError> {
    match (nonce, expected) {
        (None, ExpectedNonce::Sent(_)) => Err(SignInError::IdTokenClaimMissing { claim: "nonce" }),
        (None, ExpectedNonce::IfRepeated(_)) => Ok(()),
        (Some(nonce), ExpectedNonce::Sent(expected) | ExpectedNonce::IfRepeated(Some(expected)))
            if same(nonce, expected) =>
        {
            Ok(())
        }
        (Some(_), _) => Err(SignInError::IdTokenNonce),
    }
}

/// Why openidconnect could not read a token at all. Its own error may quote what is in the token, so it is not used.
pub(super) fn unreadable(token: &str) -> SignInError {
    let header = token.split('.').next().and_then(json);
    let (Some(header), Some(payload)) = (header, payload(token)) else {
        let why = "it is not a signed JWT of three parts".to_owned();
        return SignInError::IdTokenMalformed { why };
    };
    let alg = header.get("alg").cloned().unwrap_or_default();
    if alg != "none" && serde_json::from_value::<CoreJwsSigningAlgorithm>(alg.clone()).is_err() {
        return SignInError::IdTokenAlgorithm { found: shown(alg.as_str().unwrap_or("missing")) };
    }
    let missing = |claim: &&str| payload.get(claim).is_none_or(Value::is_null);
    match ["iss", "sub", "exp", "iat"].into_iter().find(missing) {
        Some(claim) => SignInError::IdTokenClaimMissing { claim },
        None => SignInError::IdTokenMalformed { why: "a header or claim is of the wrong type".to_owned() },
    }
}

/// What a token says, unchecked: for tokens that were checked when they came.
pub(super) fn payload(token: &str) -> Option<Value> {
    token.split('.').nth(1).and_then(json)
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls a check with what is expected at the second 10 000.
    fn at_ten_thousand<T>(check: impl FnOnce(&Expected<'_>) -> T) -> T {
        check(&Expected {
            issuer: &IssuerUrl::new("https://id.example".to_owned()).unwrap(),
            client_id: &ClientId::new("us".to_owned()),
            nonce: ExpectedNonce::Sent("n"),
            access_token: &AccessToken::new("token".to_owned()),
            now: Timestamp::from_second(10_000).unwrap(),
            skew: Some(7),
        })
    }

    fn times(exp: i64, iat: i64) -> Result<(), SignInError> {
        at_ten_thousand(|expected| check_times(exp, iat, expected))
    }

    /// openidconnect makes no key of this kind, so this token was signed with OpenSSL, at the second 10 000.
    #[test]
    fn es256_is_verified() {
        let keys: KeySet = serde_json::from_str(
            r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "ec",
                "x": "JcrN6LarF5ulqneJkKuET5Zz76LEPPkoWcV63jV46G4",
                "y": "9LEhh9vkhQjgsTvZCf1nNpT4FIzem0kxQ42ZgWQqjeg"}]}"#,
        )
        .unwrap();
        let token: IdToken = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.\
             eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJzdWIiOiIxIiwiYXVkIjoidXMi\
             LCJpYXQiOjEwMDAwLCJleHAiOjEwMzAwLCJub25jZSI6Im4ifQ.\
             VLXlcO8_CZB0m2EV5Bjt2OoIhoyrjujIetela0DejLus1b3Rtcp-QdQk9ySxluL3YI3R5QM9MSDV9gag3a7yfg"
            .parse()
            .unwrap();
        assert!(at_ten_thousand(|expected| verify(&token, &keys, expected).is_ok()));
    }

    #[test]
    fn a_token_is_good_until_sixty_seconds_after_its_exp() {
        assert_eq!(times(9_940, 9_000), Ok(()));
        assert_eq!(times(9_939, 9_000), Err(SignInError::IdTokenExpired { by: 61, skew: Some(7) }));
    }

    #[test]
    fn a_token_may_be_issued_sixty_seconds_ahead() {
        assert_eq!(times(11_000, 10_060), Ok(()));
        assert_eq!(times(11_000, 10_061), Err(SignInError::IdTokenIssuedAhead { by: 61, skew: Some(7) }));
    }

    #[test]
    fn times_at_the_end_of_the_numbers_do_not_overflow() {
        assert!(times(i64::MIN, 0).is_err() && times(i64::MAX, i64::MAX).is_err());
    }

    #[test]
    fn a_token_for_us_alone_needs_no_azp() {
        assert!(check_authorized_party(1, None, "us").is_ok());
    }

    #[test]
    fn a_token_for_several_needs_our_azp() {
        assert!(check_authorized_party(2, None, "us").is_err());
        assert!(check_authorized_party(2, Some("us"), "us").is_ok());
    }

    #[test]
    fn a_token_made_for_another_party_is_refused_though_we_are_its_audience() {
        assert!(check_authorized_party(1, Some("them"), "us").is_err());
    }

    #[test]
    fn a_token_needs_our_nonce() {
        let sent = ExpectedNonce::Sent("n");
        assert_eq!(check_nonce(None, sent), Err(SignInError::IdTokenClaimMissing { claim: "nonce" }));
        assert_eq!(check_nonce(Some(&"m".to_owned()), sent), Err(SignInError::IdTokenNonce));
        assert_eq!(check_nonce(Some(&"n".to_owned()), sent), Ok(()));
    }

    #[test]
    fn a_token_of_a_refresh_needs_no_nonce_and_has_no_other() {
        let before = ExpectedNonce::IfRepeated(Some("n"));
        assert_eq!(check_nonce(None, before), Ok(()));
        assert_eq!(check_nonce(Some(&"n".to_owned()), before), Ok(()));
        assert_eq!(check_nonce(Some(&"m".to_owned()), before), Err(SignInError::IdTokenNonce));
        assert!(check_nonce(Some(&"m".to_owned()), ExpectedNonce::IfRepeated(None)).is_err());
    }

    fn auth_time(second: i64) -> Result<(), SignInError> {
        let at = |second| Timestamp::from_second(second).unwrap();
        check_auth_time(Some(at(second)), Some(30), at(10_000))
    }

    #[test]
    fn a_recent_sign_in_may_be_sixty_seconds_older_than_was_asked_and_no_more() {
        assert_eq!(auth_time(9_910), Ok(()));
        assert_eq!(auth_time(9_909), Err(SignInError::AuthTimeTooOld { age: 91, max_age: 30 }));
    }

    #[test]
    fn a_recent_sign_in_may_lie_sixty_seconds_ahead_and_no_more() {
        assert_eq!(auth_time(10_060), Ok(()));
        assert_eq!(auth_time(10_061), Err(SignInError::AuthTimeTooOld { age: -61, max_age: 30 }));
    }

    #[test]
    fn when_somebody_signed_in_must_be_said_where_it_was_asked_and_only_there() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(check_auth_time(None, None, now), Ok(()));
        assert_eq!(check_auth_time(None, Some(30), now), Err(SignInError::AuthTimeMissing));
    }

    #[test]
    fn a_token_in_five_parts_is_told_by_its_alg() {
        let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg": "RSA-OAEP", "enc": "A256GCM"}"#);
        let payload = BASE64_URL_SAFE_NO_PAD.encode("{}");
        let error = unreadable(&format!("{header}.{payload}.c.d.e"));
        assert_eq!(error, SignInError::IdTokenAlgorithm { found: "RSA-OAEP".to_owned() });
    }
}
