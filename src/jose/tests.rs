//! Keys as people have them, and assertions as another library reads them.

use std::sync::LazyLock;

use base64::prelude::BASE64_STANDARD;
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Alg};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};

use super::*;

static RSA: LazyLock<rsa::RsaPrivateKey> =
    LazyLock::new(|| rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap());

/// The example of RFC 8410, 10.3, as openssl writes it: without its public half.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                       -----END PRIVATE KEY-----\n";

fn rsa() -> ClientKey {
    ClientKey::from_pem(&RSA.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap()
}

fn p256() -> ClientKey {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let body = BASE64_STANDARD.encode(der.as_ref());
    ClientKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")).unwrap()
}

fn claims() -> Assertion<'static> {
    Assertion { iss: "thoughts", sub: "thoughts", aud: "https://id.example", jti: "one", iat: 1, exp: 61 }
}

fn parts(jwt: &str) -> (Value, Value) {
    let part = |part: &str| serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap();
    let mut parts = jwt.split('.');
    (part(parts.next().unwrap()), part(parts.next().unwrap()))
}

/// Whether another library finds that the public key printed has signed this.
fn verifies(key: &ClientKey, jwt: &str, algorithm: &Alg) -> bool {
    let public: CoreJsonWebKey = serde_json::from_str(key.public_jwk()).unwrap();
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    public.verify_signature(algorithm, input.as_bytes(), &BASE64URL.decode(signature).unwrap()).is_ok()
}

#[test]
fn every_kind_of_key_signs_what_its_public_half_verifies() {
    let ed25519 = ClientKey::from_pem(ED25519).unwrap();
    for (key, alg, algorithm) in [
        (&rsa(), "RS256", Alg::RsaSsaPkcs1V15Sha256),
        (&rsa(), "PS256", Alg::RsaSsaPssSha256),
        (&p256(), "ES256", Alg::EcdsaP256Sha256),
        (&ed25519, "EdDSA", Alg::EdDsa),
    ] {
        assert!(key.algorithms().any(|known| known == alg), "{alg}");
        let jwt = key.sign(alg, &claims()).unwrap();
        assert!(verifies(key, &jwt, &algorithm), "{alg}");
        assert!(!verifies(key, &format!("x{jwt}"), &algorithm), "{alg}");
        let (header, _) = parts(&jwt);
        let public: Value = serde_json::from_str(key.public_jwk()).unwrap();
        assert_eq!(header, json!({"typ": "JWT", "alg": alg, "kid": public["kid"]}));
    }
}

#[test]
fn an_assertion_says_what_core_asks_for() {
    let (_, said) = parts(&rsa().sign("RS256", &claims()).unwrap());
    let expected =
        json!({"iss": "thoughts", "sub": "thoughts", "aud": "https://id.example", "jti": "one", "iat": 1, "exp": 61});
    assert_eq!(said, expected);
}

#[test]
fn the_kid_is_the_thumbprint_that_rfc_8037_gives_for_its_key() {
    // RFC 8037, A.1 to A.3: the same key in PKCS#8.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
               -----END PRIVATE KEY-----\n";
    let public: Value = serde_json::from_str(ClientKey::from_pem(pem).unwrap().public_jwk()).unwrap();
    assert_eq!(public["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(public["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn what_is_printed_of_a_key_is_its_public_half_alone() {
    for key in [rsa(), p256(), ClientKey::from_pem(ED25519).unwrap()] {
        let public: Value = serde_json::from_str(key.public_jwk()).unwrap();
        assert_eq!(public["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(public.get(private).is_none(), "{private}");
        }
    }
}

#[test]
fn an_rsa_key_is_taken_in_the_older_format_too() {
    let older = ClientKey::from_pem(&RSA.to_pkcs1_pem(LineEnding::LF).unwrap()).unwrap();
    assert_eq!(older.public_jwk(), rsa().public_jwk());
}

#[test]
fn debug_shows_nothing_but_the_kid() {
    let key = ClientKey::from_pem(ED25519).unwrap();
    assert_eq!(format!("{key:?}"), format!("ClientKey {{ kid: {:?}, .. }}", key.kid));
}

#[test]
fn what_is_no_key_that_can_sign_is_refused_with_what_would_be() {
    let refusal = |pem: &str| ClientKey::from_pem(pem).unwrap_err();
    assert_eq!(refusal("client-key.pem"), ClientKeyError::NoPem);
    let public = RSA.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    assert_eq!(refusal(&public), ClientKeyError::Public);
    let block = |kind: &str, body: &str| format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
    assert_eq!(refusal(&block("ENCRYPTED PRIVATE KEY", "AAAA")), ClientKeyError::Encrypted);
    assert_eq!(refusal(&block("EC PRIVATE KEY", "AAAA")), ClientKeyError::Sec1);
    assert_eq!(refusal(&block("PRIVATE KEY", "AAAA")), ClientKeyError::Kind);
    let short = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
    assert_eq!(refusal(&short.to_pkcs8_pem(LineEnding::LF).unwrap()), ClientKeyError::Kind);
}
