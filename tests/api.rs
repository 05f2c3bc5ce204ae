//! The JSON face, by session cookie.

use reqwest::Method;
use serde_json::json;

use crate::support::site;

#[tokio::test]
async fn a_thought_goes_through_its_life_as_json() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let created =
        ann.json(Method::POST, "/api/thoughts", &json!({ "message": "**Hi**", "visibility": "members" })).await;
    assert_eq!(created.status, 201);
    let path = created.location().unwrap();
    let thought = created.json();
    assert_eq!(path, format!("/api/thoughts/{}", thought["id"].as_str().unwrap()));
    assert_eq!(thought["message"], "**Hi**");
    assert_eq!(thought["html"].as_str().unwrap().trim(), "<p><strong>Hi</strong></p>");
    assert_eq!(thought["visibility"], "members");
    assert_eq!(thought["author"], json!({ "handle": "ann", "name": "Ann" }));
    assert_eq!(thought["edited_at"], json!(null));
    assert!(thought["created_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());

    let changed = ann.json(Method::PUT, &path, &json!({ "message": "Bye", "visibility": "public" })).await;
    assert_eq!((changed.status.as_u16(), changed.json()["message"].clone()), (200, json!("Bye")));
    assert!(changed.json()["edited_at"].is_string());
    assert_eq!(site.stranger().get(&path).await.json()["message"], "Bye");

    assert_eq!(ann.send(Method::DELETE, &path, None, "").await.status, 204);
    assert_eq!(ann.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_list_says_where_the_next_page_is_while_there_is_one() {
    let site = site().await;
    let ann = site.member("Ann").await;
    for number in 1..=21 {
        ann.share(&format!("Thought {number}"), "public").await;
    }
    let first = ann.get("/api/thoughts").await;
    assert_eq!(first.json()["thoughts"].as_array().unwrap().len(), 20);
    let next = first.header("link").trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
    let second = ann.get(&next).await;
    assert_eq!(second.json()["thoughts"][0]["message"], "Thought 1");
    assert!(second.headers.get("link").is_none());
}

#[tokio::test]
async fn me_is_who_asks() {
    let site = site().await;
    let ann = site.member_with("Ann Smith", &[("groups", "friends"), ("admin", "true")]).await;
    let me = ann.get("/api/me").await.json();
    assert_eq!(me["name"], "Ann Smith");
    assert_eq!(me["handle"], "ann-smith");
    assert_eq!(me["groups"], json!(["friends"]));
    assert_eq!(me["admin"], true);
    assert!(me["email"].is_string());
}

#[tokio::test]
async fn a_refusal_is_a_problem_that_names_each_field() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let answer = ann.json(Method::POST, "/api/thoughts", &json!({ "message": " ", "visibility": "nobody" })).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["message", "visibility"]);
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
    let wrong_type = ann.json(Method::POST, "/api/thoughts", &json!({ "message": 1, "visibility": "public" })).await;
    assert_eq!(wrong_type.json()["errors"][0]["field"], "message");
    for body in ["", "{", "[]", "{\"text\":\"x\"}", "{\"message\":1}"] {
        let answer = ann.send(Method::POST, "/api/thoughts", Some("application/json"), body).await;
        assert_eq!(answer.status, 422, "{body}");
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so_in_the_same_way() {
    let site = site().await;
    let answer = site.stranger().get("/api/me").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn the_same_once_value_gives_the_first_thought_again() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let body = json!({ "message": "Once", "visibility": "public", "once": "abc" });
    let first = ann.json(Method::POST, "/api/thoughts", &body).await;
    let second = ann.json(Method::POST, "/api/thoughts", &body).await;
    assert_eq!((second.status.as_u16(), second.location()), (201, first.location()));
}

#[tokio::test]
async fn what_was_given_can_be_sent_back_changed() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let path = format!("/api{}", ann.share("First", "public").await);
    let mut thought = ann.get(&path).await.json();
    thought["message"] = json!("Second");
    assert_eq!(ann.json(Method::PUT, &path, &thought).await.json()["message"], "Second");
}
