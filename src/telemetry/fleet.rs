//! How other instances are heard, in numbers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Label;

/// By what they can be heard.
const WAYS: [&str; 2] = ["notices", "the_clock"];

pub(super) struct Fleet {
    hearing: Family<[(&'static str, Label); 1], Gauge>,
    heard: Counter,
}

impl Fleet {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (hearing, heard) = (Family::default(), Counter::default());
        let help = "1 for how other instances are heard now, 0 for how not";
        registry.register("other_instances_heard", help, hearing.clone());
        registry.register("changes_heard", "Changes that other instances told of", heard.clone());
        Self { hearing, heard }
    }

    pub(super) fn hearing(&self, by: Option<&'static str>) {
        for way in WAYS {
            self.hearing.get_or_create(&[("by", way.into())]).set((by == Some(way)).into());
        }
    }

    pub(super) fn heard(&self, many: usize) {
        self.heard.inc_by(u64::try_from(many).unwrap_or(u64::MAX));
    }
}
