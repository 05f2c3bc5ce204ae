//! Records as bytes: `MessagePack` with named fields, so that a record can grow, in every store alike.

use serde::{Deserialize, Serialize};

use super::{Result, StoreError};

/// A record as it is kept; `what` it is goes into the error.
pub(super) fn encode<T: Serialize>(what: &'static str, record: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(record).map_err(|e| StoreError::Failed(format!("{what} can't be written down: {e}")))
}

/// The record that was kept so; `what` it should be goes into the error.
pub(super) fn decode<'a, T: Deserialize<'a>>(what: &'static str, bytes: &'a [u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|e| StoreError::Corrupt { what, why: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::thought::Thought;

    #[test]
    fn bytes_that_are_no_record_are_told_and_do_not_panic() {
        for bytes in [&b""[..], b"\x00", b"garbage", &[0xdf, 0xff, 0xff, 0xff, 0xff], &[0xc6, 0xff, 0xff, 0xff, 0xff]] {
            let error = decode::<Thought>("a thought", bytes).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { what: "a thought", .. }), "{error}");
        }
    }
}
