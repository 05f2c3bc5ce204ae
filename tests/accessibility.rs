//! What keeps people out of a page, as far as a program can find it: axe looks at every screen, on a phone and on a
//! desktop, light and dark, and finds nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use thoughts::demo::Fault;

use crate::live_in_the_browser::listens;
use crate::support::browser::{Browser, JavaScript};
use crate::support::{Person, Site, Upstream, npm, site};

/// Every rule of WCAG 2.2 up to AA that axe knows, and its own of what is good practice; then what it found, for people.
const LOOK: &str = "const done = arguments[0];
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`);
    axe.run(document, { runOnly: rules }).then(({ violations }) => {
        const root = document.documentElement;
        const wide = root.scrollWidth > root.clientWidth ? ['it is wider than the screen'] : [];
        done([...violations.flatMap(told), ...wide]);
    }, (error) => done([String(error)]))";

/// Someone who looks at every screen by axe's eyes.
struct Looker {
    browser: Browser,
    axe: String,
    base: String,
    found: Vec<String>,
    screens: usize,
}

impl Looker {
    /// `None` where there is no browser, or no Node.
    async fn at(site: &Site) -> Option<Self> {
        let folder = npm::installed()?;
        let axe = std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).unwrap();
        let browser = Browser::open(JavaScript::On).await?;
        Some(Self { browser, axe, base: site.base.clone(), found: Vec::new(), screens: 0 })
    }

    /// Comes with somebody's session from here on.
    async fn as_person(&self, person: &Person) {
        let session = person.cookie("thoughts").unwrap();
        let cookie = json!({ "name": "thoughts", "value": session, "url": self.base, "httpOnly": true });
        self.browser.devtools("Network.setCookie", cookie).await.unwrap();
    }

    async fn visit(&mut self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.base)).await;
        self.browser.see("h1").await;
        self.look(path).await;
    }

    /// At the screen as it is now.
    async fn look(&mut self, name: &str) {
        self.browser.client.execute(&self.axe, vec![]).await.unwrap();
        for width in [390, 1280] {
            for colours in ["light", "dark"] {
                self.browser.look_like(width, colours).await;
                let found = self.browser.client.execute_async(LOOK, vec![]).await.unwrap();
                let Value::Array(found) = found else { panic!("{found}") };
                self.found.extend(found.iter().map(|what| format!("{name}, {width} px, {colours}: {what}")));
            }
        }
        self.screens += 1;
    }

    async fn found_nothing(self) {
        assert!(self.screens > 0 && self.found.is_empty(), "{}", self.found.join("\n"));
        self.browser.close().await;
    }
}

/// Ends all sessions of a member but the one that does it.
async fn ends_the_others(person: &Person) {
    assert_eq!(person.form(Method::DELETE, "/profile/sessions", &[]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_where_a_stranger_looks() {
    let site = site().await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    let thought = site.member("Ann").await.share("# Hello\n\nto *all* of [you](https://example.org)", "public").await;
    for path in [
        "/",
        &thought,
        "/@ann",
        "/search",
        "/search?q=hello",
        "/search?q=nothing",
        "/nothing",
        "/logout",
        "/callback?code=x&state=y",
    ] {
        looker.visit(path).await;
    }
    site.provider.faults().on(Fault::Unavailable);
    site.clock.advance(Duration::from_hours(2));
    looker.visit("/login").await;
    looker.found_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_where_one_chooses_a_provider_or_is_at_the_demo() {
    let site = Site::with_two_providers("").await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    looker.visit("/login").await;
    looker.visit("/login?provider=main").await;
    looker.found_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_where_a_member_looks() {
    let upstream = Upstream::start();
    let site = Site::with_file(&upstream.table("profile_path = '/v1/me'")).await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    let ann = site.member("Ann").await;
    let thought = ann.share("First", "members").await;
    ann.form(Method::PUT, &thought, &[("message", "Second"), ("visibility", "public")]).await;
    looker.as_person(&ann).await;
    let edit = format!("{thought}/edit");
    let own = ["/profile", "/profile/api-tokens", "/profile/delete", "/profile/upstreams/notes"];
    for path in ["/", &thought, &edit, "/share-thought", "/logout"].iter().chain(&own) {
        looker.visit(path).await;
    }
    site.member("Ann").await;
    site.clock.advance(Duration::from_mins(10));
    looker.visit("/profile").await;
    looker.browser.click_text("button", "End all others").await;
    looker.browser.see_text("a", "Sign in again").await;
    looker.look("one is asked to sign in again").await;
    looker.found_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_where_an_admin_looks() {
    let site = site().await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    let reference = site.stranger().get("/callback?code=x&state=y").await.text(".note code");
    let ann = site.admin("Ann").await;
    let gone = ann.share("Gone", "public").await;
    ann.form(Method::DELETE, &gone, &[]).await;
    ann.share("There", "public").await;
    looker.as_person(&ann).await;
    let (found, unknown) = (format!("/admin/sign-ins?reference={reference}"), "/admin/sign-ins?reference=unknown");
    let members = ["/admin/members", "/admin/members/ann", "/admin/members?handle=nobody"];
    let others = ["/admin/providers", "/admin/moderation", "/admin/moderation/deleted"];
    for path in ["/admin", "/admin/sign-ins", &found, unknown].iter().chain(&members).chain(&others) {
        looker.visit(path).await;
    }
    looker.found_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_in_what_comes_up_while_one_looks() {
    let site = site().await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    let (ann, bob) = (site.member("Ann").await, site.member("Bob").await);
    looker.as_person(&ann).await;
    looker.browser.goto(&format!("{}/", site.base)).await;
    listens(&looker.browser).await;
    for number in 0..3 {
        bob.share(&format!("New {number}"), "public").await;
    }
    looker.browser.see_text("a[@id='offer']", "3 new thoughts").await;
    looker.look("the offer").await;

    looker.browser.type_into("#message", "Long and dear").await;
    ends_the_others(&site.member("Ann").await).await;
    looker.browser.see_text("div[@id='cover']//p", "What you wrote is still here").await;
    looker.look("the cover, over what was written").await;

    looker.as_person(&site.member("Ann").await).await;
    looker.browser.goto(&format!("{}/profile", site.base)).await;
    listens(&looker.browser).await;
    ends_the_others(&site.member("Ann").await).await;
    looker.browser.see_text("div[@id='cover']//p", "ended this session").await;
    looker.look("the cover").await;

    looker.as_person(&site.member("Ann").await).await;
    looker.browser.goto(&format!("{}/share-thought", site.base)).await;
    listens(&looker.browser).await;
    let cut = "const live = document.getElementById('live'); live.remove(); live._htmx.sse.reader.cancel()";
    looker.browser.client.execute(cut, vec![]).await.unwrap();
    ends_the_others(&site.member("Ann").await).await;
    looker.browser.type_into("#message", "Long and dear").await;
    looker.browser.see_text("div[@id='panel']//a", "Sign in").await;
    looker.look("the panel").await;
    looker.found_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_where_one_is_sent_round_or_told_why_a_session_ended() {
    let site = site().await;
    let Some(mut looker) = Looker::at(&site).await else { return };
    let ann = site.member("Ann").await;
    looker.as_person(&ann).await;
    ends_the_others(&site.member("Ann").await).await;
    looker.visit("/").await;
    looker.browser.client.delete_all_cookies().await.unwrap();
    looker.browser.sign_in(&site.base, "Ann").await;
    for _ in 0..2 {
        looker.browser.client.delete_cookie("thoughts").await.unwrap();
        looker.browser.goto(&format!("{}/login", site.base)).await;
        if looker.browser.url().await.starts_with(site.provider.issuer()) {
            looker.browser.click_text("button", "Continue as").await;
        }
    }
    looker.browser.see_text("h1", "sent round in circles").await;
    looker.look("going round").await;
    looker.found_nothing().await;
}
