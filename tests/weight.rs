//! What a visit weighs, added up of what Chromium says that it fetched: its headers and all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::support::browser::{Browser, JavaScript};
use crate::support::{Site, site};

/// Something that the browser has fetched over the wire.
#[derive(Debug)]
struct Fetched {
    url: String,
    /// How its body was packed, where it was.
    coding: String,
    /// Bytes over the wire, headers included.
    weight: usize,
}

/// What goes over the wire, as Chromium tells it.
struct Wire<'b> {
    browser: &'b Browser,
    answers: BTreeMap<String, Value>,
    /// Those that it had already.
    kept: BTreeSet<String>,
}

impl<'b> Wire<'b> {
    fn of(browser: &'b Browser) -> Self {
        Self { browser, answers: BTreeMap::new(), kept: BTreeSet::new() }
    }

    /// What has come since the last time this was asked. The stream of changes is not among it: it has no end.
    async fn fetched(&mut self) -> Vec<Fetched> {
        let mut ended = Vec::new();
        for (event, told) in self.browser.network().await {
            let id = told["requestId"].as_str().unwrap_or_default().to_owned();
            match event.as_str() {
                "Network.requestWillBeSent" => is_here(told["request"]["url"].as_str().unwrap()),
                "Network.requestServedFromCache" => drop(self.kept.insert(id)),
                "Network.responseReceived" if told["response"]["fromDiskCache"] == true => drop(self.kept.insert(id)),
                "Network.responseReceived" => drop(self.answers.insert(id, told["response"].clone())),
                "Network.loadingFinished" => ended.push((id, told["encodedDataLength"].as_f64().unwrap())),
                _ => {}
            }
        }
        // The tab that a browser opens with is its own.
        let over_a_network = |answer: &Value| answer["url"].as_str().unwrap().starts_with("http");
        ended.retain(|(id, _)| self.answers.get(id).is_some_and(over_a_network) && !self.kept.contains(id));
        let mut all = Vec::new();
        for (id, sent) in ended {
            all.push(self.weighed(&id, sent));
        }
        all
    }

    /// The same, once so many things have come: the icon is fetched when the browser has time for it.
    async fn until(&mut self, count: usize) -> Vec<Fetched> {
        let mut all = Vec::new();
        let wait = async {
            while all.len() < count {
                all.extend(self.fetched().await);
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "there came no {count} things: {all:#?}");
        all
    }

    /// Opens the feed for the first time, and gives what came of it: the page and three files.
    async fn first_visit(&mut self, site: &Site) -> Vec<Fetched> {
        self.browser.goto(&format!("{}/", site.base)).await;
        self.browser.see("#thoughts time[data-local]").await;
        self.until(4).await
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes")]
    fn weighed(&self, id: &str, sent: f64) -> Fetched {
        let answer = &self.answers[id];
        let coding = header(answer, "content-encoding");
        Fetched { url: answer["url"].as_str().unwrap().to_owned(), coding, weight: sent as usize }
    }
}

/// Of what goes over a network, that it stays on this machine.
fn is_here(url: &str) {
    assert!(!url.starts_with("http") || url.starts_with("http://127.0.0.1:"), "somebody else is asked: {url}");
}

fn header(answer: &Value, name: &str) -> String {
    let headers = answer["headers"].as_object().unwrap();
    let found = headers.iter().find(|(said, _)| said.eq_ignore_ascii_case(name));
    found.map_or_else(String::new, |(_, value)| value.as_str().unwrap().to_owned())
}

fn weight(all: &[Fetched]) -> usize {
    all.iter().map(|one| one.weight).sum()
}

/// The paths of what was fetched, without the hashes of files.
fn paths<'f>(site: &Site, all: &'f [Fetched]) -> Vec<&'f str> {
    let path =
        |one: &'f Fetched| one.url.strip_prefix(&site.base).unwrap_or_else(|| panic!("of another origin: {one:?}"));
    let without_hash =
        |path: &'f str| if path.starts_with("/static/") { path.split('-').next().unwrap() } else { path };
    let mut paths: Vec<_> = all.iter().map(path).map(without_hash).collect();
    paths.sort_unstable();
    paths
}

/// A site whose feed is full of thoughts as people write them, and the path of the last one.
async fn with_a_full_feed() -> (Site, String) {
    let site = site().await;
    let ann = site.member("Ann Smith").await;
    let mut last = String::new();
    for number in 0..25 {
        let message = format!(
            "Thought {number}: the **harbour** at half past {number}, and what [the tide](https://example.org/{number}) left \
             behind.\n\nSome of it will be gone tomorrow; `{}` will not.",
            u64::from(number * 7919_u32).pow(3)
        );
        last = ann.share(&message, "public").await;
    }
    (site, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_visit_is_under_60_kb_and_the_next_page_under_6_and_fetches_no_file_again() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let (site, last) = with_a_full_feed().await;
    let mut wire = Wire::of(&browser);
    let first = wire.first_visit(&site).await;
    assert_eq!(paths(&site, &first), ["/", "/static/icon", "/static/thoughts", "/static/thoughts"]);
    for one in &first {
        assert!(["br", "gzip"].contains(&one.coding.as_str()), "{one:?}");
    }
    assert!(weight(&first) < 60_000, "{first:#?}");

    browser.click(&format!(".meta a[href='{last}']")).await;
    browser.see_text("h1", "Thought by Ann Smith").await;
    let next = wire.until(1).await;
    assert_eq!(paths(&site, &next), [last.as_str()]);
    assert!(weight(&next) < 6_000, "{next:#?}");

    // As by a link from elsewhere: the whole document, whose files the browser has.
    browser.goto(&format!("{}/@ann-smith", site.base)).await;
    browser.see("#thoughts time[data-local]").await;
    let whole = wire.until(1).await;
    assert_eq!(paths(&site, &whole), ["/@ann-smith"]);
    assert!(weight(&whole) < 6_000, "{whole:#?}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_fetches_no_file_again_and_sends_a_thought_for_little() {
    let Some(browser) = Browser::open(JavaScript::On).await else { return };
    let (site, _) = with_a_full_feed().await;
    let mut wire = Wire::of(&browser);
    wire.first_visit(&site).await;
    browser.sign_in(&site.base, "Bob").await;
    browser.see("#thoughts time[data-local]").await;
    // The feed, which was asked for again and still held, and the feed of somebody who is signed in.
    let mut signed_in = wire.until(2).await;
    signed_in.retain(|one| !one.url.starts_with(site.provider.issuer()));
    assert_eq!(paths(&site, &signed_in), ["/", "/"], "{signed_in:#?}");
    assert!(weight(&signed_in) < 6_000, "{signed_in:#?}");
    browser.type_into("#message", "Short").await;
    browser.click("#composer .controls > button").await;
    browser.see_text("ol[@id='thoughts']//p", "Short").await;
    let mut shared = wire.until(1).await;
    // It may have been previewed on the way.
    shared.retain(|one| !one.url.ends_with("/preview"));
    assert!(weight(&shared) < 6_000, "{shared:#?}");
    browser.close().await;
}
