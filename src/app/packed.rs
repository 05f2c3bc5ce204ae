//! Bytes as gzip has them, with places in them that are filled anew each time they are sent: to pack all of it again for
//! the few bytes that are new would cost ten times what it costs to send it.
//!
//! A place is a block that stands as it is, and nothing that is packed refers across it (RFC 1951, 3.2.4 and 3.2.3): what
//! stands there has no part in how long the whole of it becomes, so that its length tells nobody what it is.

use crc32fast::Hasher;
use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

/// A member of one file, of which no name and no time is known. Source: RFC 1952, 2.3.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Packed bytes with places in them.
#[derive(Debug)]
pub struct Packed {
    /// All of it but the checksum and the length at the end.
    bytes: Vec<u8>,
    places: Vec<Place>,
    /// The checksum, with nothing in the places.
    checksum: u32,
    /// Bytes that were packed.
    length: usize,
}

/// A place.
#[derive(Debug)]
struct Place {
    /// Where it is in what is packed.
    at: usize,
    /// What the checksum of what stands there is multiplied by, for what is behind it once all is unpacked.
    weight: u32,
}

impl Packed {
    /// Packs `plain`. Of each place it is said where it begins and how many bytes it has; they follow each other.
    ///
    /// # Errors
    /// The library's. A block has 65,535 bytes at most, and so has a place.
    pub fn new(plain: &[u8], places: impl Iterator<Item = (usize, usize)>) -> Result<Self, CompressError> {
        let mut deflate = Compress::new(Compression::fast(), false);
        let mut packed = Self { bytes: HEAD.to_vec(), places: Vec::new(), checksum: 0, length: plain.len() };
        let mut from = 0;
        for (place, length) in places {
            packed.add(&mut deflate, &plain[from..place], plain.len() - place, FlushCompress::Full)?;
            let stored = u16::try_from(length).unwrap_or(u16::MAX);
            from = place + usize::from(stored);
            packed.bytes.push(0);
            packed.bytes.extend(stored.to_le_bytes());
            packed.bytes.extend((!stored).to_le_bytes());
            packed.places.push(Place { at: packed.bytes.len(), weight: followed_by(ONE, plain.len() - from) });
            packed.bytes.extend(&plain[place..from]);
        }
        packed.add(&mut deflate, &plain[from..], 0, FlushCompress::Finish)?;
        Ok(packed)
    }

    /// Adds what stands between two places, with so many bytes behind it.
    fn add(
        &mut self,
        deflate: &mut Compress,
        plain: &[u8],
        behind: usize,
        flush: FlushCompress,
    ) -> Result<(), CompressError> {
        let before = deflate.total_in();
        loop {
            // A page becomes about a quarter of itself.
            self.bytes.reserve(plain.len() / 4 + 64);
            let read = usize::try_from(deflate.total_in() - before).unwrap_or(plain.len());
            let status = deflate.compress_vec(&plain[read..], &mut self.bytes, flush)?;
            // Room that is left says that all of it is out.
            if status == Status::StreamEnd || flush == FlushCompress::Full && self.bytes.len() < self.bytes.capacity() {
                break;
            }
        }
        self.checksum ^= followed_by(alone(plain), behind);
        Ok(())
    }

    /// All of it, with these in its places: each has as many bytes as what was there.
    pub fn filled<V: AsRef<[u8]>>(&self, values: impl Iterator<Item = V>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 8);
        bytes.extend(&self.bytes);
        let mut checksum = self.checksum;
        for (Place { at, weight }, value) in self.places.iter().zip(values) {
            let value = value.as_ref();
            bytes[*at..at + value.len()].copy_from_slice(value);
            checksum ^= product(alone(value), *weight);
        }
        bytes.extend(checksum.to_le_bytes());
        // Modulo 2^32. Source: RFC 1952, 2.3.1.
        bytes.extend(&self.length.to_le_bytes()[..4]);
        bytes
    }
}

// The checksum of a whole is the exclusive or of what each of its parts adds: the part's own checksum, as a polynomial
// over GF(2), times x to the power of eight for each byte behind it. (What the checksum is inverted with at both ends is
// taken out again between two parts.) The highest bit stands for 1. Source: RFC 1952, 8, for the polynomial.

/// The polynomial 1.
const ONE: u32 = 1 << 31;

/// What everything is taken modulo, without x to the power of 32.
const GENERATOR: u32 = 0xedb8_8320;

/// The checksum of a part by itself.
fn alone(bytes: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

/// What a part of this checksum adds, where so many bytes are behind it.
fn followed_by(checksum: u32, behind: usize) -> u32 {
    let mut hasher = Hasher::new_with_initial(checksum);
    hasher.combine(&Hasher::new_with_initial_len(0, behind as u64));
    hasher.finalize()
}

/// The product of two polynomials. The library has it within `combine` alone, which finds the power anew each time, by as
/// many products as the number of bytes has ones.
fn product(one: u32, mut other: u32) -> u32 {
    let mut sum = 0;
    for place in (0..u32::BITS).rev() {
        sum ^= other & (one >> place & 1).wrapping_neg();
        // Times x.
        other = other >> 1 ^ GENERATOR & (other & 1).wrapping_neg();
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        // It holds the checksum and the length against what it reads.
        GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn what_is_filled_in_is_there_and_the_rest_as_it_was() {
        // Long and short, of one letter and of many, with places at both ends and side by side.
        let mut state = 1_u32;
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + u8::try_from(state >> 28).unwrap()
        };
        for length in [8, 100, 5_000, 300_000] {
            let plain: Vec<u8> = (0..length).map(|at| if at % 3 == 0 { b'-' } else { letter() }).collect();
            let places = [(0, 2), (2, 1), (4, 1), (length - 2, 2)];
            let packed = Packed::new(&plain, places.into_iter()).unwrap();
            assert_eq!(unpacked(&packed.filled(places.iter().map(|(at, bytes)| &plain[*at..at + bytes]))), plain);
            let mut other = plain.clone();
            other[..5].copy_from_slice(&[b'A', b'B', b'C', plain[3], b'D']);
            other[length - 2..].copy_from_slice(b"EF");
            assert_eq!(unpacked(&packed.filled(["AB", "C", "D", "EF"].iter())), other);
        }
    }

    #[test]
    fn without_places_it_is_gzip_like_any_other() {
        for length in [0, 1, 100_000] {
            let plain = vec![b'a'; length];
            let packed = Packed::new(&plain, std::iter::empty()).unwrap();
            assert_eq!(unpacked(&packed.filled(std::iter::empty::<&[u8]>())), plain);
        }
    }

    #[test]
    fn how_long_it_is_says_nothing_of_what_was_filled_in() {
        let plain = b"secret secret secret 123456 secret".repeat(20);
        let packed = Packed::new(&plain, [(21, 6)].into_iter()).unwrap();
        let length = |value: &str| packed.filled([value].iter()).len();
        assert_eq!(length("secret"), length("x/+9%z"));
    }
}
