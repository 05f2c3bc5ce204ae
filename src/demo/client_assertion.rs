//! Clients that prove with a signature who they are: `private_key_jwt` (RFC 7523, 3; OpenID Connect Core 1.0, 9).

use openidconnect::{
    JsonWebKey as _,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm},
};
use serde_json::Value;

use super::{context::Context, faults::Fault, jwt::Received, settings::Client};

/// What `client_assertion_type` must be.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The algorithms that are taken, as the metadata name them.
pub(super) const ALGORITHMS: &[(&str, CoreJwsSigningAlgorithm)] = &[
    ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
    ("PS256", CoreJwsSigningAlgorithm::RsaSsaPssSha256),
    ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
    ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
];

/// How long an assertion may be good at most, in seconds.
const LONGEST: i64 = 300;
/// Seconds that the client's clock may be ahead.
const LEEWAY: i64 = 60;

/// The client that has signed this assertion, which it has never sent before. Errors: what is wrong with it.
pub(super) fn verify(context: &Context, assertion: &str) -> Result<Client, &'static str> {
    let received = Received::parse(assertion).ok_or("The client_assertion is not a signed JWT.")?;
    let claim = |name: &str| received.claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let client = context.state().client(claim("sub")).ok_or("The client_assertion's sub is no client.")?;
    if claim("iss") != client.client_id {
        return Err("The client_assertion's iss is not its sub.");
    }
    if !is_signed_by(context, &client, &received) {
        return Err("No key of the client's has signed the client_assertion, or not in a way that is taken.");
    }
    // The issuer and nothing else (draft-ietf-oauth-rfc7523bis, 4).
    if claim("aud") != context.issuer {
        return Err("The client_assertion's aud is not the issuer.");
    }
    let (now, second) = (context.now(), |name: &str| received.claims.get(name).and_then(Value::as_i64));
    if second("iat").is_none_or(|iat| iat > now + LEEWAY) {
        return Err("The client_assertion's iat is missing or ahead.");
    }
    if second("exp").is_none_or(|exp| exp <= now || exp > now + LONGEST) {
        return Err("The client_assertion has expired, or is good for too long.");
    }
    if claim("jti").is_empty() || !context.state().note_assertion(&client.client_id, claim("jti")) {
        return Err("The client_assertion was sent before, or has no jti.");
    }
    Ok(client)
}

fn is_signed_by(context: &Context, client: &Client, received: &Received<'_>) -> bool {
    let alg = received.header_text("alg").unwrap_or_default();
    if context.faults.is_on(Fault::ClientAssertionPs256Alone) && alg != "PS256" {
        return false;
    }
    let Some((_, algorithm)) = ALGORITHMS.iter().find(|(name, _)| *name == alg) else { return false };
    let keys = client.jwks.iter().filter(|key| key["kid"].as_str() == received.header_text("kid"));
    keys.filter_map(|key| serde_json::from_value::<CoreJsonWebKey>(key.clone()).ok())
        .any(|key| key.verify_signature(algorithm, received.signing_input.as_bytes(), &received.signature).is_ok())
}
