//! Names that stand side by side, and which thoughts have them: kept together, for most are had by few thoughts and are
//! small, and each record of sled's has its price in memory. Nothing of a block is decoded but what is looked for.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

use super::set::Set;
use crate::store::Result;
use crate::store::codec::{decode, encode};

/// Bytes from which on a block takes no more.
const BYTES: usize = 4096;

/// Bytes that say where a piece ends.
const END: usize = 4;

const WHAT: &str = "a block of the index";

/// Pieces of bytes one after the other, and where each ends: four bytes each, little-endian.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Column<B> {
    ends: B,
    bytes: B,
}

impl Column<ByteBuf> {
    /// These pieces.
    pub(super) fn of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut column = Self::default();
        for piece in pieces {
            column.bytes.extend_from_slice(piece);
            let end = u32::try_from(column.bytes.len()).unwrap_or(u32::MAX);
            column.ends.extend_from_slice(&end.to_le_bytes());
        }
        column
    }
}

impl<B: AsRef<[u8]>> Column<B> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.as_ref().as_chunks::<END>().0.len()
    }

    /// One of them; none of what is not there.
    fn get(&self, number: usize) -> &[u8] {
        let ends = self.ends.as_ref().as_chunks().0;
        let end = |number: usize| ends.get(number).map_or(0, |end| u32::from_le_bytes(*end) as usize);
        let from = number.checked_sub(1).map_or(0, end);
        self.bytes.as_ref().get(from..end(number)).unwrap_or_default()
    }

    /// How many come before `name`, all of them being in order; with `or_is` also one that is it.
    pub(super) fn before(&self, name: &[u8], or_is: bool) -> usize {
        let (mut from, mut end) = (0, self.len());
        while from < end {
            let middle = usize::midpoint(from, end);
            let one = self.get(middle);
            if one < name || (or_is && one == name) { from = middle + 1 } else { end = middle }
        }
        from
    }
}

/// Names in their order, each with a set as [`super::set::encode`] makes it.
#[derive(Serialize, Deserialize)]
struct Block<B> {
    names: Column<B>,
    sets: Column<B>,
}

/// Adds to `places` those who have this name, or one that begins with it, in the block that was kept so. `false` where no
/// later block has one.
///
/// # Errors
/// `Corrupt` where it is no block.
pub(super) fn add_named(record: &[u8], name: &[u8], whole: bool, places: &mut Set) -> Result<bool> {
    let block: Block<&Bytes> = decode(WHAT, record)?;
    for number in block.names.before(name, false)..block.names.len() {
        let one = block.names.get(number);
        if one == name || (!whole && one.starts_with(name)) {
            places.add(block.sets.get(number));
        } else {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Blocks of these names, which come in their order: their records, and the first name of each.
///
/// # Errors
/// Where one can't be written down.
pub(super) fn blocks(names: &[(Vec<u8>, Vec<u8>)]) -> Result<(Vec<Vec<u8>>, Column<ByteBuf>)> {
    let mut bytes = 0;
    let blocks: Vec<_> = names
        .chunk_by(|(name, set), _| {
            bytes += name.len() + set.len() + 2 * END;
            let takes_more = bytes < BYTES;
            bytes *= usize::from(takes_more);
            takes_more
        })
        .collect();
    let first = Column::of(blocks.iter().filter_map(|names| names.first()).map(|(name, _)| &name[..]));
    let record = |names: &&[(Vec<u8>, Vec<u8>)]| {
        let (names, sets) = (names.iter().map(|(name, _)| &name[..]), names.iter().map(|(_, set)| &set[..]));
        encode(WHAT, &Block { names: Column::of(names), sets: Column::of(sets) })
    };
    Ok((blocks.iter().map(record).collect::<Result<_>>()?, first))
}

#[cfg(test)]
mod tests {
    use super::super::set;
    use super::*;

    #[test]
    fn every_name_is_found_in_its_block_and_no_other() {
        let entry = |number: u16| (format!("{number:05}").into_bytes(), set::encode(&[number]));
        let names: Vec<_> = (0..2000).map(entry).collect();
        let (blocks, first) = blocks(&names).unwrap();
        assert!(blocks.len() > 3 && blocks.len() == first.len() && blocks.iter().all(|block| block.len() < 2 * BYTES));
        let one = |number| (format!("{number:05}"), true, number..number + 1);
        let tens = |number: usize| (format!("{number:04}"), false, 10 * number..10 * number + 10);
        let none = |name: &str, whole| (name.to_owned(), whole, 0..0);
        let several = (0..2000).map(one).chain((0..200).map(tens));
        for (name, whole, expected) in several.chain([none("0077", true), none("x", false), none("", true)]) {
            let mut places = Set::empty();
            for block in &blocks[first.before(name.as_bytes(), true).saturating_sub(1)..] {
                if !add_named(block, name.as_bytes(), whole, &mut places).unwrap() {
                    break;
                }
            }
            assert_eq!(places.latest_first().collect::<Vec<_>>(), expected.rev().collect::<Vec<usize>>(), "{name}");
        }
    }

    #[test]
    fn what_is_no_block_is_told_and_does_not_panic() {
        for record in [&b""[..], b"\x00", b"garbage", &[0x82, 0xff]] {
            assert!(add_named(record, b"name", true, &mut Set::empty()).is_err());
        }
        let short = Column { ends: ByteBuf::from([9, 0, 0, 0, 7]), bytes: ByteBuf::from([1]) };
        let record = encode("", &Block { names: short.clone(), sets: short }).unwrap();
        let mut places = Set::empty();
        assert!(add_named(&record, b"", false, &mut places).is_ok() && places.is_empty());
    }
}
