//! Pages as viewers were shown them, kept in memory until something changes that a page could show.

use std::sync::{Arc, OnceLock};

use crate::cache::{Bounded, Size, Usage};
use crate::domain::id::MemberId;

use super::packed::Packed;

/// Bytes of pages that are kept.
const BYTES: usize = 12 * 1024 * 1024;

/// Which page, for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageKey {
    /// Who is looking, if they are signed in.
    pub viewer: Option<MemberId>,
    /// The path and query they asked for.
    pub path: String,
    /// Whether it is the part alone that htmx asked for.
    pub fragment: bool,
    /// The colours that were chosen, if they were.
    pub theme: Option<&'static str>,
}

/// A page without what is new each time it is shown.
#[derive(Debug)]
pub struct Document {
    /// The HTML, with something as long in each place.
    pub html: Vec<u8>,
    /// Where something new goes, and what, in their order.
    pub places: Vec<(usize, Fresh)>,
    /// What tells it from other documents, once somebody has asked.
    pub digest: OnceLock<u128>,
    /// The same for those who take it packed, once one has asked; nothing where it could not be packed.
    pub packed: OnceLock<Option<Packed>>,
}

impl Document {
    /// Its HTML, with these in its places: each has as many bytes as what was there.
    pub fn filled<V: AsRef<[u8]>>(&self, values: impl Iterator<Item = V>) -> Vec<u8> {
        let mut html = self.html.clone();
        for ((place, _), value) in self.places.iter().zip(values) {
            let value = value.as_ref();
            html[*place..place + value.len()].copy_from_slice(value);
        }
        html
    }
}

/// What is new each time that a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// The nonce of the response.
    Nonce,
    /// What tells one sending of a form from another.
    Once,
}

/// What was kept of a page, and of which version of everything it is.
struct Kept {
    version: u64,
    document: Arc<Document>,
    /// Of all of it, and of the path it is kept by.
    bytes: usize,
}

impl Size for Arc<Kept> {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The pages that are kept.
pub struct Pages(Bounded<PageKey, Arc<Kept>>);

impl Default for Pages {
    fn default() -> Self {
        Self(Bounded::new(BYTES))
    }
}

impl Pages {
    /// The page as it was shown before, if it is of this version.
    pub fn get(&self, key: &PageKey, version: u64) -> Option<Arc<Document>> {
        self.0.get(key).filter(|kept| kept.version == version).map(|kept| kept.document.clone())
    }

    /// Keeps a page. `version` was read before anything of what it shows was.
    pub fn keep(&self, key: PageKey, version: u64, document: Arc<Document>) {
        let Document { html, places, digest: _, packed: _ } = &*document;
        let places = places.capacity() * size_of::<(usize, Fresh)>();
        // Packed, it is there once more, and smaller.
        let bytes = 2 * html.capacity() + places + key.path.capacity();
        self.0.keep(key, Arc::new(Kept { version, document, bytes }));
    }

    /// What it holds.
    pub fn usage(&self) -> Usage {
        self.0.usage()
    }
}
