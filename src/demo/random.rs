//! Randomness, in one place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// 256 random bits in base64url: codes, tokens, session ids.
#[expect(clippy::disallowed_methods, reason = "the demo uses nothing of the rest; its randomness has this one place")]
pub(super) fn random_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
