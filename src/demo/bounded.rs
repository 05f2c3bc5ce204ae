//! A map that forgets its oldest entries rather than grow.

use std::collections::{HashMap, VecDeque};

/// Values by random key, at most `limit` of them; the oldest goes out when another comes in.
#[derive(Debug)]
pub(super) struct Bounded<V> {
    values: HashMap<String, V>,
    /// Keys in the order they came in; keys that were removed stay until they are the oldest.
    order: VecDeque<String>,
    limit: usize,
}

impl<V> Bounded<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), limit }
    }

    pub(super) fn insert(&mut self, key: String, value: V) {
        if self.order.len() >= self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.values.insert(key, value);
    }

    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.values.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<V> {
        self.values.remove(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.values_mut()
    }

    /// Takes out every value for which `which` holds.
    pub(super) fn take_where(&mut self, which: impl Fn(&V) -> bool) -> Vec<V> {
        self.values.extract_if(|_, value| which(value)).map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_out_when_it_is_full() {
        let mut map = Bounded::new(2);
        for key in ["a", "b", "c"] {
            map.insert(key.to_owned(), key);
        }
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(&"b"), Some(&"c")));
    }
}
