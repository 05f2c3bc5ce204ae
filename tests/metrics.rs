//! What an operator sees of it: numbers on a listener of their own, and what became of a sign-in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use thoughts::demo::Fault;
use thoughts::telemetry::{Outcome, Step};

use crate::support::program::run;
use crate::support::site::free_address;
use crate::support::{Person, Site, site};

/// A site with its numbers, and whoever looks at them.
async fn with_metrics() -> (Site, Person) {
    let (listener, origin) = free_address();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    (Site::with(&[("THOUGHTS_METRICS_LISTEN", &listen)]).await, Person::new(&origin))
}

async fn says(operator: &Person, line: &str) {
    let numbers = operator.get("/metrics").await;
    assert!(numbers.body.lines().any(|one| one == line), "{line} is not in {}", numbers.body);
}

#[tokio::test]
async fn the_numbers_have_a_listener_of_their_own_with_nothing_else_on_it() {
    let (site, operator) = with_metrics().await;
    let numbers = operator.get("/metrics").await;
    assert_eq!(numbers.status, 200);
    for path in ["/", "/healthz", "/metrics/x", "/profile"] {
        assert_eq!(operator.get(path).await.status, 404, "{path}");
    }
    assert_eq!(operator.post("/metrics", &[]).await.status, 405);
    assert_eq!(site.stranger().get("/metrics").await.status, 404);
}

#[tokio::test]
async fn the_numbers_are_text_that_everything_reads_and_openmetrics_for_who_names_it() {
    let (_site, operator) = with_metrics().await;
    let text = operator.get("/metrics").await;
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in ["# TYPE thoughts_changes_heard_total counter", "# TYPE thoughts_build_info gauge"] {
        assert!(text.body.lines().any(|one| one == line), "{line} is not in {}", text.body);
    }
    assert!(!text.body.contains("# EOF"));
    let named = operator.saying("accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1").get("/metrics").await;
    assert_eq!(named.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(named.body.contains("# TYPE thoughts_changes_heard counter") && named.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn signing_in_and_out_is_counted() {
    let (site, operator) = with_metrics().await;
    let ann = site.member("Ann").await;
    says(&operator, r#"thoughts_sign_ins_started_total{provider="default"} 1"#).await;
    says(&operator, r#"thoughts_sign_ins_total{provider="default",outcome="success",cause=""} 1"#).await;
    says(&operator, r#"thoughts_sessions_created_total{provider="default"} 1"#).await;
    says(&operator, r#"thoughts_provider_up{provider="default"} 1"#).await;
    ann.post("/logout", &[]).await;
    says(&operator, r#"thoughts_sessions_ended_total{why="signed_out"} 1"#).await;
}

#[tokio::test]
async fn a_sign_in_that_fails_is_counted_by_its_cause_and_found_by_its_reference() {
    let (site, operator) = with_metrics().await;
    site.provider.faults().on(Fault::IdTokenWrongNonce);
    let page = site.stranger().sign_in("Ann").await;
    let failed = r#"thoughts_sign_ins_total{provider="default",outcome="failure",cause="id_token_nonce"} 1"#;
    says(&operator, failed).await;
    let found = site.app.telemetry.sign_ins().find(&page.text(".note code")).unwrap();
    assert_eq!(found.steps, [Step::Started, Step::CameBack, Step::StateKnown, Step::CodeRedeemed]);
    assert!(matches!(found.outcome, Outcome::Failed { cause: "id_token_nonce", .. }), "{found:?}");
    assert_eq!(found.provider, "default");
}

#[tokio::test]
async fn a_sign_in_that_succeeds_is_remembered_with_every_step() {
    let site = site().await;
    site.member("Ann").await;
    let latest = site.app.telemetry.sign_ins().latest(1);
    assert!(matches!(latest[0].outcome, Outcome::SignedIn(_)), "{latest:?}");
    let last = [Step::IdTokenVerified, Step::UserinfoRead, Step::Allowed, Step::SessionMade];
    assert!(latest[0].steps.ends_with(&last), "{latest:?}");
}

#[tokio::test]
async fn every_cache_says_how_much_it_holds_and_may_hold_and_sleds_own_what_it_may() {
    let (site, operator) = with_metrics().await;
    let ann = site.member("Ann").await;
    ann.share("Hello", "public").await;
    ann.get("/").await;
    let numbers = operator.get("/metrics").await.body;
    let mut names: Vec<_> = site.app.store.caches().into_iter().map(|(name, _)| name).collect();
    names.extend(["rendered", "shown"]);
    for name in names {
        // What backups note is not asked for.
        let (held, asked) = (name != "sled", !["sled", "copies", "unindexed"].contains(&name));
        let counted = [("capacity_bytes", true), ("bytes", held), ("hits_total", asked), ("misses_total", asked)];
        for (metric, counted) in counted {
            let start = format!("thoughts_cache_{metric}{{cache=\"{name}\"}} ");
            assert_eq!(numbers.lines().any(|line| line.starts_with(&start)), counted, "{start} in {numbers}");
        }
    }
    assert!(site.app.rendered.usage().bytes > Some(0));
}

#[tokio::test]
async fn requests_are_counted_by_the_pattern_of_their_route_and_not_by_what_was_asked() {
    let (site, operator) = with_metrics().await;
    let ann = site.stranger();
    ann.get("/thoughts/01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
    ann.get("/made-up").await;
    says(&operator, r#"thoughts_http_requests_total{method="GET",route="/thoughts/{id}",status="4xx"} 1"#).await;
    says(&operator, r#"thoughts_http_requests_total{method="GET",route="none",status="4xx"} 1"#).await;
    says(&operator, r#"thoughts_refusals_total{kind="not_found"} 2"#).await;
}

#[test]
fn the_same_address_for_both_is_exit_code_2() {
    let output = run(
        &["serve"],
        &[
            ("THOUGHTS_LISTEN", "127.0.0.1:9"),
            ("THOUGHTS_METRICS_LISTEN", "127.0.0.1:9"),
            ("THOUGHTS_OIDC_ISSUER", "http://localhost:9"),
            ("THOUGHTS_OIDC_CLIENT_ID", "x"),
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("THOUGHTS_METRICS_LISTEN") && line.contains("`127.0.0.1:9`"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_no_path_is_answered_by_the_guard_and_counted() {
    let (site, operator) = with_metrics().await;
    let mut connection = TcpStream::connect(site.base.trim_start_matches("http://")).unwrap();
    connection.write_all(b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("<h1"), "{answer}");
    says(&operator, r#"thoughts_http_requests_total{method="OPTIONS",route="none",status="4xx"} 1"#).await;
}
