//! The headers that keep a page to itself, and the check of where a change comes from.

use crate::support::{Site, site};

#[tokio::test]
async fn every_page_has_a_policy_without_anything_unsafe_and_a_nonce_of_its_own() {
    let site = site().await;
    let mut nonces = Vec::new();
    for person in [site.stranger(), site.stranger(), site.stranger().htmx(), site.member("Ann").await] {
        let answer = person.get("/").await;
        let policy = answer.header("content-security-policy").to_owned();
        assert!(!policy.contains("unsafe"), "{policy}");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types htmx",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(policy.contains(&format!("form-action 'self' {}", site.provider.issuer())), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        for element in answer.html().select(&scraper::Selector::parse("[hx-nonce]").unwrap()) {
            assert_eq!(element.attr("hx-nonce"), Some(nonce.as_str()));
        }
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 4);
}

#[tokio::test]
async fn a_form_may_end_up_here_and_at_each_provider_and_nowhere_else() {
    let site = Site::with_two_providers("").await;
    let [main, other] = [site.provider.issuer(), site.other.as_ref().unwrap().issuer()];
    let answer = site.stranger().get("/").await;
    let policy = answer.header("content-security-policy");
    let form_action = policy.split(';').map(str::trim).find(|directive| directive.starts_with("form-action"));
    assert_eq!(form_action, Some(&*format!("form-action 'self' {main} {other}")));
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_a_name() {
    let site = site().await;
    for path in ["/", "/nothing", "/api/me", "/healthz", "/login"] {
        let answer = site.stranger().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert!(!answer.header("referrer-policy").is_empty(), "{path}");
        assert!(!answer.header("permissions-policy").is_empty(), "{path}");
        assert!(!answer.header("content-security-policy").is_empty(), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "not over http: {path}");
    }
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_the_host_and_browsers_are_told_to_stay() {
    let site = Site::with(&[("THOUGHTS_BASE_URL", "https://thoughts.example")]).await;
    let answer = site.stranger().get("/login").await;
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-thoughts-sign-in-"), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
}

#[tokio::test]
async fn a_change_that_another_sites_page_asks_for_is_refused() {
    let site = site().await;
    let ann = site.member("Ann").await;
    let fields = [("message", "Not me"), ("visibility", "public")];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1"),
    ] {
        assert_eq!(ann.saying(name, value).post("/thoughts", &fields).await.status, 403, "{name}: {value}");
        assert_eq!(ann.saying(name, value).post("/logout", &[]).await.status, 403, "{name}: {value}");
    }
    assert!(!ann.get("/").await.has("article"));
    for (name, value) in [("sec-fetch-site", "same-origin"), ("origin", site.base.as_str())] {
        assert_eq!(ann.saying(name, value).post("/thoughts", &fields).await.status, 303, "{name}: {value}");
    }
}
