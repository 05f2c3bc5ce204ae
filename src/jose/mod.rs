//! The key with which this site proves to a provider who it is, and the assertions that it signs with it
//! (`private_key_jwt`: RFC 7523, 2.2; OpenID Connect Core 1.0, 9).
//!
//! The JOSE side is jsonwebtoken's; what it signs with is handed to it in `backend`, on ring, so that there is one
//! cryptography in the program.

mod backend;

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, Jwk, KeyAlgorithm,
    OctetKeyPairParameters, PublicKeyUse, RSAKeyParameters, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rsa::PublicKeyComponents;
use ring::signature::KeyPair as _;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Serialize;

use self::backend::Pair;

/// A private key that signs client assertions. It exists only if it can sign; neither `Debug` nor an error shows
/// anything but its public half.
#[derive(Clone)]
pub struct ClientKey {
    key: EncodingKey,
    algorithms: &'static [Algorithm],
    public_jwk: String,
    kid: String,
}

/// Why a text is not a key that can sign; goes on after "the key is a secret: " and says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// No private key in PEM at all.
    #[error(
        "there is no private key in PEM in it. Use one that begins with `-----BEGIN PRIVATE KEY-----`, or give the \
         variable with `_FILE` the path of its file."
    )]
    NoPem,
    /// A public key, or a certificate.
    #[error("that is the public half, for the provider. Use the private key that belongs to it.")]
    Public,
    /// A key that a passphrase opens.
    #[error("a passphrase guards it, and nobody is there to type it. Use it without one: `openssl pkey -in key.pem`.")]
    Encrypted,
    /// An EC key outside of PKCS#8.
    #[error("it is an EC key in the older format. Use what `openssl pkcs8 -topk8 -nocrypt -in key.pem` prints.")]
    Sec1,
    /// A key of another kind, or too short a one.
    #[error(
        "it is none of RSA (2048 to 4096 bits), EC on P-256, Ed25519. Make one with `openssl genpkey -algorithm EC -pkeyopt \
         ec_paramgen_curve:P-256`."
    )]
    Kind,
}

/// The claims of a client assertion. Source: OpenID Connect Core 1.0, 9.
#[derive(Serialize)]
pub struct Assertion<'a> {
    /// Our `client_id`.
    pub iss: &'a str,
    /// The same.
    pub sub: &'a str,
    /// The provider, and nobody else: its issuer identifier.
    pub aud: &'a str,
    /// Never the same twice.
    pub jti: &'a str,
    /// When it was made, in Unix seconds.
    pub iat: i64,
    /// Until when it is good, in Unix seconds.
    pub exp: i64,
}

/// An assertion could not be signed. What the library says holds nothing of the key.
#[derive(Debug, thiserror::Error)]
#[error("the client assertion can't be signed: {0}")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

impl ClientKey {
    /// The private key in a PEM text: PKCS#8, or PKCS#1 for RSA.
    pub fn from_pem(pem: &str) -> Result<Self, ClientKeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| what_else(pem))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(_) | PrivateKeyDer::Pkcs1(_) => Pair::parse(der.secret_der()),
            PrivateKeyDer::Sec1(_) => return Err(ClientKeyError::Sec1),
            _ => None,
        };
        let pair = pair.ok_or(ClientKeyError::Kind)?;
        backend::install();
        let der = der.secret_der();
        let (key, algorithms): (_, &[_]) = match &pair {
            Pair::Rsa(_) => (EncodingKey::from_rsa_der(der), &[Algorithm::RS256, Algorithm::PS256]),
            Pair::P256(_) => (EncodingKey::from_ec_der(der), &[Algorithm::ES256]),
            Pair::Ed25519(_) => (EncodingKey::from_ed_der(der), &[Algorithm::EdDSA]),
        };
        let mut jwk = public_jwk(&pair);
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| ClientKeyError::Kind)?;
        jwk.common.key_id = Some(kid.clone());
        let public_jwk = serde_json::to_string(&jwk).map_err(|_| ClientKeyError::Kind)?;
        Ok(Self { key, algorithms, public_jwk, kid })
    }

    /// The `alg`s that it can sign with, the most usual first. Source: RFC 7518, 3.1; RFC 8037, 3.1.
    pub fn algorithms(&self) -> impl Iterator<Item = String> {
        self.algorithms.iter().map(|algorithm| format!("{algorithm:?}"))
    }

    /// Its public half as one line of JSON, for the provider. Its `kid` is its thumbprint (RFC 7638).
    /// Source: RFC 7517.
    pub fn public_jwk(&self) -> &str {
        &self.public_jwk
    }

    /// A signed assertion with these claims. `alg` is one of [`algorithms`](Self::algorithms); where it is none of
    /// them the first is taken.
    pub fn sign(&self, alg: &str, claims: &Assertion<'_>) -> Result<String, SigningError> {
        let wanted = self.algorithms.iter().find(|algorithm| format!("{algorithm:?}") == alg);
        let algorithm = wanted.or(self.algorithms.first()).copied().unwrap_or_default();
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(algorithm) };
        Ok(encode(&header, claims, &self.key)?)
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What a text is that has no private key in it.
fn what_else(pem: &str) -> ClientKeyError {
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        ClientKeyError::Encrypted
    } else if pem.contains("PUBLIC KEY-----") || pem.contains("-----BEGIN CERTIFICATE-----") {
        ClientKeyError::Public
    } else {
        ClientKeyError::NoPem
    }
}

/// Without its `kid`. An RSA key names no `alg`, for it has two.
fn public_jwk(pair: &Pair) -> Jwk {
    let (key_algorithm, algorithm) = match pair {
        Pair::Rsa(pair) => {
            let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
            let (n, e) = (BASE64URL.encode(n), BASE64URL.encode(e));
            (None, AlgorithmParameters::RSA(RSAKeyParameters { n, e, ..RSAKeyParameters::default() }))
        }
        Pair::P256(pair) => {
            // SEC 1, 2.3.3: 4, and then the coordinates, 32 bytes each.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            let parameters = EllipticCurveKeyParameters {
                curve: EllipticCurve::P256,
                x: BASE64URL.encode(x),
                y: BASE64URL.encode(y),
                ..EllipticCurveKeyParameters::default()
            };
            (Some(KeyAlgorithm::ES256), AlgorithmParameters::EllipticCurve(parameters))
        }
        Pair::Ed25519(pair) => {
            let parameters = OctetKeyPairParameters {
                curve: EllipticCurve::Ed25519,
                x: BASE64URL.encode(pair.public_key().as_ref()),
                ..OctetKeyPairParameters::default()
            };
            (Some(KeyAlgorithm::EdDSA), AlgorithmParameters::OctetKeyPair(parameters))
        }
    };
    let common = CommonParameters {
        public_key_use: Some(PublicKeyUse::Signature),
        key_algorithm,
        ..CommonParameters::default()
    };
    Jwk { common, algorithm }
}

#[cfg(test)]
mod tests;
