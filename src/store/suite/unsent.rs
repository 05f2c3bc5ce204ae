//! What a store promises of texts that wait for their writers.

use super::support::{Given, at, member};
use crate::domain::unsent::{Unsent, UnsentId};

async fn kept(store: &Given, number: u8, second: i64) -> (UnsentId, Unsent) {
    let writer = member(store, "ann").await.id;
    let unsent = Unsent { member: writer, sealed: vec![number], at: at(second) };
    let id = UnsentId::new([number; 16]);
    store.keep_unsent(id, &unsent).await.unwrap();
    (id, unsent)
}

pub(in crate::store) async fn a_text_is_kept_until_it_is_forgotten(store: Given) {
    let (id, unsent) = kept(&store, 1, 1).await;
    assert_eq!(store.unsent(id).await.unwrap(), Some(unsent));
    store.forget_unsent(id).await.unwrap();
    assert_eq!(store.unsent(id).await.unwrap(), None);
    store.forget_unsent(id).await.unwrap();
}

pub(in crate::store) async fn texts_kept_long_ago_are_purged(store: Given) {
    let (old, _) = kept(&store, 1, 1).await;
    let (new, unsent) = kept(&store, 2, 100).await;
    assert_eq!(store.purge_unsent(at(100), 9).await.unwrap(), 1);
    assert_eq!(store.unsent(old).await.unwrap(), None);
    assert_eq!(store.unsent(new).await.unwrap(), Some(unsent));
}

pub(in crate::store) async fn one_text_too_many_takes_the_place_of_the_oldest(store: Given) {
    let writer = member(&store, "ann").await.id;
    let id = |number: usize| UnsentId::new((number as u128).to_be_bytes());
    for number in 0..=Unsent::AT_MOST {
        let second = i64::try_from(number).unwrap();
        store.keep_unsent(id(number), &Unsent { member: writer, sealed: Vec::new(), at: at(second) }).await.unwrap();
    }
    assert_eq!(store.unsent(id(0)).await.unwrap(), None);
    assert!(store.unsent(id(1)).await.unwrap().is_some());
    assert!(store.unsent(id(Unsent::AT_MOST)).await.unwrap().is_some());
}
