//! What records add up to: how many of each kind, and a checksum of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::StoreError;
use crate::store::copying::{Kind, Record};

/// Adds records up, in the order in which a snapshot gives them.
#[derive(Default)]
pub struct Tally(BTreeMap<Kind, (u64, Sha256)>);

impl Tally {
    /// Adds one.
    ///
    /// # Errors
    /// `Failed` where it can't be written down.
    pub fn add(&mut self, record: &Record) -> Result<(), StoreError> {
        let bytes = rmp_serde::to_vec_named(record).map_err(|error| StoreError::Failed(error.to_string()))?;
        let (count, digest) = self.0.entry(record.kind()).or_default();
        *count += 1;
        digest.update(bytes);
        Ok(())
    }

    /// What they add up to.
    pub fn summary(self) -> Summary {
        let counted = |(kind, (count, digest)): (Kind, (u64, Sha256))| {
            (kind, Counted { count, sha256: digest.finalize().into() })
        };
        Summary(self.0.into_iter().map(counted).collect())
    }
}

/// What the records of a store or of a backup add up to. Two that hold the same have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary(BTreeMap<Kind, Counted>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Counted {
    count: u64,
    sha256: [u8; 32],
}

impl Summary {
    /// How many records there are of all kinds.
    pub fn records(&self) -> u64 {
        self.0.values().map(|counted| counted.count).sum()
    }

    /// The kinds of which the two do not hold the same.
    pub fn differences(&self, other: &Self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.0.get(kind) != other.0.get(kind)).collect()
    }
}

/// A line a kind: how many, and the first bytes of the checksum.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, Counted { count, sha256 }) in &self.0 {
            write!(f, "{count:>12} {:<16} sha256 ", kind.as_str())?;
            sha256.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
