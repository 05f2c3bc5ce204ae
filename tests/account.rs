//! Taking along what is one's own; deleting one's account: everything goes, at once for everybody, and for good.

use reqwest::Method;
use serde_json::json;

use crate::api_tokens;
use crate::support::{Answer, Person, site};

/// Sends the form as it stands on the page, with this handle.
pub async fn delete(person: &Person, handle: &str) -> Answer {
    let (action, hidden) = person.get("/profile/delete").await.form("#handle");
    let mut fields: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("handle", handle));
    person.post(&action, &fields).await
}

#[tokio::test]
async fn a_member_leaves_by_a_form_and_is_told_that_it_is_done() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let profile = ann.get("/profile").await;
    assert!(profile.has("a[href='/profile/delete']"));
    let answer = delete(&ann, "ann").await;
    assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some("/logout")));
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(ann.cookie("thoughts"), None);
    let page = ann.follow(answer).await;
    assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (200, "Your account is deleted"));
    assert_eq!(site.stranger().get("/logout").await.text("h1"), "You are signed out", "nobody is told so by a link");
}

#[tokio::test]
async fn everything_of_theirs_is_gone_for_everybody_at_once() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    let (phone, script) = (site.member("Ann").await, api_tokens::made(&ann, "read write").await);
    let script = site.stranger().saying("authorization", &format!("Bearer {script}"));
    let (public, members) = (ann.share("For anyone", "public").await, ann.share("For members", "members").await);
    let trashed = ann.share("Deleted", "public").await;
    ann.form(Method::DELETE, &trashed, &[]).await;
    bob.share("By Bob", "public").await;
    assert_eq!(delete(&ann, "@Ann ").await.status, 303);
    assert_eq!(phone.get("/profile").await.status, 303);
    assert_eq!(script.get("/api/me").await.status, 401);
    let root = site.admin("Root").await;
    for person in [&bob, &root, &ann, &site.stranger()] {
        for path in [&public, &members, &trashed, "/@ann"] {
            assert_eq!(person.get(path).await.status, 404, "{path}");
        }
        assert_eq!(person.get("/").await.texts("article .words"), ["By Bob"]);
    }
    assert_eq!(root.post(&format!("{trashed}/restore"), &[]).await.status, 404);
}

#[tokio::test]
async fn whoever_signs_in_again_begins_anew() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let mine = ann.share("Before", "private").await;
    delete(&ann, "ann").await;
    assert_eq!(ann.sign_in("Ann").await.status, 303);
    assert_eq!(ann.get(&mine).await.status, 404);
    assert!(!ann.get("/profile").await.has("article, .tokens"));
    assert_eq!(ann.get("/api/me").await.json()["handle"], "ann2", "what is left of the old one is not purged yet");
    while site.app.store.purge_members(10).await.unwrap() {}
    delete(&ann, "ann2").await;
    ann.sign_in("Ann").await;
    assert_eq!(ann.get("/api/me").await.json()["handle"], "ann");
    assert_eq!(ann.get("/@ann").await.texts("article"), [""; 0]);
}

#[tokio::test]
async fn another_handle_than_ones_own_deletes_nothing() {
    let site = site().await;
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    for typed in ["", "bob", "annn", "delete"] {
        for person in [ann.clone(), ann.htmx()] {
            let answer = person.form(Method::DELETE, "/profile", &[("handle", typed)]).await;
            assert_eq!(answer.status, 422, "{typed}");
            assert_eq!(answer.attribute("#handle", "value"), typed);
            assert!(answer.has("#handle-note[role=alert]"));
        }
    }
    for person in [ann, bob] {
        assert_eq!(person.get("/profile").await.status, 200);
    }
}

#[tokio::test]
async fn through_htmx_the_browser_is_led_out_as_well() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let answer = ann.htmx().form(Method::DELETE, "/profile", &[("handle", "ann")]).await;
    assert_eq!((answer.header("hx-redirect"), answer.header("clear-site-data")), ("/logout", "\"cache\", \"storage\""));
    assert_eq!(ann.cookie("thoughts"), None);
    assert_eq!(site.stranger().get("/@ann").await.status, 404);
}

#[tokio::test]
async fn another_sites_page_deletes_nobody() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let fields = [("_method", "delete"), ("handle", "ann")];
    assert_eq!(ann.saying("sec-fetch-site", "cross-site").post("/profile", &fields).await.status, 403);
    assert_eq!(ann.get("/profile").await.status, 200);
}

#[tokio::test]
async fn what_the_provider_issued_for_their_sessions_is_revoked() {
    let site = site().await;
    let (ann, _phone) = (site.member("Ann").await, site.member("Ann").await);
    let issuer = site.provider.issuer().to_owned();
    let good = || async {
        let mut good = 0;
        for token in site.provider.issued_tokens() {
            let program = Person::new(&issuer).saying("authorization", &format!("Bearer {token}"));
            good += usize::from(program.get("/userinfo").await.status == 200);
        }
        good
    };
    assert_eq!(good().await, 2, "an access token a session");
    delete(&ann, "ann").await;
    assert_eq!(good().await, 0);
}

#[tokio::test]
async fn one_can_take_along_all_that_is_ones_own_and_nothing_that_opens_anything() {
    let site = site().await;
    let (ann, bob) = (site.member_with("Ann", &[("groups", "friends")]).await, site.member("Bob").await);
    let secret = api_tokens::made(&ann, "read").await;
    for number in 0..101 {
        ann.share(&format!("Thought {number}"), ["public", "private"][number % 2]).await;
    }
    let edited = ann.share("\"First\"\n\n]}", "group:friends").await;
    ann.form(Method::PUT, &edited, &[("message", "Second"), ("visibility", "group:friends")]).await;
    bob.share("Not hers", "public").await;
    let answer = ann.get("/profile/export").await;
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"thoughts-ann.json\"");
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("application/json", "private, no-store")
    );
    let all = answer.json();
    let thoughts = all["thoughts"].as_array().unwrap();
    assert_eq!((thoughts.len(), &thoughts[0]["message"]), (102, &json!("Second")));
    assert_eq!(thoughts[0]["revisions"][0]["message"], "\"First\"\n\n]}");
    assert_eq!((&thoughts[101]["message"], &thoughts[101]["revisions"]), (&json!("Thought 0"), &json!([])));
    assert_eq!((&all["member"]["handle"], &all["member"]["groups"]), (&json!("ann"), &json!(["friends"])));
    assert_eq!((&all["claims"]["sub"], &all["api_tokens"][0]["scope"]), (&json!("ann"), &json!("read")));
    let mut secrets = site.provider.issued_tokens();
    secrets.extend([secret, ann.cookie("thoughts").unwrap()]);
    assert!(secrets.iter().all(|secret| !answer.body.contains(secret)));
}

#[tokio::test]
async fn who_has_nothing_takes_along_that() {
    let site = site().await;
    let all = site.member("Ann").await.get("/profile/export").await.json();
    assert_eq!((&all["thoughts"], &all["api_tokens"]), (&json!([]), &json!([])));
}
