//! One's own page: what the provider says, where one is signed in, what one has shared.

use maud::{Markup, html};
use poem::web::Path;
use poem::{Response, handler};
use serde_json::{Map, Value};

use super::logout;
use crate::actions::{read, sessions};
use crate::app::SignInProvider;
use crate::domain::session::Session;
use crate::paths;
use crate::web::access::Member;
use crate::web::components::{List, avatar, list, time};
use crate::web::form::named;
use crate::web::hypermedia::{Screen, nonce, see_other};
use crate::web::refusal::Refusal;
use crate::web::request::Kind;

/// `GET /profile`
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    show(&member, None).await
}

/// `DELETE /profile/sessions/{id}`: ends one of one's own sessions, at once. Ending the one that asks is
/// signing out.
#[handler]
pub async fn end_session(member: Member, Path(id): Path<String>) -> Result<Response, Refusal> {
    let hash = named(&id)?;
    if hash == member.session.hash {
        return logout::sign_out(&member, &member.session).await;
    }
    sessions::end(&member.app, member.member.id, hash).await?;
    changed(&member, "Session ended.").await
}

/// `DELETE /profile/sessions`: ends all the others.
#[handler]
pub async fn end_other_sessions(member: Member) -> Result<Response, Refusal> {
    sessions::end_others(&member.app, &member.member, member.session.hash).await?;
    changed(&member, "All other sessions ended.").await
}

async fn changed(member: &Member, said: &'static str) -> Result<Response, Refusal> {
    match member.kind {
        Kind::Page | Kind::Api => Ok(see_other(&member.app.paths.plain(paths::PROFILE))),
        Kind::Fragment => show(member, Some(said)).await,
    }
}

async fn show(member: &Member, said: Option<&'static str>) -> Result<Response, Refusal> {
    let app = &member.app;
    let own = sessions::own(app, &member.member).await?;
    let claims = sessions::kept(app, &member.session).map(|kept| kept.claims).unwrap_or_default();
    let (_, page) = read::member_page(app, &member.viewer, &member.member.handle, None).await?;
    let thoughts = List {
        viewer: &member.viewer,
        paths: &app.paths,
        page: &page,
        older: page.next.map(|id| app.paths.member_before(&member.member.handle, id)),
    };
    let main = html! {
        (person(member))
        section { h2 { "Where you are signed in" } (session_list(member, &own)) }
        section { h2 { "What your provider says of you" } (claim_list(&claims)) }
        // Last, for it grows as one scrolls.
        section { h2 { "Your thoughts" } (list(&thoughts, "You have not shared anything yet.")) }
    };
    let screen = Screen::new("Profile", main);
    Ok(member.show(match said {
        Some(said) => screen.announcing(said),
        None => screen,
    }))
}

fn person(member: &Member) -> Markup {
    let me = &member.member;
    html! {
        header .person {
            (avatar(&me.name, me.id))
            div {
                h1 tabindex="-1" { (me.name) }
                p .meta {
                    a .handle href=(member.app.paths.member(&me.handle)) { "@" (me.handle) }
                    @if let Some(email) = &me.email { span { (email) } }
                    @if me.admin { span .for { "Admin" } }
                    @for group in &me.groups { span .for { (group) } }
                }
            }
        }
    }
}

fn session_list(member: &Member, own: &[Session]) -> Markup {
    let paths = &member.app.paths;
    let others = paths.plain(paths::OTHER_SESSIONS);
    html! {
        ul .sessions role="list" {
            @for session in own {
                @let this = session.hash == member.session.hash;
                @let browser = browser(&session.user_agent);
                li {
                    div {
                        p { strong { (browser) } @if this { " " span .for { "This one" } } }
                        p .meta {
                            span { "Last seen " (time(session.last_seen_at)) }
                            span { "signed in " (time(session.created_at)) " with " (provider_label(member, session)) }
                            @if let Some(address) = &session.address { span { "from " (address) } }
                        }
                    }
                    (end_button(&paths.session(session.hash), "End", &format!("End the session of {browser}, begun {}", session.created_at.strftime("%-d %B, %H:%M UTC")), this))
                }
            }
        }
        @if own.len() > 1 { (end_button(&others, "End all others", "End all others", false)) }
    }
}

fn provider_label(member: &Member, session: &Session) -> String {
    let provider = member.app.providers.named(&session.provider);
    provider.map_or_else(|| session.provider.clone(), SignInProvider::label)
}

/// Ending the session that is in use leaves the page; ending another one shows it anew.
fn end_button(action: &str, text: &str, label: &str, leaves: bool) -> Markup {
    html! {
        form method="post" action=(action) hx-delete=[(!leaves).then_some(action)] hx-target="#main" hx-sync="this:drop"
            hx-boost="false" hx-nonce=(nonce()) {
            input type="hidden" name="_method" value="delete";
            button .quiet type="submit" aria-label=(label) { (text) }
        }
    }
}

/// A browser and a system, as far as its own name for itself gives them away.
fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    let browser =
        first(&[("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari")]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "a Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) if user_agent.is_empty() => "A program without a name".to_owned(),
        (None, None) => user_agent.chars().take(60).collect(),
    }
}

/// Claims that are about the token rather than the person. Source: RFC 7519, 4.1; OpenID Connect Core 1.0, 2.
const OF_THE_TOKEN: &[&str] =
    &["acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "exp", "iat", "jti", "nbf", "nonce", "sid"];

fn claim_list(claims: &Map<String, Value>) -> Markup {
    let of_the_person = claims.iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str()));
    html! {
        dl .claims {
            @for (name, value) in of_the_person {
                div {
                    dt { (name) }
                    dd { (spoken(value)) }
                }
            }
        }
    }
}

/// A claim's value as a person writes it.
fn spoken(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(list) if list.is_empty() => "–".to_owned(),
        Value::Array(list) => list.iter().map(spoken).collect::<Vec<_>>().join(", "),
        Value::Null => "–".to_owned(),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
