//! What other services say of the person: their answers become HTML here, so that neither the token nor the JSON
//! reaches the page. A service is asked when one looks, so that a slow one doesn't hold up the profile.

use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, Method};
use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};
use serde_json::{Map, Value};

use super::claims::spoken;
use crate::actions::access_token::access_token;
use crate::app::SignedInUpstream;
use crate::paths;
use crate::web::access::Member;
use crate::web::hypermedia::{Screen, nonce};
use crate::web::pages::error;
use crate::web::refusal::Refusal;

/// Bytes of an answer that are shown at most.
const SHOWN_BYTES: usize = 64 * 1024;

/// `GET /profile/upstreams/{name}`: the answer as a page of its own, or put into the profile's section.
#[handler]
pub async fn get(member: Member, Path(name): Path<String>) -> Result<Response, Refusal> {
    let upstream = member.app.upstreams.named(&name).ok_or(Refusal::NotFound)?;
    let path = upstream.config.profile_path.as_ref().ok_or(Refusal::NotFound)?;
    let said = match ask(&member, upstream, path.as_str()).await {
        Ok(said) => answer(&said),
        // The rest of the profile is there all the same.
        Err(Refusal::BadGateway(why) | Refusal::GatewayTimeout(why)) => {
            html! { p .note role="status" { (error::sentence(&why)) } }
        }
        Err(refusal) => return Err(refusal),
    };
    let page = html! {
        section .message {
            h1 tabindex="-1" { "What " (upstream.config.name) " says" }
            (said)
            p { a href=(member.app.paths.plain(paths::PROFILE)) { "To your profile" } }
        }
    };
    Ok(member.show(Screen::new(format!("What {name} says"), page).part(said)))
}

/// What the service answers, as far as it can be shown.
enum Said {
    /// JSON.
    Value(Value),
    /// Something else, or more than is shown.
    Unreadable(String),
}

async fn ask(member: &Member, upstream: &SignedInUpstream, path: &str) -> Result<Said, Refusal> {
    let address = upstream.service.address(&Method::GET, path, None)?;
    let token = access_token(&member.app, &member.session, upstream).await?;
    let accept = (http::header::ACCEPT, HeaderValue::from_static("application/json"));
    let headers = HeaderMap::from_iter([accept]);
    let nothing = futures_util::stream::empty();
    let answer = upstream.service.call(Method::GET, address, &headers, nothing, &token).await;
    member.app.called(upstream, &answer);
    let answer = answer?;
    if !answer.status.is_success() {
        return Ok(Said::Unreadable(format!("It answered {}.", answer.status)));
    }
    let mut whole = Vec::new();
    let mut body = answer.body;
    while let Some(chunk) = body.try_next().await.map_err(|_| broke_off(upstream))? {
        whole.extend_from_slice(&chunk);
        if whole.len() > SHOWN_BYTES {
            return Ok(Said::Unreadable("Its answer is too long to be shown here.".to_owned()));
        }
    }
    let read = serde_json::from_slice(&whole).map(Said::Value);
    Ok(read.unwrap_or_else(|_| Said::Unreadable("Its answer is not JSON.".to_owned())))
}

fn broke_off(upstream: &SignedInUpstream) -> Refusal {
    Refusal::BadGateway(format!("the upstream `{}` broke off its answer", upstream.config.name))
}

/// The section of each service that has something to say on the profile.
pub(super) fn sections(member: &Member) -> Markup {
    let shown = member.app.upstreams.all().iter().filter(|upstream| upstream.config.profile_path.is_some());
    html! {
        @for upstream in shown {
            @let name = upstream.config.name.as_str();
            @let path = member.app.paths.profile_upstream(name);
            section {
                h2 { "What " (name) " says" }
                div hx-get=(path) hx-trigger="load" hx-target="this" hx-push-url="false" hx-nonce=(nonce()) {
                    p { a href=(path) hx-boost="false" hx-nonce=(nonce()) { "Ask " (name) } }
                }
            }
        }
    }
}

fn answer(said: &Said) -> Markup {
    match said {
        Said::Value(Value::Object(fields)) => table(fields),
        Said::Value(Value::Array(list)) => html! {
            ul { @for item in list { li { (item_of(item)) } } }
        },
        Said::Value(other) => html! { p { (spoken(other)) } },
        Said::Unreadable(why) => html! { p .note { (why) } },
    }
}

fn item_of(item: &Value) -> Markup {
    match item {
        Value::Object(fields) => table(fields),
        other => html! { (spoken(other)) },
    }
}

fn table(fields: &Map<String, Value>) -> Markup {
    html! {
        dl .claims {
            @for (name, value) in fields {
                div {
                    dt { (name) }
                    dd { (spoken(value)) }
                }
            }
        }
    }
}
