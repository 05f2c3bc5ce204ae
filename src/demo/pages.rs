//! The frame of the provider's pages, the plain ones among them, and the headers that every answer has.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, html};
use poem::{
    Request, Response, handler,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use sha2::{Digest, Sha256};

use super::error::Error;

/// Written without quotes, `&`, `<` and `>`, so that escaping leaves it as it is.
const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f4f2ee;--card:#fff;--ink:#22201c;--soft:#655f55;--line:#8d867a;\
--accent:#2b5a9b;--on-accent:#fff;--wrong:#a3261b}\
@media(prefers-color-scheme:dark){:root{--ground:#191816;--card:#24221f;--ink:#eeeae2;--soft:#b3aca0;--line:#807a6f;\
--accent:#9cc1f5;--on-accent:#10233d;--wrong:#ff9d92}}\
*{box-sizing:border-box}\
body{margin:0;min-block-size:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);\
color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
main{inline-size:min(26rem,100%);padding:2rem;background:var(--card);border-radius:1rem;\
box-shadow:0 1px 3px rgb(0 0 0/.2);overflow-wrap:anywhere}\
h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}\
p{margin:.5rem 0}form{display:grid;gap:.75rem;margin-block-start:1rem}\
label{font-weight:600}label.tick{display:flex;gap:.5rem;align-items:center;min-block-size:2.75rem}\
input:not([type=checkbox]){inline-size:100%;margin-block-start:.25rem;padding:.65rem .75rem;font:inherit;\
color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.5rem}\
input[type=checkbox]{inline-size:1.25rem;block-size:1.25rem;accent-color:var(--accent)}\
button{min-block-size:2.75rem;padding:.5rem 1rem;font:inherit;font-weight:600;border-radius:.5rem;cursor:pointer;\
border:1px solid var(--accent);background:var(--accent);color:var(--on-accent)}\
button.quiet{background:transparent;color:var(--accent)}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
summary{cursor:pointer;color:var(--soft);padding-block:.5rem}\
.soft{color:var(--soft);font-size:.9rem;font-weight:400}.wrong{color:var(--wrong);font-weight:600}";

static CONTENT_SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    // No form-action: Chromium applies it to the redirect back to the client too.
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'")
});

/// A whole page.
pub(super) fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Demo provider" }
                style { (STYLE) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    Response::builder().status(status).content_type("text/html; charset=utf-8").body(page.into_string())
}

/// A page that says why not.
pub(super) fn refusal(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, title, &html! { p { (text) } })
}

/// The page for what is the provider's own fault; the cause goes to the log.
pub(super) fn broken(error: &Error) -> Response {
    let mut causes = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        // Writing to a `String` cannot fail.
        let _written = write!(causes, ": {cause}").is_ok();
        source = cause.source();
    }
    tracing::error!(error = causes, "the demo provider failed");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here", "This is the provider's fault, not yours.")
}

/// What the provider is, for who opens its address.
#[handler]
pub(super) fn home() -> Response {
    let body = html! {
        p { "This is the OpenID provider inside " code { "thoughts demo" } ". It lets anyone in under any name." }
        p.soft { "It is for trying things out on this machine, and must not be used for anything else." }
    };
    page(StatusCode::OK, "Demo provider", &body)
}

/// Whether a form was sent from one of our own pages, as far as the browser says.
pub(super) fn is_own_form(request: &Request) -> bool {
    request.header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"))
}

/// Headers that every answer has. Nothing of a provider is to be kept, framed or told to other sites.
pub(super) fn add_headers(response: &mut Response, now: i64) {
    let date = jiff::Timestamp::from_second(now)
        .map(|time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default();
    let headers: [(HeaderName, &str); 6] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, &CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Set here because the provider's clock may be a wrong one.
        (header::DATE, &date),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_is_the_same_after_escaping() {
        assert_eq!(html! { (STYLE) }.into_string(), STYLE);
    }
}
