//! The site for its admins: who is here, who signs them in, what is shared, and ending somebody's sessions.

use std::time::Duration;

use reqwest::Method;
use thoughts::demo::Fault;
use thoughts::domain::session::{End, SessionId};

use crate::support::browser::{Browser, JavaScript};
use crate::support::site::CLIENT_SECRET;
use crate::support::site::on_postgres;
use crate::support::{Person, Site, site};

const PAGES: [&str; 7] = [
    "/admin",
    "/admin/members",
    "/admin/members/ann",
    "/admin/providers",
    "/admin/sign-ins",
    "/admin/moderation",
    "/admin/moderation/deleted",
];

/// Ends all sessions of Ann, from her page.
async fn end_anns(admin: &Person) -> crate::support::Answer {
    let page = "/admin/members/ann";
    let (action, fields) = admin.get(page).await.form("main button");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    admin.saying("referer", &format!("{}{page}", admin.base)).post(&action, &fields).await
}

async fn why_it_ended(site: &Site, person: &Person) -> Option<End> {
    let id = SessionId::from_cookie(&person.cookie("thoughts").unwrap()).unwrap();
    site.app.store.ended_session(id.hash()).await.unwrap().map(|ended| ended.why)
}

#[tokio::test]
async fn the_way_there_is_shown_to_admins_alone() {
    let site = site().await;
    let (ann, root) = (site.member("Ann").await, site.admin("Root").await);
    let link = "#navigation a[href='/admin']";
    assert!(!site.stranger().get("/").await.has(link) && !ann.get("/").await.has(link));
    assert!(root.get("/").await.has(link));
    assert_eq!(root.get("/admin").await.attribute(link, "aria-current"), "page");
    assert_eq!(root.get("/admin/members/ann").await.attribute(link, "aria-current"), "true");
}

#[tokio::test]
async fn every_page_is_a_page_and_a_fragment_and_leads_to_the_others() {
    let site = Site::with(&[("base path", "/notes")]).await;
    site.member("Ann").await;
    let root = site.admin("Root").await;
    for path in PAGES {
        let page = root.get(path).await;
        assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "private, no-store"), "{path}");
        assert_eq!(page.texts("h1").len(), 1, "{path}");
        assert_eq!(page.texts("nav[aria-label=Admin] a").len(), 5, "{path}");
        assert_eq!(page.texts("nav[aria-label=Admin] a[aria-current]").len(), 1, "{path}");
        assert!(page.attribute("nav[aria-label=Admin] a", "href").starts_with("/notes/admin"), "{path}");
        let fragment = root.htmx().get(path).await;
        assert!(!fragment.body.contains("<html") && fragment.text("title").ends_with("Admin · Thoughts"), "{path}");
    }
}

#[tokio::test]
async fn who_is_an_admin_no_more_is_out_at_the_next_sign_in() {
    let site = site().await;
    let root = site.admin("Root").await;
    assert_eq!(root.get("/admin").await.status, 200);
    root.sign_in("Root").await;
    let answer = root.get("/admin/members").await;
    assert_eq!((answer.status.as_u16(), answer.has(".rows")), (403, false));
}

#[tokio::test]
async fn the_overview_says_what_runs_and_where_it_keeps_what() {
    let site = site().await;
    let root = site.admin("Root").await;
    site.clock.advance(Duration::from_mins(90));
    let text = root.get("/admin").await.text("main");
    let store = if on_postgres() { "Storepostgres" } else { "sled, in " };
    for words in [env!("CARGO_PKG_VERSION"), "1 hour 30 minutes", store, "It takes", "Members1", &site.base] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn members_stand_newest_first_a_page_at_a_time() {
    let site = site().await;
    for number in 1..=20 {
        site.member(&format!("Member {number:02}")).await;
    }
    let root = site.admin("Root").await;
    let first = root.get("/admin/members").await;
    let names = first.texts(".rows .name");
    assert_eq!((names.len(), names[0].as_str(), names[19].as_str()), (20, "Root", "Member 02"));
    assert_eq!(first.texts(".rows .for"), ["Admin"]);
    let second = root.get(&first.attribute("a[rel=next]", "href")).await;
    assert_eq!((second.texts(".rows .name"), second.has("a[rel=next]")), (vec!["Member 01".to_owned()], false));
}

#[tokio::test]
async fn a_member_is_found_by_the_whole_of_their_handle() {
    let site = site().await;
    site.member("Ann").await;
    let root = site.admin("Root").await;
    for typed in ["ann", "%40Ann%20"] {
        let found = root.get(&format!("/admin/members?handle={typed}")).await;
        assert_eq!(found.location().unwrap(), "/admin/members/ann", "{typed}");
    }
    let found = root.htmx().get("/admin/members?handle=ann").await;
    assert_eq!(found.header("hx-redirect"), "/admin/members/ann");
    for typed in ["an", "%3Cb%3E", "nobody"] {
        let nobody = root.get(&format!("/admin/members?handle={typed}")).await;
        assert_eq!(nobody.status, 404, "{typed}");
        assert!(nobody.text("#handle-note").starts_with("Nobody has the handle"), "{typed}");
        assert!(nobody.has("#handle[aria-invalid][aria-describedby=handle-note]") && nobody.has(".rows"), "{typed}");
    }
}

#[tokio::test]
async fn a_members_page_shows_where_they_are_signed_in_and_not_what_is_theirs_alone() {
    let site = site().await;
    let ann = site.stranger().saying("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0");
    ann.sign_in_with("Ann", &[("groups", "friends")], "/").await;
    let page = site.admin("Root").await.get("/admin/members/ann").await;
    let text = page.text("main");
    for words in ["@ann", "friends", "Firefox on Linux", "subject ann", "127.0.0.1"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!page.body.contains("ann@demo.example"), "an address is shown to its owner alone");
    for token in site.provider.issued_tokens() {
        assert!(!page.body.contains(&token));
    }
}

#[tokio::test]
async fn an_admin_ends_all_sessions_of_a_member_at_once() {
    let site = site().await;
    let (phone, laptop, bob) = (site.member("Ann").await, site.member("Ann").await, site.member("Bob").await);
    let root = site.admin("Root").await;
    let answer = end_anns(&root).await;
    assert_eq!((answer.status.as_u16(), answer.location().as_deref()), (303, Some("/admin/members/ann")));
    for person in [&phone, &laptop] {
        assert_eq!(person.get("/profile").await.status, 303);
        assert_eq!(why_it_ended(&site, person).await, Some(End::ByAdmin));
    }
    for person in [&bob, &root] {
        assert_eq!(person.get("/profile").await.status, 200);
    }
    assert_eq!(root.get("/admin/members/ann").await.texts("main button").len(), 0, "there is nothing left to end");
    laptop.sign_in("Ann").await;
    assert_eq!(laptop.get("/profile").await.status, 200, "signing in again is the provider's to allow");
}

#[tokio::test]
async fn ending_ones_own_leaves_the_one_in_use() {
    let site = site().await;
    let (other, eve) = (site.admin("Eve").await, site.admin("Eve").await);
    let answer = eve.form(Method::DELETE, "/admin/members/eve/sessions", &[]).await;
    assert_eq!(answer.location().unwrap(), "/admin/members/eve");
    assert_eq!((other.get("/profile").await.status.as_u16(), eve.get("/profile").await.status.as_u16()), (303, 200));
    assert_eq!(why_it_ended(&site, &other).await, Some(End::Elsewhere));
}

#[tokio::test]
async fn it_asks_for_a_recent_sign_in_and_comes_back_to_the_member() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let root = site.admin("Root").await;
    site.clock.advance(Duration::from_mins(5));
    let refused = end_anns(&root).await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fadmin%2Fmembers%2Fann&for=confirm");
    assert_eq!(ann.get("/profile").await.status, 200);
    let login = root.get(&refused.location().unwrap()).await;
    let callback = root.at_provider(&login.location().unwrap(), "Root", &[("admin", "true")]).await;
    assert_eq!(root.get(&callback).await.location().unwrap(), "/admin/members/ann");
    end_anns(&root).await;
    assert_eq!(ann.get("/profile").await.status, 303);
}

#[tokio::test]
async fn nobody_is_not_found() {
    let site = site().await;
    let root = site.admin("Root").await;
    for handle in ["nobody", "No%20Handle", "%ff"] {
        assert_eq!(root.get(&format!("/admin/members/{handle}")).await.status, 404, "{handle}");
        let end = format!("/admin/members/{handle}/sessions");
        assert_eq!(root.form(Method::DELETE, &end, &[]).await.status, 404, "{handle}");
    }
    for path in ["/admin/members?before=x", "/admin/moderation?before=x", "/admin/moderation/deleted?before=x"] {
        assert_eq!(root.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_providers_page_says_what_to_register_and_no_secret() {
    let site = site().await;
    let page = site.admin("Root").await.get("/admin/providers").await;
    let text = page.text("main");
    for path in ["/callback", "/logout", "/backchannel-logout"] {
        assert!(page.texts("dd code").contains(&format!("{}{path}", site.base)), "{path}: {text}");
    }
    for words in ["Answers", "client_secret_basic", "S256", "token_endpoint", "end_session_endpoint", "admin=true"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!page.body.contains(CLIENT_SECRET));
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_to_be_since_when_and_why() {
    let site = site().await;
    let root = site.admin("Root").await;
    site.provider.faults().on(thoughts::demo::Fault::MetadataOtherIssuer);
    site.clock.advance(Duration::from_hours(2));
    assert!(site.app.providers.all()[0].oidc.discover().await.is_err());
    let page = root.get("/admin/providers").await;
    assert_eq!(page.text(".bad"), "Down");
    assert!(page.text("main").contains("calls itself"), "{}", page.text("main"));
}

#[tokio::test]
async fn moderation_shows_what_an_admin_may_see_and_no_more() {
    let site = site().await;
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    let root = site.admin("Root").await;
    let mut paths = Vec::new();
    for visibility in ["public", "members", "group:friends", "private"] {
        paths.push(ann.share(visibility, visibility).await);
    }
    let page = root.get("/admin/moderation").await;
    assert_eq!(page.texts("article .words"), ["members", "public"]);
    assert_eq!(page.texts("article button"), ["Delete", "Delete"]);
    for path in &paths {
        ann.form(Method::DELETE, path, &[]).await;
    }
    let deleted = root.get("/admin/moderation/deleted").await;
    assert_eq!(deleted.texts("article .words"), ["members", "public"]);
    assert!(!deleted.body.contains("group:friends") && !deleted.body.contains("private</p>"));
}

#[tokio::test]
async fn what_an_admin_has_deleted_an_admin_can_put_back() {
    let site = site().await;
    let (ann, root) = (site.member("Ann").await, site.admin("Root").await);
    let path = ann.share("Hm", "public").await;
    let (delete, _) = root.get("/admin/moderation").await.form("article button");
    root.post(&delete, &[("_method", "delete")]).await;
    assert_eq!(ann.get("/").await.texts("article .words"), [""; 0]);
    let (restore, _) = root.get("/admin/moderation/deleted").await.form("article button");
    assert_eq!(root.post(&restore, &[]).await.location(), Some(path.clone()));
    assert_eq!(ann.get(&path).await.text("article .words"), "Hm");
    assert!(!root.get("/admin/moderation/deleted").await.has("article"));
}

#[tokio::test]
async fn deleted_thoughts_are_read_a_page_at_a_time_though_a_page_may_be_short() {
    let site = site().await;
    let (ann, root) = (site.member("Ann").await, site.admin("Root").await);
    for number in 0..25 {
        let path = ann.share("Hm", if number < 3 { "public" } else { "private" }).await;
        ann.form(Method::DELETE, &path, &[]).await;
        site.clock.advance(Duration::from_secs(1));
    }
    let first = root.get("/admin/moderation/deleted").await;
    assert_eq!(first.texts("article").len(), 0);
    let second = root.get(&first.attribute("a[rel=next]", "href")).await;
    assert_eq!((second.texts("article").len(), second.has("a[rel=next]")), (3, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_with_scripts_an_admin_finds_a_member_and_ends_their_sessions() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let site = site().await;
    let ann = site.member("Ann").await;
    browser.goto(&format!("{}/login?return_to=%2Fadmin", site.base)).await;
    browser.type_into("input[name=name]", "Root").await;
    browser.click("details:has(input[name=admin]) summary").await;
    browser.click("input[name=admin]").await;
    browser.click("form:has(input[name=name]) button").await;
    browser.see_text("h1", "Overview").await;
    browser.click_text("nav[@aria-label='Admin']//a", "Members").await;
    browser.type_into("#handle", "ann").await;
    browser.click(".search button").await;
    browser.see_text("h1", "Ann").await;
    assert_eq!(browser.url().await, format!("{}/admin/members/ann", site.base));
    browser.click_text("button", "End all sessions").await;
    browser.see_text("div[@id='status']", "Sessions ended.").await;
    browser.see_text("p", "Nowhere at the moment.").await;
    assert_eq!(ann.get("/profile").await.status, 303);
    browser.close().await;
}

#[tokio::test]
async fn what_happened_to_a_sign_in_is_found_by_the_reference_that_was_shown() {
    let site = site().await;
    let root = site.admin("Root").await;
    site.member("Ann").await;
    site.provider.faults().on(Fault::IdTokenWrongNonce);
    let failed = site.stranger().sign_in("Bob").await;
    let reference = failed.text("main code");
    assert!(!reference.is_empty(), "{}", failed.body);

    let page = root.get(&format!("/admin/sign-ins?reference={reference}")).await;
    let rows = page.texts(".rows li");
    assert_eq!(rows.len(), 1, "{}", page.body);
    for words in ["nonce", &reference, "started, came back, state known, code redeemed", "127.0.0.1"] {
        assert!(rows[0].contains(words), "{words}: {}", rows[0]);
    }
    assert!(!rows[0].contains("ID token verified"), "{}", rows[0]);
    let latest = root.get("/admin/sign-ins").await.texts(".rows li");
    assert_eq!(latest.len(), 3, "{latest:?}");
    assert!(latest[1].contains("Ann signed in") && latest[1].contains("session made"), "{latest:?}");
    let unknown = root.get("/admin/sign-ins?reference=nothing").await;
    assert_eq!((unknown.status.as_u16(), unknown.attribute("#reference", "value").as_str()), (404, "nothing"));
}
