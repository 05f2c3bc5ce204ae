//! Keys derived from `THOUGHTS_SECRET`: one for sealed cookies, one for what is sealed at rest. A list of
//! secrets is a ring: the first seals, all of them open, so that a rotation signs nobody out.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use tower_cookies::Key;

use crate::clock::random;

/// Bytes of a nonce of XChaCha20-Poly1305, long enough to be drawn at random for every sealing.
const NONCE: usize = 24;

/// The ring of keys. Never empty, never printed.
pub struct Keys {
    first: Ring,
    rest: Vec<Ring>,
}

struct Ring {
    cookies: Key,
    rest: XChaCha20Poly1305,
}

impl Keys {
    /// Derives the keys of a ring: `first` seals, `rest` only open.
    pub fn derive(first: &[u8], rest: &[&[u8]]) -> Self {
        Self { first: Ring::derive(first), rest: rest.iter().map(|secret| Ring::derive(secret)).collect() }
    }

    /// The key that seals cookies.
    pub fn cookies(&self) -> &Key {
        &self.first.cookies
    }

    /// The keys that open cookies, the most likely one first.
    pub fn all_cookies(&self) -> impl Iterator<Item = &Key> {
        self.all().map(|ring| &ring.cookies)
    }

    /// Seals a value for keeping: authenticated, and bound to `context`, without which it doesn't open.
    ///
    /// # Errors
    /// [`Unsealable`] where the value can't be written as JSON.
    pub fn seal(&self, value: &impl Serialize, context: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let plain = serde_json::to_vec(value).map_err(|_| Unsealable)?;
        let nonce: [u8; NONCE] = random();
        let payload = Payload { msg: &plain, aad: context };
        let mut sealed = nonce.to_vec();
        sealed.extend(self.first.rest.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| Unsealable)?);
        Ok(sealed)
    }

    /// Opens what [`Keys::seal`] sealed for the same `context`, with whichever key of the ring fits.
    pub fn open<T: DeserializeOwned>(&self, sealed: &[u8], context: &[u8]) -> Option<T> {
        let (nonce, msg) = sealed.split_at_checked(NONCE)?;
        let plain = self.all().find_map(|ring| {
            let payload = Payload { msg, aad: context };
            ring.rest.decrypt(XNonce::from_slice(nonce), payload).ok()
        })?;
        serde_json::from_slice(&plain).ok()
    }

    fn all(&self) -> impl Iterator<Item = &Ring> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

impl Ring {
    fn derive(secret: &[u8]) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"thoughts"), secret);
        let mut cookies = [0; 64];
        let mut rest = [0; 32];
        expand(&hkdf, b"cookies", &mut cookies);
        expand(&hkdf, b"at rest", &mut rest);
        Self { cookies: Key::from(&cookies), rest: XChaCha20Poly1305::new(&rest.into()) }
    }
}

#[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8,160 bytes (RFC 5869, 2.3), and no key is longer")]
fn expand(hkdf: &Hkdf<Sha256>, purpose: &[u8], key: &mut [u8]) {
    hkdf.expand(purpose, key).expect("a key is shorter than HKDF's limit");
}

/// The value could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value could not be sealed")]
pub struct Unsealable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_own_context_alone() {
        let keys = Keys::derive(&[1; 32], &[]);
        let sealed = keys.seal(&"a token", b"session").unwrap();
        assert_eq!(keys.open::<String>(&sealed, b"session").as_deref(), Some("a token"));
        assert_eq!(keys.open::<String>(&sealed, b"another"), None);
        assert!(!sealed.windows(5).any(|bytes| bytes == b"token"));
    }

    #[test]
    fn after_a_rotation_what_the_old_key_sealed_still_opens() {
        let sealed = Keys::derive(&[1; 32], &[]).seal(&7, b"").unwrap();
        assert_eq!(Keys::derive(&[2; 32], &[&[1; 32]]).open::<u32>(&sealed, b""), Some(7));
        assert_eq!(Keys::derive(&[2; 32], &[]).open::<u32>(&sealed, b""), None);
    }

    #[test]
    fn anything_else_does_not_open() {
        let keys = Keys::derive(&[1; 32], &[]);
        assert_eq!(keys.open::<u32>(b"", b""), None);
        assert_eq!(keys.open::<u32>(&[0; 64], b""), None);
    }
}
