//! Which thoughts of a segment: a bit each.

/// Thoughts of a segment at most.
pub(in crate::store::sled) const MOST: usize = 8192;

/// Bytes of all bits.
const BYTES: usize = MOST / 8;

const WORDS: usize = MOST / 64;

/// A set of places in a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Set([u64; WORDS]);

impl Set {
    /// None of them.
    pub(super) fn empty() -> Self {
        Self([0; WORDS])
    }

    /// Whether none is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Leaves those that are in the other as well.
    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Adds those that were written by [`encode`].
    pub(super) fn add(&mut self, encoded: &[u8]) {
        if encoded.len() == BYTES {
            for (word, bytes) in self.0.iter_mut().zip(encoded.as_chunks().0) {
                *word |= u64::from_le_bytes(*bytes);
            }
        } else {
            for bytes in encoded.as_chunks().0 {
                let place = usize::from(u16::from_le_bytes(*bytes));
                if let Some(word) = self.0.get_mut(place / 64) {
                    *word |= 1 << (place % 64);
                }
            }
        }
    }

    /// The places, the last first.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().rev().flat_map(|(number, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let place = left.checked_ilog2()?;
                left &= !(1 << place);
                Some(number * 64 + place as usize)
            })
        })
    }
}

/// A set as it is kept: two bytes a place, or a bit each where that is shorter.
pub(super) fn encode(places: &[u16]) -> Vec<u8> {
    if places.len() * 2 < BYTES {
        return places.iter().flat_map(|place| place.to_le_bytes()).collect();
    }
    let mut bits = vec![0; BYTES];
    for place in places.iter().map(|place| usize::from(*place)) {
        if let Some(byte) = bits.get_mut(place / 8) {
            *byte |= 1 << (place % 8);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_written_however_much_that_is() {
        for step in [1, 2, 15, 16, 17, 64, 8191] {
            let places: Vec<u16> = (0..8192).step_by(step).collect();
            let mut set = Set::empty();
            set.add(&encode(&places));
            let latest_first: Vec<_> = places.iter().rev().map(|place| usize::from(*place)).collect();
            assert_eq!(set.latest_first().collect::<Vec<_>>(), latest_first, "every {step}th");
            assert!(encode(&places).len() <= BYTES && !set.is_empty());
        }
        assert!(Set::empty().is_empty());
    }

    #[test]
    fn sets_are_joined_and_cut() {
        let of = |places: &[u16]| {
            let mut set = Set::empty();
            set.add(&encode(places));
            set
        };
        let mut both = of(&[1, 70, 8191]);
        both.add(&encode(&[2]));
        both.keep(&of(&[2, 70, 71]));
        assert_eq!(both.latest_first().collect::<Vec<_>>(), [70, 2]);
    }
}
