//! Signing in: the code flow, and what it must not be talked into.

use std::time::Duration;

use thoughts::demo::Fault;

use crate::support::{Site, site};

#[tokio::test]
async fn a_sign_in_ends_where_the_person_wanted_to_be() {
    let site = site().await;
    let ann = site.stranger();
    let refused = ann.get("/share-thought?draft=1").await;
    assert_eq!(refused.location().unwrap(), "/login?return_to=%2Fshare-thought%3Fdraft%3D1");
    let answer = ann.sign_in_with("Ann", &[], "/share-thought?draft=1").await;
    assert_eq!((answer.status.as_u16(), answer.location().unwrap().as_str()), (303, "/share-thought?draft=1"));
    assert_eq!(ann.get("/share-thought").await.status, 200);
}

#[tokio::test]
async fn the_request_to_the_provider_is_what_the_standards_ask_for() {
    let site = site().await;
    let login = site.stranger().get("/login").await;
    let url = url::Url::parse(&login.location().unwrap()).unwrap();
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], format!("{}/callback", site.base));
    assert_eq!(query["scope"], "openid profile email");
    assert!(query["state"].len() >= 20 && query["nonce"].len() >= 20 && query["code_challenge"].len() == 43);
}

#[tokio::test]
async fn a_return_to_that_leads_elsewhere_becomes_the_feed() {
    let site = site().await;
    for return_to in [
        "/.//evil.example/",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/a\nb",
        "javascript:alert(1)",
        "/login",
    ] {
        let ann = site.stranger();
        let callback = ann.authorize("Ann", &[], return_to).await;
        for _ in 0..2 {
            assert_eq!(ann.get(&callback).await.location().unwrap(), "/", "{return_to:?}");
        }
    }
}

#[tokio::test]
async fn ten_tabs_sign_in_at_once_and_each_finishes() {
    let site = site().await;
    let ann = site.stranger();
    let mut callbacks = Vec::new();
    for tab in 0..10 {
        callbacks.push(ann.authorize("Ann", &[], &format!("/@tab{tab}")).await);
        assert!(ann.cookie_header().len() <= 4096);
    }
    let answers = futures_util::future::join_all(callbacks.iter().map(|callback| ann.get(callback))).await;
    for (tab, answer) in answers.iter().enumerate() {
        assert_eq!((answer.status.as_u16(), answer.location().unwrap()), (303, format!("/@tab{tab}")));
    }
    assert_eq!(ann.get("/profile").await.status, 200);
}

#[tokio::test]
async fn sign_ins_that_are_never_finished_do_not_pile_up() {
    let site = site().await;
    let ann = site.stranger();
    for number in 0..40 {
        let path = format!("/@{number}?{}", "x".repeat(900));
        assert_eq!(ann.get(&format!("/login?return_to={path}")).await.status, 303);
        assert!(ann.cookie_header().len() <= 4096 + 64, "{}", ann.cookie_header().len());
    }
    assert_eq!(ann.sign_in("Ann").await.status, 303, "the newest one always fits");
}

#[tokio::test]
async fn nothing_but_a_person_who_goes_there_starts_a_sign_in() {
    let site = site().await;
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "no-cors"),
        ("accept", "image/avif,image/webp,*/*;q=0.8"),
        ("accept", "image/png"),
        ("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)"),
        ("hx-request", "true"),
    ] {
        let answer = site.stranger().saying(name, value).get("/login").await;
        assert!(answer.headers.get("set-cookie").is_none(), "{name}: {value}");
        assert!(answer.location().is_none(), "{name}: {value}");
    }
    let head = site.stranger().send(reqwest::Method::HEAD, "/login", None, "").await;
    assert!(head.headers.get("set-cookie").is_none() && head.location().is_none());
}

#[tokio::test]
async fn htmx_leaves_the_way_to_sign_in_to_the_browser_whatever_it_asks_for() {
    let site = site().await;
    for asked in ["partial", "full"] {
        let htmx = site.stranger().saying("hx-request", "true").saying("hx-request-type", asked);
        let answer = htmx.get("/login?return_to=%2Fprofile").await;
        assert_eq!((answer.status.as_u16(), answer.location()), (200, None), "{asked}");
        assert_eq!(answer.header("hx-redirect"), "/login?return_to=%2Fprofile", "{asked}");
        assert!(answer.headers.get("set-cookie").is_none(), "{asked}");
    }
}

#[tokio::test]
async fn a_state_that_this_browser_did_not_start_is_refused_before_the_code_is_redeemed() {
    let site = site().await;
    let (ann, eve) = (site.stranger(), site.stranger());
    let callback = ann.authorize("Ann", &[], "/").await;
    for path in [callback.as_str(), "/callback?code=x&state=y", "/callback?code=x", "/callback"] {
        let answer = eve.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.text("h1"), "This sign-in can't be finished");
        assert_eq!(answer.text(".note code"), answer.header("x-request-id"));
    }
    assert!(eve.cookie("thoughts").is_none());
    assert!(site.provider.issued_tokens().is_empty());
    assert_eq!(ann.get(&callback).await.status, 303, "the code was not redeemed by the others");
}

#[tokio::test]
async fn a_state_with_a_letter_changed_is_refused() {
    let site = site().await;
    let ann = site.stranger();
    let callback = ann.authorize("Ann", &[], "/").await;
    let mut url = url::Url::parse(&callback).unwrap();
    let changed: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| {
            (
                name.to_string(),
                if name == "state" { format!("{}~", &value[..value.len() - 1]) } else { value.to_string() },
            )
        })
        .collect();
    url.query_pairs_mut().clear().extend_pairs(changed);
    assert_eq!(ann.get(url.as_str()).await.status, 400);
    assert!(site.provider.issued_tokens().is_empty());
}

#[tokio::test]
async fn a_sign_in_is_good_for_ten_minutes() {
    let site = site().await;
    let ann = site.stranger();
    let callback = ann.authorize("Ann", &[], "/").await;
    site.clock.advance(Duration::from_mins(10));
    assert_eq!(ann.get(&callback).await.status, 400);
    assert!(site.provider.issued_tokens().is_empty());
}

#[tokio::test]
async fn back_to_the_callback_or_a_reload_of_it_leads_on() {
    let site = site().await;
    let ann = site.stranger();
    let callback = ann.authorize("Ann", &[], "/share-thought").await;
    for _ in 0..3 {
        let answer = ann.get(&callback).await;
        assert_eq!((answer.status.as_u16(), answer.location().unwrap().as_str()), (303, "/share-thought"));
    }
    let issued = site.provider.issued_tokens();
    ann.post("/logout", &[]).await;
    assert_eq!(ann.get(&callback).await.status, 400, "and when one has signed out, it does not sign in again");
    assert_eq!(site.provider.issued_tokens(), issued);
}

#[tokio::test]
async fn the_same_callback_twice_at_once_redeems_its_code_once() {
    let site = site().await;
    let ann = site.stranger();
    let callback = ann.authorize("Ann", &[], "/").await;
    let twin = ann.copy();
    let (one, other) = tokio::join!(ann.get(&callback), twin.get(&callback));
    let statuses = [one.status.as_u16(), other.status.as_u16()];
    assert!(statuses.contains(&303) && statuses.contains(&400), "{statuses:?}");
    assert_eq!(site.provider.issued_tokens().len(), 3, "an access, a refresh and an ID token");
}

#[tokio::test]
async fn an_unknown_state_leads_whoever_is_signed_in_on() {
    let site = site().await;
    let ann = site.member("Ann").await;
    assert_eq!(ann.get("/callback?code=x&state=y").await.location().unwrap(), "/");
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_said_in_our_own_words() {
    let site = site().await;
    let ann = site.stranger();
    let state = url::Url::parse(&ann.get("/login").await.location().unwrap()).unwrap();
    let state = state.query_pairs().find(|(name, _)| name == "state").unwrap().1.to_string();
    let answer = ann
        .get(&format!(
            "/callback?error=access_denied&error_description=Call+0900+now&state={state}&iss={}",
            site.provider.issuer()
        ))
        .await;
    assert_eq!(answer.status, 403);
    assert!(!answer.body.contains("0900"));
    assert!(answer.text("main").contains("declined"), "{}", answer.text("main"));
    let stranger = site.stranger().get("/callback?error=access_denied&error_description=x&state=unknown").await;
    assert_eq!(stranger.text("h1"), "This sign-in can't be finished");
}

#[tokio::test]
async fn only_whom_the_configuration_allows_gets_in() {
    let site = Site::with(&[("THOUGHTS_OIDC_ALLOW", "groups=friends")]).await;
    let refused = site.stranger().sign_in("Eve").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.text("h1"), "You are not on the list");
    assert_eq!(site.stranger().sign_in_with("Ann", &[("groups", "friends")], "/").await.status, 303);
}

#[tokio::test]
async fn whoever_has_no_account_finds_the_way_to_one_where_they_are_told_to_sign_in_or_not_let_in() {
    let site = Site::with(&[
        ("THOUGHTS_REGISTRATION_URL", "https://id.example/register"),
        ("THOUGHTS_OIDC_ALLOW", "groups=friends"),
    ])
    .await;
    let (link, eve) = ("main a[href='https://id.example/register']", site.stranger());
    for page in [eve.get("/").await, eve.sign_in("Eve").await, eve.get("/logout").await] {
        assert!(page.has(link), "{}", page.text("main"));
    }
    let ann = site.member_with("Ann", &[("groups", "friends")]).await;
    assert!(!ann.get("/").await.has(link), "who is signed in has one");
}

#[tokio::test]
async fn an_anonymous_request_gets_no_cookie() {
    let site = site().await;
    for path in ["/", "/nothing", "/share-thought", "/api/thoughts", "/logout"] {
        assert!(site.stranger().get(path).await.headers.get("set-cookie").is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_person_is_who_their_provider_says_whatever_they_are_called() {
    let site = site().await;
    let first = site.member("Ann").await.get("/api/me").await.json();
    let again = site.member("Ann").await.get("/api/me").await.json();
    let other = site.member("Ann!").await.get("/api/me").await.json();
    assert_eq!(first["handle"], again["handle"]);
    assert_ne!(first["handle"], other["handle"]);
}

#[tokio::test]
async fn the_site_is_read_while_the_provider_is_down_and_sign_in_says_since_when() {
    let site = site().await;
    let ann = site.member("Ann").await;
    ann.share("Still here", "public").await;
    site.provider.faults().on(Fault::Unavailable);
    assert_eq!(ann.get("/profile").await.status, 200);
    assert_eq!(site.stranger().get("/").await.texts("article .words"), ["Still here"]);
    site.clock.advance(Duration::from_hours(2));
    let login = site.stranger().get("/login").await;
    assert_eq!(login.status, 503);
    assert!(login.text("main").contains("has not been answering since"), "{}", login.text("main"));
    site.provider.faults().off(Fault::Unavailable);
    site.clock.advance(Duration::from_secs(10));
    assert_eq!(site.stranger().sign_in("Bob").await.status, 303, "it works again by itself");
}

#[tokio::test]
async fn a_third_round_within_a_minute_is_a_page_that_shows_what_the_browser_sent() {
    let site = site().await;
    let ann = site.stranger();
    for _ in 0..2 {
        assert_eq!(ann.sign_in_with("Ann", &[], "/profile").await.status, 303);
        ann.forget_cookie("thoughts");
    }
    let page = ann.get("/login?return_to=/profile").await;
    assert_eq!((page.status.as_u16(), page.location()), (409, None));
    let words = page.text("main");
    for part in
        ["2 times", "does not keep the cookie “thoughts”", site.base.trim_start_matches("http://"), "thoughts-sign-in-"]
    {
        assert!(words.contains(part), "{part} in {words}");
    }
    let again = ann.get("/login?return_to=%2Fprofile&again=1").await;
    assert!(again.location().unwrap().starts_with(site.provider.issuer()));
}

#[tokio::test]
async fn signing_in_and_out_and_in_again_is_no_going_round() {
    let site = site().await;
    let ann = site.stranger();
    for _ in 0..4 {
        assert_eq!(ann.sign_in("Ann").await.status, 303);
        ann.post("/logout", &[]).await;
    }
}

#[tokio::test]
async fn whoever_comes_by_another_host_is_told_which_one_to_use() {
    let site = site().await;
    let ann = site.stranger();
    for _ in 0..2 {
        ann.sign_in("Ann").await;
        ann.forget_cookie("thoughts");
    }
    let page = ann.saying("host", "thoughts.example").get("/login").await;
    assert!(
        page.text("main").contains(&format!("You came by thoughts.example, and this site's address is {}/", site.base))
    );
}

#[tokio::test]
async fn whoever_runs_the_site_is_told_the_line_to_change_where_a_sign_in_starts() {
    let site = site().await;
    let robot = site.stranger().saying("user-agent", "a bot").saying("x-forwarded-proto", "https");
    let page = robot.saying("x-forwarded-for", "192.0.2.1").get("/login").await;
    let words = page.texts(".note").concat();
    for line in ["THOUGHTS_BASE_URL=https://127.0.0.1:", "THOUGHTS_TRUSTED_PROXIES=127.0.0.1"] {
        assert!(words.contains(line), "{line} in {words}");
    }
    assert!(!site.stranger().saying("user-agent", "a bot").get("/login").await.has(".note"));
}

#[tokio::test]
async fn whoever_comes_round_by_https_is_told_so_and_whoever_runs_the_site_the_line_to_change() {
    let site = site().await;
    let ann = site.stranger();
    for _ in 0..2 {
        ann.sign_in("Ann").await;
        ann.forget_cookie("thoughts");
    }
    let words = ann.saying("x-forwarded-proto", "https").get("/login").await.text("main");
    for part in ["You came by https", "Set THOUGHTS_BASE_URL=https://127.0.0.1:"] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[tokio::test]
async fn a_sign_in_that_another_address_started_is_told_the_sites_own() {
    let site = site().await;
    let callback = site.stranger().authorize("Ann", &[], "/").await;
    let page = site.stranger().get(&callback).await;
    assert_eq!(page.status, 400);
    assert!(page.text("main").contains(&format!("This site's address is {}/", site.base)), "{}", page.text("main"));
}

#[tokio::test]
async fn a_browser_that_says_no_more_than_that_it_takes_a_page_or_images_signs_in() {
    let site = site().await;
    for accepted in ["text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", "*/*"] {
        let login = site.stranger().saying("accept", accepted).get("/login").await;
        assert!(login.location().is_some(), "{accepted}");
    }
}

#[tokio::test]
async fn a_phone_whose_name_sounds_like_a_robot_signs_in() {
    let site = site().await;
    let phone = site.stranger().saying("user-agent", "Mozilla/5.0 (Linux; Android 15; CUBOT X90)");
    let by_browser = phone.saying("sec-fetch-mode", "navigate").saying("sec-fetch-dest", "document");
    assert!(by_browser.get("/login").await.location().is_some());
    assert!(phone.get("/login?provider=default").await.location().is_some(), "the button that robots do not press");
}
