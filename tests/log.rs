//! The log: a line about a request names it as its answer does.

use serde_json::Value;

use crate::support::program::Server;
use crate::support::{Person, site};

/// What a server that logs in this format says until it has refused a page, and what that page's request was called.
async fn said_in(format: &str) -> (String, String) {
    let (site, folder) = (site().await, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("thoughts.toml"), format!("log_format = '{format}'")).unwrap();
    let server = Server::start_logging(folder.path(), site.provider.issuer(), "info");
    let answer = Person::new(&server.base).get("/nothing").await;
    assert_eq!(answer.status, 404);
    (server.until_it_says("answered").await, answer.header("x-request-id").to_owned())
}

#[tokio::test]
async fn a_line_for_people_ends_in_the_name_of_the_request_that_it_is_about() {
    let (said, request) = said_in("text").await;
    let (of_it, others): (Vec<_>, Vec<_>) = said.lines().partition(|line| line.contains("answered"));
    assert_eq!(of_it.len(), 1, "{said}");
    assert!(of_it[0].contains("status=404") && of_it[0].ends_with(&format!(" request_id={request}")), "{said}");
    assert!(others.iter().all(|line| !line.contains("request_id")), "{said}");
}

#[tokio::test]
async fn a_line_for_programs_has_it_as_a_member() {
    let (said, request) = said_in("json").await;
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (of_it, others): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["message"] == "answered");
    assert_eq!(of_it.len(), 1, "{said}");
    assert_eq!((&of_it[0]["status"], &of_it[0]["request_id"]), (&404.into(), &request.into()));
    assert!(!others.is_empty() && others.iter().all(|line| line["request_id"].is_null()), "{said}");
}
