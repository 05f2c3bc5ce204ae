//! A session as lists show it, to its member and to an admin.

use maud::{Markup, html};

use super::time;
use crate::domain::session::Session;

/// Where somebody is signed in: with what, since when, with which provider, and a word more of it.
pub fn session(session: &Session, provider: &str, badge: Option<&str>) -> Markup {
    html! {
        div {
            p { strong { (browser(&session.user_agent)) } @if let Some(badge) = badge { " " span .for { (badge) } } }
            p .meta {
                span { "Last seen " (time(session.last_seen_at)) }
                span { "signed in " (time(session.created_at)) " with " (provider) }
                @if let Some(address) = &session.address { span { "from " (address) } }
            }
        }
    }
}

/// A browser and a system, as far as its own name for itself gives them away.
pub fn browser(user_agent: &str) -> String {
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
