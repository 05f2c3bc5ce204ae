//! One's own page, a file a section: where one is signed in (`sessions`), with what (`providers`), what programs one has
//! let in (`api_tokens`), what the provider says (`claims`), what other services say (`upstreams`), what one has shared,
//! and how to take it along (`export`) and leave (`account`). To add a section, add a file with its handlers above and
//! its view below, and a line in `show`.

pub mod account;
pub mod api_tokens;
mod claims;
pub mod export;
pub mod providers;
pub mod sessions;
pub mod upstreams;

use maud::{Markup, html};
use poem::{Response, handler};

use crate::actions::{self, read};
use crate::paths;
use crate::web::access::Member;
use crate::web::components::{List, avatar, list};
use crate::web::hypermedia::{Screen, see_other};
use crate::web::refusal::Refusal;
use crate::web::request::Kind;

/// `GET /profile`
#[handler]
pub async fn get(member: Member) -> Result<Response, Refusal> {
    show(&member, None).await
}

/// The profile after something on it changed: a fragment says what, a page goes back to it.
async fn changed(member: &Member, said: &'static str) -> Result<Response, Refusal> {
    match member.kind {
        Kind::Page | Kind::Api => Ok(see_other(&member.app.paths.plain(paths::PROFILE))),
        Kind::Fragment => show(member, Some(said)).await,
    }
}

async fn show(member: &Member, said: Option<&'static str>) -> Result<Response, Refusal> {
    let app = &member.app;
    let own = actions::sessions::own(app, &member.member).await?;
    let tokens = actions::api_tokens::own(app, &member.member).await?;
    let claims = actions::sessions::kept(app, &member.session).map(|kept| kept.claims).unwrap_or_default();
    let (_, page) = read::member_page(app, &member.viewer, &member.member.handle, None).await?;
    let thoughts = List {
        visitor: member,
        page: &page,
        older: page.next.map(|id| app.paths.member_before(&member.member.handle, id)),
    };
    let main = html! {
        (person(member))
        (sessions::section(member, &own))
        (api_tokens::section(member, &tokens))
        (providers::section(member))
        (claims::section(&claims))
        (upstreams::sections(member))
        (account::section(member))
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
