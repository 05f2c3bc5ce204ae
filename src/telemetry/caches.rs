//! What `/metrics` shows of the caches: how large each is, how large it may become, and whether it is of use.

use std::sync::atomic::Ordering;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Label;
use crate::cache::{Asked, Usage};

type Labels = [(&'static str, Label); 1];

/// The numbers of every cache, by its name.
pub(super) struct Caches {
    bytes: Family<Labels, Gauge>,
    capacity: Family<Labels, Gauge>,
    hits: Family<Labels, Counter>,
    misses: Family<Labels, Counter>,
}

impl Caches {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (bytes, capacity) = (Family::default(), Family::default());
        let (hits, misses) = (Family::default(), Family::default());
        registry.register("cache_bytes", "Bytes that the cache holds", Family::clone(&bytes));
        registry.register("cache_capacity_bytes", "Bytes that the cache may hold", Family::clone(&capacity));
        registry.register("cache_hits", "What was asked for and was there", Family::clone(&hits));
        registry.register("cache_misses", "What was asked for and was not there", Family::clone(&misses));
        Self { bytes, capacity, hits, misses }
    }

    /// Takes over what a cache says of itself: it does its own counting.
    pub(super) fn show(&self, name: &'static str, usage: Usage) {
        let labels = [("cache", Label::from(name))];
        let gauge = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.capacity.get_or_create(&labels).set(gauge(usage.capacity));
        if let Some(bytes) = usage.bytes {
            self.bytes.get_or_create(&labels).set(gauge(bytes));
        }
        if let Some(Asked { hits, misses }) = usage.asked {
            self.hits.get_or_create(&labels).inner().store(hits, Ordering::Relaxed);
            self.misses.get_or_create(&labels).inner().store(misses, Ordering::Relaxed);
        }
    }
}
