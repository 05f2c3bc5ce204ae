//! Chromium, driven through its WebDriver: where it isn't installed these tests say so, and in CI they fail.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

/// How long a page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser window. It closes with its test.
pub struct Browser {
    pub client: Client,
    driver: Child,
    _profile: TempDir,
}

/// Whether scripts run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum JavaScript {
    On,
    Off,
}

impl Browser {
    /// A new window, or `None` where there is no browser, which is said, and in CI is a failure.
    pub async fn open(javascript: JavaScript) -> Option<Self> {
        let (driver, chromium) = ("/usr/bin/chromedriver", "/usr/bin/chromium");
        if !(Path::new(driver).exists() && Path::new(chromium).exists()) {
            assert!(std::env::var("CI").is_err(), "CI needs Chromium: install chromium and chromium-driver");
            eprintln!("SKIPPED: this test needs Chromium (Debian: chromium and chromium-driver)");
            return None;
        }
        let (driver, port) = (0..5).find_map(|_| started(driver)).expect("chromedriver says on which port it listens");
        let profile = tempfile::tempdir().unwrap();
        let capabilities = capabilities(chromium, profile.path(), javascript);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        client.set_window_size(1280, 900).await.unwrap();
        Some(Self { client, driver, _profile: profile })
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits until the selector finds something, and gives it.
    pub async fn see(&self, selector: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        match found {
            Ok(element) => element,
            Err(error) => {
                panic!("no {selector} ({error}) at {} where it says {}", self.url().await, self.words().await)
            }
        }
    }

    /// Waits until an element with this text is there, and gives it.
    pub async fn see_text(&self, selector: &str, text: &str) -> Element {
        let path = format!("//{selector}[contains(normalize-space(.), \"{text}\")]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {path} ({error}) at {} where it says {}", self.url().await, self.words().await),
        }
    }

    pub async fn click(&self, selector: &str) {
        self.see(selector).await.click().await.unwrap();
    }

    pub async fn click_text(&self, selector: &str, text: &str) {
        self.see_text(selector, text).await.click().await.unwrap();
    }

    pub async fn type_into(&self, selector: &str, text: &str) {
        self.see(selector).await.send_keys(text).await.unwrap();
    }

    pub async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// What the page says.
    async fn words(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => "nothing".to_owned(),
        }
    }

    pub async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// Has Chromium itself do something, by a command of the `DevTools` protocol, and gives what came of it.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, CmdError> {
        let ask = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(ToDriver { path: "goog/cdp/execute", body: ask }).await
    }

    /// As on a screen this wide, of somebody who likes these colours, and to whom nothing need move.
    pub async fn look_like(&self, width: u32, colours: &str) {
        let screen = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        let feature = |name, value| json!({ "name": name, "value": value });
        let media = [feature("prefers-color-scheme", colours), feature("prefers-reduced-motion", "reduce")];
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": media })).await.unwrap();
    }

    /// What Chromium's network has told since the last time this was asked: `DevTools` events, as method and parameters.
    pub async fn network(&self) -> Vec<(String, Value)> {
        let ask = json!({ "type": "performance" });
        let told = self.client.issue_cmd(ToDriver { path: "se/log", body: ask }).await.unwrap();
        let event = |entry: &Value| {
            let told: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            (told["message"]["method"].as_str().unwrap().to_owned(), told["message"]["params"].clone())
        };
        let events = told.as_array().unwrap().iter().map(event);
        events.filter(|(method, _)| method.starts_with("Network.")).collect()
    }

    /// Signs in by the demo provider's page.
    pub async fn sign_in(&self, base: &str, name: &str) {
        self.goto(&format!("{base}/")).await;
        self.click("#navigation a.button").await;
        self.type_into("input[name=name]", name).await;
        self.click("form:has(input[name=name]) button").await;
        self.see_text("a", "Profile").await;
    }

    /// Closes the window, and the driver with it.
    pub async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

/// Something that chromedriver knows and `WebDriver` does not.
#[derive(Debug)]
struct ToDriver {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ToDriver {
    fn endpoint(&self, driver: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        driver.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Where the test ended before it closed the window, Chromium and its helpers are still there.
        let started = descendants(self.driver.id());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        for process in started {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

/// The processes that `root` has started, and those that they have.
fn descendants(root: u32) -> Vec<u32> {
    let listed = Command::new("ps").args(["-eo", "pid=,ppid="]).output();
    let text = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let pair = |line: &str| {
        let (process, parent) = line.trim().split_once(' ')?;
        Some((process.parse::<u32>().ok()?, parent.trim().parse::<u32>().ok()?))
    };
    let pairs: Vec<(u32, u32)> = text.lines().filter_map(pair).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(pairs.iter().filter(|(_, started_by)| *started_by == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

/// A driver and its port, unless it ends before it listens, as it does now and then where much is started at once.
fn started(driver: &str) -> Option<(Child, String)> {
    let mut driver = Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    if port.is_none() {
        driver.wait().unwrap();
    }
    Some((driver, port?))
}

fn capabilities(chromium: &str, profile: &Path, javascript: JavaScript) -> serde_json::Map<String, Value> {
    let mut options = json!({
        "binary": chromium,
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            format!("--user-data-dir={}", profile.display()),
        ],
    });
    if javascript == JavaScript::Off {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" } })
        .as_object()
        .unwrap()
        .clone()
}
