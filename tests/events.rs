//! What changes, told to who may know it, while they are looking; and that a stream ends with its session.

use std::time::Duration;

use reqwest::Method;
use thoughts::demo::LogoutTarget;
use thoughts::domain::change::Change;

use crate::support::listening::{ends, listening, told};
use crate::support::program::Server;
use crate::support::{Person, Site, site};

#[tokio::test]
async fn a_stream_begins_at_once_with_a_comment_and_is_kept_by_nobody() {
    let site = site().await;
    let mut stream = site.stranger().listen().await;
    let headers = stream.response.headers().clone();
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(headers[name], value);
    }
    assert_eq!(stream.block().await.unwrap(), ":");
    assert!(stream.block().await.unwrap().starts_with("id: "), "where it stands, and nothing else");
}

#[tokio::test]
async fn each_viewer_is_told_of_what_they_may_see_and_of_nothing_else() {
    let site = site().await;
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    let (eve, bob) = (site.member_with("Eve", &[("groups", "friends")]).await, site.member("Bob").await);
    let mut streams = Vec::new();
    for person in [&site.stranger(), &bob, &eve, &ann] {
        streams.push(listening(person).await);
    }
    let mut shared = Vec::new();
    for visibility in ["private", "group:friends", "members", "public"] {
        shared.push(ann.share(visibility, visibility).await);
    }
    for (stream, sees) in streams.iter_mut().zip(1..) {
        for path in &shared[4 - sees..] {
            assert_eq!(stream.next().await, Some(told("shared", path)));
        }
    }
}

#[tokio::test]
async fn what_becomes_of_a_thought_is_told_to_who_sees_it() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let path = ann.share("First", "members").await;
    let (mut of_bob, mut of_a_stranger) = (listening(&bob).await, listening(&site.stranger()).await);
    let edit = async |message: &str, visibility: &str| {
        let fields = [("message", message), ("visibility", visibility)];
        assert_eq!(ann.form(Method::PUT, &path, &fields).await.status, 303);
    };
    edit("Second", "members").await;
    edit("Second", "members").await;
    edit("Second", "public").await;
    edit("Third", "private").await;
    edit("Third", "public").await;
    ann.form(Method::DELETE, &path, &[]).await;
    ann.post(&format!("{path}/restore"), &[]).await;
    for event in ["edited", "edited", "deleted", "shared", "deleted", "restored"] {
        assert_eq!(of_bob.next().await, Some(told(event, &path)), "an edit that changes nothing is none");
    }
    for event in ["shared", "deleted", "shared", "deleted", "restored"] {
        assert_eq!(of_a_stranger.next().await, Some(told(event, &path)));
    }
}

#[tokio::test]
async fn who_comes_back_is_told_what_they_have_missed() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let mut stream = listening(&site.stranger()).await;
    let seen = ann.share("Seen", "public").await;
    assert_eq!(stream.next().await, Some(told("shared", &seen)));
    let last = stream.last.clone().unwrap();
    drop(stream);
    ann.share("Not for all", "members").await;
    let missed = [ann.share("Missed", "public").await, ann.share("Missed too", "public").await];
    let again = site.stranger().saying("last-event-id", &last);
    let mut stream = again.listen().await;
    let told = stream.settle().await;
    assert_eq!(told, missed.map(|path| self::told("shared", &path)));
}

#[tokio::test]
async fn who_was_away_before_anything_happened_is_told_it_too() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let last = listening(&site.stranger()).await.last.unwrap();
    let missed = ann.share("Missed", "public").await;
    let mut stream = site.stranger().saying("last-event-id", &last).listen().await;
    assert_eq!(stream.settle().await, [told("shared", &missed)]);
}

#[tokio::test]
async fn who_says_an_id_that_is_not_known_any_more_is_told_to_look_anew() {
    let site = site().await;
    for id in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "42"] {
        let mut stream = site.stranger().saying("last-event-id", id).listen().await;
        assert_eq!(stream.settle().await, [("missed".to_owned(), "all".to_owned())], "{id}");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_says_why() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let mut stream = listening(&ann).await;
    let mut of_a_stranger = listening(&site.stranger()).await;
    ann.post("/logout", &[]).await;
    ends(&mut stream, "signed_out").await;

    let (ann, elsewhere) = (site.member("Ann").await, site.member("Ann").await);
    let (mut stream, mut of_another) = (listening(&ann).await, listening(&elsewhere).await);
    elsewhere.form(Method::DELETE, "/profile/sessions", &[]).await;
    ends(&mut stream, "elsewhere").await;
    let old = elsewhere.copy();
    elsewhere.sign_in("Ann").await;
    ends(&mut of_another, "replaced").await;
    assert_eq!(old.get("/profile").await.status, 303);

    let mut stream = listening(&elsewhere).await;
    for session in site.provider.sessions() {
        site.provider.back_channel_logout(LogoutTarget::Sid(session.sid)).await;
    }
    ends(&mut stream, "by_provider").await;

    let ann = site.member("Ann").await;
    let mut stream = listening(&ann).await;
    let (_, fields) = ann.get("/profile/delete").await.form("[name=handle]");
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("handle", "ann"));
    ann.form(Method::DELETE, "/profile", &fields).await;
    ends(&mut stream, "account_deleted").await;
    assert_eq!(of_a_stranger.next().await.unwrap().0, "missed", "more is gone than is told one by one");
}

#[tokio::test]
async fn a_stream_ends_when_its_session_expires_unless_that_is_used_elsewhere() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h"), ("THOUGHTS_SESSION_MAX", "2h")]).await;
    let (idle, used) = (site.member("Ann").await, site.member("Bob").await);
    let (mut of_idle, mut of_used) = (listening(&idle).await, listening(&used).await);
    site.clock.advance(Duration::from_mins(59));
    assert_eq!(used.get("/profile").await.status, 200);
    site.clock.advance(Duration::from_mins(1));
    ends(&mut of_idle, "expired").await;
    assert_eq!(idle.get("/profile").await.status, 303);
    site.clock.advance(Duration::from_mins(58));
    assert_eq!(used.get("/profile").await.status, 200);
    site.clock.advance(Duration::from_mins(2));
    ends(&mut of_used, "expired").await;
}

#[tokio::test]
async fn a_tab_left_open_keeps_no_session_alive() {
    let site = Site::with(&[("THOUGHTS_SESSION_IDLE", "1h")]).await;
    let ann = site.member("Ann").await;
    let path = ann.share("Hello", "public").await;
    for _ in 0..2 {
        site.clock.advance(Duration::from_mins(29));
        listening(&ann).await;
        assert_eq!(ann.htmx().saying("thoughts-by-itself", "true").get(&path).await.status, 200);
    }
    site.clock.advance(Duration::from_mins(2));
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn something_is_said_every_twenty_five_seconds() {
    let site = site().await;
    let mut stream = listening(&site.stranger()).await;
    for _ in 0..2 {
        site.clock.advance(Duration::from_secs(25));
        assert_eq!(stream.block().await.unwrap(), ":");
    }
}

#[tokio::test]
async fn a_page_that_was_made_for_somebody_else_is_told_so() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let (said, id) = ann.listen().await.next().await.unwrap();
    assert_eq!(said, "known");
    let path = format!("/events?for={id}");
    assert_eq!(ann.listen_at(&path).await.settle().await, [("known".to_owned(), id)]);
    ends(&mut bob.listen_at(&path).await, "replaced").await;
    ends(&mut site.stranger().listen_at(&path).await, "signed_out").await;
    let before = ann.copy();
    ann.form(Method::POST, "/logout", &[]).await;
    ends(&mut before.listen_at(&path).await, "signed_out").await;
    assert!(before.listen().await.settle().await.is_empty(), "a page made for nobody goes on");
    assert_eq!(bob.get("/events?for=ann").await.status, 404);
}

#[tokio::test]
async fn who_is_in_other_groups_than_before_looks_anew_and_is_told_by_them() {
    let site = site().await;
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    let bob = site.member("Bob").await;
    let mut stream = listening(&bob).await;
    site.member("Bob").await;
    let elsewhere = site.member_with("Bob", &[("groups", "friends")]).await;
    assert_eq!(stream.next().await.unwrap().0, "missed");
    let path = ann.share("For friends", "group:friends").await;
    assert_eq!(stream.next().await, Some(told("shared", &path)));
    elsewhere.sign_in("Bob").await;
    assert_eq!(stream.next().await.unwrap().0, "missed");
    ann.share("For friends", "group:friends").await;
    let path = ann.share("For all", "members").await;
    assert_eq!(stream.next().await, Some(told("shared", &path)));
}

#[tokio::test]
async fn who_reads_too_slowly_is_cut_off_and_told_to_look_anew() {
    let site = site().await;
    let mut stream = listening(&site.stranger()).await;
    let last = stream.last.clone().unwrap();
    // Without a moment for anyone to read.
    for _ in 0..2000 {
        site.app.live.tell(&Change::Many);
    }
    assert_eq!(stream.next().await, None);
    let mut again = site.stranger().saying("last-event-id", &last).listen().await;
    assert_eq!(again.settle().await.len(), 1);
}

#[tokio::test]
async fn where_nobody_may_read_without_signing_in_there_is_no_stream() {
    let site = Site::with(&[("THOUGHTS_ANONYMOUS", "none")]).await;
    for person in [site.stranger(), site.stranger().htmx()] {
        let answer = person.get("/events").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str(), answer.header("hx-redirect")), (401, "", ""));
    }
    let by_itself = site.stranger().htmx().saying("thoughts-by-itself", "true").get("/").await;
    assert_eq!((by_itself.status.as_u16(), by_itself.header("hx-redirect")), (401, ""), "nobody is sent away for it");
    let ann = site.member("Ann").await;
    assert_eq!(listening(&ann).await.response.status(), 200);
}

#[tokio::test]
async fn a_thought_that_is_asked_for_in_the_place_of_itself_comes_alone() {
    let site = site().await;
    let path = site.member("Ann").await.share("Hello", "public").await;
    let id = path.rsplit('/').next().unwrap();
    let answer = site.stranger().htmx().saying("hx-target", &format!("article#t-{id}")).get(&path).await;
    assert!(answer.has(&format!("article[id='t-{id}']")) && !answer.has("nav") && !answer.has("h1"), "{}", answer.body);
    assert!(site.stranger().htmx().saying("hx-target", "main#main").get(&path).await.has("h1"));
}

#[tokio::test]
async fn streams_are_counted_while_they_are_open() {
    let site = site().await;
    assert_eq!(site.app.live.streams(), 0);
    let streams = (listening(&site.stranger()).await, listening(&site.stranger()).await);
    assert_eq!(site.app.live.streams(), 2);
    drop(streams.0);
    site.streams(1).await;
}

#[tokio::test]
async fn streams_close_when_the_program_is_told_to_stop() {
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), site.provider.issuer());
    let mut stream = listening(&Person::new(&server.base)).await;
    let stopped = tokio::task::spawn_blocking(|| server.stop());
    assert_eq!(stream.next().await, None);
    assert_eq!(stopped.await.unwrap(), Some(0));
}
