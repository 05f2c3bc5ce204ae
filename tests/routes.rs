//! The walk: every route of the table, as every kind of viewer, as page, fragment and API, against the contract's
//! refusal table. A route without a line here fails the test, which says what to add.

use std::collections::BTreeMap;

use reqwest::Method;
use thoughts::paths;
use thoughts::web::routes::{Takes, table};

use crate::api_tokens;
use crate::support::{Answer, Person, Site, Upstream, program, site};

/// What is expected of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// It is done: 2xx, or a 303 to somewhere else than the sign-in.
    Done,
    /// Sign in first.
    SignIn,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 400: what would prove it is not there.
    Unproven,
}
use Expect::{Done, Forbidden, NotFound, SignIn, Unproven};

/// Who calls, in the matrix's columns: nobody signed in; somebody whose session has ended; another member; the author
/// of the thought that is asked for, which members can see; an admin.
const PERSONAS: [&str; 5] = ["anonymous", "dead session", "other", "author", "admin"];

#[rustfmt::skip]
const MATRIX: &[(&str, [Expect; 5])] = &[
    //                                     anonymous  dead      other      author  admin
    ("GET /",                             [Done,      Done,     Done,      Done,   Done]),
    ("GET /share-thought",                [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /thoughts",                     [SignIn,    SignIn,   Done,      Done,   Done]),
    ("POST /thoughts",                    [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /thoughts/preview",             [SignIn,    SignIn,   Done,      Done,   Done]),
    ("POST /thoughts/preview",            [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /thoughts/{id}",                [NotFound,  NotFound, Done,      Done,   Done]),
    ("PUT /thoughts/{id}",                [SignIn,    SignIn,   Forbidden, Done,   Forbidden]),
    ("DELETE /thoughts/{id}",             [SignIn,    SignIn,   Forbidden, Done,   Done]),
    ("GET /thoughts/{id}/edit",           [SignIn,    SignIn,   Forbidden, Done,   Forbidden]),
    ("POST /thoughts/{id}/restore",       [SignIn,    SignIn,   NotFound,  Done,   Done]),
    ("GET /@{handle}",                    [Done,      Done,     Done,      Done,   Done]),
    ("GET /search",                       [Done,      Done,     Done,      Done,   Done]),
    ("GET /events",                       [Done,      Done,     Done,      Done,   Done]),
    ("GET /profile",                      [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /profile/upstreams/{name}",     [SignIn,    SignIn,   Done,      Done,   Done]),
    ("DELETE /profile/sessions/{id}",     [SignIn,    SignIn,   NotFound,  Done,   NotFound]),
    ("DELETE /profile/sessions",          [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /profile/api-tokens",           [SignIn,    SignIn,   Done,      Done,   Done]),
    ("POST /profile/api-tokens",          [SignIn,    SignIn,   Done,      Done,   Done]),
    ("DELETE /profile/api-tokens/{id}",   [SignIn,    SignIn,   NotFound,  Done,   NotFound]),
    ("GET /profile/export",               [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /profile/delete",               [SignIn,    SignIn,   Done,      Done,   Done]),
    ("DELETE /profile",                   [SignIn,    SignIn,   Done,      Done,   Done]),
    ("POST /profile/providers/{name}",    [SignIn,    SignIn,   Done,      Done,   Done]),
    ("DELETE /profile/providers/{name}",  [SignIn,    SignIn,   Forbidden, Forbidden, Forbidden]),
    ("GET /admin",                        [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("GET /admin/members",                [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("GET /admin/members/{handle}",       [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("DELETE /admin/members/{handle}/sessions", [SignIn, SignIn, Forbidden, Forbidden, Done]),
    ("GET /admin/providers",              [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("GET /admin/sign-ins",               [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("GET /admin/moderation",             [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("GET /admin/moderation/deleted",     [SignIn,    SignIn,   Forbidden, Forbidden, Done]),
    ("POST /theme",                       [Done,      Done,     Done,      Done,   Done]),
    ("GET /login",                        [Done,      Done,     Done,      Done,   Done]),
    ("GET /callback",                     [Unproven,  Unproven, Done,      Done,   Done]),
    ("GET /logout",                       [Done,      Done,     Done,      Done,   Done]),
    ("POST /logout",                      [Done,      Done,     Done,      Done,   Done]),
    ("POST /backchannel-logout",          [Unproven,  Unproven, Unproven,  Unproven, Unproven]),
    ("GET /api/thoughts",                 [Done,      Done,     Done,      Done,   Done]),
    ("POST /api/thoughts",                [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /api/thoughts/{id}",            [NotFound,  NotFound, Done,      Done,   Done]),
    ("PUT /api/thoughts/{id}",            [SignIn,    SignIn,   Forbidden, Done,   Forbidden]),
    ("DELETE /api/thoughts/{id}",         [SignIn,    SignIn,   Forbidden, Done,   Done]),
    ("GET /api/me",                       [SignIn,    SignIn,   Done,      Done,   Done]),
    ("ANY /api/upstream/{name}/{path}",   [SignIn,    SignIn,   Done,      Done,   Done]),
    ("GET /healthz",                      [Done,      Done,     Done,      Done,   Done]),
    ("GET /readyz",                       [Done,      Done,     Done,      Done,   Done]),
    ("GET /static/{file}",                [Done,      Done,     Done,      Done,   Done]),
];

/// What the last three of them are called; the others are asked as if they were somebody.
const HANDLES: [&str; 5] = ["ann", "ann", "bob", "ann", "root"];

/// What stands in the thought that is asked for, and must stand in no refusal.
const WORDS: &str = "for members alone";

#[tokio::test]
async fn every_route_answers_every_kind_of_viewer_as_the_refusal_table_says() {
    let upstream = Upstream::start();
    let site = Site::with_file(&upstream.table("methods = ['GET', 'PATCH']\nprofile_path = '/v1/me'")).await;
    let people = people(&site).await;
    let lines: BTreeMap<_, _> = MATRIX.iter().copied().collect();
    for row in table() {
        let name = format!("{} {}", row.method, row.path);
        let expected = lines.get(name.as_str()).unwrap_or_else(|| {
            panic!("no line for {name} ({}): add it to MATRIX in tests/routes.rs, an outcome a persona", row.access)
        });
        for (number, expected) in expected.iter().enumerate() {
            for (method, kind) in methods(&row.method).into_iter().flat_map(|method| with_kinds(method, row.path)) {
                let called = format!("{name} by {} as {kind:?}", PERSONAS[number]);
                let (path, body) = target(&site, &people, row.path).await;
                let body = body.replace("{handle}", HANDLES[number]);
                let person = kind.of(&people[number].copy());
                let answer = call(&person, method.clone(), &path, &body).await;
                check(*expected, kind, &method, &answer, &called);
                renew(&site, &people).await;
            }
        }
    }
    assert_eq!(lines.len(), table().len(), "a line of MATRIX has no route any more");
}

/// A program with a token of the thought's author is let in as its author is, to reading alone where it is a token for
/// reading, and nowhere with a token that is good no longer, whatever may be had without one.
#[tokio::test]
async fn every_route_of_the_api_answers_a_bearer_as_it_does_their_member_or_not_at_all() {
    let site = site().await;
    let people = people(&site).await;
    let lines: BTreeMap<_, _> = MATRIX.iter().copied().collect();
    let (read, write) = (api_tokens::made(&people[3], "read").await, api_tokens::made(&people[3], "read write").await);
    let revoked = api_tokens::made(&people[3], "read write").await;
    api_tokens::revoke_latest(&people[3]).await;
    for row in table().iter().filter(|row| row.path.starts_with("/api/")) {
        let name = format!("{} {}", row.method, row.path);
        let tokens = [(&write, "read write"), (&read, "read"), (&revoked, "revoked")];
        for (method, (token, scope)) in
            methods(&row.method).iter().flat_map(|method| tokens.map(|token| (method, token)))
        {
            let called = format!("{name} with a token: {scope}");
            let (path, body) = target(&site, &people, row.path).await;
            // Bob's session is no help, and no hindrance.
            let program = people[2].copy().saying("authorization", &format!("Bearer {token}"));
            let answer = call(&program, method.clone(), &path, &body).await;
            match scope {
                "revoked" => api_tokens::challenged(&answer, 401, r#"Bearer error="invalid_token""#, &called),
                "read" if *method != Method::GET => {
                    let challenge = r#"Bearer error="insufficient_scope", scope="read write""#;
                    api_tokens::challenged(&answer, 403, challenge, &called);
                }
                // The provider's tokens are a session's, and a program has none.
                _ if row.path == paths::API_UPSTREAM => check(Forbidden, Kind::Api, method, &answer, &called),
                _ => check(lines[name.as_str()][3], Kind::Api, method, &answer, &called),
            }
        }
    }
}

/// Outside the API a token is nothing: what a person does in a browser no program does for them.
#[tokio::test]
async fn no_page_lets_anyone_in_for_a_token() {
    let site = site().await;
    let people = people(&site).await;
    let lines: BTreeMap<_, _> = MATRIX.iter().copied().collect();
    let token = api_tokens::made(&people[3], "read write").await;
    for row in table().iter().filter(|row| !row.path.starts_with("/api/")) {
        let name = format!("{} {}", row.method, row.path);
        let (path, body) = target(&site, &people, row.path).await;
        let program = site.stranger().saying("authorization", &format!("Bearer {token}"));
        for method in methods(&row.method) {
            let answer = call(&program, method.clone(), &path, &body).await;
            check(lines[name.as_str()][0], Kind::Page, &method, &answer, &format!("{name} with a token"));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Page,
    Fragment,
    Api,
}

impl Kind {
    fn of(self, person: &Person) -> Person {
        match self {
            Self::Page | Self::Api => person.clone(),
            Self::Fragment => person.htmx().saying("HX-Current-URL", &format!("{}/here?x=1", person.base)),
        }
    }
}

/// The methods that a row is called with.
fn methods(takes: &Takes) -> Vec<Method> {
    match takes {
        Takes::One(method) => vec![method.clone()],
        Takes::Any => vec![Method::GET, Method::PATCH],
    }
}

fn with_kinds(method: Method, path: &str) -> Vec<(Method, Kind)> {
    let kinds = if path.starts_with("/api/") { vec![Kind::Api] } else { vec![Kind::Page, Kind::Fragment] };
    kinds.into_iter().map(|kind| (method.clone(), kind)).collect()
}

async fn people(site: &Site) -> Vec<Person> {
    let dead = site.member("Ann").await;
    dead.copy().post("/logout", &[]).await;
    vec![site.stranger(), dead, site.member("Bob").await, site.member("Ann").await, site.admin("Root").await]
}

/// Signs in again whoever has just signed themselves out, deleted their account, or was signed out by an admin.
async fn renew(site: &Site, people: &[Person]) {
    for (person, name) in people.iter().zip(["", "", "Bob", "Ann", "Root"]).skip(2) {
        let more: &[(&str, &str)] = if name == "Root" { &[("admin", "true")] } else { &[] };
        if person.copy().get("/profile").await.status != 200 {
            while site.app.store.purge_members(100).await.unwrap() {}
            person.sign_in_with(name, more, "/").await;
        }
    }
}

/// The path with its names filled in, and what is sent there.
async fn target(site: &Site, people: &[Person], path: &str) -> (String, String) {
    let author = people[3].copy();
    let thought = author.share(WORDS, "members").await;
    if path.ends_with("/restore") {
        author.form(Method::DELETE, &thought, &[]).await;
    }
    let id = if path.contains("sessions") {
        let (action, _) = author.get("/profile").await.form(".sessions li:has(.for) button");
        action.rsplit('/').next().unwrap().to_owned()
    } else if path.contains("api-tokens") {
        api_tokens::made(&author, "read").await;
        api_tokens::latest(&author).await.rsplit('/').next().unwrap().to_owned()
    } else {
        thought.rsplit('/').next().unwrap().to_owned()
    };
    let css = site.stranger().get("/").await.attribute("link[rel=stylesheet]", "href");
    let file = css.rsplit('/').next().unwrap();
    let filled = path.replace("{id}", &id).replace("{handle}", "ann").replace("{file}", file);
    let name = if path.contains("providers") { "default" } else { "notes" };
    let filled = filled.replace("{name}", name).replace("{path}", "v1/me");
    let body = if path.starts_with("/api/") {
        serde_json::json!({ "message": "new", "visibility": "members" }).to_string()
    } else {
        "message=new&visibility=members&theme=dark&name=x&scope=read&expires=30&handle={handle}".to_owned()
    };
    (filled, body)
}

async fn call(person: &Person, method: Method, path: &str, body: &str) -> Answer {
    if method == Method::GET {
        return person.get(path).await;
    }
    let content_type = if path.starts_with("/api/") { "application/json" } else { "application/x-www-form-urlencoded" };
    person.send(method, path, Some(content_type), body).await
}

/// The contract's refusal table.
fn check(expected: Expect, kind: Kind, method: &Method, answer: &Answer, called: &str) {
    let status = answer.status.as_u16();
    let location = answer.location().unwrap_or_default();
    if kind != Kind::Api && !called.contains("/static/") {
        assert_eq!(answer.header("vary"), "HX-Request, HX-Request-Type, Cookie", "{called}");
    }
    assert!(kind != Kind::Fragment || !answer.body.contains("<html"), "{called}: a whole page for a fragment");
    if expected != Done {
        assert!(!answer.body.contains(WORDS), "{called}: a refusal holds what it refuses: {}", answer.body);
    }
    match (expected, kind) {
        (Done, _) => {
            let done = matches!(status, 200..=299) || (status == 303 && !location.starts_with("/login"));
            assert!(done, "{called}: {status} {location}");
        }
        (Unproven, _) => assert_eq!(status, 400, "{called}"),
        (SignIn, Kind::Page) => {
            assert_eq!(status, 303, "{called}");
            assert!(location.starts_with("/login?return_to=%2F"), "{called}: {location}");
        }
        (SignIn, Kind::Fragment) if *method == Method::GET => {
            assert_eq!(status, 401, "{called}");
            assert_eq!(answer.header("hx-redirect"), "/login?return_to=%2Fhere%3Fx%3D1", "{called}");
            assert_eq!(answer.body, "", "{called}");
        }
        (SignIn, Kind::Fragment) => {
            assert_eq!(status, 401, "{called}");
            assert_eq!(answer.header("hx-retarget"), "#panel", "{called}");
            assert!(answer.has("a[href^='/login?return_to=']"), "{called}");
        }
        (SignIn, Kind::Api) => {
            assert_eq!(status, 401, "{called}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{called}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{called}");
        }
        (Forbidden | NotFound, Kind::Page) => {
            assert_eq!(status, if expected == Forbidden { 403 } else { 404 }, "{called}");
            assert!(answer.has("html > body > main h1"), "{called}");
        }
        (Forbidden | NotFound, Kind::Fragment) => {
            assert_eq!(status, if expected == Forbidden { 403 } else { 404 }, "{called}");
            assert!(answer.has("title"), "{called}");
        }
        (Forbidden | NotFound, Kind::Api) => {
            assert_eq!(status, if expected == Forbidden { 403 } else { 404 }, "{called}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{called}");
        }
    }
}

#[tokio::test]
async fn whoever_must_sign_in_is_told_as_for_a_fragment_where_htmx_asks_for_a_page() {
    let site = site().await;
    let full = site.stranger().saying("HX-Request", "true").saying("HX-Request-Type", "full");
    let full = full.saying("HX-Current-URL", &format!("{}/here?x=1", site.base));
    check(SignIn, Kind::Fragment, &Method::GET, &full.get("/profile").await, "a page");
    check(SignIn, Kind::Fragment, &Method::POST, &full.post("/thoughts", &[("message", "x")]).await, "a form");
    let restored = full.saying("HX-History-Restore-Request", "true").get("/profile").await;
    check(SignIn, Kind::Page, &Method::GET, &restored, "a page of the history");
}

#[tokio::test]
async fn a_path_of_ours_with_another_method_says_which_it_takes() {
    let site = site().await;
    let answer = site.stranger().send(Method::PATCH, "/thoughts", None, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST, HEAD"));
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let site = site().await;
    let answer = site.stranger().send(Method::HEAD, "/", None, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
}

#[test]
fn the_command_prints_what_is_mounted_and_the_readme_holds_it() {
    let printed = program::run(&["routes"], &[]);
    let printed = String::from_utf8(printed.stdout).unwrap();
    let rows: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().collect()).collect();
    let mounted: Vec<Vec<String>> =
        table().iter().map(|row| vec![row.method.to_string(), row.path.to_owned(), row.access.to_string()]).collect();
    assert_eq!(rows, mounted);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&printed), "the README's route table is not what `thoughts routes` prints:\n{printed}");
}

#[tokio::test]
async fn a_body_that_no_form_can_hold_is_refused_as_every_other_refusal() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let much = "x".repeat(3_000_000);
    for path in ["/thoughts", "/thoughts/01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let page = ann.post(path, &[("message", &much)]).await;
        assert_eq!((page.status.as_u16(), page.text("h1").as_str()), (413, "Too long"), "{path}");
    }
    let json = ann.send(Method::POST, "/api/thoughts", Some("application/json"), &much).await;
    assert_eq!((json.status.as_u16(), json.header("content-type")), (413, "application/problem+json"));
}

#[tokio::test]
async fn headers_beyond_all_measure_are_refused() {
    let site = site().await;
    for (name, value) in [("x-much", "x".repeat(64 * 1024)), ("cookie", "a=b; ".repeat(10_000))] {
        assert_eq!(site.stranger().saying(name, &value).get("/").await.status, 431, "{name}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_before_it_is_read() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = ann.share("Mine", "public").await;
    let answer = ann.saying("origin", "https://evil.example").post(&path, &[("_method", "delete")]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(ann.get(&path).await.status, 200);
}

#[tokio::test]
async fn a_part_of_a_path_that_is_no_text_names_nothing() {
    for base in ["", "/notes"] {
        let site = Site::with(&[("base path", base)]).await;
        assert_eq!(site.stranger().get("/thoughts/%ff").await.status, 404, "{base}");
        let api = site.stranger().get("/api/thoughts/%ff").await;
        assert_eq!((api.status.as_u16(), api.header("content-type")), (404, "application/problem+json"), "{base}");
    }
}
