//! What is kept in memory to be quick: each cache holds so many bytes and no more, and lets go of what is asked for least.

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

/// How large something is that is kept.
pub trait Size {
    /// Bytes of memory, about; also of what it is kept by, as far as that has memory besides its own place.
    fn bytes(&self) -> usize;
}

/// What an entry costs besides what is kept, in bytes, about.
const ENTRY: u64 = 128;

/// Entries that a cache expects to hold, by which it lays itself out: of a kilobyte each.
const EXPECTED: usize = 1024;

/// Bytes that a part of a cache has at least. Each part has a lock of its own, so that cores don't wait for each other, and
/// what is larger than a part is not kept.
const PART: usize = 2 * 1024 * 1024;

/// A cache of so many bytes.
pub struct Bounded<K, V> {
    kept: Cache<K, V, BySize>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Clone)]
struct BySize;

impl<K, V: Size> Weighter<K, V> for BySize {
    fn weight(&self, _: &K, value: &V) -> u64 {
        (size_of::<K>() + value.bytes()) as u64 + ENTRY
    }
}

impl<K: Hash + Eq + Clone, V: Size + Clone> Bounded<K, V> {
    /// One that holds `bytes` at most.
    pub fn new(bytes: usize) -> Self {
        Self::in_parts(bytes, available_parallelism().map_or(1, usize::from) * 4)
    }

    /// The same, in so many parts at most.
    fn in_parts(bytes: usize, parts: usize) -> Self {
        // The library takes a power of two, and the next one where it is given another number.
        let most = (bytes / PART).max(1);
        let parts = parts.next_power_of_two().min(1 << most.ilog2());
        let mut options = OptionsBuilder::new();
        options.shards(parts).estimated_items_capacity(bytes / EXPECTED).weight_capacity(bytes as u64);
        #[expect(clippy::expect_used, reason = "it asks for two things, and they are set in the line above")]
        let options = options.build().expect("both capacities are set");
        let kept = Cache::with_options(options, BySize, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { kept, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// What is kept there.
    pub fn get(&self, key: &K) -> Option<V> {
        let found = self.kept.get(key);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps `value`, unless it is too large.
    pub fn keep(&self, key: K, value: V) {
        self.kept.insert(key, value);
    }

    /// Lets go of what is kept there.
    pub fn forget(&self, key: &K) {
        self.kept.remove(key);
    }

    /// Lets go of everything.
    pub fn clear(&self) {
        self.kept.clear();
    }

    /// What it holds, and how often it was of use.
    pub fn usage(&self) -> Usage {
        let (hits, misses) = (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed));
        Usage { capacity: self.kept.capacity(), bytes: Some(self.kept.weight()), asked: Some(Asked { hits, misses }) }
    }
}

/// What a cache holds, and how often it was of use, as far as that is known: a library's own may not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that it may hold.
    pub capacity: u64,
    /// Bytes that it holds.
    pub bytes: Option<u64>,
    /// How often it was asked.
    pub asked: Option<Asked>,
}

/// How often a cache was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How often what was asked for was there.
    pub hits: u64,
    /// How often it was not.
    pub misses: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Sized(usize);

    impl Size for Sized {
        fn bytes(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn a_cache_never_holds_more_bytes_than_it_may() {
        let cache = Bounded::new(100_000);
        for key in 0..10_000 {
            cache.keep(key, Sized(key % 3_000));
            assert!(cache.usage().bytes <= Some(100_000), "{:?}", cache.usage());
        }
        assert!(cache.usage().bytes > Some(50_000), "{:?}", cache.usage());
    }

    #[test]
    fn what_is_as_large_as_a_page_may_be_is_kept_however_many_cores_there_are() {
        for cores in [1, 2, 6, 64, 256] {
            let cache = Bounded::in_parts(16 * 1024 * 1024, cores * 4);
            for key in 0..8 {
                cache.keep(key, Sized(1024 * 1024));
                assert!(cache.get(&key).is_some(), "{cores} cores");
            }
        }
    }

    #[test]
    fn what_is_kept_is_found_until_it_is_forgotten() {
        let cache = Bounded::new(100_000);
        cache.keep("a", Sized(1));
        assert!(cache.get(&"a").is_some() && cache.get(&"b").is_none());
        cache.forget(&"a");
        assert!(cache.get(&"a").is_none());
        assert_eq!(cache.usage().asked, Some(Asked { hits: 1, misses: 2 }));
    }
}
