//! No key is mistaken for another, and spans end where they say.

use super::*;
use crate::domain::visibility::GroupName;
use crate::store::Scope;
use crate::store::lists::Audience;
use ulid::Ulid;

fn group(name: &str) -> GroupName {
    name.parse().unwrap()
}

fn holds(span: &Span, key: &[u8]) -> bool {
    std::ops::RangeBounds::<[u8]>::contains(&span.bounds(), key)
}

#[test]
fn no_list_holds_a_key_of_another() {
    let me = MemberId::from(Ulid(1));
    let (a, ab) = (group("a"), group("ab"));
    let audiences = [Audience::Public, Audience::Members, Audience::Group(&a), Audience::Group(&ab)];
    let mut lists = vec![List::Own(me), List::Own(MemberId::from(Ulid(2)))];
    for scope in [Scope::Everyone, Scope::By(me)] {
        lists.extend(audiences.map(|audience| List::For(scope, audience)));
    }
    for &list in &lists {
        let span = listed_before(list, None);
        for &other in &lists {
            for id in [ThoughtId::from(Ulid(0)), ThoughtId::from(Ulid(u128::MAX))] {
                let inside = holds(&span, listed(other, id).as_bytes());
                assert_eq!(inside, other == list, "{other:?} in {list:?}");
            }
        }
    }
}

#[test]
fn a_span_before_a_time_ends_where_that_time_begins() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    let id = ThoughtId::from(Ulid(0));
    for (ms, inside) in [(-1, true), (999, true), (1000, false), (1001, false)] {
        assert_eq!(holds(&trashed_before(at(1000)), trashed(at(ms), id).as_bytes()), inside, "{ms}");
    }
}

#[test]
fn issuer_and_subject_are_not_mixed_up() {
    let of = |iss: &str, sub: &str| identity(&Identity { iss: iss.into(), sub: sub.into() }).bytes;
    assert_ne!(of("https://op.example/a", "b"), of("https://op.example/", "ab"));
}

#[test]
fn a_prefix_of_highest_bytes_ends_after_them() {
    let last = Key::<()>::new(b'x', "a test").with([u8::MAX; 3]).and_below();
    assert!(holds(&last, b"x\xff\xff\xff\xff"));
    assert!(!holds(&last, b"y"));
}
