//! Names under which every store keeps what people and providers may call as they like: hashes, all of one length. They
//! are the same in every store, for they are part of what is moved from one to another.

use sha2::{Digest as _, Sha256};

use crate::domain::thought::Once;

/// What names something at an issuer, hashed. The issuer's length goes before it, so that no two hash alike.
pub(super) fn of_issuer(iss: &str, name: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((iss.len() as u64).to_be_bytes());
    hash.update(iss);
    hash.update(name);
    hash.finalize().into()
}

/// A thought's `once` value.
pub(super) fn once(value: &Once) -> [u8; 32] {
    Sha256::digest(value.as_str()).into()
}

/// An API token's. No `once` value has a control character: none of a thought has this hash.
pub(super) fn api_token_once(value: &Once) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"API token\0");
    hash.update(value.as_str());
    hash.finalize().into()
}
