//! What a store promises of searching: the same whether an index has the thoughts or not.

use jiff::Timestamp;
use tokio::task::JoinSet;
use ulid::Ulid;

use super::support::{Given, all_pages, at, change, ids, member, reach, thought};
use crate::domain::id::ThoughtId;
use crate::domain::member::Member;
use crate::domain::policy::Reach;
use crate::domain::search::Query;
use crate::domain::thought::Thought;
use crate::store::search::says;
use crate::store::{Scope, Shared};

/// What somebody looks for.
fn query(typed: &str) -> Query {
    Query::parse(typed).unwrap()
}

/// The ids of all that is found, over pages of so many.
async fn found_by(store: &Given, typed: &str, reach: &Reach, size: usize) -> Vec<ThoughtId> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = store.search(&query(typed), reach, before, size).await.unwrap();
        assert!(page.items.len() <= size);
        all.extend(ids(&page.items));
        match page.next {
            Some(next) => before = Some(next),
            None => return all,
        }
    }
}

async fn found(store: &Given, typed: &str, reach: &Reach) -> Vec<ThoughtId> {
    found_by(store, typed, reach, 20).await
}

/// All that can be done for the index is done.
pub(in crate::store) async fn index(store: &Given) {
    // The first time says since when changes have waited, and the second that it was long.
    for now in [at(1_000_000), at(2_000_000)] {
        while store.index(now).await.unwrap() {}
    }
    assert_eq!(store.unindexed().await.unwrap(), None);
}

/// A thought that says this, shared.
async fn said(store: &Given, author: &Member, text: &str, visibility: &str) -> Thought {
    let thought = thought(author, text, visibility);
    assert_eq!(store.share(&thought, None).await.unwrap(), Shared::Now);
    thought
}

pub(in crate::store) async fn what_was_shared_is_found_at_once_newest_first(store: Given) {
    let ann = member(&store, "ann").await;
    assert!(found(&store, "fish", &Reach::Public).await.is_empty());
    let fish = said(&store, &ann, "Fish and *chips*", "public").await.id;
    let both = said(&store, &ann, "chips, fishes, peas", "public").await.id;
    said(&store, &ann, "Peas alone", "public").await;
    for _ in 0..2 {
        for (typed, expected) in [
            ("fish", vec![both, fish]),
            ("chips FISH", vec![both, fish]),
            ("fishes", vec![both]),
            ("fish peas", vec![both]),
            ("shark", vec![]),
            ("fish shark", vec![]),
        ] {
            assert_eq!(found(&store, typed, &Reach::Public).await, expected, "{typed}");
        }
        index(&store).await;
    }
}

pub(in crate::store) async fn every_script_is_found(store: Given) {
    let ann = member(&store, "ann").await;
    let texts = [
        ("東京", "昨日は東京都に行きました"),
        ("京", "昨日は東京都に行きました"),
        ("민국", "대한민국과 한국어를"),
        ("ภาษา", "ฉันพูดภาษาไทย"),
        ("мысль", "Моя Мысль"),
        ("فكرة", "هذه فكرة جديدة"),
        ("cafe", "Ein Café, 'quoted' \\ and % more"),
        ("𝔘ni", "𝔘nicode"),
    ];
    let mut shared = Vec::new();
    for (typed, text) in texts {
        shared.push((typed, text, said(&store, &ann, text, "public").await.id));
    }
    for _ in 0..2 {
        for (typed, text, id) in &shared {
            assert!(found(&store, typed, &Reach::Public).await.contains(id), "{typed} in {text}");
        }
        assert_eq!(found(&store, "北海道", &Reach::Public).await, []);
        index(&store).await;
    }
}

pub(in crate::store) async fn nobody_finds_what_is_out_of_their_reach(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut all = Vec::new();
    for visibility in ["public", "members", "group:friends", "private"] {
        all.insert(0, said(&store, &ann, &format!("a secret for {visibility}"), visibility).await.id);
    }
    for _ in 0..2 {
        for (reach, expected) in [
            (Reach::Public, &all[3..]),
            (reach(&bob, &[]), &all[2..]),
            (reach(&bob, &["friends"]), &all[1..]),
            (reach(&bob, &["friend", "Friends"]), &all[2..]),
            (reach(&ann, &[]), &all[..]),
        ] {
            assert_eq!(found(&store, "secret", &reach).await, expected, "{reach:?}");
        }
        index(&store).await;
    }
    store.edit(all[3], &change("a secret kept", "private"), at(5)).await.unwrap();
    store.edit(all[0], &change("a secret told", "public"), at(5)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(found(&store, "secret", &Reach::Public).await, [all[0]]);
        index(&store).await;
    }
}

pub(in crate::store) async fn a_thought_is_found_by_what_it_says_now(store: Given) {
    let ann = member(&store, "ann").await;
    let id = said(&store, &ann, "before and always", "public").await.id;
    for round in 0..3 {
        store.edit(id, &change("after and always", "public"), at(5)).await.unwrap();
        assert_eq!(found(&store, "after", &Reach::Public).await, [id], "{round}");
        assert_eq!(found(&store, "before", &Reach::Public).await, [], "{round}");
        assert_eq!(found(&store, "always", &Reach::Public).await, [id], "{round}");
        index(&store).await;
        store.edit(id, &change("before and always", "public"), at(6)).await.unwrap();
        assert_eq!(found(&store, "before", &Reach::Public).await, [id], "{round}");
        assert_eq!(found(&store, "after", &Reach::Public).await, [], "{round}");
    }
}

pub(in crate::store) async fn what_is_deleted_is_not_found_and_what_is_restored_is(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let (gone, theirs) =
        (said(&store, &ann, "a word", "public").await.id, said(&store, &bob, "a word", "public").await.id);
    for _ in 0..2 {
        store.delete(gone, at(5)).await.unwrap();
        assert_eq!(found(&store, "word", &Reach::Public).await, [theirs]);
        index(&store).await;
        assert_eq!(found(&store, "word", &Reach::Public).await, [theirs]);
        store.restore(gone).await.unwrap();
        assert_eq!(found(&store, "word", &Reach::Public).await, [theirs, gone]);
        index(&store).await;
    }
    store.delete_member(bob.id).await.unwrap();
    assert_eq!(found(&store, "word", &Reach::Public).await, [gone]);
    while store.purge_members(10).await.unwrap() {}
    index(&store).await;
    assert_eq!(found(&store, "word", &Reach::Public).await, [gone]);
}

pub(in crate::store) async fn what_is_found_is_read_a_page_at_a_time_whatever_is_shared_meanwhile(store: Given) {
    let (ann, bob) = (member(&store, "ann").await, member(&store, "bob").await);
    let mut expected = Vec::new();
    for number in 0..30 {
        expected.insert(0, said(&store, &ann, &format!("number {number}"), "members").await.id);
        said(&store, &ann, "something else", "members").await;
        said(&store, &ann, &format!("number {number}"), "private").await;
    }
    let reach = reach(&bob, &[]);
    let first = store.search(&query("number"), &reach, None, 20).await.unwrap();
    said(&store, &ann, "number, meanwhile", "members").await;
    for _ in 0..2 {
        let second = store.search(&query("number"), &reach, first.next, 20).await.unwrap();
        assert_eq!([ids(&first.items), ids(&second.items)].concat(), expected);
        for size in [1, 3, 29, 30, 31, 40] {
            assert_eq!(found_by(&store, "number", &reach, size).await[1..], expected, "{size} a page");
        }
        index(&store).await;
    }
}

/// Weeks, months and years apart.
pub(in crate::store) async fn what_was_shared_long_ago_is_found(store: Given) {
    let ann = member(&store, "ann").await;
    let mut expected = Vec::new();
    for days in [0, 1, 6, 7, 8, 30, 31, 365, 3650, 20_000] {
        let id = ThoughtId::from(Ulid::from_parts(days * 24 * 60 * 60 * 1000, u128::from(days)));
        let thought = Thought { id, ..thought(&ann, &format!("after {days} days"), "public") };
        store.share(&thought, None).await.unwrap();
        expected.insert(0, id);
    }
    for _ in 0..2 {
        assert_eq!(found(&store, "days", &Reach::Public).await, expected);
        assert_eq!(found_by(&store, "days", &Reach::Public, 1).await, expected);
        assert_eq!(found(&store, "20000", &Reach::Public).await, expected[..1]);
        assert_eq!(found(&store, "0", &Reach::Public).await, expected[9..]);
        index(&store).await;
    }
}

/// A word may be rare in one week and common in another, and two may be common and hardly ever stand together.
pub(in crate::store) async fn words_are_found_together_however_common_each_is_and_when(store: Given) {
    let ann = member(&store, "ann").await;
    let (mut all, mut number) = (Vec::new(), 0);
    for (week, texts) in
        [["rain", "snow", "snow wind"], ["rain", "rain wind", "rain fog"], ["snow", "rain", "fog"]].iter().enumerate()
    {
        for place in 0..45 {
            number += 1;
            let rare = if number % 40 == 7 { "rain snow" } else { "" };
            let text = format!("{} {rare} {number}", texts[place % 3]);
            let id = ThoughtId::from(Ulid::from_parts(week as u64 * 7 * 24 * 60 * 60 * 1000 + number, 0));
            let thought = Thought { id, ..thought(&ann, &text, "public") };
            store.share(&thought, None).await.unwrap();
            all.insert(0, thought);
        }
    }
    for _ in 0..2 {
        for typed in
            ["rain snow", "snow rain", "rain wind", "wind snow", "fog rain 1", "fog snow", "rain 47", "sn ra 12"]
        {
            let says_so = all.iter().filter(|thought| says(&query(typed), thought));
            let expected: Vec<_> = says_so.map(|thought| thought.id).collect();
            assert_eq!(found_by(&store, typed, &Reach::Public, 3).await, expected, "{typed}");
        }
        index(&store).await;
    }
}

/// Many small steps, and after each what is found is what there is.
pub(in crate::store) async fn whatever_happens_what_is_found_is_what_says_so(store: Given) {
    Happening::to(&store).await.steps(&store, 150).await;
}

/// The same of what many do at once, while the index is made.
pub(in crate::store) async fn what_many_write_at_once_is_found(store: Given) {
    let happening = Happening::to(&store).await;
    happening.at_once(&store, 40).await;
    happening.look(&store).await;
    index(&store).await;
    happening.look(&store).await;
}

/// Small steps, one after the other, the same each time.
#[derive(Clone)]
pub(in crate::store) struct Happening {
    members: Vec<Member>,
    thoughts: Vec<ThoughtId>,
    state: u64,
}

const TEXTS: [&str; 6] = ["red fish", "blue fish", "red bird", "東京の魚", "one bird, two birds", "blue"];
const VISIBILITIES: [&str; 4] = ["public", "members", "group:friends", "private"];
const TYPED: [&str; 8] = ["fish", "red", "bird", "blue fish", "東京", "魚", "b", "nothing"];

impl Happening {
    /// Nothing has happened yet.
    pub(in crate::store) async fn to(store: &Given) -> Self {
        let members = vec![member(store, "ann").await, member(store, "bob").await];
        Self { members, thoughts: Vec::new(), state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// A number below that one.
    fn any(&mut self, below: usize) -> usize {
        // xorshift64: any deterministic sequence will do.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % below as u64).unwrap()
    }

    /// So many of them, each looked at from all sides.
    pub(in crate::store) async fn steps(&mut self, store: &Given, many: usize) {
        for _ in 0..many {
            self.step(store).await;
            self.look(store).await;
        }
    }

    /// So many of them by each of eight, none of whom knows of the others' thoughts.
    pub(in crate::store) async fn at_once(&self, store: &Given, many: usize) {
        let mut writers = JoinSet::new();
        for writer in 1..=8 {
            let (mut happening, store) =
                (Self { state: self.state.rotate_left(writer), ..self.clone() }, store.clone());
            writers.spawn(async move {
                for _ in 0..many {
                    happening.step(&store).await;
                }
            });
        }
        writers.join_all().await;
    }

    async fn step(&mut self, store: &Given) {
        let (text, visibility) = (TEXTS[self.any(TEXTS.len())], VISIBILITIES[self.any(VISIBILITIES.len())]);
        let any = self.any(self.thoughts.len().max(1));
        let one = self.thoughts.get(any).copied();
        match (self.any(10), one) {
            (0, Some(one)) => drop(store.edit(one, &change(text, visibility), at(5)).await.unwrap()),
            (1, Some(one)) => drop(store.delete(one, at(5)).await.unwrap()),
            (2, Some(one)) => drop(store.restore(one).await.unwrap()),
            (3, Some(_)) => drop(store.purge_deleted(Timestamp::MAX, 1).await.unwrap()),
            (4 | 5, Some(_)) => {
                let now = at(1_000_000 * i64::try_from(self.any(1000)).unwrap());
                store.index(now).await.unwrap();
            }
            _ => {
                let any = self.any(2);
                let author = self.members[any].clone();
                self.thoughts.push(said(store, &author, text, visibility).await.id);
            }
        }
    }

    /// What is found by each is what there is of it in the feed.
    pub(in crate::store) async fn look(&self, store: &Given) {
        let (ann, bob) = (&self.members[0], &self.members[1]);
        for reach in [Reach::Public, reach(ann, &[]), reach(bob, &["friends"])] {
            let mut there = Vec::new();
            for id in all_pages(store, Scope::Everyone, &reach, 100).await {
                there.extend(store.thought(id, &reach).await.unwrap());
            }
            for typed in TYPED {
                let says_so = there.iter().filter(|item| says(&query(typed), &item.thought));
                let expected: Vec<_> = says_so.map(|item| item.thought.id).collect();
                assert_eq!(found_by(store, typed, &reach, 7).await, expected, "{typed} for {reach:?}");
            }
        }
    }
}
