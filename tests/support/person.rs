//! Someone with a browser that keeps cookies, follows nothing by itself, and says what it is asked to say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use scraper::{ElementRef, Html, Selector};

/// How long nothing may come before there is no answer: a test that waits for ever says nothing of why.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser without JavaScript.
#[derive(Clone)]
pub struct Person {
    client: Client,
    /// Where the site is, without a slash at its end.
    pub base: String,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Person {
    /// Someone who has never been here.
    pub fn new(base: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .build()
            .unwrap();
        Self { client, base: base.to_owned(), cookies: Arc::default(), headers: Vec::new() }
    }

    /// The same person, whose browser says this with every request.
    pub fn saying(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same person through htmx.
    pub fn htmx(&self) -> Self {
        self.saying("HX-Request", "true").saying("HX-Request-Type", "partial")
    }

    /// The same browser, whose requests another server answers: they share their cookies.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same person in another browser that holds a copy of this one's cookies.
    pub fn copy(&self) -> Self {
        Self { cookies: Arc::new(Mutex::new(self.cookies.lock().unwrap().clone())), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "").await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form(Method::POST, path, fields).await
    }

    pub async fn form(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(method, path, Some("application/x-www-form-urlencoded"), &body).await
    }

    pub async fn json(&self, method: Method, path: &str, body: &serde_json::Value) -> Answer {
        self.send(method, path, Some("application/json"), &body.to_string()).await
    }

    pub async fn send(&self, method: Method, path: &str, content_type: Option<&str>, body: &str) -> Answer {
        let response = self.open(method, path, content_type, body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        // A stream goes on for as long as somebody listens.
        let is_stream = headers.get("content-type").is_some_and(|value| value == "text/event-stream");
        let body = if is_stream { String::new() } else { response.text().await.unwrap() };
        Answer { status, headers, body }
    }

    /// The same, without the body yet.
    pub async fn open(&self, method: Method, path: &str, content_type: Option<&str>, body: &str) -> Response {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.client.request(method, &url).body(body.to_owned());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let cookies = self.cookie_header();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        response
    }

    /// Goes where a link or a redirect leads, until it leads nowhere else.
    pub async fn follow(&self, answer: Answer) -> Answer {
        let mut answer = answer;
        for _ in 0..10 {
            let Some(location) = answer.location() else { return answer };
            answer = self.get(&self.resolve(&location)).await;
        }
        panic!("more than ten redirects, the last to {:?}", answer.location());
    }

    fn resolve(&self, location: &str) -> String {
        if location.starts_with('/') {
            format!("{}{location}", url::Url::parse(&self.base).unwrap().origin().ascii_serialization())
        } else {
            location.to_owned()
        }
    }

    /// Signs in by the demo provider's page, with this name, and gives what the callback answered.
    pub async fn sign_in(&self, name: &str) -> Answer {
        self.sign_in_with(name, &[], "/").await
    }

    /// The same with what else can be said on that page (`groups`, `admin`), and where to go then.
    pub async fn sign_in_with(&self, name: &str, more: &[(&str, &str)], return_to: &str) -> Answer {
        let callback = self.authorize(name, more, return_to).await;
        self.get(&callback).await
    }

    /// The same as far as the provider's redirect back: the callback's URL.
    pub async fn authorize(&self, name: &str, more: &[(&str, &str)], return_to: &str) -> String {
        let query = url::form_urlencoded::byte_serialize(return_to.as_bytes()).collect::<String>();
        let login = self.get(&format!("/login?return_to={query}")).await;
        assert_eq!(login.status, StatusCode::SEE_OTHER, "{}", login.body);
        self.at_provider(&login.location().unwrap(), name, more).await
    }

    /// Signs in by the demo provider's page at this address, and gives the callback's URL.
    pub async fn at_provider(&self, address: &str, name: &str, more: &[(&str, &str)]) -> String {
        let page = self.get(address).await;
        let (action, mut fields) = page.form("input[name=name]");
        fields.retain(|(field, _)| field != "name");
        fields.push(("name".into(), name.into()));
        for (field, value) in more {
            fields.retain(|(known, _)| known != field);
            fields.push(((*field).to_owned(), (*value).to_owned()));
        }
        let authorize = url::Url::parse(address).unwrap();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let back = self.post(authorize.join(&action).unwrap().as_str(), &fields).await;
        back.location().unwrap_or_else(|| panic!("the provider did not send anyone back: {}", back.body))
    }

    /// Shares a thought and gives its path.
    pub async fn share(&self, message: &str, visibility: &str) -> String {
        let answer = self.post("/thoughts", &[("message", message), ("visibility", visibility)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.location().unwrap()
    }

    /// The same, or `None` where the answer is that it could not be stored, or there is none.
    pub async fn try_share(&self, message: &str) -> Option<String> {
        let answer = self.try_post("/thoughts", &[("message", message), ("visibility", "public")]).await?;
        answer.location().filter(|_| answer.status == StatusCode::SEE_OTHER)
    }

    /// Sends a form, and gives the answer, or `None` where there is none: the server is gone.
    pub async fn try_post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(format!("{}{path}", self.base)).body(body);
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").header("cookie", self.cookie_header());
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some(Answer { status, headers, body: response.text().await.ok()? })
    }

    /// The value of a cookie that this browser holds.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Puts a cookie into this browser.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// Loses a cookie, as a browser does that will not keep it.
    pub fn forget_cookie(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    /// Everything that this browser would send.
    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let mut cookies = self.cookies.lock().unwrap();
        if attributes.to_ascii_lowercase().contains("max-age=0") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> Option<String> {
        self.headers.get(LOCATION).map(|value| value.to_str().unwrap().to_owned())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    /// The texts of what the selector finds, spaces folded.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        self.html().select(&Selector::parse(selector).unwrap()).map(|element| text(element)).collect()
    }

    /// The text of the first.
    pub fn text(&self, selector: &str) -> String {
        self.texts(selector).into_iter().next().unwrap_or_default()
    }

    pub fn has(&self, selector: &str) -> bool {
        self.html().select(&Selector::parse(selector).unwrap()).next().is_some()
    }

    /// An attribute of the first.
    pub fn attribute(&self, selector: &str, name: &str) -> String {
        let html = self.html();
        let found = html.select(&Selector::parse(selector).unwrap()).next().and_then(|element| element.attr(name));
        found.unwrap_or_else(|| panic!("no {selector} with {name} in {}", self.body)).to_owned()
    }

    /// Where the form that holds `selector` is sent to, and its hidden fields.
    pub fn form(&self, selector: &str) -> (String, Vec<(String, String)>) {
        let html = self.html();
        let inside = html.select(&Selector::parse(selector).unwrap()).next();
        let form = inside
            .and_then(|element| {
                element.ancestors().filter_map(ElementRef::wrap).find(|one| one.value().name() == "form")
            })
            .unwrap_or_else(|| panic!("no form with {selector} in {}", self.body));
        let fields = form
            .select(&Selector::parse("input[type=hidden]").unwrap())
            .map(|input| (input.attr("name").unwrap().to_owned(), input.attr("value").unwrap_or_default().to_owned()))
            .collect();
        (form.attr("action").unwrap_or_default().to_owned(), fields)
    }
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
