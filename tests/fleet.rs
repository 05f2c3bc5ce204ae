//! Several instances on one database: whichever answers, it is one site.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use thoughts::demo::LogoutTarget;

use crate::support::engine::{Engine, address};
use crate::support::fleet::fleet;
use crate::support::listening::{ends, listening, told};
use crate::support::site::free_address;
use crate::support::{Fleet, Person, Upstream, postgres};

async fn is_signed_in(person: &Person) -> bool {
    person.get("/profile").await.status == 200
}

#[tokio::test]
async fn a_session_made_at_one_is_good_at_the_other_and_over_at_both_at_once() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member("Ann").await;
    assert!(is_signed_in(&there).await);
    let mut stream = listening(&there).await;
    let before = there.copy();
    here.post("/logout", &[]).await;
    assert!(!is_signed_in(&before).await, "at the very next request");
    ends(&mut stream, "signed_out").await;
}

#[tokio::test]
async fn a_sign_in_begun_at_one_ends_at_the_other() {
    let Some(fleet) = fleet().await else { return };
    let ann = fleet.one.stranger();
    let callback = ann.authorize("Ann", &[], "/profile").await;
    let back = fleet.come_back_elsewhere(&ann, &callback).await;
    assert_eq!(back.location().as_deref(), Some("/profile"), "{}", back.body);
    assert!(is_signed_in(&ann).await && is_signed_in(&fleet.elsewhere(&ann)).await);
}

#[tokio::test]
async fn whatever_ends_a_session_at_one_ends_its_streams_at_the_other_and_says_why() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member("Ann").await;
    let [_, laptop] = fleet.member("Ann").await;
    let (mut of_laptop, mut of_ann) = (listening(&laptop).await, listening(&there).await);
    let mut of_a_stranger = listening(&fleet.elsewhere(&fleet.one.stranger())).await;
    here.form(Method::DELETE, "/profile/sessions", &[]).await;
    ends(&mut of_laptop, "elsewhere").await;
    here.sign_in("Ann").await;
    ends(&mut of_ann, "replaced").await;

    let mut of_ann = listening(&there).await;
    let (_, fields) = here.get("/profile/delete").await.form("[name=handle]");
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("handle", "ann"));
    here.form(Method::DELETE, "/profile", &fields).await;
    ends(&mut of_ann, "account_deleted").await;
    assert_eq!(of_a_stranger.next().await.unwrap().0, "missed", "more is gone than is told one by one");
}

#[tokio::test]
async fn a_providers_logout_at_one_ends_what_the_other_serves() {
    let Some(fleet) = fleet().await else { return };
    let [_, there] = fleet.member("Ann").await;
    let mut stream = listening(&there).await;
    let before = there.copy();
    let logout = fleet.one.provider.back_channel_logout(LogoutTarget::Sub("ann".into())).await.remove(0);
    assert_eq!(logout.answer.unwrap().status, 200);
    assert!(!is_signed_in(&before).await);
    ends(&mut stream, "by_provider").await;
    let again = [("logout_token", logout.logout_token.as_str())];
    let replayed = fleet.elsewhere(&fleet.one.stranger()).post("/backchannel-logout", &again).await;
    assert_eq!(replayed.status, 400, "it counts once, wherever it comes");
}

#[tokio::test]
async fn fifty_calls_over_both_with_an_expired_token_make_one_refresh() {
    let upstream = Upstream::start();
    let Some(fleet) = Fleet::with(&upstream.table("")).await else { return };
    let ada = fleet.member("Ada").await;
    fleet.one.clock.advance(Duration::from_hours(1));
    let calls = (0..50).map(|number: usize| {
        let ada = ada[number % 2].copy();
        async move { ada.get("/api/upstream/notes/v1/a").await.status.as_u16() }
    });
    assert_eq!(join_all(calls).await, [200; 50]);
    let tokens: BTreeSet<_> = upstream.seen().iter().map(|seen| seen.token().to_owned()).collect();
    assert_eq!((upstream.seen().len(), tokens.len()), (50, 1));
    assert_eq!(fleet.one.provider.issued_tokens().len(), 6, "three at the sign-in, and three once more");
}

#[tokio::test]
async fn what_was_written_comes_through_a_sign_in_at_the_other() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member("Ann").await;
    let [laptop, _] = fleet.member("Ann").await;
    laptop.form(Method::DELETE, "/profile/sessions", &[]).await;
    let refused = here.post("/thoughts", &[("message", "Long and *dear*"), ("visibility", "private")]).await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fshare-thought");
    let callback = there.authorize("Ann", &[], "/share-thought").await;
    let back = fleet.come_back_elsewhere(&here, &callback).await;
    let form = there.follow(back).await;
    assert_eq!(form.text("textarea"), "Long and *dear*");
    assert_eq!(form.attribute("option[selected]", "value"), "private");
}

#[tokio::test]
async fn the_same_form_sent_to_both_makes_one_thought() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member("Ann").await;
    let once = here.get("/share-thought").await.attribute("input[name=once]", "value");
    let fields = [("message", "Once"), ("visibility", "public"), ("once", once.as_str())];
    let (first, second) = tokio::join!(here.post("/thoughts", &fields), there.post("/thoughts", &fields));
    assert_eq!((first.status.as_u16(), first.location()), (303, second.location()));
    for person in [here, there] {
        assert_eq!(person.get("/").await.texts("article .words"), ["Once"]);
    }
}

#[tokio::test]
async fn what_becomes_of_a_thought_at_one_is_told_at_both_once_and_to_who_may_see_it() {
    let Some(fleet) = fleet().await else { return };
    let [here, there] = fleet.member_with("Ann", &[("groups", "friends")]).await;
    let [_, eve] = fleet.member_with("Eve", &[("groups", "friends")]).await;
    let [_, bob] = fleet.member("Bob").await;
    let stranger = fleet.elsewhere(&fleet.one.stranger());
    let mut streams = Vec::new();
    for person in [&stranger, &bob, &eve, &there, &here] {
        streams.push(listening(person).await);
    }
    for (visibility, seen_by) in [("private", 2), ("group:friends", 3), ("members", 4), ("public", 5)] {
        let path = here.share(visibility, visibility).await;
        for stream in &mut streams[5 - seen_by..] {
            assert_eq!(stream.next().await, Some(told("shared", &path)));
        }
    }
    let path = there.share("Here", "members").await;
    let edit = async |person: &Person, visibility: &str| {
        let fields = [("message", "Changed"), ("visibility", visibility)];
        assert_eq!(person.form(Method::PUT, &path, &fields).await.status, 303);
    };
    let mut all_are_told = async |of_a_stranger: Option<&str>, of_members: &str| {
        for (place, stream) in streams.iter_mut().enumerate() {
            if let Some(event) = if place == 0 { of_a_stranger } else { Some(of_members) } {
                assert_eq!(stream.next().await, Some(told(event, &path)));
            }
        }
    };
    all_are_told(None, "shared").await;
    edit(&here, "members").await;
    all_are_told(None, "edited").await;
    edit(&there, "public").await;
    all_are_told(Some("shared"), "edited").await;
    edit(&here, "members").await;
    all_are_told(Some("deleted"), "edited").await;
    here.form(Method::DELETE, &path, &[]).await;
    all_are_told(None, "deleted").await;
    there.post(&format!("{path}/restore"), &[]).await;
    all_are_told(None, "restored").await;
}

#[tokio::test]
async fn who_is_in_other_groups_since_a_sign_in_at_one_looks_anew_at_the_other() {
    let Some(fleet) = fleet().await else { return };
    let [ann, _] = fleet.member_with("Ann", &[("groups", "friends")]).await;
    let [_, bob] = fleet.member("Bob").await;
    let mut stream = listening(&bob).await;
    fleet.member_with("Bob", &[("groups", "friends")]).await;
    assert_eq!(stream.next().await.unwrap().0, "missed");
    let path = ann.share("For friends", "group:friends").await;
    assert_eq!(stream.next().await, Some(told("shared", &path)));
}

#[tokio::test]
async fn who_comes_back_to_the_other_is_told_what_they_have_missed() {
    let Some(fleet) = fleet().await else { return };
    let [ann, _] = fleet.member("Ann").await;
    let mut at_other = listening(&fleet.elsewhere(&ann)).await;
    // An instance that has only just begun does not know what was before.
    fleet.one.clock.advance(Duration::from_mins(1));
    let last = listening(&fleet.one.stranger()).await.last.unwrap();
    let missed = ann.share("Missed", "public").await;
    assert_eq!(at_other.next().await, Some(told("shared", &missed)));
    let again = fleet.elsewhere(&fleet.one.stranger()).saying("last-event-id", &last);
    assert_eq!(again.listen().await.settle().await, [told("shared", &missed)]);
}

#[tokio::test]
async fn what_happens_while_an_instance_hears_nothing_is_made_up() {
    let Some(database) = postgres::database().await else { return };
    let (listener, numbers_at) = free_address();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let fleet = Fleet::on(&database, &[("THOUGHTS_METRICS_LISTEN", &address)], "").await;
    let [here, there] = fleet.member("Ann").await;
    let (mut first, mut second) = (listening(&here).await, listening(&there).await);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'thoughts (changes of others)'";
    for round in 1..=3 {
        assert_eq!(postgres::execute(&fleet.database, cut).await, 2);
        let paths = [here.share("While nobody listens", "public").await, there.share("Nor here", "public").await];
        for stream in [&mut first, &mut second] {
            let both: BTreeSet<_> = [stream.next().await.unwrap(), stream.next().await.unwrap()].into();
            assert_eq!(both, paths.iter().map(|path| told("shared", path)).collect(), "round {round}");
        }
    }
    let numbers = Person::new(&numbers_at).get("/metrics").await.body;
    for line in ["thoughts_other_instances_heard{by=\"notices\"} 1", "thoughts_changes_heard_total 3"] {
        assert!(numbers.lines().any(|one| one == line), "{line} is not in {numbers}");
    }
}

#[tokio::test]
async fn where_no_notice_arrives_everything_is_told_all_the_same() {
    let Some(database) = postgres::database().await else { return };
    let database = postgres::ours_first(&database);
    postgres::execute(&database, "CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE sql AS ''").await;
    let fleet = Fleet::on(&database, &[], "").await;
    let [here, there] = fleet.member("Ann").await;
    let mut stream = listening(&there).await;
    for _ in 0..3 {
        let path = here.share("Without a word", "public").await;
        assert_eq!(stream.next().await, Some(told("shared", &path)));
    }
    here.post("/logout", &[]).await;
    ends(&mut stream, "signed_out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_instances_hear_each_other_again() {
    let Some(primary) = Engine::start_new("").await else { return };
    let standby = primary.synchronous_standby().await;
    let fleet = Fleet::on(&address([primary.host(), standby.host()].join(","), ""), &[], "").await;
    let [here, there] = fleet.member("Ann").await;
    let mut stream = listening(&there).await;
    let before = here.share("Before", "public").await;
    assert_eq!(stream.next().await, Some(told("shared", &before)));
    primary.kill();
    standby.promote().await;
    let fields = [("message", "After"), ("visibility", "public"), ("once", "one")];
    let after = loop {
        if let Some(path) = here.post("/thoughts", &fields).await.location() {
            break path;
        }
    };
    assert_eq!(stream.next().await, Some(told("shared", &after)));
    here.post("/logout", &[]).await;
    ends(&mut stream, "signed_out").await;
}
