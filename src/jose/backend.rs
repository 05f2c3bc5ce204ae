//! What jsonwebtoken signs with: ring, which TLS runs on already. Nothing is verified here.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::signature::{self, Signer};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    RsaKeyPair,
};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(RingSigner::new(*algorithm, key)?)),
    verifier_factory: |_, _| Err(Error::from(ErrorKind::UnsupportedAlgorithm)),
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(Error::from(ErrorKind::InvalidKeyFormat)),
        rsa_pub_components_from_public_key: |_| Err(Error::from(ErrorKind::InvalidKeyFormat)),
        ec_pub_components_from_private_key: |_, _| Err(Error::from(ErrorKind::InvalidKeyFormat)),
        ed_pub_components_from_private_key: |_, _| Err(Error::from(ErrorKind::InvalidKeyFormat)),
        compute_digest,
    },
};

/// Makes it what jsonwebtoken uses, in the whole process.
pub(super) fn install() {
    // An error means that it is installed already.
    PROVIDER.install_default().ok();
}

/// A key pair of a kind that signs assertions.
pub(super) enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    /// From PKCS#8, or from PKCS#1 for RSA. openssl leaves the public half out of an Ed25519 key, which ring
    /// otherwise asks for.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let rsa = || RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok().map(Self::Rsa);
        let p256 = || EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new()).ok();
        let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Self::Ed25519);
        p256().map(Self::P256).or_else(ed25519).or_else(rsa)
    }
}

struct RingSigner {
    pair: Pair,
    algorithm: Algorithm,
}

impl RingSigner {
    fn new(algorithm: Algorithm, key: &EncodingKey) -> Result<Self> {
        let pair = Pair::parse(key.as_bytes()).ok_or(ErrorKind::InvalidKeyFormat)?;
        let fits = matches!(
            (&pair, algorithm),
            (Pair::Rsa(_), Algorithm::RS256 | Algorithm::PS256)
                | (Pair::P256(_), Algorithm::ES256)
                | (Pair::Ed25519(_), Algorithm::EdDSA)
        );
        if fits { Ok(Self { pair, algorithm }) } else { Err(ErrorKind::UnsupportedAlgorithm.into()) }
    }
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        let random = SystemRandom::new();
        let failed = |_: ring::error::Unspecified| signature::Error::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding =
                    if self.algorithm == Algorithm::PS256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signed = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signed).map_err(failed)?;
                Ok(signed)
            }
            Pair::P256(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A key's thumbprint is its SHA-256 and no other.
fn compute_digest(data: &[u8], hash: ThumbprintHash) -> Result<Vec<u8>> {
    match hash {
        ThumbprintHash::SHA256 => Ok(ring::digest::digest(&ring::digest::SHA256, data).as_ref().to_vec()),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}
